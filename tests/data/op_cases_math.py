# SPDX-License-Identifier: Apache-2.0
"""Cases of elementwise ops, casts and reductions."""
import numpy as np

from op_cases import FLOATS, INTS, NUMBERS, PLAIN, UNSIGNED, is_float

SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, -2.5, 0.1, -0.3, 7.0, 30.0, -30.0, 1e4, -1e4, np.inf,
           -np.inf, np.nan]
FEW = [0.0, -0.0, 1.0, -2.5, 0.3, 1e4, np.inf, -np.inf, np.nan]

ANY = "Abs Neg Sign Square Round Reciprocal Inv".split()
FLOAT_ONLY = ("Ceil Cos Erf Erfc Exp Expm1 Floor IsFinite IsInf IsNan Log Log1p Rint Rsqrt Sigmoid Sin "
              "Sqrt Tan Tanh").split()
ARITHMETIC = ("Add AddV2 Div DivNoNan FloorDiv FloorMod Maximum Minimum Mod Mul Pow RealDiv "
              "SquaredDifference Sub TruncateDiv TruncateMod").split()
COMPARE = "Equal NotEqual Less LessEqual Greater GreaterEqual".split()


def extremes(dtype):
    info = np.iinfo(dtype)
    return np.array([info.min, info.max, 0, 1, info.max - 1], dtype)


def unary(cases):
    for op in ANY + FLOAT_ONLY:
        for dtype in NUMBERS if op in ANY else FLOATS:
            # TensorFlow rounds integers to 0 and erf(inf) of double to NaN: not ours to copy.
            skipped = op in ("Reciprocal", "Inv", "Round") and dtype in INTS
            if skipped or not cases.add(op, [cases.random(dtype, 3, 7)]):
                continue
            cases.add(op, [cases.random(dtype, 2, 0)])
            if is_float(dtype):
                end = -3 if op == "Erf" and dtype == np.float64 else None
                cases.add(op, [np.array(SPECIAL[:end]).astype(dtype)])
            else:
                cases.add(op, [extremes(dtype)])
        cases.add(op, [np.float32(0.7)])
    cases.add("LogicalNot", [cases.random(np.bool_, 9)])


SHAPES = [((5,), (5,)), ((2, 3), ()), ((), (4,)), ((2, 1, 3), (4, 1)), ((3, 1), (1, 5)),
          ((2, 3, 4, 5), (4, 5)), ((1,), (0,)), ((2, 3), (2, 1)), ((1, 3, 1, 2), (2, 1, 4, 1)),
          ((33,), (33,)), ((2, 1, 2, 1, 2), (1, 3, 2, 3, 1))]
MISMATCHED = [((2,), (3,)), ((2, 3), (3, 2)), ((0,), (2,))]


def binary(cases):
    for op in ARITHMETIC:
        for dtype in NUMBERS:
            low = 1 if dtype in INTS and ("Div" in op or "Mod" in op or op == "Pow") else -4
            if op == "Pow" and is_float(dtype):
                low = 0.5
            # TensorFlow rounds the quotient of 16-bit types before it takes the floor.
            if op.startswith(("Floor", "Truncate", "Mod")) and dtype in FLOATS[2:]:
                continue
            if not cases.add(op, [cases.random(dtype, 2, 9), cases.random(dtype, 2, 9, low=low)]):
                continue
            shapes = SHAPES if dtype == np.float32 else SHAPES[cases.rng.integers(0, 4)::4]
            for x, y in shapes:
                cases.add(op, [cases.random(dtype, *x), cases.random(dtype, *y, low=low)])
            if is_float(dtype):
                x, y = np.meshgrid(np.array(FEW).astype(dtype), np.array(FEW).astype(dtype))
                if dtype in (np.float32, np.float64) or op in ("Maximum", "Minimum"):
                    cases.add(op, [x.ravel(), y.ravel()])
            elif low == -4:
                x, y = np.meshgrid(extremes(dtype), extremes(dtype))
                cases.add(op, [x.ravel(), y.ravel()])
            else:
                cases.add(op, [extremes(dtype), cases.random(dtype, 5, low=1)])
        for x, y in MISMATCHED:
            cases.add(op, [cases.random(np.float32, *x), cases.random(np.float32, *y)])
    # TensorFlow answers TruncateDiv and TruncateMod with an internal error instead.
    for op in "Div FloorDiv FloorMod Mod".split():
        for dtype in INTS:
            cases.add(op, [np.array([1, 2], dtype), np.array([1, 0], dtype)])
            cases.add(op, [np.array([], dtype), np.array([0], dtype)])
    for op in "FloorDiv FloorMod Mod TruncateDiv TruncateMod".split():
        for dtype in (np.int32, np.int64):
            x, y = np.meshgrid(np.arange(-7, 8), [-4, -3, -1, 1, 2, 3, 7])
            cases.add(op, [x.astype(dtype), y.astype(dtype)])
    cases.add("Pow", [np.array([2, 3], np.int32), np.array([2, -1], np.int32)])
    cases.add("Pow", [np.array([-2, 3], np.int64), np.array([5, 0], np.int64)])


def compare(cases):
    for op in COMPARE:
        for dtype in PLAIN:
            if not cases.add(op, [cases.random(dtype, 4, 5), cases.random(dtype, 4, 5)]):
                continue
            cases.add(op, [cases.random(dtype, 4, 1), cases.random(dtype, 5)])
            if is_float(dtype):
                x, y = np.meshgrid(np.array(FEW).astype(dtype), np.array(FEW).astype(dtype))
                cases.add(op, [x.ravel(), y.ravel()])
        for x, y in MISMATCHED:
            cases.add(op, [cases.random(np.float32, *x), cases.random(np.float32, *y)])
    for op in COMPARE[:2]:
        x = cases.strings(6)
        y = cases.strings(6)
        y[::2] = x[::2]
        cases.add(op, [x, y])
        cases.add(op, [x, np.array(b"", dtype=object)])
        for x, y in MISMATCHED:
            cases.add(op, [cases.random(np.float32, *x), cases.random(np.float32, *y)],
                      incompatible_shape_error=False)
    for op in ("LogicalAnd", "LogicalOr"):
        cases.add(op, [cases.random(np.bool_, 3, 5), cases.random(np.bool_, 5)])
        cases.add(op, [cases.random(np.bool_, 3), cases.random(np.bool_, 2)])


def add_cases(cases):
    unary(cases)
    binary(cases)
    compare(cases)
