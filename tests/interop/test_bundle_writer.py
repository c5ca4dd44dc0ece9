"""SavedModels and checkpoints that Digit writes, loaded by TensorFlow: tf.saved_model.load, the v1
loader, and byte by byte against TensorFlow's own BundleWriter."""
import os
import pathlib
import subprocess

import numpy as np
import pytest
import tensorflow as tf

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("DIGIT_BUILD", ROOT / "build")) / "tests/interop/write_bundle"

X = np.array([[1, 2, 3], [-1, 0.5, 4], [0, 0, 0]], np.float32)
W = np.array([[1, -2], [0.5, 3], [-1, 0.25]], np.float32)
B = np.array([0.125, -1], np.float32)
Y = np.maximum(X @ W + B, 0)
LABELS = [[b"zero", b"one"][i] for i in np.argmax(Y, axis=1)]
STEP = 1234567890123


def write(*arguments):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True,
                          timeout=60)


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    directory = tmp_path_factory.mktemp("models")
    result = write("model", directory / "made" / "along", 7)
    assert result.returncode == 0, result.stderr
    return directory / "made" / "along"


def test_leaves_only_the_version(export):
    files = sorted(str(p.relative_to(export)) for p in export.rglob("*"))
    assert files == ["7", "7/saved_model.pb", "7/variables",
                     "7/variables/variables.data-00000-of-00001", "7/variables/variables.index"]
    umask = os.umask(0)
    os.umask(umask)
    assert (export / "7").stat().st_mode & 0o777 == 0o777 & ~umask
    assert (export / "7/saved_model.pb").stat().st_mode & 0o777 == 0o666 & ~umask


def test_does_not_overwrite(export):
    before = (export / "7/saved_model.pb").stat().st_mtime_ns
    result = write("model", export, 7)
    assert result.returncode == 1
    assert "exists already" in result.stderr
    assert (export / "7/saved_model.pb").stat().st_mtime_ns == before
    assert [p.name for p in export.iterdir()] == ["7"]


@pytest.mark.parametrize("signature", ["predict", "serving_default"])
def test_loads_in_version_2(export, signature):
    loaded = tf.saved_model.load(str(export / "7"))
    function = loaded.signatures[signature]
    answer = function(x=tf.constant(X))
    np.testing.assert_allclose(answer["y"], Y, rtol=1e-6)
    assert answer["label"].numpy().tolist() == LABELS
    assert loaded.signatures["step"]()["step"].numpy() == STEP


def test_has_its_variables_in_version_2(export):
    loaded = tf.saved_model.load(str(export / "7"))
    variables = {v.name: v.numpy() for v in loaded.variables}
    assert set(variables) == {"dense/kernel:0", "dense/bias:0", "labels:0", "step:0"}
    np.testing.assert_array_equal(variables["dense/kernel:0"], W)
    np.testing.assert_array_equal(variables["dense/bias:0"], B)
    assert variables["labels:0"].tolist() == [b"zero", b"one"]
    assert variables["step:0"] == STEP


def test_loads_in_version_1(export):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        meta_graph = tf.compat.v1.saved_model.load(session, ["serve"], str(export / "7"))
        signature = meta_graph.signature_def["predict"]
        assert signature.method_name == "tensorflow/serving/predict"
        y, label = session.run(
            [signature.outputs["y"].name, signature.outputs["label"].name],
            {signature.inputs["x"].name: X})
        np.testing.assert_allclose(y, Y, rtol=1e-6)
        assert label.tolist() == LABELS
        assert session.run("step/Read/ReadVariableOp:0") == STEP
        # Attributes of every kind came through: pooled [[5,6]], leaky the same, then its maximum.
        np.testing.assert_array_equal(session.run("largest:0"), [[[[5], [6]]]])
        assert [v.name for v in tf.compat.v1.trainable_variables()] == ["dense/kernel:0",
                                                                        "dense/bias:0"]
        assert session.run(tf.compat.v1.report_uninitialized_variables()).size == 0


def test_saves_again_in_version_1(export, tmp_path):
    """The bundle's own save nodes work: what they write is what was read."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        meta_graph = tf.compat.v1.saved_model.load(session, ["serve"], str(export / "7"))
        saver = meta_graph.saver_def
        session.run(saver.save_tensor_name, {saver.filename_tensor_name: str(tmp_path / "again")})
    for suffix in ("index", "data-00000-of-00001"):
        original = (export / f"7/variables/variables.{suffix}").read_bytes()
        assert (tmp_path / f"again.{suffix}").read_bytes() == original


# 1 and 16 are a restart interval, 17 a second one; 20000 make several blocks of 256 KiB.
@pytest.mark.parametrize("n", [1, 16, 17, 20000])
def test_writes_the_bytes_of_tensorflow(tmp_path, n):
    result = write("checkpoint", tmp_path / "ours", n)
    assert result.returncode == 0, result.stderr
    tf.raw_ops.SaveV2(prefix=str(tmp_path / "theirs"),
                      tensor_names=[f"tensor/of/the/number/{i:06d}" for i in range(n)],
                      shape_and_slices=[""] * n, tensors=[tf.constant(i) for i in range(n)])
    for suffix in ("index", "data-00000-of-00001"):
        assert ((tmp_path / f"ours.{suffix}").read_bytes()
                == (tmp_path / f"theirs.{suffix}").read_bytes())
