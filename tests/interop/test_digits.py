"""The main job, end to end: the bundle that ships, served, asked by digit-client, by a Python
client as the tutorial's, and by TensorFlow Serving's own client library.

MNIST is not in the repository: DIGIT_MNIST names a folder that has its four files. DIGIT_SAMPLES may
name a folder of more PNGs called 0.png to 9.png.
"""
import gzip
import json
import os
import pathlib
import struct
import subprocess

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import classification_pb2, predict_pb2, prediction_service_pb2_grpc

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "models/digits"


@pytest.fixture(scope="module")
def digits(start_server):
    return start_server("digits", SHIPPED)


@pytest.fixture(scope="module")
def stub(digits):
    with grpc.insecure_channel(f"localhost:{digits.port}",
                               options=[("grpc.max_send_message_length", -1),
                                        ("grpc.max_receive_message_length", -1)]) as channel:
        yield prediction_service_pb2_grpc.PredictionServiceStub(channel)


def client(build, port, *arguments):
    return subprocess.run([build / "client/digit-client", f"--port={port}", *map(str, arguments)],
                          capture_output=True, text=True, timeout=60)


def sample_folders():
    folders = [ROOT / "samples"]
    if os.environ.get("DIGIT_SAMPLES"):
        folders.append(pathlib.Path(os.environ["DIGIT_SAMPLES"]))
    return folders


@pytest.mark.parametrize("folder", sample_folders(), ids=lambda f: f.name)
@pytest.mark.parametrize("digit", range(10))
def test_client_reads_each_sample(build, digits, folder, digit):
    answer = client(build, digits.port, "--image", folder / f"{digit}.png")
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, f"{digit}\n", "")


@pytest.mark.parametrize("folder", sample_folders(), ids=lambda f: f.name)
def test_client_reads_all_samples_at_once(build, digits, folder):
    files = [folder / f"{d}.png" for d in range(10)]
    answer = client(build, digits.port, "--image", *files)
    assert answer.stdout == "".join(f"{f}: {d}\n" for d, f in enumerate(files))


def test_client_json(build, digits):
    answer = client(build, digits.port, "--json", "--image", ROOT / "samples/7.png")
    assert answer.returncode == 0
    assert "7" in answer.stdout and json.loads(answer.stdout)


@pytest.mark.parametrize("digit", range(10))
def test_tutorials_client(stub, digit):
    """Pixels as they are in the PNG, 0..255 as floats, under the tutorial's names."""
    folder = sample_folders()[-1]
    png = tf.io.decode_png((folder / f"{digit}.png").read_bytes(), channels=1)
    if png.shape != (28, 28, 1) or png.numpy()[0].mean() > 127:
        pytest.skip("the tutorial's client converts nothing: 28x28, light on dark, or not at all")
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "digits"
    request.model_spec.signature_name = "predict"
    pixels = png.numpy().astype(np.float32)
    request.inputs["image"].CopyFrom(tf.make_tensor_proto(pixels, shape=[1, 28, 28, 1]))
    result = stub.Predict(request, 10)
    assert list(result.outputs["classes"].int64_val) == [digit]
    assert np.argmax(result.outputs["probabilities"].float_val) == digit


# ---- MNIST ---------------------------------------------------------------------------------------

def read_idx(name):
    folder = os.environ.get("DIGIT_MNIST")
    if not folder:
        pytest.skip("DIGIT_MNIST names no folder with the MNIST files")
    data = gzip.decompress((pathlib.Path(folder) / name).read_bytes())
    rank = data[3]
    shape = struct.unpack(f">{rank}I", data[4:4 + 4 * rank])
    return np.frombuffer(data, np.uint8, offset=4 + 4 * rank).reshape(shape)


@pytest.fixture(scope="module")
def mnist():
    return read_idx("t10k-images-idx3-ubyte.gz"), read_idx("t10k-labels-idx1-ubyte.gz")


def predict(stub, images):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "digits"
    request.inputs["image"].CopyFrom(tf.make_tensor_proto(images.astype(np.float32)))
    outputs = stub.Predict(request, 60).outputs
    return tf.make_ndarray(outputs["classes"]), tf.make_ndarray(outputs["probabilities"])


@pytest.mark.parametrize("scale", [1.0, 1 / 255], ids=["0..255", "0..1"])
def test_accuracy_through_the_server(stub, mnist, scale):
    images, labels = mnist
    right = 0
    for at in range(0, len(images), 500):
        classes, _ = predict(stub, images[at:at + 500, :, :, None] * np.float32(scale))
        right += int((classes == labels[at:at + 500]).sum())
    accuracy = right / len(images)
    print(f"accuracy {accuracy:.4f}")
    assert accuracy >= 0.985


def test_both_scales_and_tensorflow_answer_alike(stub, mnist):
    images = mnist[0][:64, :, :, None].astype(np.float32)
    _, of_bytes = predict(stub, images)
    _, of_units = predict(stub, images / np.float32(255))
    np.testing.assert_allclose(of_bytes, of_units, atol=1e-5)
    signature = tf.saved_model.load(str(SHIPPED / "1")).signatures["predict"]
    ours = signature(image=tf.constant(images / np.float32(255)))
    np.testing.assert_allclose(of_units, ours["probabilities"].numpy(), atol=1e-5)


def test_classify_takes_examples(stub, mnist):
    images, labels = mnist
    request = classification_pb2.ClassificationRequest()
    request.model_spec.name = "digits"
    request.model_spec.signature_name = "classify"
    for image in images[:20]:
        example = request.input.example_list.examples.add()
        example.features.feature["image"].bytes_list.value.append(image.tobytes())
    results = stub.Classify(request, 10).result.classifications
    assert len(results) == 20
    right = 0
    for label, result in zip(labels, results):
        scores = [c.score for c in result.classes]
        assert sorted(c.label for c in result.classes) == [str(d) for d in range(10)]
        assert scores == sorted(scores, reverse=True)
        assert abs(sum(scores) - 1) < 1e-5
        right += result.classes[0].label == str(label)
    assert right >= 19
