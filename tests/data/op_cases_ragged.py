# SPDX-License-Identifier: Apache-2.0
"""Cases of ops on ragged tensors and of counting."""
import numpy as np

I32, I64, F32, F64 = np.int32, np.int64, np.float32, np.float64


def ragged_to_tensor(cases):
    def add(shape, values, default, partitions, types, any_text=False):
        cases.add("RaggedTensorToTensor", [np.array(shape, I64), values, default, *partitions],
                  any_text=any_text, row_partition_types=types,
                  num_row_partition_tensors=len(partitions))

    splits, ids = np.array([0, 2, 2, 5], I64), np.array([0, 0, 2, 2, 2], I64)
    inner = np.array([0, 1, 3, 3, 4, 6], I64)
    forms = [([splits], ["ROW_SPLITS"]), ([I64(3), ids], ["FIRST_DIM_SIZE", "VALUE_ROWIDS"])]
    for partitions, types in forms:
        for values, default in ((cases.random(F32, 5), F32(-1)), (cases.random(I64, 5), I64(0)),
                                (cases.strings(5), b"?"), (cases.random(F32, 5, 2), F32(7)),
                                (cases.random(I32, 5, 2), np.array([8, 9], I32))):
            rest = list(values.shape[1:])
            add(-1, values, default, partitions, types)
            for size in ([-1, -1], [3, 4], [2, 2], [5, -1], [-1, 1], [0, 3], [-1, 0]):
                add(size + rest, values, default, partitions, types)
    values = cases.random(F32, 6)
    two = [np.array([0, 2, 5], I64), inner]
    add(-1, values, F32(0), two, ["ROW_SPLITS"] * 2)
    for size in ([2, 2, 1], [3, 4, 5], [-1, -1, 2], [1, -1, -1]):
        add(size, values, F32(0), two, ["ROW_SPLITS"] * 2)
    add(-1, values, F32(0), [I64(2), np.array([0, 0, 1, 1, 1], I64),
                             np.array([0, 1, 1, 3, 4, 4], I64)],
        ["FIRST_DIM_SIZE", "VALUE_ROWIDS", "VALUE_ROWIDS"])
    add(-1, cases.random(F32, 0), F32(0), [np.array([0, 0, 0], I64)], ["ROW_SPLITS"])
    add(-1, cases.random(F32, 0), F32(0), [np.array([0], I64)], ["ROW_SPLITS"])


def gather(cases):
    inner, outer = np.array([0, 1, 3, 3, 4, 6], I64), np.array([0, 2, 5], I64)
    for splits in ([inner], [outer, inner], [np.array([0, 1, 2], I64), outer, inner]):
        for values in (cases.random(F32, 6), cases.strings(6), cases.random(I32, 6, 2), cases.random(F64, 6, 0)):
            for kind in (I32, I64):
                for indices in ([1, 0, 1], [[1], [0]], [], [[[0, 1]], [[1, 1]]], np.zeros((2, 0)), [7], [-1]):
                    if values.dtype != F32 and (kind == I32 or len(splits) == 3):
                        continue
                    x = np.array(indices, kind)
                    cases.add("RaggedGather", [*(s.astype(kind) for s in splits), values, x], any_text=True,
                              PARAMS_RAGGED_RANK=len(splits), OUTPUT_RAGGED_RANK=len(splits) + x.ndim - 1)
    for bad in ([0, 7], [0, 4, 2, 6], [], [-1, 6]):
        cases.add("RaggedGather", [np.array(bad, I64), cases.random(F32, 6), np.array([0], I64)], any_text=True,
                  PARAMS_RAGGED_RANK=1, OUTPUT_RAGGED_RANK=1)


def to_sparse(cases):
    inner, outer = np.array([0, 1, 3, 3, 4, 6], I64), np.array([0, 2, 5], I64)
    for splits in ([inner], [outer, inner], [np.array([0, 1, 2], I64), outer, inner]):
        for values in (cases.random(F32, 6), cases.strings(6), cases.random(I32, 6, 2), cases.random(F64, 6, 2, 3),
                       cases.random(F32, 6, 0)):
            for kind in (I32, I64):
                cases.add("RaggedTensorToSparse", [*(s.astype(kind) for s in splits), values], RAGGED_RANK=len(splits))
    for empty in ([0], [0, 0, 0]):
        cases.add("RaggedTensorToSparse", [np.array(empty, I64), cases.random(F32, 0)], RAGGED_RANK=1)
    for bad in ([0, 5], [1, 6], [0, 4, 2, 6], []):
        cases.add("RaggedTensorToSparse", [np.array(bad, I64), cases.random(F32, 6)], any_text=True, RAGGED_RANK=1)


def ranges(cases):
    for kind in (I32, I64, F32, F64):
        for splits in (I32, I64):
            for args in ((0, [3, 0, 5], 1), ([2, 7], [9, -1], [3, -2]), (5, 1, 1), ([], [], []), (1, 8, [2, 3, 7, 9]),
                         (0, 1, 0), ([1, 2], [3, 4, 5], 1), ([[1]], 2, 1), (-3, [-9, 4], [-2, 2])):
                cases.add("RaggedRange", [np.array(a, kind) for a in args], any_text=True, Tsplits=splits)
    for args in ((0.1, 1, 0.1), (0, 1, 0.3), (1, -1, -0.25), (0, 1e-3, 1e-4)):
        for kind in (F32, F64):
            cases.add("RaggedRange", [kind(a) for a in args])


def bincount(cases):
    for index in (I32, I64):
        x = cases.random(index, 3, 7, low=0, high=9)
        for weight in (F32, F64, I32, I64):
            none, some = np.array([], weight), cases.random(weight, 3, 7)
            for binary in (False, True):
                cases.add("DenseBincount", [x, index(6), none], binary_output=binary)
                cases.add("DenseBincount", [x[0], index(12), none], binary_output=binary)
                cases.add("RaggedBincount", [np.array([0, 2, 2, 7], I64), x[0], index(6), none],
                          binary_output=binary)
            cases.add("DenseBincount", [x, index(6), some])
            cases.add("DenseBincount", [x[1], index(9), some[1]])
            cases.add("RaggedBincount", [np.array([0, 3, 7], I64), x[1], index(9), some[1]])
            if index == I32:
                cases.add("Bincount", [x, I32(9), some])
                cases.add("Bincount", [x[0], I32(4), none])
        none = np.array([], F32)
        cases.add("DenseBincount", [x, index(0), none])
        cases.add("DenseBincount", [x[:0], index(3), none])
        cases.add("DenseBincount", [x - 5, index(3), none], any_text=True)
        cases.add("DenseBincount", [x, index(-1), none], any_text=True)
        cases.add("DenseBincount", [x, index(3), np.array([1], F32)], any_text=True)


def bucketize(cases):
    for dtype in (F32, F64, I32, I64):
        for boundaries in ([], [0.0], [-1.5, 0.0, 2.0, 2.0, 3.25]):
            cases.add("Bucketize", [cases.random(dtype, 4, 5)], boundaries=boundaries)
            cases.add("Bucketize", [np.array([-2, -1, 0, 1, 2, 3, 4], dtype)], boundaries=boundaries)
    cases.add("Bucketize", [np.array([np.nan, np.inf, -np.inf], F32)], boundaries=[0.0, 1.0])
    cases.add("Bucketize", [cases.random(F32, 3)], any_text=True, boundaries=[1.0, 0.0])


def add_cases(cases):
    ragged_to_tensor(cases)
    gather(cases)
    to_sparse(cases)
    ranges(cases)
    bincount(cases)
    bucketize(cases)
