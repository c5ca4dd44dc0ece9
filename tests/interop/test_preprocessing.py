"""The preprocessing layers of Keras 3 and Keras 2, and the feature columns of Estimators, exported by
TensorFlow and served, against TensorFlow's own answers; and a signature that takes PNG bytes."""

import feature_columns
import grpc
import numpy as np
import preprocessing
import pytest
import tensorflow as tf
import tf_keras
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc


def ask(server, name, **inputs):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = name
    for alias, value in inputs.items():
        request.inputs[alias].CopyFrom(tf.make_tensor_proto(value))
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        return stub.Predict(request, timeout=30)


def assert_same(got, wanted, name):
    assert got.shape == wanted.shape and got.dtype == wanted.dtype, name
    if wanted.dtype.kind == "f":
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-5, err_msg=name)
    else:
        np.testing.assert_array_equal(got, wanted, err_msg=name)


@pytest.mark.parametrize("version, keras", [(3, tf.keras), (2, tf_keras)])
def test_layers(version, keras, start_server, tmp_path):
    for name, layer, x in preprocessing.layers(keras):
        wanted = preprocessing.export(layer, x, tmp_path / name / "1")
        server = start_server(name, tmp_path / name)
        got = tf.make_ndarray(ask(server, name, x=x).outputs["y"])
        assert_same(got, wanted, f"Keras {version}: {name}")
        server.stop()


def serve_model(model, inputs, name, start_server, tmp_path):
    """Exports a Functional model as its Keras does; Digit's answer to the inputs against TensorFlow's."""
    model.export(str(tmp_path / name / "1"))
    signature = tf.saved_model.load(str(tmp_path / name / "1")).signatures["serving_default"]
    wanted = signature(**{alias: tf.constant(x) for alias, x in inputs.items()})
    server = start_server(name, tmp_path / name)
    outputs = ask(server, name, **inputs).outputs
    assert set(outputs) == set(wanted)
    for alias, want in wanted.items():
        assert_same(tf.make_ndarray(outputs[alias]), want.numpy(), f"{name}: {alias}")


@pytest.mark.parametrize("keras", [tf.keras, tf_keras], ids=["keras3", "keras2"])
def test_tabular(keras, start_server, tmp_path):
    """The inputs are the columns of a table."""
    serve_model(*preprocessing.tabular(keras), "table", start_server, tmp_path)


@pytest.mark.parametrize("keras", [tf.keras, tf_keras], ids=["keras3", "keras2"])
@pytest.mark.parametrize("kind", ["average", "average_masked", "lstm", "lstm_masked"])
def test_text_classifier(kind, keras, start_server, tmp_path):
    serve_model(*preprocessing.text_classifier(keras, kind), kind, start_server, tmp_path)


def test_feature_columns(start_server, tmp_path):
    for name, columns in feature_columns.columns(tmp_path / "vocabulary.txt"):
        wanted = feature_columns.export(columns, tmp_path / name / "1")
        server = start_server(name, tmp_path / name)
        got = tf.make_ndarray(ask(server, name, examples=feature_columns.EXAMPLES).outputs["y"])
        assert_same(got, wanted, name)
        server.stop()


def test_png_signature(start_server, tmp_path):
    """Bytes of a PNG in, resized pixels out: what a classifier of images does first."""
    class Decode(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([], tf.string, name="png")])
        def call(self, png):
            image = tf.image.decode_png(png, channels=3)
            return {"pixels": tf.image.resize(tf.cast(image, tf.float32) / 255., [8, 6], antialias=True)}

    module = Decode()
    tf.saved_model.save(module, str(tmp_path / "png" / "1"), signatures={"serving_default": module.call})
    picture = np.random.default_rng(2).integers(0, 256, (13, 17, 4)).astype(np.uint8)
    png = tf.io.encode_png(picture).numpy()
    server = start_server("png", tmp_path / "png")
    got = tf.make_ndarray(ask(server, "png", png=png).outputs["pixels"])
    assert_same(got, module.call(png)["pixels"].numpy(), "png")
    for bad, code in ((png[:40], "INVALID_ARGUMENT"), (b"\xff\xd8\xff\xe0", "UNIMPLEMENTED"), (b"", "INVALID_ARGUMENT")):
        with pytest.raises(grpc.RpcError) as error:
            ask(server, "png", png=bad)
        assert error.value.code().name == code
