# SPDX-License-Identifier: Apache-2.0
"""Cases of the less common mathematical ops: special functions, bits, running sums, AddN, clipping."""
import numpy as np

from op_cases import FLOATS, INTS, NUMBERS, is_float
from op_cases_math import FEW, extremes

UNARY = "Acos Acosh Asin Asinh Atan Atanh BesselI0e BesselI1e Cosh Digamma Lgamma Sinh".split()
BINARY = "Atan2 MulNoNan NextAfter Xdivy Xlog1py Xlogy".split()
BITS = "BitwiseAnd BitwiseOr BitwiseXor LeftShift RightShift".split()
POINTS = [0.0, 1.0, -1.0, 0.5, -0.5, 0.01, 0.99, 1.01, 2.5, -2.5, 7.0, -7.25, 29.0, 31.0, -60.0, 85.0,
          np.inf, -np.inf, np.nan]


def unary(cases):
    for op in UNARY:
        for dtype in FLOATS:
            # TensorFlow computes these of 16-bit types step by step in 16 bits.
            if dtype in FLOATS[2:] and op in ("Digamma", "Lgamma", "BesselI0e", "BesselI1e"):
                continue
            low, high = (-0.9, 0.9) if op in ("Acos", "Asin", "Atanh") else (-4, 5)
            if not cases.add(op, [cases.random(dtype, 3, 4, low=1.1 if op == "Acosh" else low, high=high)]):
                continue
            if dtype in FLOATS[:2]:
                cases.add(op, [np.array(POINTS).astype(dtype)])
            cases.add(op, [cases.random(dtype, 2, 0)])


def binary(cases):
    for op in BINARY:
        for dtype in FLOATS:
            if not cases.add(op, [cases.random(dtype, 2, 3), cases.random(dtype, 2, 3, low=0.5)]):
                continue
            if dtype in FLOATS[:2]:
                x, y = np.meshgrid(np.array(FEW).astype(dtype), np.array(FEW).astype(dtype))
                cases.add(op, [x.ravel(), y.ravel()])
        cases.add(op, [cases.random(np.float32, 3, 1), cases.random(np.float32, 2)])
        cases.add(op, [cases.random(np.float32, 3), cases.random(np.float32, 2)])


def bits(cases):
    for dtype in INTS:
        width = np.dtype(dtype).itemsize * 8
        for op in BITS[:3]:
            x, y = np.meshgrid(extremes(dtype), extremes(dtype))
            cases.add(op, [x, y])
            cases.add(op, [cases.random(dtype, 2, 1), cases.random(dtype, 3)])
        for op in BITS[3:]:
            x, y = np.meshgrid(extremes(dtype), np.array([0, 1, width - 1], dtype))
            cases.add(op, [x, y])
            if np.iinfo(dtype).min < 0:
                cases.add(op, [extremes(dtype), np.array([-1], dtype)])
            cases.add(op, [extremes(dtype), np.array([width + 1], dtype)])
        for op in ("Invert", "PopulationCount"):
            cases.add(op, [extremes(dtype)])
            cases.add(op, [np.array([], dtype)])


def merge(cases):
    for op in ("AddN", "AccumulateNV2"):
        shape = {"shape": [2, 3]} if op == "AccumulateNV2" else {}
        for dtype in NUMBERS:
            for n in (1, 2, 3):
                cases.add(op, [cases.random(dtype, 2, 3) for _ in range(n)], **shape)
    cases.add("AddN", [cases.random(np.float32, 0, 3)] * 2)
    cases.add("AddN", [np.float32(1), np.float32(2)])
    for x, y in [((2,), (3,)), ((2, 1), (2,))]:
        cases.add("AddN", [cases.random(np.float32, *x), cases.random(np.float32, *y)], any_text=True)
    for dtype in NUMBERS:
        x = cases.random(dtype, 2, 5)
        for low, high in [((), ()), ((2, 5), ()), ((), (2, 5)), ((2, 5), (2, 5))]:
            cases.add("ClipByValue", [x, cases.random(dtype, *low, low=0, high=2),
                                      cases.random(dtype, *high, low=2, high=4)])
    few = np.array(FEW, np.float32)
    cases.add("ClipByValue", [few, np.float32(-1), np.float32(1)])
    for low, high in [((3,), ()), ((), (1,)), ((1, 2), ())]:
        cases.add("ClipByValue", [few[:2], cases.random(np.float32, *low), cases.random(np.float32, *high)])


def scan(cases):
    for op in ("Cumsum", "Cumprod"):
        for dtype in NUMBERS:
            if not cases.add(op, [cases.random(dtype, 4), np.int32(0)]):
                continue
            if is_float(dtype) and dtype in FLOATS[2:]:
                continue
            for exclusive in (False, True):
                for reverse in (False, True):
                    cases.add(op, [cases.random(dtype, 2, 3, 2), np.int64(-2)], exclusive=exclusive,
                              reverse=reverse)
        for shape, axis in [((2, 3), 0), ((2, 3), 1), ((0, 3), 1), ((), 0), ((2, 3), 2), ((2, 3), -3)]:
            cases.add(op, [cases.random(np.float32, *shape), np.int32(axis)])
        cases.add(op, [cases.random(np.float32, 3), np.array([0], np.int32)])
        cases.add(op, [np.array([1, np.inf, 2, np.nan], np.float32), np.int32(0)])


def add_cases(cases):
    unary(cases)
    binary(cases)
    bits(cases)
    merge(cases)
    scan(cases)
