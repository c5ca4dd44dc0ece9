"""digit-server as the real clients see it: TensorFlow Serving's own API, gRPC's own health client.

The texts and codes are TensorFlow Serving's.
"""
import concurrent.futures
import signal
import socket
import subprocess
import threading
import time

import bundles
import grpc
import numpy as np
import pytest
import tensorflow as tf
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import (classification_pb2, get_model_metadata_pb2,
                                     get_model_status_pb2, model_service_pb2_grpc, predict_pb2,
                                     prediction_service_pb2_grpc)

Code = grpc.StatusCode
PREDICT = "/tensorflow.serving.PredictionService/Predict"
UNLIMITED = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]


class Client:
    """The three stubs on one channel of its own."""

    def __init__(self, port, host="localhost"):
        self.channel = grpc.insecure_channel(
            f"{host}:{port}", options=UNLIMITED + [("grpc.use_local_subchannel_pool", 1)])
        self.prediction = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)
        self.model = model_service_pb2_grpc.ModelServiceStub(self.channel)
        self.health = health_pb2_grpc.HealthStub(self.channel)

    def check(self, service=""):
        return self.health.Check(health_pb2.HealthCheckRequest(service=service), 10).status

    def states(self, name):
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = name
        return [(s.version, s.state) for s in
                self.model.GetModelStatus(request, 10).model_version_status]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Bundles: affine (versions 1 and 2), classifier, counter, slow."""
    root = tmp_path_factory.mktemp("bundles")
    for name in ("affine", "classifier", "counter", "slow"):
        (root / name).mkdir()
    bundles.affine(root / "affine", 1)
    bundles.affine(root / "affine", 2, b=3.0)
    bundles.classifier(root / "classifier", 1)
    bundles.counter(root / "counter", 1)
    bundles.slow(root / "slow", 1)
    return root


@pytest.fixture(scope="module")
def affine(start_server, folders):
    return start_server("affine", folders / "affine")


@pytest.fixture(scope="module")
def client(affine):
    return Client(affine.port)


def request(name="affine", signature="", version=None, label=None, outputs=(), **inputs):
    r = predict_pb2.PredictRequest()
    r.model_spec.name = name
    r.model_spec.signature_name = signature
    if version is not None:
        r.model_spec.version.value = version
    if label is not None:
        r.model_spec.version_label = label
    r.output_filter.extend(outputs)
    for key, value in inputs.items():
        r.inputs[key].CopyFrom(tf.make_tensor_proto(value))
    return r


def error_of(call, *arguments, **options):
    with pytest.raises(grpc.RpcError) as raised:
        call(*arguments, **options)
    return raised.value.code(), raised.value.details()


X = np.array([1, 2, 5], np.float32)


# ---- Predict -------------------------------------------------------------------------------------

def test_predict(client):
    response = client.prediction.Predict(request(x=X), 10)
    assert sorted(response.outputs) == ["twice", "y"]
    np.testing.assert_array_equal(tf.make_ndarray(response.outputs["y"]), 0.5 * X + 3)
    np.testing.assert_array_equal(tf.make_ndarray(response.outputs["twice"]), X + 6)
    assert response.outputs["y"].tensor_shape.dim[0].size == 3
    assert list(response.outputs["y"].float_val) == [3.5, 4, 5.5]
    assert response.model_spec.name == "affine"
    assert response.model_spec.version.value == 2
    assert response.model_spec.signature_name == "serving_default"


def test_signature_of_two_inputs(client):
    response = client.prediction.Predict(request(signature="two", x=X, z=2 * X), 10)
    np.testing.assert_array_equal(tf.make_ndarray(response.outputs["sum"]), 3 * X)
    assert response.model_spec.signature_name == "two"


def test_strings_go_through(client):
    texts = [b"", b"a", "\u00e9\u4e16".encode(), bytes(range(256)), b"x" * 100000]
    response = client.prediction.Predict(request(signature="echo", s=texts), 10)
    assert list(response.outputs["s"].string_val) == texts


def test_values_in_the_typed_field(client):
    r = request()
    r.inputs["x"].dtype = 1
    r.inputs["x"].tensor_shape.dim.add().size = 4
    r.inputs["x"].float_val.extend([1, 2])          # the last value is repeated
    response = client.prediction.Predict(r, 10)
    assert list(response.outputs["y"].float_val) == [3.5, 4, 4, 4]


@pytest.mark.parametrize("n", [0, 1, 1000, 1000000])
def test_batch_sizes(client, n):
    x = np.arange(n, dtype=np.float32)
    response = client.prediction.Predict(request(x=x, outputs=["y"]), 30)
    np.testing.assert_array_equal(tf.make_ndarray(response.outputs["y"]), x * np.float32(0.5) + 3)


@pytest.mark.parametrize("outputs", [["y"], ["twice"], ["twice", "y"], []])
def test_output_filter(client, outputs):
    response = client.prediction.Predict(request(x=X, outputs=outputs), 10)
    assert sorted(response.outputs) == sorted(outputs or ["y", "twice"])


def test_counter_keeps_its_state(start_server, folders):
    client = Client(start_server("counter", folders / "counter").port)
    for i in range(1, 20):
        response = client.prediction.Predict(request("counter", "increment"), 10)
        assert response.outputs["output"].float_val[0] == i
    threads = [threading.Thread(target=lambda: [
        client.prediction.Predict(request("counter", "increment"), 10) for _ in range(50)])
        for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    response = client.prediction.Predict(request("counter", "increment"), 10)
    assert response.outputs["output"].float_val[0] == 420


def bad_content():
    r = request(x=X)
    r.inputs["x"].tensor_content = b"12345"
    return r


def bad_content_of_two():
    r = request(x=X, z=X)
    r.inputs["x"].tensor_content = b"12345"
    return r


def many_values(n):
    """A few bytes that ask for n floats, all 2."""
    r = request(x=X)
    r.inputs["x"].tensor_shape.dim[0].size = n
    r.inputs["x"].ClearField("tensor_content")
    r.inputs["x"].float_val.append(2)
    return r


def negative():
    r = request(x=X)
    r.inputs["x"].tensor_shape.dim[0].size = -2
    return r


@pytest.mark.parametrize("bad, code, text", [
    (predict_pb2.PredictRequest(), Code.INVALID_ARGUMENT, "Missing ModelSpec"),
    (request(""), Code.INVALID_ARGUMENT, "ModelSpec has no name specified."),
    (request("none"), Code.NOT_FOUND, "Servable not found for request: Latest(none)"),
    (request("none", version=7), Code.NOT_FOUND, "Servable not found for request: Specific(none, 7)"),
    (request(version=7, x=X), Code.NOT_FOUND, "Servable not found for request: Specific(affine, 7)"),
    (request(version=0, x=X), Code.NOT_FOUND, "Servable not found for request: Specific(affine, 0)"),
    (request(label="stable", x=X), Code.INVALID_ARGUMENT,
     "Unrecognized servable version label: stable"),
    (request(signature="none", x=X), Code.FAILED_PRECONDITION,
     'Serving signature key "none" not found.'),
    (request(), Code.INVALID_ARGUMENT,
     "input size does not match signature: 0!=1 len({}) != len({x}). Sent extra: {}. "
     "Missing but required: {x}."),
    (request(x=X, z=X), Code.INVALID_ARGUMENT,
     "input size does not match signature: 2!=1 len({x,z}) != len({x}). Sent extra: {z}. "
     "Missing but required: {}."),
    (request(z=X), Code.INVALID_ARGUMENT, "not found in request and no default value provided"),
    (request(x=["a"]), Code.INVALID_ARGUMENT, "Expects arg[0] to be float but string is provided"),
    (bad_content_of_two(), Code.INVALID_ARGUMENT, "input size does not match signature: 2!=1"),
    (bad_content(), Code.INVALID_ARGUMENT, "tensor parsing error: x"),
    (negative(), Code.INVALID_ARGUMENT, "tensor parsing error: x"),
    (many_values(1 << 41), Code.RESOURCE_EXHAUSTED, "input x claims more memory"),
    (many_values(1 << 28), Code.RESOURCE_EXHAUSTED, "input x claims more memory"),
    (request(x=X, outputs=["none"]), Code.INVALID_ARGUMENT,
     "output tensor alias not found in signature: none Outputs expected to be in the set "
     "{twice,y}."),
    (request(x=X, outputs=["y", "y"]), Code.INVALID_ARGUMENT, "duplicate output tensor alias: y"),
    (request(signature="two", x=X, z=X[:2]), Code.INVALID_ARGUMENT, "ncompatible shapes"),
], ids=lambda v: str(v)[:40].replace("\n", " ") if isinstance(v, str) else "")
def test_predict_errors(client, bad, code, text):
    got_code, got_text = error_of(client.prediction.Predict, bad, 10)
    assert got_code == code
    assert text in got_text


def test_long_error_is_cut(client):
    _, text = error_of(client.prediction.Predict, request("n" * 3000), 10)
    assert text == ("Servable not found for request: Latest(" + "n" * 3000)[:1024] + "...TRUNCATED"


# ---- versions, status, health --------------------------------------------------------------------

def test_versions_and_status(start_server, folders, tmp_path):
    bundles.affine(tmp_path, 3)
    client = Client(start_server("m", tmp_path, "--file_system_poll_wait_seconds=0.1").port)
    status = get_model_status_pb2.GetModelStatusRequest()
    status.model_spec.name = "m"
    (only,) = client.model.GetModelStatus(status, 10).model_version_status
    assert (only.version, only.state, only.status.error_code, only.status.error_message) == (
        3, 30, 0, "")
    assert client.prediction.Predict(request("m", version=3, x=X), 10).outputs["y"].float_val[0] \
        == 2.5

    status.model_spec.version.value = 9
    assert error_of(client.model.GetModelStatus, status, 10) == (
        Code.NOT_FOUND, "Could not find version 9 of model m")
    status.model_spec.name = "none"
    status.model_spec.ClearField("version")
    assert error_of(client.model.GetModelStatus, status, 10) == (
        Code.NOT_FOUND, "Could not find any versions of model none")
    assert error_of(client.model.GetModelStatus, get_model_status_pb2.GetModelStatusRequest(),
                    10) == (Code.INVALID_ARGUMENT, "Missing ModelSpec")

    # A bundle that will not load is shown with its reason and leaves the other alone.
    (tmp_path / "tmp-4").mkdir()
    (tmp_path / "tmp-4/saved_model.pb").write_bytes(b"\xff\xff\xff")
    (tmp_path / "tmp-4").rename(tmp_path / "4")
    status.model_spec.name = "m"
    deadline = time.monotonic() + 30
    while True:
        versions = client.model.GetModelStatus(status, 10).model_version_status
        if versions[0].version == 4 and versions[0].status.error_code != 0:
            break
        assert time.monotonic() < deadline, versions
        time.sleep(0.05)
    assert "saved_model.pb" in versions[0].status.error_message
    assert (versions[1].version, versions[1].state) == (3, 30)
    assert client.prediction.Predict(request("m", x=X), 10).model_spec.version.value == 3
    assert client.check("m") == 1


@pytest.mark.parametrize("service", ["", "tensorflow.serving.PredictionService",
                                     "tensorflow.serving.ModelService", "affine"])
def test_health(client, service):
    assert client.check(service) == health_pb2.HealthCheckResponse.SERVING


def test_health_errors(client):
    code, _ = error_of(client.check, "none")
    assert code == Code.NOT_FOUND
    raw = client.channel.unary_unary("/grpc.health.v1.Health/Check")
    code, _ = error_of(raw, b"\xff\xff", 10)
    assert code == Code.INVALID_ARGUMENT
    assert raw(b"", 10) == b"\x08\x01"


# ---- Classify, GetModelMetadata ------------------------------------------------------------------

@pytest.fixture(scope="module")
def classifier(start_server, folders):
    return Client(start_server("classifier", folders / "classifier").port)


def classification(values, context=None, signature="classify", name="classifier"):
    r = classification_pb2.ClassificationRequest()
    r.model_spec.name = name
    r.model_spec.signature_name = signature
    kind = r.input.example_list
    if context is not None:
        kind = r.input.example_list_with_context
        kind.context.features.feature["x"].float_list.value.append(context)
    for value in values:
        example = kind.examples.add()
        if value is not None:
            example.features.feature["x"].float_list.value.append(value)
    return r


@pytest.mark.parametrize("values, context, expected", [
    ([2], None, [3]), ([0, 2, 4], None, [2, 3, 4]), ([None, 2], 8, [6, 3]),
])
def test_classify(classifier, values, context, expected):
    response = classifier.prediction.Classify(classification(values, context), 10)
    rows = [[(c.label, c.score) for c in row.classes]
            for row in response.result.classifications]
    assert rows == [[("low", -v), ("high", v)] for v in expected]
    assert response.model_spec.signature_name == "classify"
    assert response.model_spec.version.value == 1


@pytest.mark.parametrize("bad, code, text", [
    (classification_pb2.ClassificationRequest(), Code.INVALID_ARGUMENT, "Missing ModelSpec"),
    (classification([1], name="none"), Code.NOT_FOUND,
     "Servable not found for request: Latest(none)"),
    (classification([1], signature="none"), Code.INVALID_ARGUMENT,
     "No signature was found with the name: none"),
    (classification([]), Code.INVALID_ARGUMENT, "Input is empty."),
    (classification([None]), Code.INVALID_ARGUMENT, "Feature: x"),
], ids=["no spec", "no model", "no signature", "no examples", "no feature"])
def test_classify_errors(classifier, bad, code, text):
    got_code, got_text = error_of(classifier.prediction.Classify, bad, 10)
    assert got_code == code
    assert text in got_text


def test_metadata(client, folders):
    r = get_model_metadata_pb2.GetModelMetadataRequest()
    r.model_spec.name = "affine"
    r.metadata_field.append("signature_def")
    response = client.prediction.GetModelMetadata(r, 10)
    assert response.model_spec.name == "affine"
    assert response.model_spec.version.value == 2
    assert response.model_spec.signature_name == ""
    got = get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(got)
    model = saved_model_pb2.SavedModel()
    model.ParseFromString((folders / "affine/2/saved_model.pb").read_bytes())
    expected = model.meta_graphs[0].signature_def
    assert sorted(got.signature_def) == sorted(expected)
    for name in expected:
        assert got.signature_def[name].SerializeToString(deterministic=True) == \
            expected[name].SerializeToString(deterministic=True)


@pytest.mark.parametrize("fields, text", [
    ([], "GetModelMetadataRequest must specify at least one metadata_field"),
    (["signature_def", "other"], "Metadata field other is not supported"),
])
def test_metadata_errors(client, fields, text):
    r = get_model_metadata_pb2.GetModelMetadataRequest()
    r.model_spec.name = "affine"
    r.metadata_field.extend(fields)
    assert error_of(client.prediction.GetModelMetadata, r, 10) == (Code.INVALID_ARGUMENT, text)


# ---- the transport -------------------------------------------------------------------------------

@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_addresses(affine, host):
    if host == "[::1]" and not has_ipv6():
        pytest.skip("this machine has no IPv6")
    assert Client(affine.port, host).check() == 1


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as s:
            s.bind(("::1", 0))
        return True
    except OSError:
        return False


@pytest.mark.parametrize("path", ["/tensorflow.serving.PredictionService/Regret", "/a.B/C",
                                  "/tensorflow.serving.SessionService/SessionRun"])
def test_unknown_methods(client, path):
    code, text = error_of(client.channel.unary_unary(path), b"", timeout=10)
    assert code == Code.UNIMPLEMENTED
    assert path in text


@pytest.mark.parametrize("data", [b"\xff", b"\x0a\x7f", b"\x12\x03\x0a\x05", bytes(1000)],
                         ids=["varint", "length", "entry", "zeros"])
def test_bytes_that_are_no_request(client, data):
    code, text = error_of(client.channel.unary_unary(PREDICT), data, timeout=10)
    assert code == Code.INVALID_ARGUMENT
    assert "PredictRequest" in text


def test_message_of_64_mb(client):
    x = np.ones(16 << 20, np.float32)
    response = client.prediction.Predict(request(x=x, outputs=["y"]), 60)
    assert len(response.outputs["y"].float_val) == len(x)


def test_request_limit(start_server, folders):
    client = Client(start_server("affine", folders / "affine", "--max_request_bytes=10000").port)
    client.prediction.Predict(request(x=X), 10)
    code, _ = error_of(client.prediction.Predict, request(x=np.ones(4000, np.float32)), 10)
    assert code == Code.RESOURCE_EXHAUSTED
    client.prediction.Predict(request(x=X), 10)


def test_claim_limit(start_server, folders):
    server = start_server("affine", folders / "affine", "--max_request_tensor_bytes=100000")
    client = Client(server.port)
    for n in (10000, 100000, 10000):
        if n < 100000 / 4:
            response = client.prediction.Predict(many_values(n), 10)
            assert len(response.outputs["y"].float_val) == n
        else:
            code, text = error_of(client.prediction.Predict, many_values(n), 10)
            assert (code, "max_request_tensor_bytes" in text) == (Code.RESOURCE_EXHAUSTED, True)
    # What a request brings itself is not held against the limit.
    client.prediction.Predict(request(x=np.ones(1 << 20, np.float32)), 10)


def test_2000_calls_at_a_time(client):
    calls = [client.prediction.Predict.future(request(x=[float(i)]), 60) for i in range(2000)]
    for i, call in enumerate(calls):
        assert call.result().outputs["y"].float_val[0] == 0.5 * i + 3


def slow_request(rows=64):
    return request("slow", x=np.ones((rows, 1024), np.float32))


@pytest.fixture(scope="module")
def slow(start_server, folders):
    return start_server("slow", folders / "slow", "--grpc_max_threads=1")


def test_deadlines(slow):
    client = Client(slow.port)
    client.prediction.Predict(slow_request(), 20)
    begin = time.monotonic()
    client.prediction.Predict(slow_request(), 20)
    one = time.monotonic() - begin
    calls = [client.prediction.Predict.future(slow_request(), 0.001) for _ in range(100)]
    assert {call.code() for call in calls} == {Code.DEADLINE_EXCEEDED}
    # They are not computed all the same: the next answer comes soon.
    begin = time.monotonic()
    client.prediction.Predict(slow_request(), 20)
    assert time.monotonic() - begin < 0.5 + 20 * one


def test_cancelled_calls(slow):
    client = Client(slow.port)
    calls = [client.prediction.Predict.future(slow_request()) for _ in range(50)]
    assert sum(call.cancel() for call in calls) > 25    # the first ones may have been answered
    assert client.prediction.Predict(slow_request(1), 60).model_spec.name == "slow"


def test_health_answers_while_all_threads_compute(slow):
    client, other = Client(slow.port), Client(slow.port)
    other.check("slow")
    calls = [client.prediction.Predict.future(slow_request(1024), 120) for _ in range(4)]
    time.sleep(0.05)
    n = 0
    while not calls[-1].done():
        begin = time.monotonic()
        assert other.check("slow") == 1
        assert other.states("slow") == [(1, 30)]
        assert time.monotonic() - begin < 1
        n += 1
        time.sleep(0.01)
    assert n > 3
    assert all(call.code() == Code.OK for call in calls)


# ---- start and stop ------------------------------------------------------------------------------

def test_sigterm_lets_calls_finish(start_server, folders):
    server = start_server("slow", folders / "slow", "--grpc_max_threads=2")
    client = Client(server.port)
    client.prediction.Predict(slow_request(1), 20)
    calls = [client.prediction.Predict.future(slow_request(256)) for _ in range(40)]
    time.sleep(0.3)     # they have arrived
    assert not calls[-1].done()
    assert server.stop() == 0
    assert {call.code() for call in calls} == {Code.OK}
    assert "stopped" in server.log
    with pytest.raises(grpc.RpcError):
        client.prediction.Predict(slow_request(1), 5)


def test_lame_duck(start_server, folders):
    server = start_server("affine", folders / "affine", "--shutdown_lame_duck_seconds=1.5")
    client = Client(server.port)
    client.prediction.Predict(request(x=X), 10)
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    client.prediction.Predict(request(x=X), 10)
    assert client.check() == health_pb2.HealthCheckResponse.NOT_SERVING
    assert server.process.wait(10) == 0


def test_sigterm_of_an_idle_server_is_quick(start_server, folders):
    server = start_server("affine", folders / "affine")
    client = Client(server.port)
    client.check()
    begin = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - begin < 2


def test_grace_is_limited(start_server, folders):
    server = start_server("slow", folders / "slow", "--grpc_max_threads=1",
                          "--shutdown_grace_seconds=0.2")
    client = Client(server.port)
    client.prediction.Predict(slow_request(1), 20)
    calls = [client.prediction.Predict.future(slow_request()) for _ in range(200)]
    time.sleep(0.2)
    begin = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - begin < 4
    assert calls[-1].code() in (Code.CANCELLED, Code.UNAVAILABLE)


def test_second_signal_ends_at_once(start_server, folders):
    server = start_server("slow", folders / "slow", "--grpc_max_threads=1")
    client = Client(server.port)
    client.prediction.Predict(slow_request(1), 20)
    calls = [client.prediction.Predict.future(slow_request(), 60) for _ in range(500)]
    time.sleep(0.2)
    server.process.send_signal(signal.SIGTERM)
    server.wait_for_log("stopping")
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(2) != 0
    assert calls[-1].code() != Code.OK


def run_server(build, *flags):
    return subprocess.run([build / "server/digit-server", *flags], capture_output=True, text=True,
                          timeout=30)


def test_port_that_is_taken(build, affine, folders):
    second = run_server(build, f"--port={affine.port}", "--model_name=affine",
                        f"--model_base_path={folders / 'affine'}")
    assert second.returncode != 0
    errors = [line for line in second.stderr.splitlines() if " ERROR " in line]
    assert len(errors) == 1
    assert f"cannot listen on port {affine.port}: Address already in use" in errors[0]


@pytest.mark.parametrize("flags, text", [
    ([], "Both --model_base_path and --model_config_file are empty"),
    (["--model_base_path="], "Both --model_base_path and --model_config_file are empty"),
    (["--model_base_path=/m", "--port=0"], "port"),
    (["--model_base_path=/m", "--port=65536"], "port"),
    (["--model_base_path=/m", "--prot=1"], "prot"),
    (["--model_base_path=/m", "--model_name="], "--model_name is empty"),
    (["--model_base_path=/m", "--log_level=loud"], "debug, info, warning or error"),
])
def test_bad_flags(build, flags, text):
    ended = run_server(build, *flags)
    assert ended.returncode != 0
    assert text in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_help_and_version(build):
    ended = run_server(build, "--help")
    assert ended.returncode == 0
    assert "--model_base_path" in ended.stdout
    ended = run_server(build, "--version")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("digit-server ")


def test_relative_base_path(build, folders, tmp_path):
    port = socket.create_server(("127.0.0.1", 0))
    number = port.getsockname()[1]
    port.close()
    process = subprocess.Popen([build.resolve() / "server/digit-server", f"--port={number}",
                                "--model_name=affine", "--model_base_path=affine"], cwd=folders,
                               stderr=subprocess.DEVNULL)
    try:
        grpc.channel_ready_future(Client(number).channel).result(20)
        assert Client(number).states("affine") == [(2, 30)]
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


# ---- reload --------------------------------------------------------------------------------------

def test_reload_while_calls_fly(start_server, tmp_path):
    """A version comes, answers, and the old one goes; of the calls all along none fails."""
    bundles.affine(tmp_path, 1, b=1.0)
    server = start_server("m", tmp_path, "--file_system_poll_wait_seconds=0.1")
    stop = threading.Event()
    seen = []

    def fly():
        client, versions = Client(server.port), []
        while not stop.is_set():
            response = client.prediction.Predict(request("m", x=[0.0]), 10)
            version = response.model_spec.version.value
            assert response.outputs["y"].float_val[0] == version    # never a mix of two
            versions.append(version)
        return versions

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        flying = [pool.submit(fly) for _ in range(4)]
        try:
            client = Client(server.port)
            for version in range(2, 6):
                bundles.affine(tmp_path, version, b=float(version))
                deadline = time.monotonic() + 30
                while (version, 30) not in client.states("m"):
                    assert time.monotonic() < deadline, server.log
                    time.sleep(0.02)
                time.sleep(0.2)
        finally:
            stop.set()
        for future in flying:
            versions = future.result()
            assert versions == sorted(versions)
            seen.extend(versions)
    assert set(seen) >= {1, 5}
    assert len(seen) > 500
