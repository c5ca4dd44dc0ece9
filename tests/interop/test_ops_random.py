"""Kernels against TensorFlow on nodes that nobody chose: shapes, types and attributes are drawn at test time.

DIGIT_SEED (default 1) and DIGIT_CASES (default 250, of each family) make another or a longer run:

    DIGIT_SEED=7 DIGIT_CASES=5000 python3 -m pytest tests/interop/test_ops_random.py

Tolerances are those of tests/unit/model/op/test_ops.c, whose program does the comparing.
"""
import os
import pathlib
import subprocess
import sys
import zlib

import numpy as np
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "data"))
import op_cases  # noqa: E402
import random_ops  # noqa: E402

SEED = int(os.environ.get("DIGIT_SEED", "1"))
N_CASES = int(os.environ.get("DIGIT_CASES", "250"))


@pytest.mark.parametrize("family", random_ops.FAMILIES, ids=lambda f: f.__name__)
def test_random(family, build, tmp_path):
    cases = op_cases.Cases()
    cases.rng = np.random.default_rng([SEED, zlib.crc32(family.__name__.encode())])
    drawn = random_ops.Random(cases)
    for _ in range(N_CASES):
        family(drawn)
    n = sum(cases.n.values())
    assert n > N_CASES / 2, f"only {n} of {N_CASES} nodes are TensorFlow's"
    path = tmp_path / f"op_cases_{family.__name__}.bin"
    cases.save(path)
    run = subprocess.run([build / "tests/test_ops", path], text=True, capture_output=True)
    assert run.returncode == 0, f"DIGIT_SEED={SEED}, {n} cases\n{run.stdout[-1000:]}{run.stderr[-8000:]}"
