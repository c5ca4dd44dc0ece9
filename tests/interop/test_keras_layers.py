"""Every layer that a user of Keras 3 reaches for, exported by TensorFlow and served, against what
TensorFlow itself answers."""
import grpc
import layers
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc


def ask(stub, name, signature, x):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = name
    request.model_spec.signature_name = signature
    request.inputs["x"].CopyFrom(tf.make_tensor_proto(x))
    return tf.make_ndarray(stub.Predict(request, timeout=30).outputs["y"])


@pytest.mark.parametrize("name", layers.FAMILIES)
def test_family(name, start_server, tmp_path):
    family = layers.Family(layers.FAMILIES[name]())
    family.export(tmp_path / name / "1")
    server = start_server(name, tmp_path / name)
    server.wait_for_log("AVAILABLE")
    wrong = []
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        for signature, x in family.inputs.items():
            wanted = family.answer(signature)
            got = ask(stub, name, signature, x)
            if got.dtype != wanted.dtype or got.shape != wanted.shape:
                wrong.append(f"{signature}: {got.dtype}{got.shape}, not {wanted.dtype}{wanted.shape}")
            elif not np.allclose(got, wanted, rtol=1e-5, atol=1e-5 * max(1.0, np.abs(wanted).max())):
                wrong.append(f"{signature}: off by {np.abs(got - wanted).max()}")
    server.stop()
    assert not wrong, "\n".join(wrong)
