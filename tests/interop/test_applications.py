"""keras.applications, exported by Keras 3, against TensorFlow's own probabilities.

TensorFlow has no one answer: with and without oneDNN's kernels it sums in other orders. Digit must be within 1e-4 of
both, and the distance of the two from each other is in the text of a failure, and in the report (-rP).
"""
import os
import pathlib
import subprocess
import sys

import applications
import numpy as np
import pytest

TOLERANCE = 1e-4


def run(program, folder, shape, *flags):
    """run_bundle's answer to images.f32 and its counts of ops."""
    lines = subprocess.run([program, *flags, folder / "bundle", ",".join(map(str, shape)), folder / "images.f32",
                            folder / "answer.f32"], check=True, text=True, capture_output=True).stdout.splitlines()
    counts = {op: int(n) for op, n in (line.split() for line in lines[1:])}
    return np.fromfile(folder / "answer.f32", np.float32), counts


def without_onednn(folder):
    """TensorFlow's answer with its plain kernels: the choice is made when a process starts."""
    subprocess.run([sys.executable, applications.__file__, folder], check=True, capture_output=True,
                   env=dict(os.environ, TF_ENABLE_ONEDNN_OPTS="0", CUDA_VISIBLE_DEVICES=""))
    return np.fromfile(folder / "again.f32", np.float32)


@pytest.mark.parametrize("name", applications.FAMILIES)
def test_probabilities(name, build, tmp_path):
    images, wanted = applications.export(name, tmp_path)
    assert np.abs(wanted[0] - wanted[1]).max() > 0.01, "the network does not look at its images"
    program = pathlib.Path(build) / "tests/interop/run_bundle"
    answer, _ = run(program, tmp_path, images.shape)
    plain, _ = run(program, tmp_path, images.shape, "--as_written")
    other = without_onednn(tmp_path)
    itself = np.abs(wanted.ravel() - other).max()
    text = f"{name}: TensorFlow differs from itself by {itself:.1e}"
    for kind, ours in (("compiled", answer), ("as written", plain)):
        far = [np.abs(ours - theirs).max() for theirs in (wanted.ravel(), other)]
        line = f"{text}; Digit, {kind}, from both by {far[0]:.1e} and {far[1]:.1e}"
        print(line)
        assert max(far) <= TOLERANCE, line
    for threads in (2, 3):
        many, _ = run(program, tmp_path, images.shape, f"--threads={threads}")
        np.testing.assert_array_equal(many.view(np.uint32), answer.view(np.uint32), f"{threads} threads")
