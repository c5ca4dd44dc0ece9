#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of corpus/graph: the graphs of tests/data/models without what only saves and
restores, and graphs that are wrong in one way each.

    python3 tests/fuzz/make_graph_seeds.py      (needs TensorFlow)
"""
import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import tensorflow as tf
from tensorflow.core.framework import graph_pb2
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


if __name__ == "__main__":
    for bundle in sorted((HERE / "../data/models").iterdir()):
        write(bundle.name, from_model(bundle / "saved_model.pb"))
    wrong()
