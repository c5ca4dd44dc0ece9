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
    bincount(cases)
    bucketize(cases)
