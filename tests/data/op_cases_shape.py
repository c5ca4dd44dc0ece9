# SPDX-License-Identifier: Apache-2.0
"""Cases of casts, selection, reductions and what only moves elements."""
import numpy as np

from op_cases import BFLOAT16, FLOATS, INTS, NUMBERS, PLAIN, SIGNED, is_float

I32, I64, F32 = np.int32, np.int64, np.float32
SOME = [F32, np.float64, BFLOAT16, np.int8, I64, np.bool_]


def cast(cases):
    for src in PLAIN:
        for dst in PLAIN:
            x = cases.random(src, 7, low=-100, high=100)
            if is_float(src) and dst in INTS:
                x = np.abs(x) if dst not in SIGNED else x
            cases.add("Cast", [x], DstT=dst)
        if is_float(src):
            x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 65504, 65520, 1e-7, -6e-8, 1 / 3]).astype(src)
            for dst in FLOATS + [np.bool_]:
                cases.add("Cast", [x], DstT=dst)
            for dst in (I32, I64):
                cases.add("Cast", [np.array([1e10, -1e10, 3e20, -3e20, np.inf, -np.inf, np.nan]
                                            * 4).astype(src)], DstT=dst)
        elif src in INTS:
            x = np.array([np.iinfo(src).min, np.iinfo(src).max], src)
            for dst in INTS + FLOATS:
                cases.add("Cast", [x], DstT=dst)
    cases.add("Cast", [cases.random(F32, 0, 3)], DstT=I32)


def select(cases):
    for dtype in PLAIN:
        c = cases.random(np.bool_, 3, 4)
        x, y = cases.random(dtype, 3, 4), cases.random(dtype, 3, 4)
        cases.add("Select", [c, x, y])
        cases.add("Select", [c[:, 0], x, y])
        cases.add("Select", [c[0, 0], x, y])
        cases.add("SelectV2", [c, x, y])
        cases.add("SelectV2", [c[:, :1], x[0], y])
        cases.add("SelectV2", [c, x[0, 0], y[1, 1]])
        cases.add("SelectV2", [np.bool_(True), x[:, :1], y[:1]])
    x, y = cases.strings(2, 3), cases.strings(2, 3)
    cases.add("Select", [cases.random(np.bool_, 2), x, y])
    cases.add("SelectV2", [cases.random(np.bool_, 3), x, y])
    x = cases.random(F32, 2, 3)
    cases.add("Select", [cases.random(np.bool_, 3), x, x])
    cases.add("Select", [cases.random(np.bool_, 2), x, x[0]])
    cases.add("SelectV2", [cases.random(np.bool_, 2), x, x])
    cases.add("SelectV2", [cases.random(np.bool_, 0, 3), x[:1], x[0]])


def reduce(cases):
    for op in "Sum Mean Prod Max Min".split():
        for dtype in NUMBERS:
            x = cases.random(dtype, 3, 4, 5)
            for axes in ([], [0], [-1], [0, 2], [0, 1, 2]) if dtype in (F32, I32) else ([0], [1, 2]):
                if not cases.add(op, [x, np.array(axes, I32)]):
                    break
                cases.add(op, [x, np.array(axes, I64)], keep_dims=True)
            empty = dtype in FLOATS or op != "Mean"
            if empty:
                cases.add(op, [cases.random(dtype, 2, 0, 3), np.array([1], I32)])
            cases.add(op, [cases.random(dtype, 0, 3), np.array([1], I32)])
        cases.add(op, [cases.random(F32, 2, 3, 2, 3, 2), np.array([1, 3], I32)])
        cases.add(op, [cases.random(F32, 1, 3, 1, 4), np.array([0, 2, 3], I32)])
        cases.add(op, [cases.random(F32, 37), np.int32(0)])
        cases.add(op, [cases.random(F32, 3, 101), np.int32(1)])
        cases.add(op, [cases.random(F32, 2, 3), np.array([2], I32)])
        cases.add(op, [cases.random(F32, 2, 3), np.array([1, -1], I32)])
        cases.add(op, [F32(3.5), np.array([], I32)])
        cases.add(op, [np.array([[1, np.nan, 3], [np.inf, 1, -np.inf], [np.nan] * 3], F32), np.int32(1)])
    for op in ("All", "Any"):
        x = cases.random(np.bool_, 4, 2, 2)
        for axes in ([], [0], [2, 1], [0, 1, 2]):
            cases.add(op, [x, np.array(axes, I32)])
        cases.add(op, [cases.random(np.bool_, 0, 2), np.array([0], I32)], keep_dims=True)


def arg_max(cases):
    for op in ("ArgMax", "ArgMin"):
        for dtype in PLAIN:
            x = cases.random(dtype, 3, 4, 5)
            for axis in (0, 1, -1):
                cases.add(op, [x, I32(axis)])
            cases.add(op, [x, I64(2)], output_type=I32)
        cases.add(op, [np.array([[1, np.nan, 3], [np.nan, 1, 2], [np.nan] * 3], F32), I32(1)])
        cases.add(op, [cases.random(F32, 2, 3), I32(2)])
        cases.add(op, [cases.random(F32, 0, 3), I32(1)])
        cases.add(op, [cases.random(F32, 3, 0), I32(1)])
        cases.add(op, [cases.random(F32, 64), I32(0)])


def shapes(cases):
    for x in (cases.random(F32, 2, 3), cases.random(np.bool_), cases.strings(0, 2)):
        for op in ("Shape", "Size"):
            cases.add(op, [x])
            cases.add(op, [x], out_type=I64)
        cases.add("Rank", [x])
    cases.add("ShapeN", [cases.random(F32, 2, 3), cases.random(F32, 4), cases.random(F32)])
    x = cases.random(F32, 2, 3, 4)
    for shape in ([24], [-1], [2, -1], [4, 3, 2], [1, 24, 1], [2, -1, 0], [5, 5], [7, -1], [-1, -1],
                  [-2, 12]):
        cases.add("Reshape", [x, np.array(shape, I32)])
        cases.add("Reshape", [x, np.array(shape, I64)])
    cases.add("Reshape", [cases.random(I64, 1), np.array([], I32)])
    cases.add("Reshape", [cases.strings(2, 2), np.array([4], I32)])
    for shape in ([0, 3], [-1, 3], [3, 0], [-1, 0], [1]):
        cases.add("Reshape", [cases.random(F32, 0, 3), np.array(shape, I32)])
    cases.add("Reshape", [x, np.array([[24]], I32)])
    for dim in (0, 1, 3, -1, -4, 4, -5):
        cases.add("ExpandDims", [x, I32(dim)])
    cases.add("ExpandDims", [cases.strings(2), I64(0)])
    x = cases.random(F32, 1, 3, 1, 2, 1)
    for dims in ([], [0], [-1, 2], [0, 2, 4], [1], [5]):
        cases.add("Squeeze", [x], squeeze_dims=dims)


def add_cases(cases):
    cast(cases)
    select(cases)
    reduce(cases)
    arg_max(cases)
    shapes(cases)
