# SPDX-License-Identifier: Apache-2.0
"""Cases of the ops that stand for a graph's structure: constants, calls of functions, If, Case, While."""
import numpy as np
import tensorflow as tf

import op_cases

F32 = tf.float32
raw = tf.raw_ops


def concrete(function, *specs):
    return tf.function(function, autograph=False).get_concrete_function(*specs)


def structure(cases):
    for dtype in op_cases.PLAIN:
        x = cases.random(dtype, 2, 3)
        cases.add_graph(["Const", "Placeholder"], lambda p: [tf.identity(tf.constant(x)), p], [x[0]])
    text = cases.strings(2, 2)
    cases.add_graph(["Const", "Placeholder"], lambda p: [tf.identity(tf.constant(text)), p], [text[0]])
    cases.add_graph(["Const"], lambda: [tf.constant(3, tf.float32, [2, 3]), tf.zeros([0, 2])])


def calls(cases):
    for dtype in (tf.float32, tf.int64, tf.string):
        x = cases.strings(3) if dtype == tf.string else cases.random(dtype.as_numpy_dtype, 3)
        spec = tf.TensorSpec(None, dtype)

        def build(op, p):
            inner = concrete(lambda a, b: (tf.concat([b, a], 0), a), spec, spec)
            outer = concrete(lambda a: op(args=[a, a], Tout=[dtype] * 2, f=inner), spec)
            return op(args=[p], Tout=[dtype] * 2, f=outer)
        cases.add_graph(["PartitionedCall"], lambda p: build(raw.PartitionedCall, p), [x])
        cases.add_graph(["StatefulPartitionedCall"], lambda p: build(raw.StatefulPartitionedCall, p), [x])


def branches(cases):
    conditions = [np.bool_(True), np.bool_(False), np.int32(0), np.int32(-2), np.float32(0.5), np.float32(0),
                  np.array(b"", object), np.array(b"a", object), np.zeros(2, np.float32), np.zeros(0, np.float32)]
    for op, name in ((raw.If, "If"), (raw.StatelessIf, "StatelessIf")):
        for condition in conditions:
            for dtype in (np.float32, np.int64):
                spec = tf.TensorSpec(None, tf.as_dtype(dtype))
                cases.add_graph([name], lambda c, x: op(
                    cond=c, input=[x], Tout=[x.dtype, x.dtype],
                    then_branch=concrete(lambda a: (-a, a + a), spec),
                    else_branch=concrete(lambda a: (a[:1], a * a), spec)), [condition, cases.random(dtype, 3)])
    for op, name in ((raw.Case, "Case"), (raw.StatelessCase, "StatelessCase")):
        for index in (0, 1, 2, 3, -1):
            for dtype in (np.float32, np.int64):
                spec = tf.TensorSpec(None, tf.as_dtype(dtype))
                cases.add_graph([name], lambda i, x: op(
                    branch_index=i, input=[x], Tout=[x.dtype],
                    branches=[concrete(lambda a: -a, spec), concrete(lambda a: a[:1], spec),
                              concrete(lambda a: a * a, spec)]), [np.int32(index), cases.random(dtype, 3)])


def loops(cases):
    for op, name in ((raw.While, "While"), (raw.StatelessWhile, "StatelessWhile")):
        for n in (0, 1, 5):
            for dtype in (np.float32, np.float64, np.int32, np.int64):
                specs = [tf.TensorSpec((), tf.int32), tf.TensorSpec((), tf.int32), tf.TensorSpec(None, tf.as_dtype(dtype))]
                cases.add_graph([name], lambda i, n, x: op(
                    input=[i, n, x], cond=concrete(lambda i, n, x: i < n, *specs),
                    body=concrete(lambda i, n, x: (i + 1, n, x + x[::-1]), *specs)),
                    [np.int32(0), np.int32(n), cases.random(dtype, 3)])
        # What grows, shrinks or swaps places on its way through.
        any_shape = tf.TensorSpec(None, F32)
        cases.add_graph([name], lambda a, b: op(
            input=[a, b], cond=concrete(lambda a, b: tf.size(a) < 20, any_shape, any_shape),
            body=concrete(lambda a, b: (tf.concat([b, a], 0), a), any_shape, any_shape)),
            [cases.random(np.float32, 3), cases.random(np.float32, 1)])


def add_cases(cases):
    structure(cases)
    calls(cases)
    branches(cases)
    loops(cases)
