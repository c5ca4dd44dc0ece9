"""REST as its clients see it: urllib, http.client and curl. Shapes and texts are TensorFlow Serving's;
numbers must be those that gRPC answers, bit for bit.
"""
import concurrent.futures
import gzip
import http.client
import json
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

import bundles
import conftest
import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("bundles")
    for name in ("affine", "heads", "classifier", "slow"):
        (root / name).mkdir()
    bundles.affine(root / "affine", 1)
    bundles.affine(root / "affine", 2, b=3.0)
    bundles.heads(root / "heads", 5)
    bundles.classifier(root / "classifier", 1)
    bundles.slow(root / "slow", 1)
    return root


@pytest.fixture(scope="module")
def start_rest(start_server):
    """Like start_server; the server has a rest_port too."""
    def start(name, base_path, *flags):
        port = conftest.free_port()
        server = start_server(name, base_path, f"--rest_api_port={port}", *flags)
        server.rest_port = port
        return server
    return start


@pytest.fixture(scope="module")
def server(start_rest, folders, tmp_path_factory):
    config = tmp_path_factory.mktemp("config") / "models"
    models = "".join(f'config {{ name: "{name}" base_path: "{folders / name}" '
                     'model_platform: "tensorflow" }\n' for name in ("heads", "classifier"))
    config.write_text(f"""model_config_list {{
        config {{ name: "affine" base_path: "{folders / "affine"}" model_platform: "tensorflow"
                  model_version_policy {{ all {{}} }}
                  version_labels {{ key: "old" value: 1 }} }}
        {models} }}""")
    server = start_rest(None, None, f"--model_config_file={config}",
                        "--rest_api_max_body_bytes=1048576", "--rest_api_enable_cors_support",
                        "--enable_model_warmup=false",
                        "--allow_version_labels_for_unavailable_models")
    # The ports open when each model has one version up.
    for version in (1, 2):
        server.wait_for_log(f"model affine version {version}: AVAILABLE")
    return server


def ask(server, path, body=None, headers={}, method=None):
    """(status, headers, bytes)"""
    if isinstance(body, (dict, list)):
        body = json.dumps(body)
    if isinstance(body, str):
        body = body.encode()
    request = urllib.request.Request(f"http://localhost:{server.rest_port}{path}", body, headers,
                                     method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.status, reply.headers, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def ask_json(server, path, body=None):
    status, headers, data = ask(server, path, body)
    assert headers["Content-Type"] == "application/json"
    return status, json.loads(data)


def curl(server, path, *options):
    return subprocess.run(["curl", "-sS", "-m", "30", *options,
                           f"http://localhost:{server.rest_port}{path}"],
                          capture_output=True, check=True).stdout


# ---- predict -------------------------------------------------------------------------------------

@pytest.mark.parametrize("path, body, expected", [
    ("/v1/models/affine:predict", {"instances": [1, 2.0, 5]},
     {"predictions": [{"twice": 7.0, "y": 3.5}, {"twice": 8.0, "y": 4.0}, {"twice": 11.0, "y": 5.5}]}),
    ("/v1/models/affine/versions/1:predict", {"inputs": [1, 2.0]},
     {"outputs": {"twice": [5.0, 6.0], "y": [2.5, 3.0]}}),
    ("/v1/models/affine/labels/old:predict", {"instances": [{"x": 4}]},
     {"predictions": [{"twice": 8.0, "y": 4.0}]}),
    ("/v1/models/affine:predict", {"signature_name": "two", "instances": [{"x": 1, "z": 2}]},
     {"predictions": [3.0]}),
    ("/v1/models/affine:predict", {"signature_name": "two", "inputs": {"x": [1, 2], "z": [3, 4]}},
     {"outputs": [4.0, 6.0]}),
    ("/v1/models/affine:predict",
     {"signature_name": "echo", "instances": ["\u00e9\n\"", {"b64": "aGk="}]},
     {"predictions": ["\u00e9\n\"", "hi"]}),
    ("/v1/models/heads:classify", {"signature_name": "classify", "examples": [{"x": 2.0}]},
     {"results": [[["", 3.0]]]}),
    ("/v1/models/classifier:classify", {"signature_name": "classify", "examples": [{"x": [2.0]}]},
     {"results": [[["low", -3.0], ["high", 3.0]]]}),
    ("/v1/models/heads:regress",
     {"signature_name": "regress", "context": {"x": 6.0}, "examples": [{"x": 2.0}, {}]},
     {"results": [4.0, 6.0]}),
])
def test_answers(server, path, body, expected):
    assert ask_json(server, path, body) == (200, expected)


def test_numbers_are_those_of_grpc(server):
    rng = np.random.default_rng(7)
    x = (rng.standard_normal(5000) * 10.0 ** rng.integers(-30, 30, 5000)).astype(np.float32)
    stub = prediction_service_pb2_grpc.PredictionServiceStub(
        grpc.insecure_channel(f"localhost:{server.port}"))
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "affine"
    request.inputs["x"].CopyFrom(tf.make_tensor_proto(x))
    expected = tf.make_ndarray(stub.Predict(request, 20).outputs["twice"])
    status, reply = ask_json(server, "/v1/models/affine:predict", {"inputs": [float(v) for v in x]})
    assert status == 200
    got = np.array(reply["outputs"]["twice"], np.float64).astype(np.float32)
    np.testing.assert_array_equal(got.view(np.uint32), expected.view(np.uint32))


def test_numbers_that_json_has_not(server):
    status, _, data = ask(server, "/v1/models/affine/versions/1:predict",
                          '{"inputs": [NaN, Infinity, -Inf]} and more')
    assert status == 200
    outputs = json.loads(data)["outputs"]["y"]  # Python's reader takes NaN and Infinity
    assert np.isnan(outputs[0]) and outputs[1:] == [np.inf, -np.inf]


# ---- errors --------------------------------------------------------------------------------------

@pytest.mark.parametrize("path, body, status, text", [
    ("/v1/models/none:predict", {"instances": [1]}, 404,
     "Servable not found for request: Latest(none)"),
    ("/v1/models/affine/versions/9:predict", {"instances": [1]}, 404,
     "Servable not found for request: Specific(affine, 9)"),
    ("/v1/models/affine/labels/new:predict", {"instances": [1]}, 400,
     "Unrecognized servable version label: new"),
    ("/v1/models/affine:predict", "", 400, "JSON Parse error: The document is empty"),
    ("/v1/models/affine:predict", "{", 400,
     "JSON Parse error: Missing a name for object member. at offset: 1"),
    ("/v1/models/affine:predict", {"signature_name": "s", "instances": [1]}, 400,
     'Serving signature name: "s" not found in signature def'),
    ("/v1/models/affine:predict", {"instances": ["a"]}, 400,
     "Failed to process element: 0 of 'instances' list. Error: INVALID_ARGUMENT: "
     'JSON Value: "a" Type: String is not of expected type: float'),
    ("/v1/models/affine:PREDICT", {"instances": [1]}, 400,
     "Malformed request: POST /v1/models/affine:PREDICT"),
    ("/v1/models/affine/versions/99999999999999999999:predict", {}, 400,
     "Failed to convert version: 99999999999999999999 to numeric."),
    ("/v1/models/heads:regress", {"signature_name": "regress", "examples": []}, 400,
     'JSON Value: {\n    "signature_name": "regress",\n    "examples": []\n} '
     "'examples' value is an empty array"),
    ("/v1/models/none", None, 404, "Could not find any versions of model none"),
    ("/v1/models/none/metadata", None, 404, "Servable not found for request: Latest(none)"),
    ("/v1/models/affine/versions/9", None, 404, "Could not find version 9 of model affine"),
])
def test_errors(server, path, body, status, text):
    assert ask_json(server, path, body) == (status, {"error": text})


def test_elsewhere(server):
    status, headers, data = ask(server, "/v3/models")
    assert status == 404 and headers["Content-Type"] == "text/html" and b"404 Not Found" in data


@pytest.mark.parametrize("body, headers", [
    (b"x" * 1100000, {}),
    (gzip.compress(b" " * 2000000), {"Content-Encoding": "gzip"}),
])
def test_too_large(server, body, headers):
    status, _, data = ask(server, "/v1/models/affine:predict", body, headers)
    assert status == 413 and "1048576 bytes" in json.loads(data)["error"]


# ---- states --------------------------------------------------------------------------------------

def state(version):
    return {"version": str(version), "state": "AVAILABLE",
            "status": {"error_code": "OK", "error_message": ""}}


def test_states(server):
    both = {"model_version_status": [state(2), state(1)]}
    assert ask_json(server, "/v1/models/affine") == (200, both)
    assert ask_json(server, "/v1/models/affine/labels/old") == (200, both)
    assert ask_json(server, "/v1/models/affine/versions/1") == (
        200, {"model_version_status": [state(1)]})
    status, reply = ask_json(server, "/v1/models")
    listed = {model["name"]: model["status"] for model in reply["models"]}
    assert status == 200 and listed["affine"] == both and sorted(listed) == [
        "affine", "classifier", "heads"]


def test_metadata(server):
    status, reply = ask_json(server, "/v1/models/affine/labels/old/metadata")
    assert status == 200
    assert reply["model_spec"] == {"name": "affine", "signature_name": "", "version": "1"}
    signatures = reply["metadata"]["signature_def"]["signature_def"]
    # TensorFlow's own __saved_model_init_op is there too, as gRPC has it.
    assert {"echo", "serving_default", "two"} <= set(signatures)
    two = signatures["two"]
    assert two["method_name"] == "tensorflow/serving/predict" and two["defaults"] == {}
    assert two["inputs"]["x"]["dtype"] == "DT_FLOAT"
    assert two["inputs"]["x"]["tensor_shape"] == {
        "dim": [{"size": "-1", "name": ""}], "unknown_rank": False}


def test_probes(server):
    assert ask(server, "/healthz")[0] == 200
    assert ask(server, "/readyz")[0] == 200


# ---- HTTP ----------------------------------------------------------------------------------------

def test_keep_alive(server):
    connection = http.client.HTTPConnection("localhost", server.rest_port, timeout=30)
    sockets = set()
    for i in range(20):
        connection.request("POST", "/v1/models/affine/versions/1:predict",
                           json.dumps({"signature_name": "two", "inputs": {"x": [i], "z": [1]}}))
        sockets.add(connection.sock.getsockname())
        reply = connection.getresponse()
        assert json.loads(reply.read()) == {"outputs": [i + 1.0]} and not reply.will_close
    assert len(sockets) == 1


def test_chunks_and_gzip_with_curl(server, tmp_path):
    body = json.dumps({"signature_name": "two", "inputs": {"x": [0.25] * 4000, "z": [1] * 4000}})
    (tmp_path / "body.gz").write_bytes(gzip.compress(body.encode()))
    path = "/v1/models/affine:predict"
    data = curl(server, path, "-H", "Transfer-Encoding: chunked", "-H", "Content-Encoding: gzip",
                "--data-binary", f"@{tmp_path / 'body.gz'}")
    assert json.loads(data) == {"outputs": [1.25] * 4000}
    (tmp_path / "body").write_text(body)
    small = curl(server, path, "-H", "Accept-Encoding: gzip", "--data-binary", f"@{tmp_path / 'body'}")
    assert gzip.decompress(small) == data and len(small) * 10 < len(data)
    assert curl(server, path, "--compressed", "--data-binary", f"@{tmp_path / 'body'}") == data
    never = curl(server, path, "-H", "Accept-Encoding: gzip;q=0", "--data-binary",
                 f"@{tmp_path / 'body'}")
    assert never == data


def test_damaged_gzip(server):
    status, _, data = ask(server, "/v1/models/affine:predict", b'{"instances": [1]}',
                          {"Content-Encoding": "gzip"})
    assert status == 400 and "is no gzip file" in json.loads(data)["error"]


def test_methods(server):
    pages = ask(server, "/v1/models/affine:predict", method="OPTIONS",
                headers={"Origin": "http://example.org"})
    assert pages[0] == 200 and pages[2] == b""
    assert pages[1]["Access-Control-Allow-Origin"] == "*"
    assert pages[1]["Access-Control-Allow-Methods"] == "POST, GET"
    assert pages[1]["Access-Control-Allow-Headers"] == "Content-Type"
    nobody = ask(server, "/v1/models/affine:predict", method="OPTIONS")
    assert nobody[0] == 400 and nobody[2] == b""
    head = ask(server, "/v1/models/affine", method="HEAD")
    assert head[0] == 400 and head[2] == b"" and int(head[1]["Content-Length"]) > 0
    assert ask_json(server, "/v1/models/affine")[0] == 200
    status, _, data = ask(server, "/v1/models/affine", method="DELETE")
    assert status == 400 and json.loads(data) == {
        "error": "Malformed request: DELETE /v1/models/affine"}


@pytest.mark.parametrize("family, address", [
    (socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_both_families(server, family, address):
    with socket.socket(family) as s:
        try:
            s.connect((address, server.rest_port))
        except OSError as error:
            if family == socket.AF_INET6 and not socket.has_ipv6:
                pytest.skip(f"no IPv6 here: {error}")
            raise
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert s.recv(100).startswith(b"HTTP/1.1 200")


def slow_body(rows):
    return json.dumps({"inputs": [[0.0] * 1024] * rows})


def test_overload_is_refused_and_states_go_on(start_rest, folders):
    server = start_rest("slow", folders / "slow", "--rest_api_num_threads=1",
                        "--max_calls_per_thread=1")
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        body = slow_body(800)
        asked = [pool.submit(ask, server, "/v1/models/slow:predict", body) for _ in range(8)]
        while not any(a.done() for a in asked):
            assert ask_json(server, "/v1/models/slow") == (
                200, {"model_version_status": [state(1)]})
        replies = [a.result() for a in asked]
    statuses = [r[0] for r in replies]
    assert set(statuses) == {200, 429}
    refused = replies[statuses.index(429)]
    assert refused[1]["Retry-After"] == "1"
    assert "wait for a thread" in json.loads(refused[2])["error"]


def test_timeout(start_rest, folders):
    server = start_rest("slow", folders / "slow", "--rest_api_timeout_in_ms=1")
    status, _, data = ask(server, "/v1/models/slow:predict", slow_body(500))
    assert status == 504 and json.loads(data)["error"]


def test_stopping(start_rest, folders):
    """What is under way gets its reply; the probe says that no more should come."""
    server = start_rest("slow", folders / "slow", "--shutdown_lame_duck_seconds=1")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask, server, "/v1/models/slow:predict", slow_body(800))
        time.sleep(0.1)
        server.process.send_signal(signal.SIGTERM)
        server.wait_for_log("stopping")
        assert ask(server, "/readyz")[0] == 503
        assert asked.result()[0] == 200
    assert server.process.wait(60) == 0


def test_the_port_of_grpc(build, start_server, folders):
    port = conftest.free_port()
    process = subprocess.Popen(
        [build / "server/digit-server", f"--port={port}", f"--rest_api_port={port}",
         "--model_name=affine", f"--model_base_path={folders / 'affine'}"], stderr=subprocess.PIPE,
        text=True)
    lines = []
    for line in process.stderr:
        lines.append(line)
        if "listening on port" in line:
            break
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert any("ERROR" in line and "going on without REST" in line for line in lines)
