"""Small networks of Keras 3 and Keras 2, compiled and as they were written, against TensorFlow's own answers."""
import pathlib

import networks
import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from test_applications import run

# Steps that each of Keras 3 may have at most: what the passes make of it.
STEPS = {"dense": 6, "attention": 26, "conv1d": 14, "residual": 9, "volume": 5, "transposed": 23}


@pytest.mark.parametrize("version, keras", [(3, tf.keras), (2, tf_keras)])
@pytest.mark.parametrize("name", networks.NETWORKS)
def test_answers(name, version, keras, build, tmp_path):
    x, wanted = networks.export(keras, name, tmp_path)
    program = pathlib.Path(build) / "tests/interop/run_bundle"
    answer, counts = run(program, tmp_path, x.shape)
    plain, _ = run(program, tmp_path, x.shape, "--as_written")
    np.testing.assert_allclose(answer, wanted.ravel(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(plain, wanted.ravel(), rtol=1e-4, atol=1e-5)
    if version == 3:
        assert sum(counts.values()) <= STEPS[name], counts
