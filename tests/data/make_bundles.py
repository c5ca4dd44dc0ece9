#!/usr/bin/env python3
"""Makes tests/data/bundles with TensorFlow: what the tests of model/bundle read.

    python3 tests/data/make_bundles.py

checkpoints/plain        all types, raw index, one shard (SaveV2)
checkpoints/sharded      three shards, snappy index (SaveV2 each, MergeV2Checkpoints)
checkpoints/partitioned  variables in slices: rows, a grid, strings, over two shards
checkpoints/big_endian   `plain` as a big-endian machine writes it; TensorFlow itself reads it back
meta_graphs              a SavedModel with the tag sets {serve}, {train}, {serve, gpu}
no_variables             a SavedModel without variables
"""
import os
import pathlib
import shutil
import struct

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import tensor_bundle_pb2

OUT = pathlib.Path(__file__).resolve().parent / "bundles"
CHECKPOINTS = OUT / "checkpoints"
v1 = tf.compat.v1


def save(prefix, tensors, slices=None):
    tf.raw_ops.SaveV2(prefix=str(prefix), tensor_names=[name for name, _ in tensors],
                      shape_and_slices=slices or [""] * len(tensors),
                      tensors=[tensor for _, tensor in tensors])


def merge(parts, prefix):
    tf.raw_ops.MergeV2Checkpoints(checkpoint_prefixes=[str(p) for p in parts],
                                  destination_prefix=str(prefix), delete_old_dirs=False)
    for part in parts:
        for file in part.parent.glob(part.name + ".*"):
            file.unlink()


def quantized(values, storage, dtype):
    return tf.bitcast(tf.constant(values, storage), dtype)


# The tests in C repeat these values; two elements tell byte order and element size.
PLAIN = [
    ("bfloat16", tf.constant([1.5, -2.0], tf.bfloat16)),
    ("bool", tf.constant([True, False, True])),
    ("complex128", tf.constant([1.5 - 2.5j, 3.0 + 0.25j], tf.complex128)),
    ("complex64", tf.constant([1.5 - 2.5j, 3.0 + 0.25j], tf.complex64)),
    ("double", tf.constant([[1.25, -3.5]], tf.float64)),
    ("empty", tf.zeros([0, 3], tf.float32)),
    ("float", tf.constant([[1.25, -3.5, 8.0], [0.0, 1e-3, 1e10]], tf.float32)),
    ("half", tf.constant([1.5, -2.0], tf.float16)),
    ("int16", tf.constant([-300, 301], tf.int16)),
    ("int32", tf.constant([-70000, 70001], tf.int32)),
    ("int64", tf.constant([-5000000000, 5000000001], tf.int64)),
    ("int8", tf.constant([-3, 4], tf.int8)),
    ("qint16", quantized([-300, 301], tf.int16, tf.qint16)),
    ("qint32", quantized([-70000, 70001], tf.int32, tf.qint32)),
    ("qint8", quantized([-3, 4], tf.int8, tf.qint8)),
    ("quint16", quantized([300, 60001], tf.uint16, tf.quint16)),
    ("quint8", quantized([3, 250], tf.uint8, tf.quint8)),
    ("scalar", tf.constant(42, tf.int64)),
    ("string", tf.constant([b"", b"digit", b"\x00\xff", b"x" * 200])),
    ("string_empty", tf.constant([], tf.string)),
    ("string_scalar", tf.constant(b"one")),
    ("uint16", tf.constant([300, 60001], tf.uint16)),
    ("uint32", tf.constant([70000, 4000000001], tf.uint32)),
    ("uint64", tf.constant([5000000000, 10000000000000000001], tf.uint64)),
    ("uint8", tf.constant([3, 250], tf.uint8)),
]


def make_sharded():
    parts = []
    for shard in range(3):
        part = CHECKPOINTS / f"part{shard}"
        save(part, [(f"layer_{i}/kernel_of_shard_{shard}", tf.fill([4], float(10 * shard + i)))
                    for i in range(8)])
        parts.append(part)
    merge(parts, CHECKPOINTS / "sharded")


def make_partitioned():
    whole = np.arange(24, dtype=np.float32).reshape(6, 4)
    words = np.array([f"word {i}" for i in range(5)])
    parts = [CHECKPOINTS / "part0", CHECKPOINTS / "part1"]
    save(parts[0], [("grid", whole[:2, :3]), ("grid", whole[:2, 3:]), ("rows", whole[:1]),
                    ("words", words[:2]), ("long", np.arange(300, dtype=np.int64)[:200])],
         ["6 4 0,2:0,3", "6 4 0,2:3,1", "6 4 0,1:-", "5 0,2", "300 0,200"])
    save(parts[1], [("grid", whole[2:]), ("rows", whole[1:4]), ("rows", whole[4:]),
                    ("words", words[2:]), ("long", np.arange(300, dtype=np.int64)[200:]),
                    ("plain", whole)],
         ["6 4 2,4:-", "6 4 1,3:-", "6 4 4,2:-", "5 2,3", "300 200,100", ""])
    merge(parts, CHECKPOINTS / "partitioned")


# ---- big-endian: no such machine is at hand, so its bytes are made by hand -------------------

def crc32c(data, crc=0):
    crc ^= 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def masked(crc):
    return (((crc >> 15) | (crc << 17)) + 0xa282ead8) & 0xffffffff


def varint(n):
    out = b""
    while n >= 0x80:
        out += bytes([n & 0x7f | 0x80])
        n >>= 7
    return out + bytes([n])


def table(entries):
    def block(rows):
        body = b"".join(varint(0) + varint(len(k)) + varint(len(v)) + k + v for k, v in rows)
        offsets, at = [], 0
        for k, v in rows:
            offsets.append(at)
            at += len(varint(0) + varint(len(k)) + varint(len(v)) + k + v)
        offsets = offsets or [0]
        body += b"".join(struct.pack("<I", o) for o in offsets) + struct.pack("<I", len(offsets))
        return body, body + b"\0" + struct.pack("<I", masked(crc32c(body + b"\0")))

    def handle(offset, body):
        return varint(offset) + varint(len(body))

    data, out = block(entries)
    metaindex, stored = block([])
    metaindex_handle = handle(len(out), metaindex)
    out += stored
    index, stored = block([(entries[-1][0] + b"~", handle(0, data))])
    index_handle = handle(len(out), index)
    out += stored
    return out + (metaindex_handle + index_handle).ljust(40, b"\0") + struct.pack(
        "<Q", 0xdb4775248b80fb57)


def big_endian_strings(strings):
    lengths = b"".join(struct.pack(">I", len(s)) for s in strings)
    check = struct.pack(">I", masked(crc32c(lengths)))
    stored = b"".join(varint(len(s)) for s in strings) + check + b"".join(strings)
    return stored, masked(crc32c(lengths + check + b"".join(strings)))


def make_big_endian():
    header = tensor_bundle_pb2.BundleHeaderProto(
        num_shards=1, endianness=tensor_bundle_pb2.BundleHeaderProto.BIG)
    header.version.producer = 1
    entries, data = [(b"", header.SerializeToString())], b""
    for name, tensor in PLAIN:
        entry = tensor_bundle_pb2.BundleEntryProto(dtype=tensor.dtype.as_datatype_enum,
                                                   shape=tensor.shape.as_proto(),
                                                   offset=len(data))
        if tensor.dtype == tf.string:
            stored, entry.crc32c = big_endian_strings(np.reshape(tensor.numpy(), -1).tolist())
        else:
            array = tensor.numpy()
            if array.dtype.fields:  # TensorFlow gives quantized types as records of one field
                array = array.view(array.dtype[0])
            raw = array.tobytes()
            width = array.dtype.itemsize // (2 if tensor.dtype.is_complex else 1)
            stored = b"".join(raw[i:i + width][::-1] for i in range(0, len(raw), width))
            entry.crc32c = masked(crc32c(stored))
        entry.size = len(stored)
        data += stored
        entries.append((name.encode(), entry.SerializeToString()))
    prefix = CHECKPOINTS / "big_endian"
    prefix.with_name("big_endian.index").write_bytes(table(entries))
    prefix.with_name("big_endian.data-00000-of-00001").write_bytes(data)
    for name, tensor in PLAIN:
        read = tf.raw_ops.RestoreV2(prefix=str(prefix), tensor_names=[name],
                                    shape_and_slices=[""], dtypes=[tensor.dtype])[0]
        assert np.array_equal(read.numpy(), tensor.numpy()), name


# ---- SavedModels -----------------------------------------------------------------------------

def add_signature(x, y):
    return {"serving_default": v1.saved_model.predict_signature_def({"x": x}, {"y": y})}


def make_meta_graphs():
    builder = v1.saved_model.Builder(str(OUT / "meta_graphs"))
    for i, tags in enumerate([["serve"], ["train"], ["serve", "gpu"]]):
        with tf.Graph().as_default(), v1.Session() as session:
            v = v1.get_variable("v", initializer=2.0, use_resource=True)
            x = v1.placeholder(tf.float32, [None], f"x_{'_'.join(tags)}")
            y = tf.multiply(x, v, "y")
            session.run(v1.global_variables_initializer())
            if i == 0:
                builder.add_meta_graph_and_variables(session, tags, add_signature(x, y),
                                                     strip_default_attrs=True)
            else:
                builder.add_meta_graph(tags, add_signature(x, y), strip_default_attrs=True)
    builder.save()


def make_no_variables():
    builder = v1.saved_model.Builder(str(OUT / "no_variables"))
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None], "x")
        builder.add_meta_graph_and_variables(session, ["serve"], add_signature(x, x + 1.0),
                                             strip_default_attrs=True)
    builder.save()
    shutil.rmtree(OUT / "no_variables" / "variables")


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    CHECKPOINTS.mkdir(parents=True)
    save(CHECKPOINTS / "plain", PLAIN)
    make_sharded()
    make_partitioned()
    make_big_endian()
    make_meta_graphs()
    make_no_variables()


main()
