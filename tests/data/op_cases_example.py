# SPDX-License-Identifier: Apache-2.0
"""Cases of ParseExample and ParseExampleV2."""
import numpy as np
import tensorflow as tf

F32, I64 = np.float32, np.int64
REQUIRED = np.zeros(0, F32)
ONE = b"\0\0\x80\x3f"   # 1.0
TWO = b"\0\0\0\x40"     # 2.0


def example(**features):
    """Values of bytes, float or int; None for a Feature without a list."""
    e = tf.train.Example()
    for name, values in features.items():
        f = e.features.feature[name]
        if values is None:
            f.SetInParent()
        elif values and isinstance(values[0], bytes):
            f.bytes_list.value.extend(values)
        elif values and isinstance(values[0], float):
            f.float_list.value.extend(values)
        else:
            f.int64_list.value.extend(values)
    return e.SerializeToString(deterministic=True)


def field(number, data):
    return bytes([number << 3 | 2, len(data)]) + data


def entry(key, feature):
    return field(1, field(1, key) + field(2, feature))


def strings(values):
    return np.array(values, dtype=object)


def parse(cases, serialized, dense=(), sparse=(), names=(), versions=(1, 2)):
    """dense: (key, shape, default); sparse: (key, type)."""
    shapes = [d[1] for d in dense]
    defaults = [np.asarray(d[2]) if not isinstance(d[2], list) else strings(d[2]) for d in dense]
    types = [tf.as_dtype(d.dtype) if d.dtype != object else tf.string for d in defaults]
    head = [serialized if isinstance(serialized, bytes) else strings(serialized), strings(names)]
    if isinstance(serialized, bytes):
        head[0] = np.array(serialized, dtype=object)
    if 1 in versions:
        keys = [np.array(k[0].encode(), dtype=object) for k in (*sparse, *dense)]
        cases.add("ParseExample", head + keys + defaults, Nsparse=len(sparse), Ndense=len(dense),
                  sparse_types=[s[1] for s in sparse], Tdense=types, dense_shapes=shapes)
    if 2 in versions:
        keys = [strings([s[0].encode() for s in sparse]), strings([d[0].encode() for d in dense]),
                strings([])]
        cases.add("ParseExampleV2", head + keys + defaults, num_sparse=len(sparse),
                  sparse_types=[s[1] for s in sparse], Tdense=types, dense_shapes=shapes,
                  ragged_value_types=[], ragged_split_types=[])


def dense(cases):
    x = [("x", [1], REQUIRED)]
    x7 = [("x", [1], F32([7]))]
    variable = [("x", [None], F32([9]))]
    pairs = [("x", [None, 2], F32([9]))]
    parse(cases, [example(x=[1.0]), example(x=[2.0])], x)
    parse(cases, [], x)
    parse(cases, [example(x=[1.0]), example()], x)
    parse(cases, [example(x=[1.0]), b""], x7)
    parse(cases, [example(x=[1])], x)
    parse(cases, [example(x=None)], x)
    parse(cases, [example(x=None)], x7)
    parse(cases, [example(x=[])], x7)
    parse(cases, [example(x=[1.0, 2.0])], x)
    parse(cases, [example(x=[1.0]), example(x=[b"a"])], x7, names=[b"first", b"second"])
    parse(cases, [example(x=[1.0, 2.0, 3.0, 4.0])], [("x", [2, 2], np.zeros((2, 2), F32))])
    parse(cases, [example(), example(x=[1.0, 2.0, 3.0, 4.0])],
          [("x", [2, 2], F32([[5, 6], [7, 8]]))])
    parse(cases, [example(x=[1.0])], [("x", [1], np.zeros(2, F32))])
    parse(cases, [example(x=[1.0]), example(x=[1.0, 2.0, 3.0]), example()], variable)
    parse(cases, [example(), example()], variable)
    parse(cases, [example(x=[1.0] * 2), example(x=[2.0] * 4), example()], pairs)
    parse(cases, [example(x=[1.0, 2.0, 3.0])], pairs)
    parse(cases, [example(x=[1.0])], [("x", [None], REQUIRED)])
    mixed = [("i", [2], np.zeros(0, I64)), ("s", [], [b"default"]), ("f", [3], F32([1, 2, 3]))]
    parse(cases, [example(i=[1, -2], s=[b"\0\xff"], f=[0.5] * 3), example(i=[2**62, 0], other=[b"x"])],
          mixed)
    parse(cases, [example(image=[bytes(range(256)) * 3])] * 2, [("image", [], [])])
    many = [(f"key{i}", [1], I64([i])) for i in range(40)]
    parse(cases, [example(**{f"key{i}": [100 + i] for i in range(0, 40, 3)})], many)
    parse(cases, [[example(x=[1.0])]], x)
    parse(cases, [example(x=[1.0])], x, names=[b"a", b"b"])


def single(cases):
    x = [("x", [1], REQUIRED)]
    for serialized in (example(x=[1.0]), example(), example(x=[2])):
        parse(cases, serialized, x, versions=[2])
    parse(cases, example(x=[2.0, 3.0]), [("x", [None], F32([0]))], versions=[2])
    parse(cases, example(s=[1, 2]), sparse=[("s", I64)], versions=[2])
    parse(cases, example(), sparse=[("s", I64)], versions=[2])


def sparse(cases):
    s = [("s", I64)]
    parse(cases, [example(s=[1, 2]), example(), example(s=[3])], sparse=s)
    parse(cases, [example(), example()], sparse=s)
    parse(cases, [], sparse=s)
    parse(cases, [example(s=[1, 2]), example(s=[1.0])], sparse=s)
    parse(cases, [example(s=[1, 2], t=[b"x"], f=[1.0]), example(t=[b"", b"yy"], f=[2.0])],
          [("f", [1], REQUIRED)], [("s", I64), ("t", np.dtype(object))])


def wire(cases):
    x, x2 = [("x", [1], REQUIRED)], [("x", [2], REQUIRED)]
    one, two = field(2, field(1, ONE)), field(2, field(1, TWO))
    good = [
        example(x=[1.0]) + example(x=[2.0]),                    # merged: the later counts
        field(1, entry(b"x", one) + entry(b"x", two)),
        field(1, entry(b"x", one + two)),                       # the first list counts
        field(3, b"abc") + example(x=[1.0]),                    # unknown fields
        b"\x18\x01" + example(x=[1.0]),
        b"\x1d\x01\x02\x03\x04" + example(x=[1.0]),
        field(1, field(1, field(2, one) + field(1, b"x"))),     # value before key
        field(1, entry(b"y", b"\x80") + entry(b"x", one)),      # not looked at
    ]
    for serialized in good:
        parse(cases, [serialized], x, versions=[2])
    parse(cases, [field(1, entry(b"x", field(2, b"\x0d" + ONE + b"\x0d" + TWO)))], x2, versions=[2])
    i2 = [("i", [2], np.zeros(0, I64))]
    parse(cases, [field(1, entry(b"i", field(3, b"\x08\x05\x08\x80\x01")))], i2, versions=[2])
    parse(cases, [field(1, entry(b"i", field(3, b"\x0a\x03\x05\x80\x01")))], i2, versions=[2])
    text = field(2, field(1, b"AAAA"))
    bad = [
        b"\x7f\x7e",         # (Python's TensorFlow only hands out texts that are UTF-8)
        b"nonsense",
        b"\x0a",
        b"\x0a\x05ab",
        field(1, b"\x08\x01" + entry(b"x", text)),
        field(1, field(1, field(2, text))),
        field(1, field(1, field(1, b"x") + field(3, b"y"))),
    ]
    for serialized in bad:
        parse(cases, [serialized], x, versions=[2])
    parse(cases, [field(1, entry(b"x", field(2, b"\x0a\x05ab")))], x)


def ragged(cases):
    def parse_ragged(serialized, keys, splits, dense=()):
        head = [np.array(serialized, object) if isinstance(serialized, bytes) else strings(serialized), strings([]),
                strings([]), strings([d[0].encode() for d in dense]), strings([k.encode() for k, _ in keys])]
        cases.add("ParseExampleV2", head + [d[2] for d in dense], num_sparse=0, sparse_types=[],
                  Tdense=[d[2].dtype for d in dense], dense_shapes=[d[1] for d in dense],
                  ragged_value_types=[t for _, t in keys], ragged_split_types=[splits] * len(keys))

    batch = [example(i=[1, 2], t=[b"x"], f=[1.0]), example(t=[b"", b"yy"]), b"", example(i=[3], f=[.5] * 3)]
    keys = [("i", I64), ("t", "string"), ("f", F32)]
    for splits in (np.int32, I64):
        parse_ragged(batch, keys, splits, [("f2", [1], F32([7]))])
        parse_ragged([], keys, splits)
        parse_ragged([b""], keys, splits)
        parse_ragged([example(i=[1.0])], keys, splits)
        parse_ragged(batch[0], keys, splits)
        parse_ragged(b"", keys, splits)


def parse_single(cases):
    def add(serialized, dense, sparse=(), any_text=False):
        cases.add("ParseSingleExample", [np.array(serialized, object)] + [np.asarray(d[2]) for d in dense],
                  any_text=any_text, num_sparse=len(sparse), sparse_keys=[s[0] for s in sparse], dense_keys=[d[0] for d in dense],
                  sparse_types=[s[1] for s in sparse], Tdense=[d[2].dtype for d in dense], dense_shapes=[d[1] for d in dense])

    x = [("x", [1], REQUIRED)]
    for serialized in (example(x=[1.0]), example(), example(x=[2]), b"\x0a"):
        add(serialized, x)
    add(example(x=[1.0, 2.0]), x, any_text=True)
    add(example(x=[1.0], s=[1, 2], y=[4]), x + [("y", [None], I64([0])), ("z", [2], F32([3, 4]))],
        [("s", I64), ("t", "string")])
    add([example(x=[1.0])], x)


def add_cases(cases):
    ragged(cases)
    parse_single(cases)
    dense(cases)
    single(cases)
    sparse(cases)
    wire(cases)
