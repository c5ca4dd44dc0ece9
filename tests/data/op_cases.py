# SPDX-License-Identifier: Apache-2.0
"""Runs single ops in real TensorFlow and writes what they gave: the fixtures of test_ops.c.

A fixture is a sequence of cases; numbers are little-endian, BYTES is a uint32 length and as many
bytes:

    BYTES   NodeDef: name, op, attributes (those that have their default value are left out)
    uint32  number of inputs
    BYTES   TensorProto, for each input
    uint32  error code of TensorFlow; 0 when it ran
    BYTES   the error's text; empty when it ran, or when only the code counts
    uint32  number of outputs
    BYTES   TensorProto, for each output

An op that needs others around it (a variable, a list, functions to call) has its case in a graph: the
NodeDef's op is then "_Graph", and its attributes are `graph` (the bytes of a GraphDef), `init` (a node
to run before, or ""), `feeds` and `outputs` (names of tensors, with commas between: the inputs and outputs) and `ops`
(those that the case is about).
"""
import os
import struct

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from tensorflow.core.framework import attr_value_pb2, graph_pb2, node_def_pb2, op_def_pb2  # noqa: E402
from tensorflow.core.protobuf import config_pb2  # noqa: E402
from tensorflow.python.framework import op_def_registry  # noqa: E402

BFLOAT16 = tf.bfloat16.as_numpy_dtype
FLOATS = [np.float32, np.float64, np.float16, BFLOAT16]
SIGNED = [np.int8, np.int16, np.int32, np.int64]
UNSIGNED = [np.uint8, np.uint16, np.uint32, np.uint64]
INTS = SIGNED + UNSIGNED
NUMBERS = FLOATS + INTS
PLAIN = NUMBERS + [np.bool_]


def is_float(dtype):
    return dtype in FLOATS


def session_config():
    """No rewriting of the graph: the op itself must run."""
    config = config_pb2.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    config.graph_options.optimizer_options.opt_level = config_pb2.OptimizerOptions.L0
    config.graph_options.optimizer_options.do_constant_folding = False
    return config


def attr_value(attr, value):
    """A Python value as the AttrValue that the OpDef's attribute wants."""
    out = attr_value_pb2.AttrValue()
    kind = attr.type
    if kind == "type":
        out.type = tf.as_dtype(value).as_datatype_enum
    elif kind == "list(type)":
        out.list.type.extend(tf.as_dtype(v).as_datatype_enum for v in value)
        out.list.SetInParent()
    elif kind == "int":
        out.i = value
    elif kind == "list(int)":
        out.list.i.extend(value)
        out.list.SetInParent()
    elif kind == "float":
        out.f = value
    elif kind == "list(float)":
        out.list.f.extend(value)
        out.list.SetInParent()
    elif kind == "bool":
        out.b = value
    elif kind == "string":
        out.s = value.encode() if isinstance(value, str) else value
    elif kind == "list(string)":
        out.list.s.extend(v.encode() if isinstance(v, str) else v for v in value)
        out.list.SetInParent()
    elif kind == "shape":
        out.shape.CopyFrom(tf.TensorShape(value).as_proto())
    elif kind == "list(shape)":
        out.list.shape.extend(tf.TensorShape(v).as_proto() for v in value)
        out.list.SetInParent()
    else:
        raise ValueError(kind)
    return out


def error_text(message):
    """The kernel's own words: without Python's account of where the node was made, and the node."""
    text = message.split("\n\t [[")[0]
    return text.split("\nNode: '", 1)[-1].split("'\n", 1)[-1]


def strip(graph_def):
    """Takes away what only helps people and Python."""
    functions = graph_def.library.function
    for function in functions:
        function.ClearField("attr")
        function.ClearField("arg_attr")
    for node in [*graph_def.node, *(n for f in functions for n in f.node_def)]:
        node.ClearField("experimental_debug_info")
        for name in [a for a in node.attr if a.startswith("_")]:
            del node.attr[name]


class Cases:
    """Collects the cases of one fixture."""

    def __init__(self):
        self.data = bytearray()
        self.n = {}     # cases of each op
        self.rng = np.random.default_rng(0)

    def random(self, dtype, *shape, low=-4, high=5):
        """Small numbers of any type; floats have fractions."""
        if dtype == np.bool_:
            return self.rng.integers(0, 2, shape).astype(np.bool_)
        if dtype in UNSIGNED:
            low = max(low, 0)
        if is_float(dtype):
            return np.asarray(self.rng.uniform(low, high, shape)).astype(dtype)
        return np.asarray(self.rng.integers(low, high, shape)).astype(dtype)

    def strings(self, *shape):
        n = int(np.prod(shape))
        texts = [bytes(self.rng.integers(0, 256, self.rng.integers(0, 12)).astype(np.uint8))
                 for _ in range(n)]
        return np.array(texts, dtype=object).reshape(shape)

    def add(self, op, inputs, any_text=False, known_shapes=False, **attrs):
        """Runs one node. Types and counts that the inputs tell are filled in. any_text: the error is
        not the kernel's, so that only its code counts; it may be one of making the graph.
        known_shapes: for ops whose graph cannot be made of placeholders of any shape. Returns False, and adds nothing, when
        TensorFlow itself has no kernel for these types."""
        node, placeholders = self._node(op, inputs, attrs)
        for placeholder, x in zip(placeholders, inputs) if known_shapes else []:
            placeholder.attr["shape"].shape.CopyFrom(tf.TensorShape(np.shape(x)).as_proto())
        graph_def = graph_pb2.GraphDef(node=placeholders + [node])
        graph_def.versions.producer = 1882
        try:
            code, text, outputs = self._run(graph_def, node, inputs)
        except ValueError as e:
            if "not in the list of allowed values" in str(e):
                return False
            if not any_text:
                raise
            code, outputs = 3, []   # refused when the graph was made: INVALID_ARGUMENT
        else:
            if code == 12 or "No OpKernel was registered" in text:
                return False
        self._write(node, inputs, code, "" if any_text else text, outputs)
        return True

    def add_composed(self, op, inputs, compute, **attrs):
        """A case of an op that only Digit has: compute(*inputs) is the chain of TensorFlow's ops that it
        stands for. Types of attributes are those of their Python values."""
        node = node_def_pb2.NodeDef(op=op)
        node.attr["T"].type = tf.as_dtype(inputs[0].dtype).as_datatype_enum
        for name, value in attrs.items():
            kind = {str: "string", bool: "bool", int: "int", float: "float", list: "list(int)"}[type(value)]
            node.attr[name].CopyFrom(attr_value(op_def_pb2.OpDef.AttrDef(type=kind), value))
        self._write(node, inputs, 0, "", [compute(*(tf.constant(x) for x in inputs)).numpy()])

    def add_graph(self, ops, build, inputs=(), any_text=False):
        """Runs a graph. build(*placeholders) makes it: a list of tensors, and maybe (tensors, init), where
        init is an operation to run before. `ops` must be in it."""
        with tf.Graph().as_default() as graph:
            placeholders = [tf.compat.v1.placeholder(tf.string if x.dtype == object else x.dtype, name=f"in{i}")
                            for i, x in enumerate(map(np.asarray, inputs))]
            built = build(*placeholders)
            outputs, init = built if isinstance(built, tuple) else (built, None)
            with tf.compat.v1.Session(config=session_config()) as session:
                if init is not None:
                    session.run(init)
                code, text, values = 0, "", []
                try:
                    values = session.run(outputs, dict(zip(placeholders, inputs)))
                except tf.errors.OpError as e:
                    code, text = e.error_code, "" if any_text else error_text(e.message)
            graph_def = graph.as_graph_def()
            strip(graph_def)
        present = {n.op for n in graph_def.node}.union(n.op for f in graph_def.library.function for n in f.node_def)
        assert present.issuperset(ops), set(ops) - present
        node = node_def_pb2.NodeDef(op="_Graph")
        node.attr["graph"].s = graph_def.SerializeToString(deterministic=True)
        node.attr["init"].s = b"" if init is None else init.name.encode()
        node.attr["feeds"].s = ",".join(p.name for p in placeholders).encode()
        node.attr["outputs"].s = ",".join(t.name for t in outputs).encode()
        node.attr["ops"].list.s.extend(op.encode() for op in ops)
        self._write(node, inputs, code, text, values)

    def answer(self, op, inputs, **attrs):
        """The first output of a node that TensorFlow runs."""
        node, placeholders = self._node(op, inputs, attrs)
        graph_def = graph_pb2.GraphDef(node=placeholders + [node])
        graph_def.versions.producer = 1882
        code, text, outputs = self._run(graph_def, node, inputs)
        assert code == 0, text
        return outputs[0]

    def add_answer(self, op, inputs, outputs, **attrs):
        """A node that TensorFlow's CPU kernels refuse, with the answer that must be."""
        node, _ = self._node(op, inputs, attrs)
        self._write(node, inputs, 0, "", outputs)

    def _node(self, op, inputs, attrs):
        op_def = op_def_registry.get(op)
        assert op_def is not None, op
        attrs = dict(attrs)
        tensors = [np.asarray(x) for x in inputs]
        dtypes = [tf.as_dtype(x.dtype) if x.dtype != object else tf.string for x in tensors]
        at = 0
        for arg in op_def.input_arg:
            if arg.type_list_attr:
                n = len(attrs[arg.type_list_attr]) if arg.type_list_attr in attrs \
                    else len(dtypes) - at
                attrs.setdefault(arg.type_list_attr, dtypes[at:at + n])
            elif arg.number_attr:
                rest = sum(1 for a in op_def.input_arg) - 1
                n = attrs.setdefault(arg.number_attr, len(dtypes) - rest)
            else:
                n = 1
            if arg.type_attr and n > 0:
                attrs.setdefault(arg.type_attr, dtypes[at])
            at += n
        node = node_def_pb2.NodeDef(name=f"{op}_{self.n.get(op, 0)}", op=op)
        for attr in op_def.attr:
            if attr.name not in attrs:
                continue
            value = attr_value(attr, attrs.pop(attr.name))
            if not attr.HasField("default_value") or value != attr.default_value:
                node.attr[attr.name].CopyFrom(value)
        assert not attrs, attrs
        placeholders = []
        for i, dtype in enumerate(dtypes):
            p = node_def_pb2.NodeDef(name=f"in{i}", op="Placeholder")
            p.attr["dtype"].type = dtype.as_datatype_enum
            placeholders.append(p)
            node.input.append(p.name)
        return node, placeholders

    @staticmethod
    def _run(graph_def, node, inputs):
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(graph_def, name="")
            operation = graph.get_operation_by_name(node.name)
            feeds = {f"in{i}:0": x for i, x in enumerate(inputs)}
            with tf.compat.v1.Session(config=session_config()) as session:
                try:
                    fetches = operation.outputs if operation.outputs else operation
                    outputs = session.run(fetches, feeds)
                except tf.errors.OpError as e:
                    return e.error_code, error_text(e.message), []
        return 0, "", outputs if operation.outputs else []

    def _write(self, node, inputs, code, text, outputs):
        self.n[node.op] = self.n.get(node.op, 0) + 1
        node = node_def_pb2.NodeDef(op=node.op, attr=node.attr)
        self._bytes(node.SerializeToString(deterministic=True))
        self._tensors(inputs)
        self.data += struct.pack("<I", code)
        self._bytes(text.encode("utf-8", "surrogateescape"))
        self._tensors(outputs)

    def _tensors(self, tensors):
        self.data += struct.pack("<I", len(tensors))
        for x in tensors:
            self._bytes(tf.make_tensor_proto(x).SerializeToString())

    def _bytes(self, data):
        self.data += struct.pack("<I", len(data)) + data

    def save(self, path):
        with open(path, "wb") as f:
            f.write(self.data)
        print(f"{path}: {sum(self.n.values())} cases of {len(self.n)} ops, {len(self.data)} bytes")
