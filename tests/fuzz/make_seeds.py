#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of corpus/checkpoint, example, idx, kserve_request, message, png, saved_model, table, tensor_proto
and text.

    python3 tests/fuzz/make_seeds.py      (needs tests/interop/requirements*.txt)
"""
import gzip
import os
import struct
import zlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import classification_pb2, predict_pb2
from tritonclient.grpc import service_pb2

HERE = os.path.dirname(os.path.abspath(__file__))


def write(corpus, name, data):
    folder = os.path.join(HERE, "corpus", corpus)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as f:
        f.write(data)


# Of the unit test's records, one for each way of reading.
TENSORS = [
    "float: full", "double: content", "int8: full", "half: one for all", "string: full", "string: content",
    "complex64: last of two is repeated", "bool: packed, then unpacked",
    "uint64: two packed pieces around the shape", "shape in two pieces", "unknown fields are skipped",
    "values of another type are ignored",
]
with open(os.path.join(HERE, "../data/tensor_protos.bin"), "rb") as f:
    data = f.read()
at = 0
while at < len(data):
    record = []
    for _ in range(4):
        (n,) = struct.unpack_from("<I", data, at)
        record.append(data[at + 4 : at + 4 + n])
        at += 4 + n
    if record[0].decode() in TENSORS:
        write("tensor_proto", record[0].decode().replace(":", "").replace(",", "").replace(" ", "_"), record[1])

# The first byte chooses the type: see fuzz_message.c.
graph = saved_model_pb2.SavedModel(saved_model_schema_version=1).meta_graphs.add()
graph.meta_info_def.tags.append("serve")
with tf.Graph().as_default() as g:
    x = tf.compat.v1.placeholder(tf.float32, [None, 2], name="x")
    tf.add(tf.matmul(x, tf.constant([[1.0, 2.0], [3.0, 4.0]])), 1.0, name="y")
graph.graph_def.CopyFrom(g.as_graph_def())
signature = graph.signature_def["serving_default"]
signature.method_name = "tensorflow/serving/predict"
signature.inputs["x"].name, signature.inputs["x"].dtype = "x:0", 1
signature.outputs["y"].name, signature.outputs["y"].dtype = "y:0", 1
model = saved_model_pb2.SavedModel(saved_model_schema_version=1, meta_graphs=[graph])
write("message", "saved_model", b"\0" + model.SerializeToString(deterministic=True))
write("message", "meta_graph", b"\1" + graph.SerializeToString(deterministic=True))
# An attr entry whose value is there twice, with no member of its oneof set.
write("message", "attr_value_twice", b"\1" + bytes.fromhex("12080a062a0412001200"))

predict = predict_pb2.PredictRequest(output_filter=["classes"])
predict.model_spec.name, predict.model_spec.signature_name = "digits", "predict"
predict.model_spec.version.value = 3
predict.inputs["image"].CopyFrom(tf.make_tensor_proto([0.5, 1.0], shape=[2, 1]))
write("message", "predict_request", b"\2" + predict.SerializeToString(deterministic=True))

example = tf.train.Example()
example.features.feature["a"].int64_list.value.extend([1, 2])
example.features.feature["b"].bytes_list.value.append(b"x")
example.features.feature["c"].float_list.value.append(1.5)
classify = classification_pb2.ClassificationRequest()
classify.model_spec.name = "m"
classify.input.example_list.examples.append(example)
write("message", "classification_request", b"\3" + classify.SerializeToString(deterministic=True))
write("message", "example_joined", b"\4" + 2 * example.SerializeToString(deterministic=True))

# One request a form and kind of value.
infer = service_pb2.ModelInferRequest(model_name="m", model_version="1", id="i")
infer.parameters["signature_name"].string_param = "s"
infer.outputs.add(name="y").parameters["binary_data"].bool_param = True
contents = {
    "BOOL": ("bool_contents", [True, False], b"\1\0"), "INT8": ("int_contents", [1, -1], b"\1\xff"),
    "INT64": ("int64_contents", [1, -1], struct.pack("<qq", 1, -1)),
    "UINT16": ("uint_contents", [1, 65535], b"\1\0\xff\xff"),
    "FP32": ("fp32_contents", [0.5, 1.0], struct.pack("<ff", 0.5, 1)),
    "FP64": ("fp64_contents", [0.5, 1.0], struct.pack("<dd", 0.5, 1)),
    "BYTES": ("bytes_contents", [b"", b"ab"], b"\0\0\0\0\2\0\0\0ab"),
}
for datatype, (field, values, raw) in contents.items():
    del infer.inputs[:], infer.raw_input_contents[:]
    given = infer.inputs.add(name="x", datatype=datatype, shape=[1, 2])
    infer.raw_input_contents.append(raw)
    write("kserve_request", "raw_" + datatype, infer.SerializeToString(deterministic=True))
    del infer.raw_input_contents[:]
    getattr(given.contents, field).extend(values)
    write("kserve_request", "typed_" + datatype, infer.SerializeToString(deterministic=True))

# The first byte chooses the rank: see fuzz_idx.c.
labels = struct.pack(">BBBBI", 0, 0, 8, 1, 3) + b"\x01\x02\x03"
images = struct.pack(">BBBBIII", 0, 0, 8, 3, 1, 2, 3) + b"abcdef"
for name, first, idx in (("labels", b"\1", labels), ("images", b"\0", images)):
    write("idx", name, first + idx)
    write("idx", name + "_gzip", first + gzip.compress(idx, mtime=0))
write("idx", "promise", b"\0" + struct.pack(">BBBBIII", 0, 0, 8, 3, 1 << 20, 28, 28))

# PNGs of 9 x 9 pixels, a bright cross: one for each way through the decoder.
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(color_type, depth, pixel, extra=b"", interlaced=False):
    """`pixel` gives the bytes of a pixel, or with fewer than 8 bits its number, by `is_ink`."""
    def row(xs, y):
        values = [pixel(x == 4 or y == 4) for x in xs]
        if depth >= 8:
            return b"\0" + b"".join(values)
        bits = "".join(f"{v:0{depth}b}" for v in values)
        bits += "0" * (-len(bits) % 8)
        return b"\0" + bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))

    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    data = b"".join(row(range(x0, 9, dx), y) for x0, y0, dx, dy in passes for y in range(y0, 9, dy))
    head = struct.pack(">IIBBBBB", 9, 9, depth, color_type, 0, 0, interlaced)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", zlib.compress(data, 9))
            + chunk(b"IEND", b""))


palette = chunk(b"PLTE", bytes([255, 255, 255, 10, 20, 90]))
write("png", "grey_1", png(0, 1, lambda ink: int(ink)))
write("png", "grey_8_transparent_tone", png(0, 8, lambda ink: b"\xff" if ink else b"\0", chunk(b"tRNS", b"\0\0")))
write("png", "grey_16_interlaced", png(0, 16, lambda ink: b"\xff\x12" if ink else b"\0\x34", interlaced=True))
write("png", "rgb_8", png(2, 8, lambda ink: b"\xff\x80\x20" if ink else b"\0\0\0",
                          chunk(b"gAMA", struct.pack(">I", 45455)) + chunk(b"tEXt", b"Title\0cross")))
write("png", "palette_2", png(3, 2, lambda ink: int(ink), palette))
write("png", "palette_8_alpha_interlaced", png(3, 8, lambda ink: bytes([ink]), palette + chunk(b"tRNS", b"\0"), True))
write("png", "grey_alpha_8", png(4, 8, lambda ink: b"\0\xff" if ink else b"\0\0"))
write("png", "rgb_alpha_16", png(6, 16, lambda ink: b"\xff\xff\0\0\0\0\xff\xff" if ink else b"\0" * 8))

# Bundles of TensorFlow's: see tests/data/make_bundles.py, fuzz_checkpoint.c.
BUNDLES = os.path.join(HERE, "../data/bundles")


def read(name):
    with open(os.path.join(BUNDLES, name), "rb") as f:
        return f.read()


for bundle, shard in [("plain", "00000-of-00001"), ("big_endian", "00000-of-00001"),
                      ("partitioned", "00000-of-00002"), ("sharded", "00000-of-00003")]:
    index = read(f"checkpoints/{bundle}.index")
    write("table", bundle, index)
    write("checkpoint", bundle,
          struct.pack("<H", len(index)) + index + read(f"checkpoints/{bundle}.data-{shard}"))
for bundle in ["meta_graphs", "no_variables"]:
    write("saved_model", bundle, read(f"{bundle}/saved_model.pb"))

# The features that fuzz_example.c asks for; the last seed is not packed, and out of order.
def feature(kind, values):
    return tf.train.Feature(**{kind: {"bytes_list": tf.train.BytesList, "float_list": tf.train.FloatList,
                                      "int64_list": tf.train.Int64List}[kind](value=values)})


full = tf.train.Example(features=tf.train.Features(feature={
    "f": feature("float_list", [1.5]), "i": feature("int64_list", [1, -2, 3, 4]),
    "s": feature("bytes_list", [b"text"]), "si": feature("int64_list", [300]),
    "sf": feature("float_list", [0.5, 2.0]), "ss": feature("bytes_list", [b"", b"abc"]),
    "other": feature("int64_list", [7])}))
write("example", "full", full.SerializeToString(deterministic=True))
ragged = tf.train.Example(features=tf.train.Features(feature={
    "f": feature("float_list", [1.5]), "i": feature("int64_list", [1, 2]), "s": feature("bytes_list", [b"text"]),
    "ri": feature("int64_list", [300, -1]), "rf": feature("float_list", [0.5]), "rs": feature("bytes_list", [b"", b"abc"])}))
write("example", "ragged", ragged.SerializeToString(deterministic=True))
write("example", "empty_features", b"\x0a\x00")
write("example", "missing_list", b"\x0a\x07\x0a\x05\x0a\x01f\x12\x00")
write("example", "unpacked", b"\x0a\x12\x0a\x10\x12\x0a\x1a\x08\x08\x01\x08\x80\x80\x01\x08\x05\x0a\x02si")
# A chunk that says it is longer than the file, for which libpng would allocate memory.
write("png", "chunk_too_long", png(0, 1, lambda ink: int(ink), struct.pack(">I", 0x60000000) + b"tEXtabc"))

# The first byte chooses the kernel: see fuzz_text.c.
for name, kernel, text in [("csv", 0, b'a,1,1.5,2,2.5'), ("csv_quoted", 0, b'"q ""x"", y",-1,1e3,,-0.5'),
                           ("csv_open_quote", 0, b'"a,1,2,3,"'), ("base64", 1, b"YWI="), ("base64_cut", 1, b"YWJjZ"),
                           ("base64_encode", 2, b"\0\xff\x80\x01"), ("utf8", 3, "aß日😀".encode()),
                           ("utf8_cut", 3, b"\xe6\x97\xf0\x9f\x98"), ("utf8_surrogate", 6, b"\xed\xa0\x80\xc0\xaf"),
                           ("utf8_offsets", 6, "aß日😀".encode()), ("utf16", 7, "a😀".encode("utf-16-be")),
                           ("utf16_cut", 7, b"\xd8\x3d\xde"), ("utf16_le", 4, "a😀".encode("utf-16-le")),
                           ("utf32", 5, "a😀".encode("utf-32-be") + b"\0\x11\0\0\0")]:
    write("text", name, bytes([kernel]) + text)
