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


def gamma(cases):
    for dtype in (np.float32, np.float64):
        # J, Y and K of large numbers differ by more than the last digits: TensorFlow's own error.
        x = np.array([0.0, 1e-3, 0.1, 0.5, 1, 1.9, 2.1, 3.7, 5, 7.9, 8.1, 12.5, 20], dtype)
        for op in "I0 I0e I1 I1e J0 J1 K0 K0e K1 K1e Y0 Y1".split():
            cases.add("Bessel" + op, [x[1:] if op == "Y1" else x])  # Y1 of 0 is NaN for float, -inf for double
            cases.add("Bessel" + op, [cases.random(dtype, 0, 2)])
            cases.add("Bessel" + op, [np.array([np.nan], dtype)])
            if op[0] in "IJ":
                cases.add("Bessel" + op, [-x])
            if op[0] == "I":
                cases.add("Bessel" + op, [np.array([29.9, 30.1, 60, 85, -85], dtype)])
        unit = np.array([0, 1e-8, 0.01, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 0.99, 0.9999, 1, 1.5, -2, np.nan], dtype)
        cases.add("Erfinv", [np.concatenate([unit, -unit])])
        cases.add("Ndtri", [unit])
        cases.add("Erfinv", [cases.rng.uniform(-1, 1, (3, 5)).astype(dtype)])
        cases.add("Ndtri", [cases.rng.uniform(0, 1, (3, 5)).astype(dtype)])
        a, x = np.meshgrid(np.array([0.1, 0.5, 1, 2.5, 7, 19, 50, 300]), np.array([0, 0.01, 0.5, 1, 3, 8, 20, 55, 280, 320]))
        cases.add("Igamma", [a.astype(dtype), x.astype(dtype)])
        cases.add("Igammac", [a.astype(dtype), x.astype(dtype)])
        odd = [np.array([-1, 0, 1, np.nan, 2, np.inf, 2], dtype), np.array([1, 1, -1, 1, np.nan, 1, np.inf], dtype)]
        cases.add("Igamma", odd)
        cases.add("Igammac", odd)
        x, q = np.meshgrid(np.array([1, 1.1, 2, 3.5, 6, 20]), np.array([0.1, 0.9, 1, 4, 11.5, 30]))
        cases.add("Zeta", [x.astype(dtype), q.astype(dtype)])
        cases.add("Zeta", [np.array([2, 2, 0.5, np.nan, 3], dtype), np.array([0, -2, 1, 1, np.nan], dtype)])
        n, x = np.meshgrid(np.array([0, 1, 2, 3, 7]), np.array([0.2, 1, 1.5, 6, 25]))
        cases.add("Polygamma", [n.astype(dtype), x.astype(dtype)])
        cases.add("Polygamma", [np.array([0.5, -1, 1, np.nan], dtype), np.array([1, 1, np.nan, 1], dtype)])
        a, b, x = np.meshgrid(np.array([0.2, 1, 3, 20]), np.array([0.3, 1, 4, 30]), np.array([0, 0.01, 0.3, 0.5, 0.9, 1]))
        cases.add("Betainc", [a.astype(dtype), b.astype(dtype), x.astype(dtype)])
        cases.add("Betainc", [np.array([-1, 0, 1, 1, 1, np.nan], dtype), np.array([1, 1, -1, 1, 1, 1], dtype),
                              np.array([0.5, 0.5, 0.5, -0.1, 1.1, 0.5], dtype)])
        cases.add("Betainc", [dtype(2), dtype(3), cases.rng.uniform(0, 1, (2, 3)).astype(dtype)])
        cases.add("Betainc", [cases.random(dtype, 0), dtype(3), dtype(0.5)])
    for shapes in [((3, 1), (2,)), ((), (4,)), ((0, 2), (2,))]:
        x, y = (cases.random(np.float32, *s, low=0.5) for s in shapes)
        for op in ("Igamma", "Igammac", "Polygamma"):
            cases.add(op, [np.round(x) + 1, y])
        cases.add("Zeta", [x + 1, y])
    cases.add("Betainc", [np.ones(2, np.float32), np.ones(3, np.float32), np.float32(0.5)], any_text=True)


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
    gamma(cases)
    bits(cases)
    merge(cases)
    scan(cases)
