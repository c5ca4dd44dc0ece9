"""Requests that lie in a bundle's assets.extra are run before the version serves."""
import pathlib

import bundles
import pytest
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

NAME = "assets.extra/tf_serving_warmup_requests"


def predict_log(signature="serving_default", alias="x", value=2.0):
    log = prediction_log_pb2.PredictionLog()
    request = log.predict_log.request
    request.model_spec.name = "any"  # not looked at
    request.model_spec.signature_name = signature
    request.inputs[alias].CopyFrom(tf.make_tensor_proto([value]))
    return log


def head_log(kind):
    log = prediction_log_pb2.PredictionLog()
    if kind == "multi":
        request = log.multi_inference_log.request
        task = request.tasks.add(method_name="tensorflow/serving/regress")
        task.model_spec.name = "any"
        task.model_spec.signature_name = "regress"
    else:
        request = getattr(log, f"{kind}_log").request
        request.model_spec.signature_name = kind
    example = request.input.example_list.examples.add()
    example.features.feature["x"].float_list.value.append(2.0)
    return log


def write(bundle, records):
    path = pathlib.Path(bundle) / NAME
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for record in records:
            writer.write(record if isinstance(record, bytes) else record.SerializeToString())
    return path


@pytest.fixture
def affine(tmp_path):
    return bundles.affine(tmp_path / "models", 1)


def test_requests_are_run(start_server, affine):
    write(affine, [predict_log(), predict_log(value=7.0), b""])
    server = start_server("m", affine.parent, "--num_request_iterations_for_warmup=3")
    server.wait_for_log("model m version 1: AVAILABLE")


def test_heads_are_run(start_server, tmp_path):
    bundle = bundles.heads(tmp_path / "models", 1)
    write(bundle, [head_log("classify"), head_log("regress"), head_log("multi")])
    start_server("m", bundle.parent).wait_for_log("model m version 1: AVAILABLE")


@pytest.mark.parametrize("records, text", [
    ([predict_log(), predict_log("none")],
     'warm-up request 1 of {path}: Serving signature key "none" not found.'),
    ([predict_log(alias="y")], "warm-up request 0 of {path}: "),
    ([b"\xff"], "Failed to parse warmup record from {path}"),
    ([prediction_log_pb2.PredictionLog(
        predict_streamed_log=prediction_log_pb2.PredictStreamedLog())],
     "Unsupported log_type for warmup: 7"),
    ([predict_log()] * 1001, "Number of warmup records exceeds the maximum (1000) at {path}"),
])
def test_what_fails_fails_the_load(start_server, affine, records, text):
    path = write(affine, records)
    server = start_server("m", affine.parent, "--max_num_load_retries=0")
    server.wait_for_log(text.format(path=path))
    assert "AVAILABLE" not in server.log


def test_a_corrupt_file(start_server, affine):
    path = write(affine, [predict_log()])
    data = bytearray(path.read_bytes())
    data[20] ^= 1
    path.write_bytes(data)
    server = start_server("m", affine.parent, "--max_num_load_retries=0")
    server.wait_for_log("DATA_LOSS")
    assert "Please verify your warmup data is in TFRecord format." in server.log


def test_not_enabled(start_server, affine):
    write(affine, [predict_log("none")])
    start_server("m", affine.parent, "--enable_model_warmup=false").wait_for_log(
        "model m version 1: AVAILABLE")
