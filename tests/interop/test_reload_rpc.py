"""HandleReloadConfigRequest, as TensorFlow Serving's own client sends it."""
import signal
import threading
import time

import bundles
import grpc
import pytest
from google.protobuf import text_format
from tensorflow_serving.apis import (model_management_pb2, model_service_pb2_grpc, predict_pb2,
                                     prediction_service_pb2_grpc)

NOT_A_LIST = ("ServerModelConfig type not supported by HandleReloadConfigRequest. Only "
              "ModelConfigList is currently supported")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Base paths a1, a2, b: y = x / 2 + 1, 2, 3."""
    folder = tmp_path_factory.mktemp("models")
    for i, name in enumerate(("a1", "a2", "b")):
        (folder / name).mkdir()
        bundles.affine(folder / name, 1, b=1.0 + i)
    return folder


class Client:
    def __init__(self, server):
        self.channel = grpc.insecure_channel(f"localhost:{server.port}",
                                             [("grpc.use_local_subchannel_pool", 1)])
        self.prediction = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)
        self.model = model_service_pb2_grpc.ModelServiceStub(self.channel)

    def b(self, name):
        """What the model adds."""
        request = predict_pb2.PredictRequest()
        request.model_spec.name = name
        request.inputs["x"].dtype = 1
        request.inputs["x"].tensor_shape.dim.add().size = 1
        request.inputs["x"].float_val.append(8.0)
        return self.prediction.Predict(request, 30).outputs["y"].float_val[0] - 4.0

    def reload(self, text):
        request = model_management_pb2.ReloadConfigRequest()
        text_format.Parse(text, request)
        return self.model.HandleReloadConfigRequest(request, 60)

    def error(self, text):
        with pytest.raises(grpc.RpcError) as raised:
            self.reload(text)
        return raised.value.code(), raised.value.details()


def config(**base_paths):
    return "config { model_config_list { " + " ".join(
        f'config {{ name: "{name}" base_path: "{path}" model_platform: "tensorflow" }}'
        for name, path in base_paths.items()) + " } }"


@pytest.fixture
def server(start_server, models):
    return start_server("a", models / "a1", "--file_system_poll_wait_seconds=0.1")


def test_added_moved_removed(server, models):
    """The reply comes when the models are up: no waiting in between."""
    client = Client(server)
    response = client.reload(config(a=models / "a1", b=models / "b"))
    assert response.HasField("status") and response.status.error_code == 0
    assert (client.b("a"), client.b("b")) == (1, 3)
    client.reload(config(a=models / "a2", b=models / "b"))
    assert (client.b("a"), client.b("b")) == (2, 3)
    client.reload(config(b=models / "b"))
    with pytest.raises(grpc.RpcError) as raised:
        client.b("a")
    assert raised.value.code() == grpc.StatusCode.NOT_FOUND
    assert client.b("b") == 3


def test_no_call_fails_meanwhile(server, models):
    """b serves all the time, a moves to and fro, c comes and goes."""
    client = Client(server)
    client.reload(config(a=models / "a1", b=models / "b"))
    failures, n_calls, is_over = [], [0] * 4, threading.Event()

    def call(i):
        mine = Client(server)
        while not is_over.is_set():
            try:
                if mine.b("b") != 3 or mine.b("a") not in (1, 2):
                    failures.append("a wrong answer")
            except grpc.RpcError as error:
                failures.append(error)
            n_calls[i] += 1

    threads = [threading.Thread(target=call, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for i in range(12):
        names = {"a": models / ("a1", "a2")[i % 2], "b": models / "b"}
        if i % 3 == 0:
            names["c"] = models / "b"
        client.reload(config(**names))
        assert client.b("a") == 1 + i % 2
    is_over.set()
    for thread in threads:
        thread.join()
    assert not failures
    assert min(n_calls) > 5


@pytest.mark.parametrize("text, said", [
    ("", NOT_A_LIST), ("config { }", NOT_A_LIST), ("config { custom_model_config { } }", NOT_A_LIST),
    ('config { model_config_list { config { name: "a" base_path: "m" '
     'model_platform: "tensorflow" } } }', "m"),
    ('config { model_config_list { '
     'config { name: "b" base_path: "/x" model_platform: "tensorflow" } '
     'config { name: "b" base_path: "/y" model_platform: "tensorflow" } } }',
     "Illegal to list model b multiple times in config list"),
])
def test_errors_change_nothing(server, models, text, said):
    client = Client(server)
    code, details = client.error(text)
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert said in details
    assert client.b("a") == 1


def test_bytes_that_are_no_request(server):
    raw = Client(server).channel.unary_unary(
        "/tensorflow.serving.ModelService/HandleReloadConfigRequest")
    with pytest.raises(grpc.RpcError) as raised:
        raw(b"\xff\xff", timeout=10)
    assert raised.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_a_model_that_does_not_come_up(server, models, tmp_path):
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").write_bytes(b"\xff")
    client = Client(server)
    code, details = client.error(config(a=models / "a1", bad=tmp_path))
    assert code == grpc.StatusCode.UNKNOWN
    assert details.startswith("1 model(s) did not become available: {{{name: bad version: 1} "
                              "due to error: ")
    assert client.b("a") == 1


def test_many_at_a_time(server, models):
    """The last one counts; each is answered."""
    client = Client(server)
    threads = [threading.Thread(target=client.reload, args=(config(
        a=models / ("a1", "a2")[i % 2], b=models / "b"),)) for i in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client.reload(config(a=models / "a2"))
    assert client.b("a") == 2


def test_the_server_stops_meanwhile(start_server, models, tmp_path):
    """A reload that waits does not hold up the stop, and neither does one whose client has gone."""
    server = start_server("a", models / "a1", "--shutdown_lame_duck_seconds=1")
    client = Client(server)
    bundles.slow(tmp_path, 1)
    text = config(a=models / "a1", slow=tmp_path)
    request = text_format.Parse(text, model_management_pb2.ReloadConfigRequest())
    gone = client.model.HandleReloadConfigRequest.future(request)
    gone.cancel()
    waiting = client.model.HandleReloadConfigRequest.future(request)
    time.sleep(0.02)
    server.process.send_signal(signal.SIGTERM)
    server.wait_for_log("stopping")
    assert waiting.code() in (grpc.StatusCode.OK, grpc.StatusCode.UNAVAILABLE)
    with pytest.raises(grpc.RpcError) as raised:
        client.reload(text)
    assert raised.value.code() == grpc.StatusCode.UNAVAILABLE
    assert server.process.wait(10) == 0
