"""keras.applications, exported by Keras 3, against TensorFlow's own probabilities."""
import pathlib
import subprocess

import applications
import numpy as np
import pytest


def run(program, folder, shape, *flags):
    """run_bundle's answer to images.f32 and its counts of ops."""
    lines = subprocess.run([program, *flags, folder / "bundle", ",".join(map(str, shape)), folder / "images.f32",
                            folder / "answer.f32"], check=True, text=True, capture_output=True).stdout.splitlines()
    counts = {op: int(n) for op, n in (line.split() for line in lines[1:])}
    return np.fromfile(folder / "answer.f32", np.float32), counts


@pytest.mark.parametrize("name", applications.FAMILIES)
def test_probabilities(name, build, tmp_path):
    images, wanted = applications.export(name, tmp_path)
    assert np.abs(wanted[0] - wanted[1]).max() > 0.01, "the network does not look at its images"
    program = pathlib.Path(build) / "tests/interop/run_bundle"
    answer, _ = run(program, tmp_path, images.shape)
    plain, _ = run(program, tmp_path, images.shape, "--as_written")
    np.testing.assert_allclose(answer, wanted.ravel(), rtol=0, atol=1e-4)
    np.testing.assert_allclose(plain, wanted.ravel(), rtol=0, atol=1e-4)
