# SPDX-License-Identifier: Apache-2.0
"""Cases of ops that find and reorder elements by numbers: scattering, reversing, rolling, segments."""
import numpy as np

from op_cases import INTS

F32 = np.float32
I32 = np.int32
I64 = np.int64
TYPES = [np.float32, np.float64] + INTS


def coordinates(cases, shape, depth, *batch):
    return np.stack([cases.rng.integers(0, shape[d], batch) for d in range(depth)], -1) if depth else \
        np.zeros((*batch, 0))


def gather_nd(cases):
    for dtype in (np.float32, np.int64, np.uint8, np.bool_):
        for shape, depth, batch in [((3,), 1, (4,)), ((3, 4), 2, (2, 3)), ((3, 4), 1, (2,)), ((2, 3, 4), 2, ()), ((2, 3), 0, (2,)),
                                    ((2, 3), 1, (0,)), ((2, 0), 1, (2,))]:
            for index in (I32, I64):
                cases.add("GatherNd", [cases.random(dtype, *shape), coordinates(cases, shape, depth, *batch).astype(index)])
    cases.add("GatherNd", [cases.strings(3, 2), np.array([[2, 1], [0, 0]], I32)])
    for indices in [[[0, 5]], [[0, 5, 1]], 5, [[[0, 1], [0, -1]]], [[2, 0]]]:
        cases.add("GatherNd", [cases.random(F32, 2, 3), np.array(indices, I32)], any_text=np.ndim(indices) > 1)
    cases.add("GatherNd", [F32(5), np.array([0], I32)])
    cases.add("GatherNd", [cases.random(F32, 0, 3), np.array([[1]], I32)])


def scatter(cases):
    for dtype in TYPES:
        for shape, depth, batch in [((5,), 1, (4,)), ((3, 4), 2, (2, 3)), ((3, 4), 1, (2,))]:
            i = coordinates(cases, shape, depth, *batch)
            u = cases.random(dtype, *batch, *shape[depth:])
            cases.add("ScatterNd", [i.astype(I32), u, np.array(shape, I32)])
            for what in ("Update", "Add", "Sub", "Max", "Min"):
                cases.add("TensorScatter" + what, [cases.random(dtype, *shape), i.astype(I64), u])
    cases.add("TensorScatterUpdate", [cases.strings(3), np.array([[2], [0]], I32), cases.strings(2)])
    cases.add("TensorScatterUpdate", [cases.random(np.bool_, 3), np.array([[1]], I32), np.array([True])])
    cases.add("ScatterNd", [np.zeros((0, 1), I32), cases.random(F32, 0, 2), np.array([3, 2], I32)])
    for i, u, shape in [([[5]], [1], [3]), ([[-1]], [1], [3])]:
        cases.add("ScatterNd", [np.array(i, I32), np.array(u, F32), np.array(shape, I32)])
        cases.add("TensorScatterAdd", [np.zeros(shape, F32), np.array(i, I32), np.array(u, F32)])
    for i, u, shape in [([[1]], [1], [3, 4]), ([[1], [2]], [1], [3]), ([[1, 2]], [1], [3]), (1, [1], [3]), ([[1]], [1], [0])]:
        cases.add("ScatterNd", [np.array(i, I32), np.array(u, F32), np.array(shape, I32)], any_text=True)
        cases.add("TensorScatterMax", [np.zeros(shape, F32), np.array(i, I32), np.array(u, F32)], any_text=True)


def reverse(cases):
    for dtype in (np.float32, np.int64, np.uint8, np.bool_):
        for shape, axes in [((4,), [0]), ((2, 3), [1]), ((2, 3), [-2, 1]), ((2, 3, 2), [1]), ((2, 3, 2), [0, 2]), ((2, 3), []), ((0, 3), [1])]:
            cases.add("ReverseV2", [cases.random(dtype, *shape), np.array(axes, I32)])
        for shape, lengths, seq, batch in [((2, 4), [3, 0], 1, 0), ((4, 3), [1, 2, 4], 0, 1), ((2, 3, 2), [2, 3], 1, 0), ((2, 2, 3), [3, 1], 2, 1)]:
            cases.add("ReverseSequence", [cases.random(dtype, *shape), np.array(lengths, I64)], seq_dim=seq, batch_dim=batch)
        for shape, shift, axis in [((5,), 2, 0), ((5,), [-7], [0]), ((3, 4), [1, 2], [0, 1]), ((3, 4), [1, 2], [1, 1]), ((2, 3, 2), [-1, 1], [-1, 0]),
                                   ((0, 3), 1, 1)]:
            cases.add("Roll", [cases.random(dtype, *shape), np.array(shift, I32), np.array(axis, I32)])
    cases.add("ReverseV2", [cases.strings(4), np.array([0], I32)])
    for axes in ([0, 0], [[0]], [-3]):
        cases.add("ReverseV2", [cases.random(F32, 2, 3), np.array(axes, I32)], any_text=axes == [-3])
    for lengths, dims in [([1, 4], (1, 0)), ([1], (1, 0)), ([1, -1], (1, 0)), ([1, 1], (3, 0))]:
        cases.add("ReverseSequence", [cases.random(F32, 2, 3), np.array(lengths, I32)], seq_dim=dims[0], batch_dim=dims[1])
    for x, shift, axis in [((2, 3), [1, 2], [0]), ((2, 3), [1], [5]), ((), [1], [0]), ((3,), [[1]], [[0]])]:
        cases.add("Roll", [cases.random(F32, *x), np.array(shift, I32), np.array(axis, I32)])


def segment(cases):
    for dtype in TYPES:
        for what in ("Sum", "Prod", "Max", "Min"):
            for shape, ids in [((4, 2), [0, 2, 0, -1]), ((3,), [1, 1, 3]), ((2, 2), [[0, 1], [1, 0]])]:
                cases.add("UnsortedSegment" + what, [cases.random(dtype, *shape), np.array(ids, I32), I32(4)])
        for what in ("Sum", "Prod", "Max", "Min", "Mean"):
            for shape, ids in [((4, 2), [0, 0, 1, 1]), ((3,), [1, 1, 3])]:
                cases.add("Segment" + what, [cases.random(dtype, *shape), np.array(ids, I64)])
    cases.add("UnsortedSegmentSum", [cases.random(F32, 0, 2), np.zeros(0, I32), I32(2)])
    cases.add("SegmentSum", [cases.random(F32, 0, 2), np.zeros(0, I32)])
    for ids, n in [([0, 1, 5], I32(3)), ([0, 1], I32(3)), ([0, 1, 2], I32(-1)), ([0, 1, 2], np.array([1], I32))]:
        cases.add("UnsortedSegmentSum", [cases.random(F32, 3, 2), np.array(ids, I32), n])
    for ids in [[0, 2, 1], [0, 1], [[0, 1, 2]]]:
        cases.add("SegmentSum", [cases.random(F32, 3, 2), np.array(ids, I32)], any_text=ids == [[0, 1, 2]])
    cases.add("SegmentSum", [cases.random(F32, 3), np.array([-1, 0, 1], I32)], any_text=True)


def add_cases(cases):
    gather_nd(cases)
    scatter(cases)
    reverse(cases)
    segment(cases)
