# SPDX-License-Identifier: Apache-2.0
"""Cases of ops about diagonals, sets, positions and shapes."""
import numpy as np

from op_cases import FLOATS, NUMBERS, PLAIN

F32 = np.float32
I32 = np.int32
I64 = np.int64
ALIGNS = ["LEFT_LEFT", "LEFT_RIGHT", "RIGHT_LEFT", "RIGHT_RIGHT"]


def diag(cases):
    for dtype in PLAIN:
        for shape in [(3,), (2, 2), (0,)]:
            cases.add("Diag", [cases.random(dtype, *shape)])
        for shape in [(3, 3), (2, 1, 2, 1), (0, 0)]:
            cases.add("DiagPart", [cases.random(dtype, *shape)])
    cases.add("Diag", [F32(1)], any_text=True)
    for shape in [(2, 3), (3,), ()]:
        cases.add("DiagPart", [cases.random(F32, *shape)], any_text=True)


def band_part(cases):
    for dtype in PLAIN:
        cases.add("MatrixBandPart", [cases.random(dtype, 3, 4), I64(1), I64(0)])
    for shape in [(4, 3), (2, 3, 3), (0, 3), (3, 0), (2, 2, 0, 2)]:
        for lower, upper in [(-1, 0), (0, -1), (0, 0), (1, 1), (-1, -1), (2, 1)]:
            for index in (I32, I64):
                cases.add("MatrixBandPart", [cases.random(F32, *shape), index(lower), index(upper)])
    for x, lower, upper in [((3,), 0, 0), ((3, 3), 4, 0), ((3, 3), 0, 4), ((2, 3), 2, 3)]:
        cases.add("MatrixBandPart", [cases.random(F32, *x), I64(lower), I64(upper)], any_text=len(x) == 1)
    cases.add("MatrixBandPart", [cases.random(F32, 2, 2), np.array([0], I64), I64(0)], any_text=True)


def matrix_diag(cases):
    for dtype in PLAIN:
        cases.add("MatrixDiag", [cases.random(dtype, 2, 3)])
        cases.add("MatrixDiagV3", [cases.random(dtype, 2, 3), I32(1), I32(-1), I32(-1), cases.random(dtype)])
    for shape in [(3,), (0,), (2, 0), (0, 2), (1, 2, 2)]:
        cases.add("MatrixDiag", [cases.random(F32, *shape)])
    bands = [((3,), 0, -1, -1), ((3,), 2, -1, -1), ((2, 3), [-1], 5, -1), ((3, 3), [-1, 1], -1, -1), ((2, 2, 3), [0, 1], 3, 4),
             ((2, 4), [-2, -1], -1, 4), ((2, 4), [-2, -1], 7, 4), ((3, 2), [1, 3], -1, 7), ((6, 2), [-5, 0], -1, -1), ((2, 0), 0, 2, 2)]
    for shape, k, rows, columns in bands:
        inputs = [cases.random(F32, *shape), np.array(k, I32), I32(rows), I32(columns), F32(9)]
        cases.add("MatrixDiagV2", inputs, any_text=True)
        for align in ALIGNS:
            cases.add("MatrixDiagV3", inputs, any_text=True, align=align)
    for shape, k, rows, columns in [((3,), 0, 2, -1), ((3,), 0, -1, 2), ((3,), 0, 4, 4), ((3,), [1, 0], -1, -1), ((3,), [0, 1], -1, -1),
                                    ((2, 3), [0, 2], -1, -1), ((3,), [0, 0, 0], -1, -1), ((3,), [[0]], -1, -1), ((), 0, -1, -1)]:
        inputs = [cases.random(F32, *shape), np.array(k, I32), I32(rows), I32(columns), F32(0)]
        cases.add("MatrixDiagV3", inputs, any_text=True)


def matrix_diag_part(cases):
    for dtype in PLAIN:
        cases.add("MatrixDiagPart", [cases.random(dtype, 2, 3)])
        cases.add("MatrixSetDiag", [cases.random(dtype, 2, 3), cases.random(dtype, 2)])
        cases.add("MatrixDiagPartV3", [cases.random(dtype, 2, 3), np.array([0, 1], I32), cases.random(dtype)])
        cases.add("MatrixSetDiagV3", [cases.random(dtype, 2, 3), cases.random(dtype, 2, 2), np.array([0, 1], I32)])
    for shape in [(3, 2), (2, 2, 2), (0, 2), (2, 0), (0, 2, 2)]:
        cases.add("MatrixDiagPart", [cases.random(F32, *shape)])
    for shape, k, diagonal in [((3, 4), 0, (3,)), ((3, 4), 2, (2,)), ((3, 4), -2, (1,)), ((2, 3, 4), [-1, 2], (2, 4, 3)), ((4, 3), [-3, -1], (3, 3)),
                               ((4, 3), [1, 2], (2, 2)), ((3, 3), [-2, 2], (5, 3)), ((2, 3, 3), [1], (2, 2)), ((0, 0), 0, (0,))]:
        x, k, d = cases.random(F32, *shape), np.array(k, I32), cases.random(F32, *diagonal)
        cases.add("MatrixDiagPartV2", [x, k, F32(7)])
        cases.add("MatrixSetDiagV2", [x, d, k])
        for align in ALIGNS:
            cases.add("MatrixDiagPartV3", [x, k, F32(7)], align=align)
            cases.add("MatrixSetDiagV3", [x, d, k], align=align)
    for shape, k in [((3, 4), 4), ((3, 4), -3), ((3, 4), [1, 0]), ((3,), 0), ((3, 4), [0, 1, 2]), ((3, 4), [0, 9])]:
        cases.add("MatrixDiagPartV3", [cases.random(F32, *shape), np.array(k, I32), F32(0)], any_text=True)
        cases.add("MatrixSetDiagV3", [cases.random(F32, *shape), cases.random(F32, 3), np.array(k, I32)], any_text=True)
    for shape, diagonal in [((3, 4), (4,)), ((3, 4), (1, 3)), ((2, 3, 4), (3,)), ((3,), (3,))]:
        cases.add("MatrixSetDiag", [cases.random(F32, *shape), cases.random(F32, *diagonal)], any_text=True)


def unique(cases):
    for dtype in PLAIN:
        for index in (I32, I64):
            x = cases.random(dtype, 12)
            cases.add("Unique", [x], out_idx=index)
            cases.add("UniqueWithCounts", [x], out_idx=index)
        cases.add("UniqueV2", [cases.random(dtype, 5, 2, low=0, high=2), np.array([0], I64)])
        cases.add("ListDiff", [cases.random(dtype, 9), cases.random(dtype, 4)], out_idx=I64)
    texts = np.array([b"b", b"a", b"", b"b", b"ab", b"a"], object)
    for op in ("Unique", "UniqueWithCounts"):
        cases.add(op, [texts])
        cases.add(op, [np.array([0.0, -0.0, np.nan, 1, np.nan, np.inf, -np.inf, np.inf], F32)])
        cases.add(op, [np.zeros(0, F32)])
        cases.add(op, [cases.random(F32, 2, 2)], any_text=True)
        cases.add(op, [F32(1)], any_text=True)
    for shape, axis in [((4, 3), 0), ((2, 6), 1), ((2, 6), -1), ((2, 3, 4), 1), ((2, 5, 2), -2), ((0, 2), 0), ((2, 0), 0), ((6,), 0)]:
        x = cases.random(I32, *shape, low=0, high=2)
        cases.add("UniqueV2", [x, np.array([axis], I32)])
        cases.add("UniqueWithCountsV2", [x, np.array([axis], I64)], out_idx=I64)
    cases.add("UniqueV2", [texts, np.zeros(0, I64)])
    cases.add("UniqueV2", [texts, np.array([0], I64)])
    for shape, axis in [((2, 2), []), ((2, 2), [2]), ((2, 2), [-3]), ((2, 2), [0, 1]), ((2, 2), 0)]:
        cases.add("UniqueV2", [cases.random(I32, *shape), np.array(axis, I64)], any_text=True)
    cases.add("ListDiff", [texts, np.array([b"a", b"x"], object)])
    cases.add("ListDiff", [np.array([np.nan, 0.0, 1], F32), np.array([np.nan, -0.0], F32)])
    for x, y in [((0,), (3,)), ((3,), (0,))]:
        cases.add("ListDiff", [cases.random(I32, *x), cases.random(I32, *y)])
    for x, y in [((2, 2), (3,)), ((3,), ())]:
        cases.add("ListDiff", [cases.random(I32, *x), cases.random(I32, *y)], any_text=True)


def positions(cases):
    for dtype in PLAIN:
        for shape in [(6,), (2, 3), (2, 2, 2), (0, 3), ()]:
            cases.add("Where", [cases.random(dtype, *shape, low=-1, high=2)])
    cases.add("Where", [np.array([0.0, -0.0, np.nan, np.inf, 1e-30], F32)])
    cases.add("Where", [np.zeros((2, 1, 2, 1, 2, 1, 2), I32)])
    for op in ("LowerBound", "UpperBound"):
        for dtype in NUMBERS:
            for out in (I32, I64):
                cases.add(op, [np.sort(cases.random(dtype, 2, 6), -1), cases.random(dtype, 2, 4)], out_type=out)
        for n, m in [(0, 3), (3, 0), (1, 1)]:
            cases.add(op, [np.sort(cases.random(F32, 1, n), -1), cases.random(F32, 1, m)])
        cases.add(op, [np.array([[1, 2, 2, np.inf]], F32), np.array([[-np.inf, 2, np.inf, np.nan]], F32)])
        for x, y in [((2, 3), (1, 3)), ((3,), (3,)), ((1, 2, 3), (1, 2, 3))]:
            cases.add(op, [cases.random(F32, *x), cases.random(F32, *y)], any_text=True)
    for x in [[2, 0, 1], [0], [], [[0]], [0, 0], [1, 2], [-1, 0]]:
        cases.add("InvertPermutation", [np.array(x, I32)])
        cases.add("InvertPermutation", [np.array(x, I64)], any_text=True)
    for dtype in (np.float32, np.float64, np.int32, np.int64):
        for out in (I32, I64):
            cases.add("HistogramFixedWidth", [cases.random(dtype, 2, 9), np.array([-3, 5], dtype), I32(4)], dtype=out)
    cases.add("HistogramFixedWidth", [np.array([-1.0, 0, 5, 4.999, 9, 1.5], F32), np.array([0, 5], F32), I32(5)])
    for limits, n in [([5, 0], 4), ([0, 0], 4), ([0, 5], 0), ([0, 5, 6], 3), (0, 3)]:
        cases.add("HistogramFixedWidth", [cases.random(F32, 3), np.array(limits, F32), I32(n)], any_text=True)


def stitch(cases):
    for dtype in PLAIN:
        cases.add("DynamicPartition", [cases.random(dtype, 5, 2), np.array([1, 0, 2, 1, 1], I32)], num_partitions=3)
        for op in ("DynamicStitch", "ParallelDynamicStitch"):
            cases.add(op, [np.array([0, 3], I32), np.array([[1], [2]], I32), cases.random(dtype, 2, 2), cases.random(dtype, 2, 1, 2)], N=2)
    cases.add("DynamicPartition", [cases.strings(4), np.array([1, 0, 0, 1], I32)], num_partitions=2)
    for shape, partitions in [((2, 3), [[1, 0, 1], [0, 0, 1]]), ((3,), 1), ((), 1), ((0, 2), []), ((2, 0), [0, 1])]:
        cases.add("DynamicPartition", [cases.random(F32, *shape), np.array(partitions, I32)], num_partitions=2)
    for shape, partitions in [((2,), [0, 2]), ((2,), [-1, 0]), ((2,), [0, 0, 0]), ((2,), [[0, 0]])]:
        cases.add("DynamicPartition", [cases.random(F32, *shape), np.array(partitions, I32)], num_partitions=2, any_text=True)
    for op in ("DynamicStitch", "ParallelDynamicStitch"):
        cases.add(op, [I32(1), I32(0), cases.random(F32, 2), cases.random(F32, 2)], N=2)
        cases.add(op, [np.array([1, 0, 1], I32), cases.random(F32, 3)], N=1)
        cases.add(op, [np.zeros(0, I32), np.zeros((0, 2), F32)], N=1)
        cases.add(op, [np.array([1, 0], I32), cases.strings(2)], N=1)
        for indices, data in [([0, 1], (3,)), ([-1, 0], (2,)), ([[0, 1]], (2,))]:
            cases.add(op, [np.array(indices, I32), cases.random(F32, *data)], N=1, any_text=True)
        cases.add(op, [I32(0), I32(1), cases.random(F32, 2), cases.random(F32, 3)], N=2, any_text=True)


def shapes(cases):
    for shape in [[2, 3], [-1, 3], None, [2, None], [2], [3, 3], []]:
        known = shape if shape is None else [None if d == -1 else d for d in shape]
        cases.add("EnsureShape", [cases.random(F32, 2, 3)], shape=known, any_text=True)
    cases.add("EnsureShape", [cases.strings(2)], shape=[2])
    for op in ("CheckNumerics", "CheckNumericsV2"):
        for dtype in FLOATS:
            cases.add(op, [cases.random(dtype, 2, 3)], message="here")
            for bad in [[np.nan], [1, np.inf], [-np.inf], [np.nan, np.inf], [np.inf, -np.inf], [np.nan, -np.inf, np.inf], [np.nan, -np.inf]]:
                cases.add(op, [np.array(bad).astype(dtype)], message="here", any_text=True)
        cases.add(op, [cases.random(F32, 0)], message="")
    for source in NUMBERS:
        for to in NUMBERS:
            a, b = np.dtype(source).itemsize, np.dtype(to).itemsize
            cases.add("Bitcast", [cases.random(source, 2, max(b // a, 1), low=0)], type=to)
    for shape, to in [((0,), np.int8), ((), np.int8), ((3, 0, 2), np.int64), ((3,), np.int64), ((), np.int64), ((2, 4), np.int64)]:
        cases.add("Bitcast", [cases.random(I32, *shape)], type=to, any_text=True)
    for a, b in [([2, 3], [3]), ([], [4]), ([1, 3], [2, 1]), ([2, 3], [2, 3]), ([0, 1], [1, 5]), ([1, 1], [1]), ([5, 1], [1, 1]), ([], []), ([2], [3]),
                 ([2, 1, 4], [3, 1]), ([[1]], [1])]:
        for index in (I32, I64):
            for op in ("BroadcastArgs", "BroadcastGradientArgs"):
                cases.add(op, [np.array(a, index), np.array(b, index)], any_text=True)
    cases.add("PrintV2", [np.array(b"", object)], output_stream="log(info)")
    cases.add("Print", [cases.random(F32, 2), cases.random(I32, 3)], U=[np.int32], first_n=0)


def numbers(cases):
    for dtype in FLOATS:
        for start, stop, n in [(0, 1, 5), (-2, 3, 1), (5, -5, 4), (2, 2, 3)]:
            cases.add("LinSpace", [np.array(start).astype(dtype), np.array(stop).astype(dtype), I32(n)])
    cases.add("LinSpace", [F32(0), F32(np.inf), I64(3)])
    cases.add("LinSpace", [F32(1e38), F32(-3e38), I64(3)])
    for n in (0, -1):
        cases.add("LinSpace", [F32(0), F32(1), I32(n)], any_text=True)
    cases.add("LinSpace", [np.array([0], F32), F32(1), I32(2)], any_text=True)
    for dtype in FLOATS:
        for exclusive in (False, True):
            for reverse in (False, True):
                cases.add("CumulativeLogsumexp", [cases.random(dtype, 2, 4, 2), I32(1)], exclusive=exclusive, reverse=reverse)
    # Of NaN, TensorFlow makes log(2 e^a): not ours to copy.
    for x in [[1, np.inf, 2], [1, -np.inf, 2], [-np.inf, -np.inf], [100, -100, 100], [-1e30, 3e38]]:
        cases.add("CumulativeLogsumexp", [np.array(x, F32), I32(0)])
    for shape, axis in [((0, 3), 1), ((3, 0), 1), ((), 0), ((2, 3), 2), ((2, 3), -1)]:
        cases.add("CumulativeLogsumexp", [cases.random(F32, *shape), I32(axis)], any_text=True)


def sparse_segments(cases):
    for what in ("Sum", "Mean", "SqrtN"):
        op = "SparseSegment" + what
        for dtype in NUMBERS:
            for index in (I32, I64):
                inputs = [cases.random(dtype, 4, 3), np.array([0, 3, 3, 1], index), np.array([0, 0, 2, 2], I32)]
                cases.add(op, inputs)
                cases.add(op + "WithNumSegments", inputs + [index(5)])
        cases.add(op, [cases.random(F32, 3), np.array([2, 0], I32), np.array([0, 1], I64)])
        cases.add(op, [cases.random(F32, 3, 2), np.zeros(0, I32), np.zeros(0, I32)])
        cases.add(op, [cases.random(F32, 2, 0), np.array([1], I32), np.array([1], I32)])
        for indices, ids in [([0, 3], [0, 0]), ([-1, 0], [0, 0]), ([0, 1], [1, 0]), ([0, 1], [0]), ([0, 1], [-1, 0]), ([[0]], [[0]])]:
            cases.add(op, [cases.random(F32, 3, 2), np.array(indices, I32), np.array(ids, I32)], any_text=True)
        for n in (1, -1):
            cases.add(op + "WithNumSegments", [cases.random(F32, 3, 2), np.array([0, 1], I32), np.array([0, 1], I32), I32(n)], any_text=True)


def add_cases(cases):
    diag(cases)
    band_part(cases)
    matrix_diag(cases)
    matrix_diag_part(cases)
    unique(cases)
    positions(cases)
    stitch(cases)
    shapes(cases)
    numbers(cases)
    sparse_segments(cases)
