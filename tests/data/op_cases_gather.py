# SPDX-License-Identifier: Apache-2.0
"""Cases of gathers, TopKV2, strings and Assert."""
import numpy as np

from op_cases import FLOATS, INTS, NUMBERS, PLAIN

I32, I64, F32 = np.int32, np.int64, np.float32


def strings(values):
    return np.array(values, dtype=object)


def gather(cases):
    for dtype in PLAIN:
        x = cases.random(dtype, 4, 3)
        cases.add("Gather", [x, np.array([3, 0, 3], I32)])
        cases.add("GatherV2", [x, np.array([[2, 0], [1, 1]], I64), I32(1)])
    x = cases.random(F32, 2, 3, 4, 2)
    i = np.array([[0, 2, 1], [2, 2, 0]], I32)
    for axis in (0, 1, 2, 3, -1, -3, 4):
        cases.add("GatherV2", [x, np.array([0, 1, 1], I32), I32(axis)], any_text=axis == 4)
        cases.add("GatherV2", [x, I32(1), I64(axis)], any_text=axis == 4)
    for batch, axis in ((1, 1), (1, 2), (-1, 1), (1, 0), (2, 2), (3, 3), (-3, 1)):
        cases.add("GatherV2", [x, i, I32(axis)], batch_dims=batch)
    cases.add("GatherV2", [x, i[:1], I32(1)], batch_dims=1)
    cases.add("GatherV2", [x, np.zeros((0, 2), I32), I32(1)])
    cases.add("GatherV2", [np.zeros((0, 2), F32), np.zeros(0, I32), I32(0)])
    for bad in ([4], [-1], [[0, 1], [2, 9]]):
        cases.add("Gather", [cases.random(F32, 4), np.array(bad, I32)])
        cases.add("GatherV2", [cases.random(F32, 4), np.array(bad, I64), I32(0)])
    cases.add("Gather", [cases.random(F32, 4), I32(7)])
    cases.add("GatherV2", [cases.strings(3, 2), np.array([2, 0], I32), I32(0)])


def top_k(cases):
    for dtype in NUMBERS:
        x = cases.random(dtype, 3, 9)
        for k in (0, 1, 2, 9):
            cases.add("TopKV2", [x, I32(k)])
    x = np.array([[1, 1, 2, 2, 0, 2, 1]], F32)   # ties: the lower index first
    for k in range(1, 8):
        cases.add("TopKV2", [x, I32(k)])
    cases.add("TopKV2", [x, I64(3)], index_type=I64)
    cases.add("TopKV2", [cases.random(F32, 2, 3, 100), I32(17)])
    cases.add("TopKV2", [cases.random(F32, 0, 3), I32(2)])
    cases.add("TopKV2", [cases.random(F32, 5), I32(2)])
    cases.add("TopKV2", [x, I32(8)])
    cases.add("TopKV2", [x, I32(-1)])
    cases.add("TopKV2", [x, np.array([1], I32)])
    cases.add("TopKV2", [F32(1), I32(1)])


def join(cases):
    a, b = cases.strings(2, 3), cases.strings(2, 3)
    cases.add("StringJoin", [a, b])
    cases.add("StringJoin", [a, b, a], separator="--")
    cases.add("StringJoin", [a, np.array(b"x", dtype=object)])
    cases.add("StringJoin", [np.array(b"dir", dtype=object), np.array(b"file", dtype=object)],
              separator="/")
    cases.add("StringJoin", [a])
    cases.add("StringJoin", [a, cases.strings(3)])
    cases.add("ShardedFilename", [np.array(b"a/b", dtype=object), I32(3), I32(12)])
    cases.add("ShardedFilename", [np.array(b"", dtype=object), I32(123456), I32(-1)])


def as_string(cases):
    for dtype in PLAIN:
        cases.add("AsString", [cases.random(dtype, 5)])
        if dtype in FLOATS[:2]:
            x = np.array([0, -1.5, 1 / 3, 1e10, -1e-10, np.inf, -np.inf, np.nan]).astype(dtype)
            cases.add("AsString", [x])
            cases.add("AsString", [x], precision=3)
            cases.add("AsString", [x], scientific=True)
            cases.add("AsString", [x], shortest=True)
            cases.add("AsString", [x], precision=2, width=12, fill="0")
            cases.add("AsString", [x], scientific=True, width=15, precision=4)
        elif dtype in INTS:
            info = np.iinfo(dtype)
            x = np.array([info.min, 0, 7, info.max], dtype)
            cases.add("AsString", [x])
            cases.add("AsString", [x], width=6)
            if dtype in (np.int32, np.int64):
                for fill in "0 +-":
                    cases.add("AsString", [x], width=6, fill=fill)
    cases.add("AsString", [cases.strings(3)])


def decode_raw(cases):
    for dtype in PLAIN:
        if dtype == np.bool_:
            continue
        x = strings([cases.random(dtype, 6).tobytes() for _ in range(3)])
        cases.add("DecodeRaw", [x], out_type=dtype)
        cases.add("DecodeRaw", [x[0:1].reshape(1, 1)], out_type=dtype, little_endian=False)
    cases.add("DecodeRaw", [np.array(bytes(range(256)), dtype=object)], out_type=np.uint8)
    cases.add("DecodeRaw", [strings([])], out_type=np.uint8)
    cases.add("DecodeRaw", [strings([b"", b""])], out_type=I32)
    cases.add("DecodeRaw", [strings([b"abcd", b"abc"])], out_type=np.uint8)
    cases.add("DecodeRaw", [strings([b"abc"])], out_type=I32)


def asserts(cases):
    texts = [np.array(b"x must be small", dtype=object), F32([1.5, -2]), I32(7)]
    cases.add("Assert", [np.bool_(True), *texts])
    cases.add("Assert", [np.bool_(False), *texts])
    cases.add("Assert", [np.bool_(False), np.arange(5, dtype=I64)])
    cases.add("Assert", [np.bool_(False), np.arange(5, dtype=I64), np.float64(0.1)], summarize=-1)


def add_cases(cases):
    asserts(cases)
    gather(cases)
    top_k(cases)
    join(cases)
    as_string(cases)
    decode_raw(cases)
