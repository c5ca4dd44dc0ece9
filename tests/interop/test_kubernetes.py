"""k8s/ renders, and says of itself what the server and the image can keep.

What is not tested: that a cluster runs it; there is none where these tests run.
"""
import pathlib
import re
import subprocess

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
KUSTOMIZATIONS = sorted(str(p.parent.relative_to(ROOT)) for p in ROOT.glob("k8s/**/kustomization.yaml"))


def render(folder):
    out = subprocess.run(["kubectl", "kustomize", str(ROOT / folder)], check=True,
                         capture_output=True, text=True, timeout=60).stdout
    return [d for d in yaml.safe_load_all(out) if d]


def pod_specs(documents):
    return [d["spec"]["template"]["spec"] for d in documents if d["kind"] in ("Deployment", "Job")]


def the(documents, kind):
    (found,) = [d for d in documents if d["kind"] == kind]
    return found


@pytest.mark.parametrize("folder", KUSTOMIZATIONS)
def test_every_pod_is_locked_down(folder):
    specs = pod_specs(render(folder))
    assert specs
    for spec in specs:
        assert spec["securityContext"]["runAsNonRoot"] is True
        for container in spec["containers"]:
            security = container["securityContext"]
            assert security["allowPrivilegeEscalation"] is False
            assert security["readOnlyRootFilesystem"] is True
            assert security["capabilities"]["drop"] == ["ALL"]
            assert "limits" in container["resources"] and "requests" in container["resources"]


@pytest.mark.parametrize("folder", KUSTOMIZATIONS)
def test_volumes_name_the_claim_of_base(folder):
    claims = {d["metadata"]["name"] for d in render("k8s/base") if d["kind"] == "PersistentVolumeClaim"}
    for spec in pod_specs(render(folder)):
        volumes = {v["name"]: v for v in spec["volumes"]}
        assert {v["persistentVolumeClaim"]["claimName"] for v in volumes.values()} <= claims
        for container in spec["containers"]:
            assert {m["name"] for m in container["volumeMounts"]} <= set(volumes)


def test_service_reaches_the_deployment():
    documents = render("k8s/base")
    deployment, service = the(documents, "Deployment"), the(documents, "Service")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert deployment["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert service["spec"]["selector"].items() <= labels.items()
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    ports = {p["name"]: p["containerPort"] for p in container["ports"]}
    (port,) = service["spec"]["ports"]
    assert ports[port["targetPort"]] == 8500
    assert container["readinessProbe"]["grpc"]["port"] == 8500


def test_arguments_are_flags_of_the_server(build):
    container = the(render("k8s/base"), "Deployment")["spec"]["template"]["spec"]["containers"][0]
    text = subprocess.run([build / "server/digit-server", "--help"], check=True,
                          capture_output=True, text=True, timeout=30).stdout
    known = set(re.findall(r"--([a-z_]+)", text))
    used = {re.match(r"--([a-z_]+)=", a).group(1) for a in container["args"]}
    assert used <= known
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert set(re.findall(r'"--([a-z_]+)=', dockerfile)) <= known


def test_grace_period_outlasts_the_servers_own(build):
    spec = the(render("k8s/base"), "Deployment")["spec"]["template"]["spec"]
    text = subprocess.run([build / "server/digit-server", "--help"], check=True,
                          capture_output=True, text=True, timeout=30).stdout
    grace = int(re.search(r"--shutdown_grace_seconds\D+(\d+)", text).group(1))
    (container,) = spec["containers"]
    (lame_duck,) = [int(a.split("=")[1]) for a in container["args"] if "lame_duck" in a]
    assert lame_duck > container["readinessProbe"]["periodSeconds"]
    assert spec["terminationGracePeriodSeconds"] > lame_duck + grace
