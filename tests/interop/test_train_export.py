"""What digit-train exports, loaded by TensorFlow itself: both loaders, every signature, both pixel
ranges; the answers against digit-train's own and against a plain forward pass in numpy."""
import gzip
import os
import re
import struct
import subprocess
import time

import numpy as np
import pytest
import tensorflow as tf

v1 = tf.compat.v1
N_TRAIN, N_TEST = 320, 100


def write_idx(path, array, compress):
    data = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()
    path.write_bytes(gzip.compress(data) if compress else data)


def make_set(n, seed):
    """Class k is a bright bar at a height of its own, moved a little and with noise."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 10, n).astype(np.uint8)
    images = rng.integers(0, 50, [n, 28, 28]).astype(np.uint8)
    for image, label, left in zip(images, labels, rng.integers(0, 8, n), strict=True):
        image[2 * label + 4:2 * label + 6, left:left + 20] += 200
    return images, labels


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """One half of the set in gzip, the other plain, as both occur."""
    folder = tmp_path_factory.mktemp("mnist")
    for prefix, n, seed, suffix in (("train", N_TRAIN, 1, ".gz"), ("t10k", N_TEST, 2, "")):
        images, labels = make_set(n, seed)
        write_idx(folder / f"{prefix}-images-idx3-ubyte{suffix}", images, suffix != "")
        write_idx(folder / f"{prefix}-labels-idx1-ubyte{suffix}", labels, suffix != "")
    return folder


def train(build, *flags, ok=True, timeout=300):
    done = subprocess.run([build / "train/digit-train", *flags], capture_output=True, text=True,
                          timeout=timeout, check=False)
    assert (done.returncode == 0) == ok, done.stderr
    return done


class Export:
    """A bundle and what digit-train said of it."""

    def __init__(self, build, data_dir, export_dir, layers):
        self.layers = layers
        self.train = train(build, f"--data_dir={data_dir}", f"--hidden_layers={layers}",
                           "--dense_units=24", "--batch_size=32", "--epochs=6", "--version=7",
                           "--learning_rate=0.003", f"--export_dir={export_dir}")
        self.path = export_dir / "7"


@pytest.fixture(scope="module", params=[0, 1, 2, 3, 4])
def export(request, build, data_dir, tmp_path_factory):
    return Export(build, data_dir, tmp_path_factory.mktemp("export"), request.param)


@pytest.fixture(scope="module")
def loaded(export):
    return tf.saved_model.load(str(export.path))


def images01():
    images, _ = make_set(N_TEST, 2)
    return (images.astype(np.float32) / np.float32(255))[..., np.newaxis]


def answer(loaded, signature, images):
    out = loaded.signatures[signature](image=tf.constant(images))
    return out["classes"].numpy(), out["probabilities"].numpy()


def plain_forward(variables, layers, images):
    """The network in float64 from the bundle's variables, with nothing of TensorFlow's kernels."""
    x = images.astype(np.float64)
    for i in range(layers):
        suffix = f"_{i}" if i else ""
        kernel = variables[f"conv2d{suffix}/kernel"].astype(np.float64)
        padded = np.pad(x, [(0, 0), (2, 2), (2, 2), (0, 0)])
        side = x.shape[1]
        y = sum(padded[:, ky:ky + side, kx:kx + side] @ kernel[ky, kx]
                for ky in range(5) for kx in range(5))
        norm = {k: variables[f"batch_normalization{suffix}/{k}"].astype(np.float64)
                for k in ("gamma", "beta", "moving_mean", "moving_variance")}
        y = (y - norm["moving_mean"]) / np.sqrt(norm["moving_variance"] + 0.001)
        y = np.maximum(y * norm["gamma"] + norm["beta"], 0)
        half = side // 2
        y = y[:, :2 * half, :2 * half].reshape(len(y), half, 2, half, 2, -1)
        x = y.max(axis=(2, 4))
    h = x.reshape(len(x), -1) @ variables["dense/kernel"] + variables["dense/bias"]
    z = np.maximum(h, 0) @ variables["dense_1/kernel"] + variables["dense_1/bias"]
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def test_files(export):
    assert sorted(str(p.relative_to(export.path)) for p in export.path.rglob("*") if p.is_file()) \
        == ["saved_model.pb", "variables/variables.data-00000-of-00001",
            "variables/variables.index"]
    assert [p.name for p in export.path.parent.iterdir()] == ["7"]  # no temporary name is left


def test_signatures(loaded):
    assert set(loaded.signatures) == {"predict", "serving_default", "classify"}
    for name in ("predict", "serving_default"):
        signature = loaded.signatures[name]
        _, inputs = signature.structured_input_signature
        assert inputs["image"].dtype == tf.float32
        assert inputs["image"].shape.as_list() == [None, 28, 28, 1]
        outputs = signature.structured_outputs
        assert outputs["classes"].dtype == tf.int64
        assert outputs["probabilities"].dtype == tf.float32
        assert outputs["probabilities"].shape.as_list() == [None, 10]


def test_answers_as_the_trainer(export, loaded):
    """digit-train prints accuracy and loss of its own forward pass over the test set."""
    found = re.search(r"test accuracy [\d.]+ % \((\d+) of (\d+)\), loss ([\d.]+)",
                      export.train.stdout)
    images, labels = images01(), make_set(N_TEST, 2)[1]
    classes, probabilities = answer(loaded, "predict", images)
    assert int(found[2]) == N_TEST
    assert int(found[1]) == (classes == labels).sum()
    assert int(found[1]) > N_TEST / 2  # it has learnt: a guess gets a tenth
    loss = -np.log(probabilities[np.arange(N_TEST), labels].astype(np.float64)).mean()
    assert abs(loss - float(found[3])) < 1e-5


def test_answers_as_plain_arithmetic(export, loaded):
    reader = tf.train.load_checkpoint(str(export.path / "variables/variables"))
    variables = {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    want = plain_forward(variables, export.layers, images01())
    classes, probabilities = answer(loaded, "serving_default", images01())
    np.testing.assert_allclose(probabilities, want, atol=1e-5, rtol=0)
    np.testing.assert_array_equal(classes, probabilities.argmax(axis=1))


def test_v1_loader(export, loaded):
    with v1.Session(graph=tf.Graph()) as session:
        graph = v1.saved_model.loader.load(session, ["serve"], str(export.path))
        predict, classify = graph.signature_def["predict"], graph.signature_def["classify"]
        assert predict.method_name == "tensorflow/serving/predict"
        assert graph.signature_def["serving_default"].method_name == "tensorflow/serving/predict"
        assert classify.method_name == "tensorflow/serving/classify"
        assert set(classify.inputs) == {"inputs"} and set(classify.outputs) == {"classes", "scores"}
        got = session.run(predict.outputs["probabilities"].name,
                          {predict.inputs["image"].name: images01()})
        moving = [v.name for v in v1.global_variables() if "moving" in v.name]
        assert len(moving) == 2 * export.layers
        assert not set(moving) & {v.name for v in v1.trainable_variables()}
    np.testing.assert_allclose(got, answer(loaded, "predict", images01())[1], atol=1e-6, rtol=0)


def test_both_pixel_ranges(loaded):
    """0..255 and 0..1 get the same answers, also mixed in one batch; so does an image that is all
    dark, which is in 0..1 whatever is meant."""
    unit = images01()
    grey = unit * np.float32(255)
    want = answer(loaded, "predict", unit)[1]
    np.testing.assert_allclose(answer(loaded, "predict", grey)[1], want, atol=1e-5, rtol=0)
    mixed = np.where(np.arange(N_TEST).reshape(-1, 1, 1, 1) % 2 == 0, unit, grey)
    np.testing.assert_allclose(answer(loaded, "predict", mixed)[1], want, atol=1e-5, rtol=0)
    edge = np.zeros([3, 28, 28, 1], np.float32)
    edge[1, 3, 3] = 1.0      # the largest of 0..1: as it is
    edge[2, 3, 3] = 255.0    # the largest of 0..255: the same image
    p = answer(loaded, "predict", edge)[1]
    assert np.isfinite(p).all()
    np.testing.assert_allclose(p[1], p[2], atol=1e-6, rtol=0)


def example(pixels, key="image"):
    value = tf.train.Feature(bytes_list=tf.train.BytesList(value=[pixels]))
    return tf.train.Example(
        features=tf.train.Features(feature={key: value})).SerializeToString()


def test_classify(loaded):
    images, _ = make_set(N_TEST, 2)
    out = loaded.signatures["classify"](
        inputs=tf.constant([example(image.tobytes()) for image in images]))
    classes, probabilities = answer(loaded, "predict", images01())
    order = np.argsort(-probabilities, axis=1, kind="stable")
    np.testing.assert_array_equal(out["classes"].numpy(), order.astype("S1"))
    np.testing.assert_array_equal(out["classes"].numpy()[:, 0], classes.astype("S1"))
    np.testing.assert_allclose(out["scores"].numpy(), np.take_along_axis(probabilities, order, 1),
                               atol=1e-5, rtol=0)


@pytest.mark.parametrize("bad", [example(bytes(783)), example(bytes(784), "picture"), b"\x0a\x7f"])
def test_classify_refuses(loaded, bad):
    with pytest.raises(tf.errors.InvalidArgumentError):
        loaded.signatures["classify"](inputs=tf.constant([bad]))


def test_same_seed_same_bytes(build, data_dir, tmp_path):
    """Also with another number of threads; another seed gives other weights."""
    weights = {}
    for name, flags in {"a": ["--seed=3", "--threads=1"], "b": ["--seed=3", "--threads=3"],
                        "c": ["--seed=4", "--threads=1"]}.items():
        train(build, f"--data_dir={data_dir}", "--dense_units=16", "--batch_size=32", "--steps=12",
              "--augment", "--version=1", f"--export_dir={tmp_path / name}", *flags)
        weights[name] = (tmp_path / name / "1/variables/variables.data-00000-of-00001").read_bytes()
    assert weights["a"] == weights["b"]
    assert weights["a"] != weights["c"]


def test_checkpoint_is_tensorflows(build, data_dir, tmp_path):
    train(build, f"--data_dir={data_dir}", "--dense_units=16", "--batch_size=32", "--steps=12",
          f"--model_dir={tmp_path}")
    newest = tf.train.latest_checkpoint(str(tmp_path))
    assert newest == str(tmp_path / "model.ckpt-12")
    reader = tf.train.load_checkpoint(newest)
    assert reader.get_tensor("global_step") == 12
    assert reader.get_tensor("dense/kernel/Adam_1").shape == (1568, 16)
    more = train(build, f"--data_dir={data_dir}", "--dense_units=16", "--batch_size=32",
                 "--steps=20", f"--model_dir={tmp_path}")
    assert "going on at step 12 of 20" in more.stderr
    assert tf.train.latest_checkpoint(str(tmp_path)) == str(tmp_path / "model.ckpt-20")


def test_sigterm_keeps_the_work(build, data_dir, tmp_path):
    process = subprocess.Popen(
        [build / "train/digit-train", f"--data_dir={data_dir}", "--batch_size=32",
         "--steps=1000000", f"--model_dir={tmp_path}"], stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (tmp_path / "checkpoint").exists():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.05)
    process.terminate()
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    step = re.search(r"stopped after step (\d+) of 1000000; the same command goes on", stderr)[1]
    assert tf.train.latest_checkpoint(str(tmp_path)).endswith(f"model.ckpt-{step}")


def test_version_is_the_time(build, data_dir, tmp_path):
    before = int(time.time())
    train(build, f"--data_dir={data_dir}", "--hidden_layers=0", "--dense_units=8", "--steps=1",
          "--batch_size=32", f"--export_dir={tmp_path}")
    (version,) = os.listdir(tmp_path)
    assert before <= int(version) <= int(time.time())


@pytest.mark.parametrize("flags, text", [
    ([], "--data_dir is missing"),
    (["--data_dir=/nowhere"], "neither /nowhere/train-images-idx3-ubyte nor"),
    (["--data_dir=/nowhere"], "https://storage.googleapis.com/cvdf-datasets/mnist/"),
    (["--data_dir=/nowhere", "--hidden_layers=5"], "hidden_layers"),
    (["--data_dir=/nowhere", "--learning_rte=1"], "learning_rate"),
])
def test_clear_errors(build, flags, text):
    done = train(build, *flags, ok=False)
    assert text in done.stderr and done.stderr.count("\n") <= 2


def test_version_that_is_there_is_kept(build, data_dir, tmp_path):
    flags = [f"--data_dir={data_dir}", "--hidden_layers=0", "--dense_units=8", "--steps=1",
             "--batch_size=32", f"--export_dir={tmp_path}", "--version=3"]
    train(build, *flags)
    before = (tmp_path / "3/saved_model.pb").read_bytes()
    assert "3" in train(build, *flags, ok=False).stderr
    assert (tmp_path / "3/saved_model.pb").read_bytes() == before


@pytest.mark.skipif("DIGIT_MNIST" not in os.environ,
                    reason="DIGIT_MNIST names no folder with the MNIST files")
def test_99_percent_of_mnist(build):
    """The default network after three epochs: about 40 seconds on two cores of their own."""
    done = train(build, f"--data_dir={os.environ['DIGIT_MNIST']}", "--epochs=3", timeout=1800)
    assert int(re.search(r"\((\d+) of 10000\)", done.stdout)[1]) >= 9900, done.stdout
