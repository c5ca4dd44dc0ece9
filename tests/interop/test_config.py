"""--model_config_file: several models, followed while the server runs; version labels."""
import signal
import subprocess
import time

import bundles
import grpc
import pytest
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Base paths half/ (versions 1 and 2) and other/ (version 7): y = x / 2 + b, b the version."""
    folder = tmp_path_factory.mktemp("models")
    for name, versions in (("half", (1, 2)), ("other", (7,))):
        (folder / name).mkdir()
        for version in versions:
            bundles.affine(folder / name, version, b=float(version))
    return folder


def config(folder, *names, policy="", labels=()):
    lines = [f"version_labels {{ key: '{k}' value: {v} }}" for k, v in labels]
    return "model_config_list: {\n" + "".join(
        f"  config: {{ name: '{name}', base_path: '{folder / name}', model_platform: 'tensorflow' "
        f"{policy} {' '.join(lines)} }}\n" for name in names) + "}\n"


class Client:
    def __init__(self, server):
        self.stub = prediction_service_pb2_grpc.PredictionServiceStub(
            grpc.insecure_channel(f"localhost:{server.port}"))

    def b(self, name, label=None):
        """What the model adds, which is its version."""
        request = predict_pb2.PredictRequest()
        request.model_spec.name = name
        if label is not None:
            request.model_spec.version_label = label
        tensor = request.inputs["x"]
        tensor.dtype = 1
        tensor.tensor_shape.dim.add().size = 1
        tensor.float_val.append(8.0)
        return self.stub.Predict(request, 30).outputs["y"].float_val[0] - 4.0

    def code(self, name, label=None):
        try:
            self.b(name, label)
        except grpc.RpcError as error:
            return error.code()
        return grpc.StatusCode.OK

    def wait_for(self, name):
        deadline = time.monotonic() + 30
        while self.code(name) != grpc.StatusCode.OK:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_models_come_and_go(start_server, models, tmp_path):
    path = tmp_path / "models.config"
    path.write_text(config(models, "half"))
    server = start_server("", "", f"--model_config_file={path}",
                          "--model_config_file_poll_wait_seconds=0.1")
    client = Client(server)
    assert client.b("half") == 2.0
    assert client.code("other") == grpc.StatusCode.NOT_FOUND
    path.write_text(config(models, "half", "other"))
    client.wait_for("other")
    assert (client.b("half"), client.b("other")) == (2.0, 7.0)
    path.write_text("")  # as one that is being written
    path.write_text("half of a conf")
    server.wait_for_log("keeping the configuration in effect")
    assert client.b("half") == 2.0
    path.write_text(config(models, "other"))
    deadline = time.monotonic() + 30
    while client.code("half") != grpc.StatusCode.NOT_FOUND:
        assert time.monotonic() < deadline
    assert client.b("other") == 7.0


def test_never_polled_but_by_signal(start_server, models, tmp_path):
    path = tmp_path / "models.config"
    path.write_text(config(models, "half"))
    server = start_server("", "", f"--model_config_file={path}")
    client = Client(server)
    path.write_text(config(models, "half", "other"))
    time.sleep(1)
    assert client.code("other") == grpc.StatusCode.NOT_FOUND
    server.process.send_signal(signal.SIGHUP)
    client.wait_for("other")


def test_labels(start_server, models, tmp_path):
    path = tmp_path / "models.config"
    path.write_text(config(models, "half", policy="model_version_policy { all {} }",
                           labels=(("stable", 1), ("canary", 2))))
    client = Client(start_server("", "", f"--model_config_file={path}"))
    assert (client.b("half", "stable"), client.b("half", "canary")) == (1.0, 2.0)
    with pytest.raises(grpc.RpcError) as caught:
        client.b("half", "old")
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details() == "Unrecognized servable version label: old"


@pytest.mark.parametrize("text, said", [
    ("improperly formatted file",
     "Error parsing text-format tensorflow.serving.ModelServerConfig: 1:1: "),
    ("model_config_list { config { name: 'm' base_path: 'm' model_platform: 'tensorflow' } }",
     "Expected model m to have an absolute path or URI; got base_path()=m"),
    (None, "No such file"),
])
def test_a_bad_file_at_the_start(build, tmp_path, text, said):
    path = tmp_path / "models.config"
    if text is not None:
        path.write_text(text)
    done = subprocess.run([build / "server/digit-server", f"--model_config_file={path}"],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode != 0
    assert said in done.stderr and str(path) in done.stderr


def test_flags_of_tensorflow_serving(start_server, models, build):
    server = start_server("half", models / "half", "--prefer_tflite_model=true",
                          "--xla_cpu_compilation_enabled", "--noenable_profiler",
                          "--per_process_gpu_memory_fraction", "0.5", "--num_load_threads=2")
    assert server.log.count("these flags have no effect here: --enable_profiler "
                            "--per_process_gpu_memory_fraction --prefer_tflite_model "
                            "--xla_cpu_compilation_enabled") == 1
    assert Client(server).b("half") == 2.0
    done = subprocess.run([build / "server/digit-server", "--model_bse_path=/m"],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode != 0 and "did you mean --model_base_path?" in done.stderr
