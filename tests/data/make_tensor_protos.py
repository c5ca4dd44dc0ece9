#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tensor_protos.bin: TensorProtos in all their forms, and what TensorFlow makes of them.

    python3 tests/data/make_tensor_protos.py      (needs TensorFlow; made with 2.20)

A record is four byte strings, each with its length as a little-endian uint32 in front:
    name
    proto    a TensorProto to be read, as bytes
    typed    the same tensor with every element in the typed field; empty: TensorFlow refuses proto
    content  the same tensor as TensorFlow writes it with tensor_content
TensorFlow's own C++ reader (ParseTensor) decides what a proto means, not Python's.
"""
import os
import struct

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2, types_pb2

FIELD = {
    "float": ("float_val", 5, "fixed32"), "double": ("double_val", 6, "fixed64"),
    "int32": ("int_val", 7, "varint"), "uint8": ("int_val", 7, "varint"),
    "int16": ("int_val", 7, "varint"), "int8": ("int_val", 7, "varint"),
    "uint16": ("int_val", 7, "varint"), "qint8": ("int_val", 7, "varint"),
    "quint8": ("int_val", 7, "varint"), "qint16": ("int_val", 7, "varint"),
    "quint16": ("int_val", 7, "varint"), "qint32": ("int_val", 7, "varint"),
    "string": ("string_val", 8, "bytes"), "complex64": ("scomplex_val", 9, "fixed32"),
    "int64": ("int64_val", 10, "varint"), "bool": ("bool_val", 11, "varint"),
    "complex128": ("dcomplex_val", 12, "fixed64"), "half": ("half_val", 13, "varint"),
    "bfloat16": ("half_val", 13, "varint"), "uint32": ("uint32_val", 16, "varint"),
    "uint64": ("uint64_val", 17, "varint"),
}

# Values as they stand in the field: extremes first. Complex ones as pairs.
VALUES = {
    "float": [1.5, -2.25, 3e38, float("-inf"), 0.0, 7.0],
    "double": [1.5, -2.25, 1e308, float("inf"), 0.0, 7.0],
    "int32": [-2**31, 2**31 - 1, 0, -1, 300, 7], "uint8": [255, 0, 128, 1, 2, 3],
    "int16": [-32768, 32767, -1, 0, 1, 300], "int8": [-128, 127, -1, 0, 1, 2],
    "uint16": [65535, 0, 1, 300, 2, 3], "qint8": [-128, 127, -1, 0, 1, 2],
    "quint8": [255, 0, 128, 1, 2, 3], "qint16": [-32768, 32767, -1, 0, 1, 300],
    "quint16": [65535, 0, 1, 300, 2, 3], "qint32": [-2**31, 2**31 - 1, 0, -1, 300, 7],
    "string": [b"one", b"", b"t\0o", b"\xff\xfe", b"x" * 200, b"six"],
    "complex64": [1.0, 2.0, -3.0, 4.5, 0.0, -0.0, 5.0, 6.0, 7.0, 8.0, 9.0, 1.0],
    "complex128": [1.0, 2.0, -3.0, 4.5, 0.0, -0.0, 5.0, 6.0, 7.0, 8.0, 9.0, 1.0],
    "int64": [-2**63, 2**63 - 1, 0, -1, 300, 7],
    "bool": [True, False, True, True, False, True],
    "half": [0x3c00, 0xc000, 0x7bff, 0xfc00, 0x0001, 0], "bfloat16": [0x3f80, 0xc000, 0x7f80, 1, 2, 3],
    "uint32": [2**32 - 1, 0, 300, 1, 2, 3], "uint64": [2**64 - 1, 0, 300, 1, 2, 3],
}


def varint(v):
    v &= 2**64 - 1
    out = b""
    while v >= 0x80:
        out += bytes([v & 0x7F | 0x80])
        v >>= 7
    return out + bytes([v])


def key(number, wire_type):
    return varint(number << 3 | wire_type)


def block(number, content):
    return key(number, 2) + varint(len(content)) + content


def shape_bytes(dims):
    return b"".join(block(2, key(1, 0) + varint(d)) for d in dims)


def encode(kind, value):
    if kind == "varint":
        return varint(int(value))
    return struct.pack("<f" if kind == "fixed32" else "<d", value)


def enum_of(name):
    return getattr(types_pb2, "DT_" + name.upper())


def proto(name, dims, values):
    p = tensor_pb2.TensorProto(dtype=enum_of(name))
    for d in dims:
        p.tensor_shape.dim.add().size = d
    p.tensor_shape.SetInParent()
    getattr(p, FIELD[name][0]).extend(values)
    return p


def typed(tensor):
    """Every element in the typed field, as Tensor::AsProtoField writes it."""
    name = types_pb2.DataType.Name(tensor.dtype.as_datatype_enum)[3:].lower()
    array = tensor.numpy()
    flat = np.asarray(array).reshape(-1)
    if name in ("half", "bfloat16"):
        values = [int(v) for v in flat.view(np.uint16)]
    elif name.startswith("complex"):
        values = [float(x) for v in flat for x in (v.real, v.imag)]
    elif name == "string":
        values = [bytes(v) for v in flat]
    elif name.startswith("q"):
        values = [int(v[0]) if getattr(v, "dtype", None) is not None and v.dtype.names else int(v)
                  for v in flat]
    else:
        values = [v.item() for v in flat]
    return proto(name, tensor.shape.as_list(), values)


def content_of(tensor):
    """tensor_content, as TensorFlow's SerializeTensor writes it. That has no quantized types, and
    writes strings as string_val; the reader confirms what is written here in its place."""
    if not tensor.dtype.is_quantized and tensor.dtype != tf.string:
        return tf.io.serialize_tensor(tensor).numpy()
    p = proto(tensor.dtype.name, tensor.shape.as_list(), [])
    if tensor.dtype == tf.string:
        strings = [bytes(v) for v in np.asarray(tensor.numpy()).reshape(-1)]
        p.tensor_content = b"".join(varint(len(v)) for v in strings) + b"".join(strings)
    else:
        p.tensor_content = tensor.numpy().tobytes()
    return p.SerializeToString()


records = []


def add(title, name, data):
    try:
        tensor = tf.io.parse_tensor(data, tf.as_dtype(enum_of(name)))
    except (tf.errors.InvalidArgumentError, tf.errors.InternalError):
        records.append((title.encode(), data, b"", b""))
        return
    content = content_of(tensor)
    records.append((title.encode(), data, typed(tensor).SerializeToString(deterministic=True), content))


for name, (field, number, kind) in FIELD.items():
    values = VALUES[name]
    per = 2 if name.startswith("complex") else 1
    full = proto(name, [2, 3], values)
    add(f"{name}: full", name, full.SerializeToString())
    add(f"{name}: last of two is repeated", name, proto(name, [2, 3], values[: 2 * per]).SerializeToString())
    add(f"{name}: one for all", name, proto(name, [4, 5], values[:per]).SerializeToString())
    add(f"{name}: none means zeros", name, proto(name, [2, 3], []).SerializeToString())
    add(f"{name}: extra ones are ignored", name, proto(name, [2], values).SerializeToString())
    add(f"{name}: scalar", name, proto(name, [], values[:per]).SerializeToString())
    add(f"{name}: empty", name, proto(name, [3, 0], []).SerializeToString())
    no_shape = tensor_pb2.TensorProto(dtype=enum_of(name))
    getattr(no_shape, field).extend(values[:per])
    add(f"{name}: no shape is a scalar", name, no_shape.SerializeToString())

    tensor = tf.io.parse_tensor(full.SerializeToString(), tf.as_dtype(enum_of(name)))
    as_content = tensor_pb2.TensorProto.FromString(content_of(tensor))
    add(f"{name}: content", name, as_content.SerializeToString())
    getattr(as_content, field).extend(values[:per])
    add(f"{name}: content wins over values", name, as_content.SerializeToString())
    as_content.tensor_content = as_content.tensor_content[:-1]
    add(f"{name}: content one byte short", name, as_content.SerializeToString())
    as_content.tensor_content = as_content.tensor_content + b"123"
    add(f"{name}: content too long", name, as_content.SerializeToString())

    head = key(1, 0) + varint(enum_of(name))
    shape = block(2, shape_bytes([2, 3]))
    if kind == "bytes":
        separate = b"".join(block(number, v) for v in values)
        add(f"{name}: values first", name, separate + shape + head)
        continue
    wire_type = {"varint": 0, "fixed32": 5, "fixed64": 1}[kind]
    each = [encode(kind, v) for v in values]
    add(f"{name}: unpacked, values first", name, b"".join(key(number, wire_type) + e for e in each) + shape + head)
    half = len(each) // 2
    add(f"{name}: two packed pieces around the shape", name,
        head + block(number, b"".join(each[:half])) + shape + block(number, b"".join(each[half:])))
    add(f"{name}: packed, then unpacked", name,
        head + shape + block(number, b"".join(each[:half]))
        + b"".join(key(number, wire_type) + e for e in each[half:]))

float_head = key(1, 0) + varint(1)
add("shape in two pieces", "float",
    float_head + block(2, shape_bytes([2])) + block(2, shape_bytes([3])) + key(5, 5) + struct.pack("<f", 2.5))
add("last type counts", "int32", float_head + key(1, 0) + varint(3) + key(7, 0) + varint(9))
add("unknown fields are skipped", "float",
    float_head + block(99, b"abc") + key(98, 0) + varint(1) + key(97, 1) + b"12345678" + key(96, 5) + b"1234"
    + key(5, 5) + struct.pack("<f", 2.5))
add("version number is ignored", "float", float_head + key(3, 0) + varint(7) + key(5, 5) + struct.pack("<f", 1))
add("half of a complex value is not an element", "complex64", proto("complex64", [2], [1.0, 2.0, 3.0]).SerializeToString())
add("values of another type are ignored", "uint8", key(1, 0) + varint(4) + block(8, b"abc") + block(5, b"1234"))
add("negative dimension", "float", float_head + block(2, shape_bytes([-1])))
add("overflowing shape", "float", float_head + block(2, shape_bytes([2**40, 2**40])))
add("no type", "float", block(5, struct.pack("<f", 1)))
add("unknown type", "float", key(1, 0) + varint(77) + key(5, 5) + struct.pack("<f", 1))
add("reference type", "float", key(1, 0) + varint(101) + key(5, 5) + struct.pack("<f", 1))
add("packed values cut off", "float", float_head + block(5, b"\0\0\0\0\0\0"))
add("a length past the end", "float", float_head + key(5, 2) + varint(1000) + b"\0\0\0\0")

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tensor_protos.bin")
with open(path, "wb") as f:
    for record in records:
        for part in record:
            f.write(struct.pack("<I", len(part)) + part)
print(f"{path}: {len(records)} records, {sum(not r[2] for r in records)} of them refused")
