# SPDX-License-Identifier: Apache-2.0
"""Cases of the element types that the other families leave out.

For each op, a case that TensorFlow answered is taken from another family's fixture and asked again with each
type of TensorFlow's that no case of the op has, for one type attribute after the other. Run after the others.
"""
import glob
import os
import struct

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import node_def_pb2, tensor_pb2
from tensorflow.python.framework import op_def_registry

import op_cases

HERE = os.path.dirname(os.path.abspath(__file__))
TYPES = [tf.as_dtype(t) for t in op_cases.PLAIN] + [tf.string]
MAX_ELEMENTS = 200
# Where TensorFlow's own answer is wrong or means nothing: it rounds integers to 0, reads an int16 axis as
# int32, and leaves the statistics of a half batch normalisation at inference unset.
WRONG = {"Round T int32", "Round T int64", "ArgMax Tidx int16", "ArgMin Tidx int16", "FusedBatchNormV2 T float16",
         "FusedBatchNormV3 T float16"}
# What TensorFlow has and Digit has not: an error says so when the graph is compiled.
UNSUPPORTED = {
    "Add T string", "BatchMatMulV2 T int16", "BatchMatMulV3 Ta int16", "Conv2DBackpropInput T int32",
    "DecodeImage dtype float32", "Range Tidx float16", "Range Tidx bfloat16", "ScatterNd T bool", "ScatterNd T string",
    "StringToNumber out_type uint32", "StringToNumber out_type uint64", "TopKV2 Tk int16", "TopKV2 index_type int16",
    "UnsortedSegmentMax T float16", "UnsortedSegmentMax T bfloat16", "UnsortedSegmentMin T float16",
    "UnsortedSegmentMin T bfloat16", "UnsortedSegmentSum Tindices int16"}


def read_cases(path):
    """(NodeDef, inputs) of each case with an answer."""
    with open(path, "rb") as f:
        data = memoryview(f.read())
    at = 0

    def take(n):
        nonlocal at
        at += n
        return bytes(data[at - n:at])

    def number():
        return struct.unpack("<I", take(4))[0]

    def tensors():
        return [tf.make_ndarray(tensor_pb2.TensorProto.FromString(take(number()))) for _ in range(number())]

    while at < len(data):
        node = node_def_pb2.NodeDef.FromString(take(number()))
        inputs = tensors()
        code = number()
        take(number())
        tensors()
        if code == 0 and not node.op.startswith("_"):
            yield node, inputs


def types_of(node, attr):
    value = node.attr[attr.name] if attr.name in node.attr else attr.default_value
    return {tf.as_dtype(value.type)}


def type_attrs(op_def):
    return [a for a in op_def.attr if a.type == "type"]


def collect():
    """Op -> its smallest case worth asking, and attribute -> types that it has cases of."""
    best, have = {}, {}
    for path in sorted(glob.glob(os.path.join(HERE, "op_cases_*.bin"))):
        if path.endswith("op_cases_types.bin"):
            continue
        for node, inputs in read_cases(path):
            for attr in type_attrs(op_def_registry.get(node.op)):
                have.setdefault((node.op, attr.name), set()).update(types_of(node, attr))
            n = sum(x.size for x in inputs)
            if all(x.size > 0 for x in inputs) and n <= MAX_ELEMENTS and n > best.get(node.op, (None, None, 0))[2]:
                best[node.op] = (node, inputs, n)
    return best, have


def python_value(value):
    kind = value.WhichOneof("value")
    if kind != "list":
        return tf.as_dtype(value.type) if kind == "type" else getattr(value, kind)
    for name in ("s", "i", "f", "b", "type", "shape"):
        items = list(getattr(value.list, name))
        if items:
            return [tf.as_dtype(t) for t in items] if name == "type" else items
    return []


def converted(x, dtype):
    """x as another type: the same numbers where it has them."""
    if dtype == tf.string:
        return np.array([str(v).encode() for v in x.ravel()], object).reshape(x.shape)
    if x.dtype == object:
        return np.arange(x.size).reshape(x.shape).astype(dtype.as_numpy_dtype)
    x = np.nan_to_num(x.astype(np.float64), nan=1, posinf=4, neginf=-4)
    if dtype.is_unsigned:
        x = np.abs(x)
    return x.astype(dtype.as_numpy_dtype)


def with_type(node, inputs, attr, dtype):
    """The inputs and attributes with another type for one attribute."""
    op_def = op_def_registry.get(node.op)
    attrs = {name: python_value(value) for name, value in node.attr.items()}
    attrs[attr.name] = dtype
    out, at = [], 0
    for arg in op_def.input_arg:
        if arg.type_list_attr:
            return None
        count = attrs[arg.number_attr] if arg.number_attr else 1
        for x in inputs[at:at + count]:
            out.append(converted(x, dtype) if arg.type_attr == attr.name else x)
        at += count
    return out, attrs


def add_cases(cases):
    best, have = collect()
    for op, (node, inputs, _) in sorted(best.items()):
        for attr in type_attrs(op_def_registry.get(op)):
            for dtype in TYPES:
                if dtype in have[op, attr.name] or f"{op} {attr.name} {dtype.name}" in WRONG | UNSUPPORTED:
                    continue
                changed = with_type(node, inputs, attr, dtype)
                if changed is None:
                    continue
                try:
                    cases.add(op, changed[0], **changed[1])
                except (ValueError, TypeError):
                    pass  # no such type, or not with the others
