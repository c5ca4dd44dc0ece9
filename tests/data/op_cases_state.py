# SPDX-License-Identifier: Apache-2.0
"""Cases of the ops that have state: variables of TF1 and TF2, lookup tables; and of tensor lists."""
import numpy as np
import tensorflow as tf

import op_cases

raw = tf.raw_ops
VARIABLE_TYPES = op_cases.PLAIN


def sequence(*steps):
    """The results of the steps, each after the one before; the last gives tensors."""
    done, results = [], []
    for step in steps:
        with tf.control_dependencies(done):
            result = step()
        done = [result] if not isinstance(result, (list, tuple)) else list(result)
        results.append(result)
    return results


def resource_variables(cases):
    for dtype in VARIABLE_TYPES:
        x, y = cases.random(dtype, 2, 3), cases.random(dtype, 2, 3)

        def handle():
            return raw.VarHandleOp(dtype=dtype, shape=[2, 3], shared_name="v", container="")

        def plain(p):
            v = handle()
            init = raw.AssignVariableOp(resource=v, value=tf.constant(x))
            results = sequence(lambda: raw.VarIsInitializedOp(resource=v), lambda: raw.ReadVariableOp(resource=v, dtype=dtype),
                               lambda: raw.DisableCopyOnRead(resource=v), lambda: raw.AssignVariableOp(resource=v, value=p),
                               lambda: raw.ReadVariableOp(resource=v, dtype=dtype))
            return [results[0], results[1], results[4]], init
        cases.add_graph(["VarHandleOp", "VarIsInitializedOp", "ReadVariableOp", "DisableCopyOnRead", "AssignVariableOp"],
                        plain, [y])
        if dtype == np.bool_:
            continue
        for name, assign in (("AssignAddVariableOp", raw.AssignAddVariableOp),
                             ("AssignSubVariableOp", raw.AssignSubVariableOp)):
            def change(p):
                v = handle()
                init = raw.AssignVariableOp(resource=v, value=tf.constant(x))
                results = sequence(lambda: assign(resource=v, value=p), lambda: raw.ReadVariableOp(resource=v, dtype=dtype))
                return [results[1]], init
            cases.add_graph([name], change, [y])


def reference_variables(cases):
    for dtype in VARIABLE_TYPES:
        x, y = cases.random(dtype, 2, 3), cases.random(dtype, 2, 3)

        def plain(op, p):
            v = op(dtype=dtype, shape=[2, 3], name="v")
            init = raw.Assign(ref=v, value=tf.constant(x)).op
            # The value before, as a copy: a reference is read when it is used.
            results = sequence(lambda: raw.IsVariableInitialized(ref=v), lambda: raw.Assign(ref=v, value=p))
            return [results[0], tf.identity(results[1])], init
        cases.add_graph(["VariableV2", "Assign", "IsVariableInitialized"],
                        lambda p: plain(raw.VariableV2, p), [y])
        cases.add_graph(["Variable", "Assign"], lambda p: plain(raw.Variable, p), [y])
        if dtype == np.bool_:
            continue
        for name, assign in (("AssignAdd", raw.AssignAdd), ("AssignSub", raw.AssignSub)):
            def change(p):
                v = raw.VariableV2(dtype=dtype, shape=[2, 3], name="v")
                init = raw.Assign(ref=v, value=tf.constant(x)).op
                return [tf.identity(assign(ref=v, value=p))], init
            cases.add_graph([name], change, [y])


def tables(cases):
    texts = np.array([b"pear", b"", b"fig", b"plum"], object)
    numbers = {np.int64: np.array([3, -1, 7, 0], np.int64), np.int32: np.array([3, -1, 7, 0], np.int32)}
    pairs = [(texts, np.arange(4, dtype=np.int64)), (texts, np.float32([1, 2, np.nan, 4])),
             (texts, np.arange(4, dtype=np.int32)), (texts, texts[::-1]), (numbers[np.int64], texts),
             (numbers[np.int64], np.float32([1, 2, 3, 4])), (numbers[np.int64], numbers[np.int64][::-1]),
             (numbers[np.int32], texts)]
    for keys, values in pairs:
        for table, name in ((raw.HashTableV2, "HashTableV2"), (raw.MutableHashTableV2, "MutableHashTableV2")):
            is_static = name == "HashTableV2"
            kinds = [tf.string if v.dtype == object else tf.as_dtype(v.dtype) for v in (keys, values)]
            missing = np.array(b"none", object) if values.dtype == object else values.dtype.type(-9)

            def build(asked, other):
                t = table(key_dtype=kinds[0], value_dtype=kinds[1], shared_name="t")
                fill = raw.InitializeTableV2 if is_static else raw.LookupTableImportV2
                init = fill(table_handle=t, keys=tf.constant(keys), values=tf.constant(values))
                return [raw.LookupTableFindV2(table_handle=t, keys=asked, default_value=other),
                        raw.LookupTableSizeV2(table_handle=t)], init
            asked = np.concatenate([keys[::-1], keys[:1], np.array([b"what"], object) if keys.dtype == object else [keys.dtype.type(99)]])
            ops = [name, "LookupTableFindV2", "LookupTableSizeV2", "InitializeTableV2" if is_static else "LookupTableImportV2"]
            try:
                cases.add_graph(ops, build, [asked, missing])
                cases.add_graph(ops, build, [asked[:4].reshape(2, 2), missing])
                cases.add_graph(ops, build, [asked[:0], missing])
            except (tf.errors.InvalidArgumentError, tf.errors.NotFoundError) as e:
                print("no table in TensorFlow:", name, kinds, str(e).splitlines()[0][:80])

        def export():
            t = raw.MutableHashTableV2(key_dtype=kinds[0], value_dtype=kinds[1], shared_name="t")
            init = raw.LookupTableImportV2(table_handle=t, keys=tf.constant(keys[:1]), values=tf.constant(values[:1]))
            return list(raw.LookupTableExportV2(table_handle=t, Tkeys=kinds[0], Tvalues=kinds[1])), init
        try:
            cases.add_graph(["LookupTableExportV2"], export)
        except (tf.errors.InvalidArgumentError, tf.errors.NotFoundError):
            pass


def lists(cases):
    for dtype in op_cases.PLAIN + [object]:
        kind = tf.string if dtype == object else tf.as_dtype(dtype)
        x = cases.strings(3, 2) if dtype == object else cases.random(dtype, 3, 2)
        shape = tf.constant([2])

        def get(handle, i):
            return raw.TensorListGetItem(input_handle=handle, index=i, element_shape=shape, element_dtype=kind)

        def stack(handle):
            return raw.TensorListStack(input_handle=handle, element_shape=shape_of(), element_dtype=kind)

        def shape_of():
            return tf.constant([2])

        def split(p):
            t = raw.TensorListFromTensor(tensor=p, element_shape=shape_of())
            t = raw.TensorListSetItem(input_handle=t, index=1, item=p[2])
            return [raw.TensorListGetItem(input_handle=t, index=0, element_shape=shape_of(), element_dtype=kind),
                    stack(t), raw.TensorListLength(input_handle=t),
                    raw.TensorListGather(input_handle=t, indices=[2, 0, 2], element_shape=shape_of(), element_dtype=kind)]
        cases.add_graph(["TensorListFromTensor", "TensorListSetItem", "TensorListGetItem", "TensorListStack",
                         "TensorListLength", "TensorListGather"], split, [x])

        def push(p):
            t = raw.EmptyTensorList(element_shape=shape_of(), max_num_elements=-1, element_dtype=kind)
            for i in range(3):
                t = raw.TensorListPushBack(input_handle=t, tensor=p[i])
            rest, last = raw.TensorListPopBack(input_handle=t, element_shape=shape_of(), element_dtype=kind)
            return [last, stack(rest), stack(t)]
        cases.add_graph(["EmptyTensorList", "TensorListPushBack", "TensorListPopBack"], push, [x])

        def reserve(p):
            t = raw.TensorListReserve(element_shape=shape_of(), num_elements=2, element_dtype=kind)
            t = raw.TensorListSetItem(input_handle=t, index=0, item=p[0])
            t = raw.TensorListSetItem(input_handle=t, index=1, item=p[1])
            longer = raw.TensorListResize(input_handle=t, size=3)
            longer = raw.TensorListSetItem(input_handle=longer, index=2, item=p[2])
            return [stack(longer), stack(raw.TensorListResize(input_handle=t, size=1))]
        cases.add_graph(["TensorListReserve", "TensorListResize"], reserve, [x])


def list_errors(cases):
    def reserved(n=2):
        return raw.TensorListReserve(element_shape=tf.constant([2]), num_elements=n, element_dtype=tf.float32)

    def item(t, i, shape=(2,)):
        return raw.TensorListGetItem(input_handle=t, index=i, element_shape=tf.constant(shape), element_dtype=tf.float32)
    cases.add_graph(["TensorListGetItem"], lambda: [item(reserved(), 1)])  # zeros: never written
    for i in (2, -1):
        cases.add_graph(["TensorListGetItem"], lambda: [item(reserved(), i)])
        cases.add_graph(["TensorListSetItem"], lambda: [raw.TensorListLength(input_handle=raw.TensorListSetItem(
            input_handle=reserved(), index=i, item=tf.zeros([2])))])
    cases.add_graph(["TensorListPopBack"], lambda: [raw.TensorListPopBack(
        input_handle=reserved(0), element_shape=tf.constant([2]), element_dtype=tf.float32)[1]])


def gathers(cases):
    """Of a variable: what is written before counts, a string one too; wrong places, and batches."""
    def build(op, x, attrs, p, *changes):
        dtype = tf.string if x.dtype == object else x.dtype
        v = raw.VarHandleOp(dtype=dtype, shape=None, shared_name="v", container="")
        init = raw.AssignVariableOp(resource=v, value=tf.constant(x))
        steps = [lambda c=c: raw.AssignVariableOp(resource=v, value=c) for c in changes]
        results = sequence(*steps, lambda: op(resource=v, indices=p, dtype=dtype, **attrs))
        return [results[-1]], init

    def add(op, x, indices, *changes, **attrs):
        cases.add_graph([op], lambda p, *q: build(getattr(raw, op), x, attrs, p, *q), [indices, *changes])

    for dtype in [*VARIABLE_TYPES, object]:
        x, y = ((cases.strings if dtype == object else lambda *s: cases.random(dtype, *s))(4, 2) for _ in range(2))
        add("ResourceGather", x, np.int32([3, 0, 3]))
        if dtype in (np.float32, np.int64, np.float16):
            add("ResourceGather", x, np.int64([[1], [2]]), y)
            add("ResourceGatherNd", x, np.int32([[3, 1], [0, 0]]))
            add("ResourceGatherNd", x, np.int64([[2]]), y)
    x = cases.random(np.float32, 3, 2, 4)
    for indices in ([5], [[0, 1], [-1, 2]], np.zeros(0), 1, -7):
        add("ResourceGather", x, np.int32(indices))
    add("ResourceGather", x[:0], np.int32([0]))
    for dims, shape in ((1, (3,)), (1, (3, 2)), (2, (3, 2)), (2, (3, 2, 2))):
        add("ResourceGather", x, cases.random(np.int32, *shape, low=0, high=2), batch_dims=dims)
    for indices in ([[3, 0]], [[0, -1, 0]], np.zeros((2, 0)), np.zeros((0, 2)), [[0, 0, 0, 0]]):
        add("ResourceGatherNd", x, np.int32(indices))


def add_cases(cases):
    resource_variables(cases)
    reference_variables(cases)
    gathers(cases)
    tables(cases)
    lists(cases)
    list_errors(cases)
