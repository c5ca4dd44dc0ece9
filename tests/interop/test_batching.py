"""Batching: TensorFlow Serving's own client, many requests at a time, against unbatched answers."""
import concurrent.futures
import shutil
import time

import bundles
import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import classification_pb2, predict_pb2, prediction_service_pb2_grpc
from tensorflow_serving.apis import regression_pb2

from conftest import ROOT

DIGITS = ROOT / "models/digits"


def stub_of(server):
    channel = grpc.insecure_channel(f"127.0.0.1:{server.port}")
    return prediction_service_pb2_grpc.PredictionServiceStub(channel)


def predict_request(name, value, alias, output_filter=()):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = name
    request.inputs[alias].CopyFrom(tf.make_tensor_proto(value, tf.float32))
    request.output_filter.extend(output_filter)
    return request


class Dense(tf.Module):
    """Softmax of a dense layer over [rows, any number of columns], which are summed in groups; a
    third dimension is an error of its graph."""

    def __init__(self):
        self.w = tf.Variable(np.random.default_rng(5).normal(size=(1, 7)).astype(np.float32))

    @tf.function(input_signature=[tf.TensorSpec(None, tf.float32, name="x")])
    def __call__(self, x):
        y = tf.matmul(tf.reduce_max(x, axis=1, keepdims=True), self.w)
        return {"y": tf.nn.softmax(y), "half": y / 2}


@pytest.fixture(scope="module")
def dense(tmp_path_factory):
    path = tmp_path_factory.mktemp("dense")
    module = Dense()
    tf.saved_model.save(module, str(path / "1"), signatures={"serving_default": module.__call__})
    return path


def params_file(tmp_path, text):
    path = tmp_path / "batching.config"
    path.write_text(text)
    return f"--batching_parameters_file={path}"


def call_all(stub, requests, method="Predict"):
    """The replies, or what calls failed with, in the order of the requests."""
    futures = [getattr(stub, method).future(r, timeout=60) for r in requests]
    answers = []
    for future in futures:
        try:
            answers.append(future.result())
        except grpc.RpcError as error:
            answers.append(error)
    return answers


def test_same_answers(start_server, dense, tmp_path):
    """Mixed numbers of rows and columns, and filters, and bad ones among them."""
    batched = start_server("dense", dense, "--enable_batching", params_file(tmp_path, """
        max_batch_size { value: 32 } batch_timeout_micros { value: 2000 }
        num_batch_threads { value: 2 } max_enqueued_batches { value: 1000 }
        allowed_batch_sizes: [8, 32]"""))
    alone = stub_of(start_server("dense", dense))
    random = np.random.default_rng(1)
    requests = []
    for i in range(300):
        shape = (1 + i % 5, 1 + i % 3) if i % 10 else (2, 2, 2)
        requests.append(predict_request("dense", random.normal(size=shape), "x",
                                        ["half"] if i % 4 == 0 else []))
    answers = call_all(stub_of(batched), requests)
    for request, answer in zip(requests, answers):
        try:
            expected = alone.Predict(request)
        except grpc.RpcError as error:
            assert answer.code() == error.code(), answer
            assert answer.details()[:23] == error.details()[:23] == "Matrix size-incompatibl"
            continue
        assert sorted(answer.outputs) == sorted(expected.outputs)
        for name in expected.outputs:
            np.testing.assert_allclose(tf.make_ndarray(answer.outputs[name]),
                                       tf.make_ndarray(expected.outputs[name]), atol=1e-6, rtol=0)


def test_a_wrong_element_fails_alone(start_server, tmp_path):
    """Examples are parsed by the graph: a bad one has the shape of all others."""
    bundles.heads(tmp_path / "heads", 1)
    server = start_server("heads", tmp_path / "heads", "--enable_batching", params_file(tmp_path, """
        batch_timeout_micros { value: 20000 }"""))
    alone = stub_of(start_server("heads", tmp_path / "heads"))
    for kind, method in ((classification_pb2.ClassificationRequest, "Classify"),
                         (regression_pb2.RegressionRequest, "Regress")):
        requests = []
        for i in range(40):
            request = kind()
            request.model_spec.name = "heads"
            request.model_spec.signature_name = method.lower()
            example = request.input.example_list.examples.add()
            if i % 7 == 3:
                example.features.feature["x"].bytes_list.value.append(b"not a number")
            else:
                example.features.feature["x"].float_list.value.append(i + 0.5)
            requests.append(request)
        answers = call_all(stub_of(server), requests, method=method)
        n_ok = 0
        for request, answer in zip(requests, answers):
            try:
                expected = getattr(alone, method)(request)
            except grpc.RpcError as error:
                assert (answer.code(), answer.details()) == (error.code(), error.details())
                continue
            n_ok += 1
            assert answer == expected
        assert n_ok == sum(i % 7 != 3 for i in range(40))


def test_large_requests_are_split(start_server, tmp_path):
    server = start_server("digits", DIGITS, "--enable_batching", params_file(tmp_path, """
        max_batch_size { value: 100 } enable_large_batch_splitting { value: true }
        max_execution_batch_size { value: 16 }"""))
    alone = stub_of(start_server("digits", DIGITS))
    stub = stub_of(server)
    images = np.random.default_rng(2).random((101, 28, 28, 1), dtype=np.float32)
    request = predict_request("digits", images[:100], "image")
    answer, expected = stub.Predict(request), alone.Predict(request)
    for name in expected.outputs:
        np.testing.assert_allclose(tf.make_ndarray(answer.outputs[name]),
                                   tf.make_ndarray(expected.outputs[name]), atol=1e-6, rtol=0)
    with pytest.raises(grpc.RpcError) as error:
        stub.Predict(predict_request("digits", images, "image"))
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert error.value.details() == "Task size 101 is larger than maximum input batch size 100"


def ask_until(stub, request, code):
    """Asks again and again until the answer has that code; gives its error, if it is one."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            stub.Predict(request, timeout=0.3)
            got, error = grpc.StatusCode.OK, None
        except grpc.RpcError as e:
            got, error = e.code(), e
        if got == code:
            return error
        time.sleep(0.02)
    raise AssertionError(f"no {code} in 30 s")


def test_full_deadline_and_end(start_server, dense, tmp_path):
    """A batch that waits an hour: it can be full, be left, and be ended by the server's end."""
    server = start_server("dense", dense, "--enable_batching", params_file(tmp_path, """
        max_batch_size { value: 4 } batch_timeout_micros { value: 3600000000 }
        max_enqueued_batches { value: 1 }"""))
    stub = stub_of(server)
    request = predict_request("dense", [[1.0, 2.0]], "x")
    # Its deadline passes, and then its place is free.
    for _ in range(6):
        with pytest.raises(grpc.RpcError) as error:
            stub.Predict(request, timeout=0.1)
        # The client's clock says so, or the server's.
        assert (error.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED or error.value.details() ==
                "Run() timeout exceeded while waiting in batching queue")
    full = predict_request("dense", [[1.0, 2.0]] * 4, "x")
    cancelled = [stub.Predict.future(request) for _ in range(3)]
    error = ask_until(stub, full, grpc.StatusCode.UNAVAILABLE)
    assert error.details() == "The batch scheduling queue to which this task was submitted is full"
    for future in cancelled:
        future.cancel()
    ask_until(stub, full, grpc.StatusCode.OK)  # a full batch waits for nothing
    waiting = [stub.Predict.future(request) for _ in range(3)]
    ask_until(stub, full, grpc.StatusCode.UNAVAILABLE)
    assert not any(future.done() for future in waiting)
    assert server.stop() == 0, server.log
    for future in waiting:
        assert future.result().outputs["y"].tensor_shape.dim[0].size == 1


def test_new_versions_while_requests_wait(start_server, dense, tmp_path):
    base = tmp_path / "base"
    shutil.copytree(dense / "1", base / "1")
    server = start_server("dense", base, "--enable_batching",
                          "--file_system_poll_wait_seconds=0.1",
                          params_file(tmp_path, "batch_timeout_micros { value: 500000 }"))
    stub = stub_of(server)
    request = predict_request("dense", [[1.0, 2.0]], "x")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        def ask(_):
            return stub.Predict(request, timeout=60).model_spec.version.value
        answers = pool.map(ask, range(32))
        time.sleep(0.2)
        shutil.copytree(dense / "1", tmp_path / "2")
        (tmp_path / "2").rename(base / "2")
        versions = list(answers)
    assert set(versions) <= {1, 2} and 1 in versions
    server.wait_for_log("version 1: unloaded")
    assert stub.Predict(request, timeout=60).model_spec.version.value == 2


def test_per_model_parameters(start_server, dense, tmp_path):
    base = tmp_path / "base"
    shutil.copytree(dense / "1", base / "1")
    shutil.copytree(dense / "1", base / "2")
    (base / "1/batching_params.pbtxt").write_text("max_batch_size { value: 2 }")
    config = tmp_path / "models.config"
    config.write_text(f"""model_config_list {{ config {{
        name: "dense" base_path: "{base}" model_platform: "tensorflow"
        model_version_policy {{ all {{}} }} }} }}""")
    server = start_server(None, None, f"--model_config_file={config}", "--enable_batching",
                          "--enable_per_model_batching_parameters")
    for version in (1, 2):
        server.wait_for_log(f"version {version}: AVAILABLE")
    stub = stub_of(server)
    request = predict_request("dense", [[1.0], [2.0], [3.0]], "x")
    request.model_spec.version.value = 2  # not batched at all
    assert stub.Predict(request).outputs["y"].tensor_shape.dim[0].size == 3
    request.model_spec.version.value = 1
    with pytest.raises(grpc.RpcError) as error:
        stub.Predict(request)
    assert error.value.details() == "Task size 3 is larger than maximum input batch size 2"


@pytest.mark.parametrize("flags, text, error", [
    ([], "", "server_options.batching_parameters_file is set without setting "
             "server_options.enable_batching to true."),
    (["--enable_batching"], "max_batch_size { value: 8 } allowed_batch_sizes: 4",
     "Last entry in allowed_batch_sizes must match max_batch_size; last entry was 4; expected 8"),
    (["--enable_batching"], "max_batch_size: 8", "Error parsing text-format"),
])
def test_bad_parameters_end_the_start(start_server, dense, tmp_path, flags, text, error):
    with pytest.raises(RuntimeError) as raised:
        start_server("dense", dense, *flags, params_file(tmp_path, text))
    assert error in str(raised.value)
