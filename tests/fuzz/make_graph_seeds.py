#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of corpus/graph: the graphs of tests/data/models without what only saves and
restores, small graphs of control flow, and graphs that are wrong in one way each.

    python3 tests/fuzz/make_graph_seeds.py            (needs TensorFlow)
    python3 tests/fuzz/make_graph_seeds.py FOLDER     one or two graphs of every op, from the fixtures
                                                      of test_ops.c: too many to commit, good to start from
"""
import collections
import os
import pathlib
import struct
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import tensorflow as tf
from tensorflow.core.framework import graph_pb2, node_def_pb2, tensor_pb2
from tensorflow.core.protobuf import saved_model_pb2

HERE = pathlib.Path(__file__).parent
CORPUS = HERE / "corpus" / "graph"


def write(name, graph):
    CORPUS.mkdir(parents=True, exist_ok=True)
    (CORPUS / name).write_bytes(graph.SerializeToString(deterministic=True))


def from_model(path):
    model = saved_model_pb2.SavedModel()
    model.ParseFromString(path.read_bytes())
    graph = graph_pb2.GraphDef()
    source = model.meta_graphs[0].graph_def
    graph.node.extend(n for n in source.node if not n.name.startswith(("save/", "saver_")))
    graph.library.CopyFrom(source.library)
    for function in list(graph.library.function):
        if any(s in function.signature.name for s in ("_save_", "_restore_")):
            graph.library.function.remove(function)
    for nodes in [graph.node] + [f.node_def for f in graph.library.function]:
        for node in nodes:
            for attr in [a for a in node.attr if a.startswith("_")]:
                del node.attr[attr]
            node.ClearField("experimental_debug_info")
    return graph


def node(graph, name, op, *inputs, **attrs):
    added = graph.node.add(name=name, op=op, input=inputs)
    for key, value in attrs.items():
        if isinstance(value, tf.DType):
            added.attr[key].type = value.as_datatype_enum
        elif isinstance(value, str):
            added.attr[key].func.name = value
        elif isinstance(value, list):
            added.attr[key].list.type.extend(v.as_datatype_enum for v in value)
        else:
            added.attr[key].tensor.CopyFrom(value)
    return added


def wrong():
    graph = graph_pb2.GraphDef()
    node(graph, "a", "AddV2", "b", "a", T=tf.float32)
    node(graph, "b", "Neg", "a", T=tf.float32)
    write("cycle", graph)

    graph = graph_pb2.GraphDef()
    huge = tf.make_tensor_proto(1.0)
    huge.tensor_shape.dim.add(size=1 << 40)
    node(graph, "c", "Const", dtype=tf.float32, value=huge)
    write("huge_const", graph)
    for _ in range(3):
        graph.node[0].attr["value"].tensor.tensor_shape.dim.add(size=1 << 40)
    write("overflowing_const", graph)

    graph = graph_pb2.GraphDef()
    node(graph, "x", "Placeholder", dtype=tf.float32)
    node(graph, "y", "PartitionedCall", "x", f="f", Tin=[tf.float32], Tout=[tf.float32])
    function = graph.library.function.add()
    function.signature.name = "f"
    function.signature.input_arg.add(name="a", type=1)
    function.signature.output_arg.add(name="b", type=1)
    function.ret["b"] = "m:output:0"
    inner = graph_pb2.GraphDef()
    node(inner, "m", "PartitionedCall", "a", f="f", Tin=[tf.float32], Tout=[tf.float32])
    function.node_def.extend(inner.node)
    write("recursive_function", graph)

    graph = graph_pb2.GraphDef()
    node(graph, "v", "VariableV2", dtype=tf.float32)
    node(graph, "two", "Const", dtype=tf.float32, value=tf.make_tensor_proto(2.0))
    node(graph, "set", "Assign", "v", "two", T=tf.float32)
    node(graph, "add", "AssignAdd", "set", "two", T=tf.float32)
    node(graph, "read", "Identity", "v", "^add", T=tf.float32)
    write("references", graph)


def read_cases(path):
    """The node and the inputs of each case; data/op_cases.py says the format."""
    data, at = path.read_bytes(), 0

    def number():
        nonlocal at
        at += 4
        return struct.unpack_from("<I", data, at - 4)[0]

    def text():
        nonlocal at
        n = number()
        at += n
        return data[at - n:at]

    while at < len(data):
        node = node_def_pb2.NodeDef.FromString(text())
        inputs = [tensor_pb2.TensorProto.FromString(text()) for _ in range(number())]
        number(), text()
        for _ in range(number()):
            text()
        yield node, inputs


def case_graph(case, inputs):
    """The graph of a case, its inputs constants."""
    graph = graph_pb2.GraphDef()
    if case.op == "_Graph":
        graph.ParseFromString(case.attr["graph"].s)
        names = case.attr["feeds"].s.decode().split(",")
    else:
        names = [f"in{i}" for i in range(len(inputs))]
        added = graph.node.add(name="node", op=case.op, input=names)
        for key, value in case.attr.items():
            added.attr[key].CopyFrom(value)
    for name, value in zip(names, inputs):
        name = name.split(":")[0]
        constant = next((n for n in graph.node if n.name == name), None) or graph.node.add(name=name)
        constant.op = "Const"
        constant.ClearField("attr")
        constant.attr["dtype"].type = value.dtype
        constant.attr["value"].tensor.CopyFrom(value)
    wanted = case.attr["outputs"].s.decode().split(",")[0].split(":")[0] or "node"
    at = next(i for i, n in enumerate(graph.node) if n.name == wanted)
    graph.node.append(graph.node[at])   # the target wants what is last
    del graph.node[at]
    return graph


def from_cases(folder, each, fixtures="*", most_bytes=4096):
    folder.mkdir(parents=True, exist_ok=True)
    n = collections.Counter()
    for path in sorted((HERE / "../data").glob(f"op_cases_{fixtures}.bin")):
        for case, inputs in read_cases(path):
            ops = case.attr["ops"].list.s if case.op == "_Graph" else [case.op.encode()]
            key = ",".join(o.decode() for o in ops)
            graph = case_graph(case, inputs)
            data = graph.SerializeToString(deterministic=True)
            if n[key] < each and len(data) <= most_bytes:
                n[key] += 1
                (folder / f"{key.replace(',', '-')[:60]}_{n[key]}").write_bytes(data)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        from_cases(pathlib.Path(sys.argv[1]), 2)
        sys.exit()
    for bundle in sorted((HERE / "../data/models").iterdir()):
        write(bundle.name, from_model(bundle / "saved_model.pb"))
    wrong()
    from_cases(CORPUS, 1, "flow")
