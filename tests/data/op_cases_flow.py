# SPDX-License-Identifier: Apache-2.0
"""Cases of TF1's control flow (frames, Switches, Merges), of TensorArrays, and of the TensorList ops that make
lists of parts."""
import numpy as np
import tensorflow as tf

import op_cases

v1 = tf.compat.v1
raw = tf.raw_ops
FLOATS = [np.float32([2, 3, 5]), np.float32([-2, -3, 5]), np.float32([])]


def as_v1(build):
    """Builds with TF1's control flow, whatever the process uses otherwise."""
    def built(*placeholders):
        v1.disable_control_flow_v2()
        try:
            outputs = build(*placeholders)
            return outputs if isinstance(outputs, tuple) and isinstance(outputs[1], tf.Operation) else list(outputs)
        finally:
            v1.enable_control_flow_v2()
    return built


def conditionals(cases):
    switch = ["Switch", "Merge"]
    for dtype in (np.float32, np.int64, np.bool_):
        for p in (True, False):
            cases.add_graph(switch, as_v1(lambda p, x: [tf.cond(p, lambda: tf.concat([x, x], 0), lambda: x)]),
                            [np.bool_(p), cases.random(dtype, 3)])
    for x in FLOATS:
        for name in ("nested", "one_side", "together", "effects"):
            cases.add_graph(switch, as_v1(CONDITIONALS[name]), [x])
        cases.add_graph(["RefSwitch", "RefMerge"], as_v1(reference), [x])


def nested(x):
    total = tf.reduce_sum(x)
    return [tf.cond(total > 0, lambda: tf.cond(total > 8, lambda: x * 3, lambda: -x),
                    lambda: tf.cond(total < 0, lambda: x - total, lambda: tf.abs(x) + 1))]


def one_side(x):
    p = tf.reduce_sum(x) > 0
    left, right = raw.Switch(data=x, pred=p)
    merged, index = raw.Merge(inputs=[tf.exp(right), left])
    alone, _ = raw.Merge(inputs=[raw.Switch(data=tf.constant([7.0]), pred=p)[0], right])
    return [merged, index, alone]


def together(x):
    """Several Merges of one predicate; the last needs what the first gave."""
    p = tf.reduce_sum(x) > 0
    a, b = tf.cond(p, lambda: (x + 1, tf.constant(1)), lambda: (tf.zeros_like(x), tf.size(x)))
    c = tf.cond(tf.size(x) > b, lambda: a * 2, lambda: a)
    return [a, b, c, tf.cond(p, lambda: c + a, lambda: c - a)]


def effects(x):
    v = v1.get_variable("v", initializer=tf.constant([1.0, 2.0, 3.0]), use_resource=True)
    p = tf.reduce_sum(x) > 0
    done = tf.cond(p, lambda: v.assign_add(v), lambda: v.assign_sub(v * 3))
    with tf.control_dependencies([done, v1.Assert(tf.size(x) < 9, [x])]):
        value = v.read_value() + 1
    return [value], v1.global_variables_initializer()


CONDITIONALS = {f.__name__: f for f in (nested, one_side, together, effects)}


def reference(x):
    v = v1.get_variable("v", initializer=tf.constant([1.0, 2.0, 3.0]), use_resource=False)
    value = tf.cond(tf.reduce_sum(x) > 0, lambda: v1.assign_add(v, v * 2), lambda: v1.assign(v, [7.0, 8.0, 9.0]))
    return [value], v1.global_variables_initializer()


def loops(cases):
    frame = ["Enter", "Exit", "LoopCond", "Merge", "NextIteration", "Switch"]
    for dtype in (np.float32, np.int64, np.bool_):
        for n in (0, 3):
            cases.add_graph(frame, as_v1(lambda n, x, y: tf.while_loop(
                lambda i, a, b: i < n, lambda i, a, b: (i + 1, tf.concat([b, y], 0), a), [0, x, y])),
                [np.int32(n), cases.random(dtype, 2), cases.random(dtype, 1)])
    for x in FLOATS:
        cases.add_graph(frame, as_v1(lambda x: tf.while_loop(  # inner loop, conditional, what does not change
            lambda i, a: i < 4, lambda i, a: (i + 1, tf.cond(
                i % 2 > 0, lambda: tf.while_loop(lambda j, b: j < i, lambda j, b: (j + 1, b / 2 + x), [0, a])[1],
                lambda: a - tf.cast(i, tf.float32))), [0, x])), [x])
        cases.add_graph(frame, as_v1(lambda x: [tf.cond(  # a loop in a conditional, one after another
            tf.reduce_sum(x) > 0,
            lambda: tf.while_loop(lambda a: tf.reduce_sum(a) < 50, lambda a: (a * 2,), tf.while_loop(
                lambda a: tf.reduce_sum(a) < 20, lambda a: (a + 1,), [x]))[0],
            lambda: x)]), [x])

    def references(n):
        v = v1.get_variable("v", initializer=tf.constant([1.0, 2.0]), use_resource=False)
        return tf.while_loop(lambda i, a: i < n, lambda i, a: (i + 1, v1.assign_add(v, a)),
                             [0, tf.constant([1.0, 1.0])])[1:], v1.global_variables_initializer()
    cases.add_graph(["RefEnter", "RefNextIteration"], as_v1(references), [np.int32(3)])


def arrays(cases):
    for dtype in op_cases.PLAIN + [object]:
        kind = tf.string if dtype == object else tf.as_dtype(dtype)
        x = cases.strings(4, 2) if dtype == object else cases.random(dtype, 4, 2)

        def build(p):
            a = raw.TensorArrayV3(size=4, dtype=kind, element_shape=[2], clear_after_read=False)
            flow = raw.TensorArrayScatterV3(handle=a[0], indices=[3, 1, 0], value=p[:3], flow_in=a[1])
            flow = raw.TensorArrayWriteV3(handle=a[0], index=2, value=p[3], flow_in=flow)
            size = raw.TensorArraySizeV3(handle=a[0], flow_in=flow)
            return [raw.TensorArrayReadV3(handle=a[0], index=1, flow_in=flow, dtype=kind), size,
                    raw.TensorArrayGatherV3(handle=a[0], indices=[2, 0, 2], flow_in=flow, dtype=kind, element_shape=[2])]
        cases.add_graph(["TensorArrayV3", "TensorArrayScatterV3", "TensorArrayWriteV3", "TensorArrayReadV3",
                         "TensorArraySizeV3", "TensorArrayGatherV3"], build, [x])

        def joins(p):
            a = raw.TensorArrayV3(size=3, dtype=kind, dynamic_size=True)
            flow = raw.TensorArraySplitV3(handle=a[0], value=p, lengths=[1, 0, 3], flow_in=a[1])
            whole, lengths = raw.TensorArrayConcatV3(handle=a[0], flow_in=flow, dtype=kind)
            with tf.control_dependencies([whole]):
                close = raw.TensorArrayCloseV3(handle=a[0])
            with tf.control_dependencies([close]):
                return [tf.identity(whole), lengths]
        cases.add_graph(["TensorArraySplitV3", "TensorArrayConcatV3", "TensorArrayCloseV3"], joins, [x])


def array_errors(cases):
    def write(a, i, flow, value=(1.0, 2.0)):
        return raw.TensorArrayWriteV3(handle=a[0], index=i, value=tf.constant(value), flow_in=flow)

    def read(a, i, flow):
        return raw.TensorArrayReadV3(handle=a[0], index=i, flow_in=flow, dtype=tf.float32)

    def after(first, then):
        with tf.control_dependencies([first]):
            return then()

    def new(**attrs):
        return raw.TensorArrayV3(size=2, dtype=tf.float32, **attrs)

    def twice(attrs, action):
        def build():
            a = new(**attrs)
            flow = write(a, 0, a[1])
            return [action(a, flow)]
        return build
    read_name, write_name = "TensorArrayReadV3", "TensorArrayWriteV3"
    cases.add_graph([read_name], lambda: (lambda a: [read(a, 1, a[1])])(new(element_shape=[2])))  # zeros
    for index in (2, -1):
        cases.add_graph([write_name], lambda: (lambda a: [write(a, index, a[1])])(new()), any_text=True)
        cases.add_graph([read_name], lambda: (lambda a: [read(a, index, a[1])])(new()), any_text=True)
    for ops, attrs, action in (
            ([read_name], {}, lambda a, flow: after(read(a, 0, flow), lambda: read(a, 0, flow))),
            ([read_name], {"clear_after_read": False}, lambda a, flow: after(read(a, 0, flow), lambda: read(a, 0, flow))),
            ([read_name], {}, lambda a, flow: read(a, 1, flow)),
            ([write_name], {}, lambda a, flow: write(a, 0, flow)),
            ([write_name], {"identical_element_shapes": True}, lambda a, flow: write(a, 1, flow, (1.0,))),
            ([write_name], {"dynamic_size": True}, lambda a, flow: raw.TensorArraySizeV3(
                handle=a[0], flow_in=write(a, 6, flow))),
            (["TensorArrayGatherV3"], {}, lambda a, flow: raw.TensorArrayGatherV3(
                handle=a[0], indices=[0, 1], flow_in=write(a, 1, flow, (1.0,)), dtype=tf.float32)),
            (["TensorArrayCloseV3"], {}, lambda a, flow: after(raw.TensorArrayCloseV3(handle=a[0]),
                                                               lambda: read(a, 0, flow)))):
        cases.add_graph(ops, twice(attrs, action), any_text=True)
    for lengths in ([1, 2], [3], [1, 1, 2]):
        cases.add_graph(["TensorArraySplitV3"], lambda: (lambda a: [raw.TensorArraySplitV3(
            handle=a[0], value=[1.0, 2.0, 3.0], lengths=lengths, flow_in=a[1])])(new()), any_text=True)


def list_parts(cases):
    for dtype in op_cases.PLAIN + [object]:
        kind = tf.string if dtype == object else tf.as_dtype(dtype)
        x = cases.strings(4, 2) if dtype == object else cases.random(dtype, 4, 2)
        # TensorFlow 2.20 aborts when it joins elements of other types that were not set with ones that were.
        is_float = dtype == np.float32

        def concat(t, leading=(), shape=(-1, 2)):
            return list(raw.TensorListConcatV2(input_handle=t, element_shape=tf.constant(shape), element_dtype=kind,
                                               leading_dims=tf.constant(leading, tf.int64)))

        def split(p):
            t = raw.TensorListSplit(tensor=p, element_shape=[-1, 2], lengths=tf.constant([1, 0, 3], tf.int64))
            return concat(t) + list(raw.TensorListConcat(input_handle=t, element_dtype=kind)) + [
                raw.TensorListElementShape(input_handle=t, shape_type=tf.int64),
                raw.TensorListElementShape(input_handle=t, shape_type=tf.int32)]
        cases.add_graph(["TensorListSplit", "TensorListConcatV2", "TensorListConcat", "TensorListElementShape"], split, [x])

        def scatter(p):
            stack = dict(element_shape=tf.constant([2]), element_dtype=kind)
            a = raw.TensorListScatterV2(tensor=p, indices=[5, 1, 0, 3], element_shape=[2], num_elements=7)
            b = raw.TensorListScatter(tensor=p, indices=[3, 1, 0, 2], element_shape=[2])
            c = raw.TensorListScatterIntoExistingList(input_handle=b, tensor=p, indices=[0, 4, 4, 6])
            joined = [raw.TensorListGather(input_handle=a, indices=[0, 1, 3, 5], **stack),
                      raw.TensorListStack(input_handle=b, **stack),
                      raw.TensorListGather(input_handle=c, indices=[0, 1, 2, 3, 4, 6], **stack),
                      raw.TensorListLength(input_handle=a), raw.TensorListLength(input_handle=c)]
            if is_float:
                joined.append(raw.TensorListStack(input_handle=a, **stack))
            return joined
        cases.add_graph(["TensorListScatterV2", "TensorListScatter", "TensorListScatterIntoExistingList"], scatter, [x])

        def unset(p):
            t = raw.TensorListReserve(element_shape=[-1, 2], num_elements=3, element_dtype=kind)
            return concat(raw.TensorListSetItem(input_handle=t, index=1, item=p), [2, 9, 1])
        if is_float:
            cases.add_graph(["TensorListConcatV2"], unset, [x])


def list_errors(cases):
    x = np.float32([[1, 2], [3, 4]])

    def concat(t, leading=(), shape=(-1, 2)):
        return list(raw.TensorListConcatV2(input_handle=t, element_shape=tf.constant(shape), element_dtype=tf.float32,
                                           leading_dims=tf.constant(leading, tf.int64)))

    def reserve(shape, n=2):
        return raw.TensorListReserve(
            element_shape=tf.constant(shape, tf.int32), num_elements=n, element_dtype=tf.float32)
    one, v2 = "TensorListConcatV2", "TensorListScatterV2"
    for leading in ([], [1], [0, 0], [2, 1]):
        cases.add_graph([one], lambda: concat(reserve([-1, 2]), leading), any_text=True)
    for shape in ([0, 2], [-1, 2]):
        cases.add_graph([one], lambda: concat(reserve([-1, 2], 0), (), shape), any_text=True)
    cases.add_graph([one], lambda: concat(reserve([-1, -1], 0), (), [-1, -1]), any_text=True)
    cases.add_graph([one], lambda x: concat(raw.TensorListFromTensor(tensor=x, element_shape=[2]), (), [-1]), [x])
    cases.add_graph([one], lambda x: concat(raw.TensorListFromTensor(tensor=x[0], element_shape=tf.constant([], tf.int32)),
                                            (), -1), [x], any_text=True)
    for indices, n in (([0, 2], 2), ([0, -1], 3), ([0], 3), ([1, 1], -1), ([0, 1], -2)):
        cases.add_graph([v2], lambda x: [raw.TensorListLength(input_handle=raw.TensorListScatterV2(
            tensor=x, indices=indices, element_shape=[2], num_elements=n))], [x], any_text=True)
    for lengths in ([1], [1, 2], []):
        cases.add_graph(["TensorListSplit"], lambda x: [raw.TensorListLength(input_handle=raw.TensorListSplit(
            tensor=x, element_shape=[-1, 2], lengths=tf.constant(lengths, tf.int64)))], [x], any_text=True)
    for wanted in ([2], [-1], [3], -1):
        cases.add_graph(["TensorListStack"], lambda: [raw.TensorListStack(
            input_handle=reserve([-1]), element_shape=tf.constant(wanted), element_dtype=tf.float32)], any_text=True)
        cases.add_graph(["TensorListGetItem"], lambda: [raw.TensorListGetItem(
            input_handle=reserve([-1]), index=1, element_shape=tf.constant(wanted), element_dtype=tf.float32)], any_text=True)
    for shape in (-1, [-1, 3], []):
        cases.add_graph(["TensorListElementShape"], lambda: [raw.TensorListElementShape(
            input_handle=reserve(shape), shape_type=tf.int32)])


def add_cases(cases):
    conditionals(cases)
    loops(cases)
    arrays(cases)
    array_errors(cases)
    list_parts(cases)
    list_errors(cases)
