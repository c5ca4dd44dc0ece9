# SPDX-License-Identifier: Apache-2.0
"""Cases of ops that only move elements, or make tensors from little."""
import numpy as np

from op_cases import FLOATS, NUMBERS, PLAIN

I32, I64, F32 = np.int32, np.int64, np.float32


def ints(values, dtype=I32):
    return np.array(values, dtype)


def transpose(cases):
    for dtype in PLAIN:
        cases.add("Transpose", [cases.random(dtype, 2, 3), ints([1, 0])])
    x = cases.random(F32, 2, 3, 4, 5)
    for perm in ([0, 3, 1, 2], [0, 2, 3, 1], [3, 2, 1, 0], [0, 1, 2, 3], [1, 0, 2, 3], [-1, 0, 1, 2]):
        cases.add("Transpose", [x, ints(perm)])
    cases.add("Transpose", [x[:1, :, :1], ints([2, 1, 0, 3], I64)])
    cases.add("Transpose", [cases.strings(2, 3), ints([1, 0])])
    cases.add("Transpose", [cases.random(F32, 0, 3), ints([1, 0])])
    cases.add("Transpose", [F32(1), ints([])])
    cases.add("Transpose", [x, ints([0, 1])])
    cases.add("Transpose", [x, ints([0, 1, 2, 4])])
    cases.add("Transpose", [x, ints([0, 1, 2, 2])], any_text=True)


def concat(cases):
    for dtype in PLAIN:
        cases.add("ConcatV2", [cases.random(dtype, 2, 3), cases.random(dtype, 2, 1), I32(1)])
        cases.add("Pack", [cases.random(dtype, 2, 3), cases.random(dtype, 2, 3)], axis=1)
    a, b, c = (cases.random(F32, 2, n, 4) for n in (3, 1, 0))
    for axis in (1, -2):
        cases.add("ConcatV2", [a, b, c, I32(axis)])
        cases.add("Concat", [I32(axis), a, b, c])
    for axis in (0, 1, 2, -1):
        cases.add("ConcatV2", [a, a, a, I64(axis)])
    cases.add("ConcatV2", [cases.strings(2), cases.strings(3), I32(0)])
    cases.add("ConcatV2", [c, c, I32(0)])
    cases.add("ConcatV2", [a, b, I32(0)])
    cases.add("ConcatV2", [a, b, I32(3)])
    cases.add("ConcatV2", [a, b[0], I32(1)])
    for axis in (0, 1, 2, 3, -1, -4, 4, -5):
        cases.add("Pack", [a, a], axis=axis, any_text=axis in (4, -5))
    cases.add("Pack", [F32(1), F32(2), F32(3)])
    cases.add("Pack", [a])
    cases.add("Pack", [cases.strings(2), cases.strings(2)], axis=-1)
    cases.add("Pack", [a, b])
    cases.add("Pack", [c, c])


def split(cases):
    for dtype in PLAIN:
        cases.add("Split", [I32(1), cases.random(dtype, 2, 6)], num_split=3)
    x = cases.random(F32, 4, 6, 2)
    for axis, n in ((0, 2), (0, 4), (1, 3), (-1, 2), (2, 1), (1, 4), (3, 1)):
        cases.add("Split", [I32(axis), x], num_split=n)
    cases.add("Split", [I32(0), cases.random(F32, 0, 3)], num_split=2)
    cases.add("Split", [I32(0), cases.strings(4)], num_split=2)
    for sizes in ([1, 2, 3], [6], [2, -1], [0, 6, 0], [0, -1], [3, 3, -1]):
        cases.add("SplitV", [x, ints(sizes), I32(1)], num_split=len(sizes))
        cases.add("SplitV", [x, ints(sizes, I64), I32(-2)], num_split=len(sizes))
    for sizes in ([1, 2], [-1, -1], [5, 2], [7, -1], [-2, 8]):
        cases.add("SplitV", [x, ints(sizes), I32(1)], num_split=len(sizes), any_text=True)
    cases.add("SplitV", [x, ints([1, 5]), I32(1)], num_split=3, any_text=True)
    for axis, n in ((0, 4), (1, 6), (-1, 2), (0, 3), (3, 1)):
        cases.add("Unpack", [x], num=n, axis=axis, any_text=n in (1, 3))
    cases.add("Unpack", [cases.random(F32, 0, 3)], num=0)
    cases.add("Unpack", [cases.random(F32, 3, 0)], num=3)
    cases.add("Unpack", [cases.strings(2, 3)], num=3, axis=1)


def slices(cases):
    for dtype in PLAIN:
        cases.add("Slice", [cases.random(dtype, 4, 5), ints([1, 2]), ints([2, -1])])
    x = cases.random(F32, 3, 4, 5)
    for begin, size in (([0, 0, 0], [3, 4, 5]), ([1, 0, 0], [1, -1, -1]), ([0, 2, 3], [2, 2, 1]),
                        ([3, 0, 0], [0, 1, 1]), ([0, 0, 0], [0, 0, 0])):
        cases.add("Slice", [x, ints(begin), ints(size)])
        cases.add("Slice", [x, ints(begin, I64), ints(size, I64)])
    cases.add("Slice", [cases.strings(4), ints([1]), ints([2])])
    cases.add("Slice", [F32(3), ints([]), ints([])])
    for begin, size in (([4, 0, 0], [1, 1, 1]), ([0, -1, 0], [1, 1, 1]), ([1, 0, 0], [3, 1, 1]),
                        ([0, 0, 0], [1, 1, -2])):
        cases.add("Slice", [x, ints(begin), ints(size)])
    cases.add("Slice", [x, ints([0, 0]), ints([1, 1])], any_text=True)


def strided(cases):
    def add(x, at, to, step, dtype=I32, any_text=False, **masks):
        cases.add("StridedSlice", [x, ints(at, dtype), ints(to, dtype), ints(step, dtype)],
                  any_text=any_text, **{f"{k}_mask": v for k, v in masks.items()})

    for dtype in PLAIN:
        add(cases.random(dtype, 5, 6), [1, -1], [4, 0], [2, -2])
    x = cases.random(F32, 4, 5, 6)
    add(x, [0, 0, 0], [4, 5, 6], [1, 1, 1])
    add(x, [0], [2], [1])
    add(x, [-3], [-1], [1], I64)
    add(x, [3], [0], [-1])
    add(x, [10], [-10], [-1])
    add(x, [-10], [10], [3])
    add(x, [0, 0], [0, 0], [1, 1], begin=3, end=3)
    add(x, [0, 0], [0, 0], [-1, -2], begin=3, end=3)
    add(x, [0, 1], [0, 2], [1, 1], ellipsis=1)
    add(x, [0, 0, 1], [0, 0, 3], [1, 1, 1], ellipsis=2, shrink_axis=1)
    add(x, [1], [2], [1], shrink_axis=1)
    add(x, [-1, 2, 0], [0, 3, 1], [1, 1, 1], shrink_axis=7)
    add(x, [0, 0, 0], [0, 0, 0], [1, 1, 1], new_axis=1, begin=6, end=6)
    add(x, [0, 0, 0, 1], [0, 0, 0, 2], [1, 1, 1, 1], new_axis=5, begin=2, end=2)
    add(x, [0, 0, 0], [1, 0, 1], [1, 1, 1], ellipsis=2, new_axis=4, shrink_axis=1)
    add(x, [0, 0, 0, 0], [0, 0, 0, 0], [1, 1, 1, 1], ellipsis=2, begin=15, end=15)
    add(x, [2, 2, 2], [2, 1, 4], [1, 1, 1])
    add(x, [], [], [])
    add(cases.random(F32, 7), [5], [0], [-2])
    add(cases.random(F32, 0, 3), [0], [1], [1])
    add(cases.strings(3, 3), [0, 2], [2, 3], [1, 1], shrink_axis=2)
    add(cases.random(I64, 3), [2], [3], [1], shrink_axis=1)
    add(x, [4], [5], [1], shrink_axis=1)
    add(x, [-5], [5], [1], shrink_axis=1)
    add(x, [0], [1], [0], any_text=True)
    add(x, [1], [0], [-1], shrink_axis=1)
    add(x, [0] * 4, [1] * 4, [1] * 4)
    add(x, [0, 0], [1], [1], any_text=True)
    add(x, [0, 0], [1, 1], [1, 1], ellipsis=3)
    for _ in range(40):
        n = int(cases.rng.integers(1, 4))
        draw = lambda low, high: [int(v) for v in cases.rng.integers(low, high, n)]
        strides = [s if s else 1 for s in draw(-3, 4)]
        add(x, draw(-7, 8), draw(-7, 8), strides, begin=int(cases.rng.integers(0, 8)),
            end=int(cases.rng.integers(0, 8)))


def pads(cases):
    for dtype in PLAIN:
        x = cases.random(dtype, 2, 3)
        cases.add("Pad", [x, ints([[1, 0], [0, 2]])])
        cases.add("PadV2", [x, ints([[0, 1], [2, 1]]), cases.random(dtype)])
        cases.add("MirrorPad", [x, ints([[1, 1], [2, 0]])], mode="REFLECT")
    x = cases.random(F32, 2, 3, 4)
    cases.add("Pad", [x, ints([[0, 0], [1, 1], [0, 0]], I64)])
    cases.add("Pad", [x, ints([[0, 0]] * 3)])
    cases.add("Pad", [x[:0], ints([[1, 1], [0, 0], [0, 1]])])
    cases.add("Pad", [F32(3), np.zeros((0, 2), I32)])
    cases.add("PadV2", [cases.strings(2), ints([[1, 1]]), np.array(b"pad", dtype=object)])
    cases.add("MirrorPad", [x, ints([[1, 1], [2, 2], [3, 3]])], mode="REFLECT")
    cases.add("MirrorPad", [x, ints([[2, 2], [3, 3], [4, 4]])], mode="SYMMETRIC")
    cases.add("MirrorPad", [x, ints([[0, 1], [0, 0], [2, 0]])], mode="SYMMETRIC")
    cases.add("Pad", [x, ints([[1, 1]])])
    cases.add("Pad", [x, ints([1, 1])])
    cases.add("Pad", [x, ints([[1, 1], [-1, 0], [0, 0]])])
    cases.add("MirrorPad", [x, ints([[2, 0], [0, 0], [0, 0]])], mode="REFLECT", any_text=True)
    cases.add("MirrorPad", [x, ints([[0, 3], [0, 0], [0, 0]])], mode="SYMMETRIC", any_text=True)


def tiles(cases):
    for dtype in PLAIN:
        cases.add("Tile", [cases.random(dtype, 2, 3), ints([2, 1])])
        cases.add("BroadcastTo", [cases.random(dtype, 3, 1), ints([2, 3, 2])])
    x = cases.random(F32, 2, 1, 3)
    for multiples in ([1, 1, 1], [2, 3, 2], [1, 4, 1], [0, 1, 1]):
        cases.add("Tile", [x, ints(multiples, I64)])
    cases.add("Tile", [F32(2), ints([])])
    cases.add("Tile", [cases.strings(2), ints([3])])
    cases.add("Tile", [x, ints([1, 1])], any_text=True)
    cases.add("Tile", [x, ints([1, -1, 1])])
    for shape in ([2, 1, 3], [2, 4, 3], [5, 2, 1, 3], [2, 0, 3]):
        cases.add("BroadcastTo", [x, ints(shape)])
    cases.add("BroadcastTo", [F32(4), ints([2, 2])])
    cases.add("BroadcastTo", [F32(4), ints([])])
    cases.add("BroadcastTo", [cases.strings(2, 1), ints([2, 2])])
    cases.add("BroadcastTo", [x, ints([2, 1, 4])], any_text=True)
    cases.add("BroadcastTo", [x, ints([3])], any_text=True)


def fills(cases):
    for dtype in PLAIN:
        cases.add("Fill", [ints([2, 3]), cases.random(dtype)])
        cases.add("ZerosLike", [cases.random(dtype, 2, 3)])
        cases.add("OnesLike", [cases.random(dtype, 2, 3)])
        cases.add("OneHot", [ints([0, 2, -1, 5]), I32(3), cases.random(dtype), cases.random(dtype)])
    cases.add("Fill", [ints([], I64), F32(1)])
    cases.add("Fill", [ints([0, 2]), F32(1)])
    cases.add("Fill", [ints([2]), np.array(b"text", dtype=object)])
    cases.add("Fill", [ints([2, -1]), F32(1)])
    cases.add("ZerosLike", [cases.strings(3)])
    for start, limit, delta in ((0, 10, 3), (3, 18, 3), (10, 0, -3), (0, 0, 1), (5, 5, -1), (-3, 4, 1),
                                (0, 10, 0), (10, 0, 1), (0, 10, -1)):
        for dtype in (I32, I64, F32, np.float64):
            any_text = delta == 0 or (delta > 0) != (limit >= start)
            cases.add("Range", [dtype(start), dtype(limit), dtype(delta)], any_text=any_text)
    cases.add("Range", [F32(0), F32(1), F32(0.1)])
    cases.add("Range", [I32(-2**31), I32(2**31 - 1), I32(2**30)])
    x = ints([[0, 1, 2], [3, -1, 1]], I64)
    for axis in (-1, 0, 1, 2, 3):
        cases.add("OneHot", [x, I32(4), F32(2), F32(-1)], axis=axis)
    cases.add("OneHot", [np.array([3, 200], np.uint8), I32(4), I64(1), I64(0)])
    cases.add("OneHot", [ints(1), I32(3), np.array(b"on", dtype=object),
                         np.array(b"off", dtype=object)])
    cases.add("OneHot", [x, I32(0), F32(2), F32(-1)])
    cases.add("OneHot", [x, I32(-1), F32(2), F32(-1)], any_text=True)
    cases.add("OneHot", [x[:0], I32(2), F32(2), F32(-1)])


def found_at_random(cases):
    """What tests/interop/test_ops_random.py found wrong."""
    x = cases.random(np.float32, 0, 5)
    for mode in ("REFLECT", "SYMMETRIC"):
        cases.add("MirrorPad", [x, np.zeros((2, 2), np.int32)], mode=mode)
    for sizes in ([-1], [3], [4]):
        cases.add("SplitV", [cases.random(np.float32, 3, 2), np.array(sizes, np.int64), np.int32(0)], num_split=1)


def add_cases(cases):
    transpose(cases)
    concat(cases)
    split(cases)
    slices(cases)
    strided(cases)
    pads(cases)
    tiles(cases)
    fills(cases)
    found_at_random(cases)
