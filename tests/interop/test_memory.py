"""What a version costs: the peak of digit-server that loads a ResNet50 and answers, beside its weights and the
largest live set."""
import concurrent.futures
import json
import os
import re
import subprocess

os.environ["CUDA_VISIBLE_DEVICES"] = ""

import bundles
import grpc
import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc


@pytest.fixture(scope="module")
def resnet(tmp_path_factory):
    """The folder of a bundle by Keras 3, whose checkpoint has every weight twice; name of its input, bytes of
    the weights; an input, and TensorFlow's answer to it."""
    folder = tmp_path_factory.mktemp("resnet")
    keras.utils.set_random_seed(7)
    model = keras.applications.ResNet50(weights=None)
    image = np.random.default_rng(7).normal(size=(1, 224, 224, 3)).astype(np.float32)
    model.export(str(folder / "1"), verbose=False)
    weight_bytes = sum(w.numpy().nbytes for w in model.weights)
    return folder, model.inputs[0].name, weight_bytes, image, model(image, training=False).numpy()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    folder = tmp_path_factory.mktemp("affine")
    bundles.affine(folder, 1)
    return folder


def peak(server, alias, value, n_calls):
    """Answers to n_calls calls at once, and the most bytes that the server ever had resident."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "m"
    request.inputs[alias].CopyFrom(tf.make_tensor_proto(value))
    with grpc.insecure_channel(f"localhost:{server.port}") as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        with concurrent.futures.ThreadPoolExecutor(n_calls) as pool:
            replies = list(pool.map(lambda _: stub.Predict(request, 120), range(n_calls)))
    with open(f"/proc/{server.process.pid}/status") as status:
        kilobytes = int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1])
    return replies, kilobytes * 1024


@pytest.mark.parametrize("n_threads,n_calls,flags", [
    (1, 1, ["--grpc_max_threads=1", "--tensorflow_intra_op_parallelism=1"]),
    (1, 1, ["--grpc_max_threads=1", "--tensorflow_intra_op_parallelism=4"]),
    (4, 16, ["--grpc_max_threads=4", "--tensorflow_intra_op_parallelism=2"]),
])
def test_peak(build, start_server, resnet, tiny, n_threads, n_calls, flags):
    folder, alias, weight_bytes, image, wanted = resnet
    report = json.loads(subprocess.run([build / "inspect/digit-inspect", folder / "1", "--json"], check=True,
                                       text=True, capture_output=True).stdout)
    # At the first convolution its output [1,112,112,64] and its input are alive: no plan needs less.
    live_bytes = report["scratch_bytes"]
    assert 4 * 112 * 112 * 64 < live_bytes < 10e6

    _, base = peak(start_server("m", tiny, *flags), "x", np.zeros(1, np.float32), n_calls)
    server = start_server("m", folder, *flags)
    replies, bytes_ = peak(server, alias, image, n_calls)
    assert server.stop() == 0
    for reply in replies:
        np.testing.assert_allclose(tf.make_ndarray(reply.outputs["output_0"]), wanted, rtol=0, atol=1e-4)
    print(f"{flags}: base {base}, peak {bytes_}, weights {weight_bytes}, live set {live_bytes}")
    # Each thread has its own live set; the weights are there once. Calls that wait hold their requests, as gRPC
    # has them and, where that is in pieces, once more.
    waiting_bytes = 2 * image.nbytes * (n_calls - 1)
    assert bytes_ - base <= 1.3 * (weight_bytes + n_threads * live_bytes) + waiting_bytes
