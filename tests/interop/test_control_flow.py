"""Control flow, exported by TensorFlow and served, against TensorFlow's own answers: TF1's frames,
Switches and TensorArrays, TF2's functions, and the recurrent layers of Keras 3 and Keras 2."""

import time

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

v1 = tf.compat.v1


class Asker:
    """Sends Predict requests to a server, all over one channel."""

    def __init__(self, server, name):
        self.name = name
        self.channel = grpc.insecure_channel(f"127.0.0.1:{server.port}")
        self.stub = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)

    def request(self, signature, inputs):
        request = predict_pb2.PredictRequest()
        request.model_spec.name = self.name
        request.model_spec.signature_name = signature
        for alias, value in inputs.items():
            request.inputs[alias].CopyFrom(tf.make_tensor_proto(value))
        return request

    def __call__(self, signature, inputs, timeout=30):
        response = self.stub.Predict(self.request(signature, inputs), timeout=timeout)
        return {k: tf.make_ndarray(v) for k, v in response.outputs.items()}


def assert_same(got, wanted, name, rtol=1e-5, atol=1e-5):
    assert got.keys() == wanted.keys(), name
    for key, value in wanted.items():
        value = np.asarray(value)
        assert got[key].shape == value.shape and got[key].dtype == value.dtype, f"{name}: {key}"
        if value.dtype.kind == "f":
            np.testing.assert_allclose(got[key], value, rtol=rtol, atol=atol, err_msg=f"{name}: {key}")
        else:
            np.testing.assert_array_equal(got[key], value, err_msg=f"{name}: {key}")


def floats(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


# ---- TF1 ---------------------------------------------------------------------------------------


def v1_cases():
    """name -> (function from placeholder to outputs, inputs to try). Built in one graph."""
    def collatz(x):
        n = tf.while_loop(lambda n, k: n > 1,
                          lambda n, k: (tf.cond(tf.equal(n % 2, 0), lambda: n // 2, lambda: 3 * n + 1), k + 1),
                          [tf.cast(x, tf.int32), 0])
        return {"n": n[0], "steps": n[1]}

    def nested_cond(x):
        total = tf.reduce_sum(x)
        y = tf.cond(total > 0,
                    lambda: tf.cond(total > 10, lambda: x * 3, lambda: tf.cond(total > 5, lambda: x * 2, lambda: -x)),
                    lambda: tf.cond(total < -10, lambda: x - 1, lambda: tf.abs(x)))
        return {"y": y}

    def one_side(x):
        """Data that passes on one side only, several Merges of one predicate, one after another."""
        flag = tf.reduce_sum(x) > 0
        a, b = tf.cond(flag, lambda: (x + 1, tf.constant(1)), lambda: (tf.zeros_like(x), tf.constant(-1)))
        c = tf.cond(flag, lambda: a * 2, lambda: a - tf.cast(b, tf.float32))
        _, which = v1.raw_ops.Merge(inputs=list(v1.raw_ops.Switch(data=c, pred=flag)))
        return {"a": a, "b": b, "c": c, "which": which}

    def case(x):
        n = tf.size(x)
        return {"y": tf.case([(tf.equal(n, 1), lambda: x + 10), (tf.equal(n, 2), lambda: x * 10)],
                             default=lambda: -x, exclusive=True)}

    def switch_case(x):
        return {"y": tf.switch_case(tf.size(x) - 1, [lambda: x, lambda: x * x, lambda: tf.exp(x)])}

    def nested_while(x):
        """Of two loops the inner one uses what the outer one changes and what it does not."""
        w = tf.reduce_max(tf.abs(x)) + 1

        def outer(i, y):
            inner = tf.while_loop(lambda j, z: j < i, lambda j, z: (j + 1, z * 0.5 + x / w), [0, y])
            return i + 1, inner[1] + 1
        i, y = tf.while_loop(lambda i, y: i < 4, outer, [0, x])
        return {"i": i, "y": y}

    def while_in_cond(x):
        return {"y": tf.cond(tf.reduce_sum(x) > 0,
                             lambda: tf.while_loop(lambda y: tf.reduce_sum(y) < 100, lambda y: (y * 2 + 1,), [x])[0],
                             lambda: x)}

    def arrays(x):
        """A TensorArray that a loop unstacks, writes, and stacks; scan, map_fn and foldl do the same."""
        n = tf.shape(x)[0]
        source = tf.TensorArray(tf.float32, size=n, clear_after_read=False).unstack(x)
        target = tf.TensorArray(tf.float32, size=0, dynamic_size=True)
        _, out, total = tf.while_loop(
            lambda i, t, s: i < n,
            lambda i, t, s: (i + 1, t.write(i, source.read(i) + s), s + tf.reduce_sum(source.read(i) * 0 + 1)),
            [0, target, 0.0])
        return {"stack": out.stack(), "total": total, "size": out.size(),
                "scan": tf.scan(lambda a, b: a * 0.5 + b, x), "foldl": tf.foldl(lambda a, b: a - b, x),
                "map": tf.map_fn(lambda r: tf.cond(r > 0, lambda: r * 2, lambda: r), x)}

    def array_joins(x):
        n = tf.size(x)
        split = tf.TensorArray(tf.float32, size=3, infer_shape=False).split(tf.concat([x, x, x], 0), [n, 0, 2 * n])
        part = tf.TensorArray(tf.float32, size=4, clear_after_read=False).scatter([3, 1, 0, 2], tf.reshape(
            tf.concat([x, x + 1, x + 2, x + 3], 0), [4, -1]))
        return {"concat": split.concat(), "gather": part.gather([2, 0]), "read": part.read(1), "size": part.size()}

    def asserted(x):
        with tf.control_dependencies([v1.Assert(tf.size(x) < 1000, [x]), tf.cond(
                tf.size(x) > 1, lambda: v1.Assert(tf.size(x) > 1, [x]), tf.no_op)]):
            return {"y": x + 1}

    def references(x):
        ref = v1.get_variable("ref", initializer=tf.constant([2.0]), use_resource=False)
        resource = v1.get_variable("resource", initializer=tf.constant([3.0]), use_resource=True)
        y = tf.cond(tf.reduce_sum(x) > 0, lambda: x * ref, lambda: x * resource)
        return {"y": tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * ref + resource), [0, y])[1]}

    small = [floats(1, 1), floats(2, 2), floats(3, 5), -np.abs(floats(4, 3)), np.abs(floats(5, 3)) * 20,
             -np.abs(floats(6, 3)) * 20, np.full(2, 3, np.float32)]
    return {"collatz": (collatz, [np.float32(n) for n in (1, 6, 27)]),
            **{f.__name__: (f, small) for f in (nested_cond, one_side, case, switch_case, nested_while,
                                                while_in_cond, arrays, array_joins, asserted, references)}}


@pytest.fixture(scope="module")
def v1_bundle(tmp_path_factory):
    """A bundle of TF1 with a signature a case, and the answers that TensorFlow's session gives."""
    path = tmp_path_factory.mktemp("v1") / "flow" / "1"
    answers = {}
    v1.disable_control_flow_v2()
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        signatures, fetches = {}, {}
        for name, (function, inputs) in v1_cases().items():
            with v1.variable_scope(name):
                x = v1.placeholder(tf.float32, np.shape(inputs[0]) and [None], name="x")
                fetches[name] = x, {k: tf.identity(v) for k, v in function(x).items()}
            signatures[name] = v1.saved_model.predict_signature_def({"x": x}, fetches[name][1])
        session.run(v1.global_variables_initializer())
        ops = {node.op for node in graph.as_graph_def().node}
        assert {"Switch", "Merge", "Enter", "Exit", "NextIteration", "LoopCond", "TensorArrayV3"} <= ops
        assert not ops & {"If", "StatelessIf", "While", "StatelessWhile"}
        for name, (x, outputs) in fetches.items():
            answers[name] = [(value, session.run(outputs, {x: value})) for value in v1_cases()[name][1]]
        builder = v1.saved_model.Builder(str(path))
        builder.add_meta_graph_and_variables(session, ["serve"], signature_def_map=signatures)
        builder.save()
    v1.enable_control_flow_v2()
    return path.parent, answers


def test_v1(v1_bundle, start_server):
    path, answers = v1_bundle
    ask = Asker(start_server("flow", path), "flow")
    for name, pairs in answers.items():
        for x, wanted in pairs:
            assert_same(ask(name, {"x": x}), wanted, f"{name} of {x}")


# ---- TF2 ---------------------------------------------------------------------------------------


class Flow(tf.Module):
    """Loops and branches as tf.function writes them."""

    def __init__(self):
        super().__init__()
        self.step = tf.Variable(0.5)

    def pictures(self, png):
        """Encoded pictures of any size in, each decoded and resized by itself."""
        def one(data):
            image = tf.image.decode_png(data, channels=3)
            return tf.image.resize(tf.cast(image, tf.float32) / 255.0, [6, 5])
        return {"y": tf.map_fn(one, png, fn_output_signature=tf.TensorSpec([6, 5, 3], tf.float32))}

    def accumulate(self, x):
        rows = tf.TensorArray(tf.float32, size=0, dynamic_size=True, element_shape=[None])
        i, total = tf.constant(0), tf.zeros_like(x[0])
        while i < tf.shape(x)[0]:
            total = total * self.step + x[i]
            if tf.reduce_sum(total) > 0:
                rows = rows.write(rows.size(), total)
            elif i % 2 == 0:
                rows = rows.write(rows.size(), -total)
            i += 1
        return {"rows": rows.size(), "stack": rows.stack() if rows.size() > 0 else x, "total": total}

    def branches(self, x):
        total = tf.reduce_sum(x)
        y = tf.cond(total > 0, lambda: tf.cond(total > 5, lambda: x * self.step, lambda: x - 1), lambda: tf.exp(x))
        z = tf.switch_case(tf.shape(x)[0] - 1, [lambda: x, lambda: -x, lambda: tf.concat([x, x], 0)])
        return {"y": y, "z": z}

    def scans(self, x):
        return {"scan": tf.scan(lambda a, b: a * 0.5 + b, x), "fold": tf.foldl(lambda a, b: a - b, x),
                "back": tf.scan(lambda a, b: a + tf.abs(b), x, reverse=True)}

    def pieces(self, x):
        """TensorListSplit, Concat, Scatter and Gather through TF2's TensorArray."""
        n = tf.shape(x)[0]
        array = tf.TensorArray(tf.float32, size=3, element_shape=[None, 2], infer_shape=False)
        array = array.split(tf.concat([x, x, x], 0), [n, 0, 2 * n])
        other = tf.TensorArray(tf.float32, size=2 * n).scatter(tf.range(n) * 2, x).scatter(tf.range(n) * 2 + 1, -x)
        return {"concat": array.concat(), "middle": array.read(1), "stack": other.stack(),
                "gather": other.gather([1, 0])}


def test_v2(start_server, tmp_path):
    flow, rng = Flow(), np.random.default_rng(5)
    pngs = np.array([tf.io.encode_png(rng.integers(0, 256, size).astype(np.uint8)).numpy()
                     for size in ((9, 7, 3), (3, 4, 1), (16, 16, 4))], object)
    matrices = [floats(i, n, 2) for i, n in enumerate((1, 2, 3, 7))] + [np.abs(floats(9, 3, 2)) * 9]
    cases = {"pictures": ("png", tf.TensorSpec([None], tf.string), [pngs, pngs[:1], pngs[:0]]),
             **{name: ("x", tf.TensorSpec([None, 2], tf.float32), matrices)
                for name in ("accumulate", "branches", "scans", "pieces")}}
    signatures = {name: tf.function(getattr(flow, name), input_signature=[spec])
                  for name, (_, spec, _) in cases.items()}
    for name, (alias, spec, _) in cases.items():
        signatures[name] = signatures[name].get_concrete_function()
    tf.saved_model.save(flow, str(tmp_path / "flow" / "1"), signatures=signatures)
    ask = Asker(start_server("flow", tmp_path / "flow"), "flow")
    for name, (alias, _, inputs) in cases.items():
        for value in inputs:
            wanted = {k: v.numpy() for k, v in signatures[name](tf.constant(value)).items()}
            assert_same(ask(name, {alias: value}), wanted, f"{name} of {value.shape}")


# ---- recurrent layers --------------------------------------------------------------------------


def recurrent(keras):
    """name -> model. All take sequences of [batch, time, 3]."""
    layers = keras.layers

    def model(*stack, time=None):
        inputs = keras.Input((time, 3))
        y = inputs
        for layer in stack:
            y = layer(y)
        return keras.Model(inputs, y)
    both = keras.Input((None, 3))
    states = layers.LSTM(4, return_sequences=True, return_state=True)(both)
    return {
        "lstm": model(layers.LSTM(5)), "gru": model(layers.GRU(5)),
        "gru_before": model(layers.GRU(5, reset_after=False, return_sequences=True)),
        "sequences": model(layers.LSTM(4, return_sequences=True), layers.GRU(3, return_sequences=True)),
        "masked": model(layers.Masking(0.0), layers.LSTM(4, return_sequences=True), layers.GRU(3)),
        "bidirectional": model(layers.Bidirectional(layers.LSTM(4, return_sequences=True)),
                               layers.Bidirectional(layers.GRU(3), merge_mode="sum")),
        "masked_both_ways": model(layers.Masking(0.0), layers.Bidirectional(layers.GRU(3, return_sequences=True))),
        "backwards": model(layers.LSTM(4, go_backwards=True, return_sequences=True)),
        "simple": model(layers.SimpleRNN(4)), "unrolled": model(layers.LSTM(4, unroll=True), time=6),
        "cells": model(layers.RNN([layers.GRUCell(4), layers.LSTMCell(3)], return_sequences=True)),
        "states": keras.Model(both, states), "per_step": model(layers.TimeDistributed(layers.Dense(2)), layers.LSTM(3)),
    }


def named_outputs(model):
    return lambda x: {f"y{i}": y for i, y in enumerate(tf.nest.flatten(model(x, training=False)))}


@pytest.mark.parametrize("version", [3, 2])
def test_recurrent(version, start_server, tmp_path):
    if version == 3:
        keras = tf.keras
    else:
        import tf_keras as keras
    archive, functions = keras.export.ExportArchive(), {}
    for name, model in recurrent(keras).items():
        functions[name] = named_outputs(model)
        archive.track(model)
        archive.add_endpoint(name, functions[name], input_signature=[
            tf.TensorSpec([None, 6 if name == "unrolled" else None, 3], tf.float32, name="x")])
    archive.write_out(str(tmp_path / "rnn" / "1"))
    loaded = tf.saved_model.load(str(tmp_path / "rnn" / "1"))
    ask = Asker(start_server("rnn", tmp_path / "rnn"), "rnn")
    for name in functions:
        for batch, steps in ((1, 6), (3, 6)) if name == "unrolled" else ((1, 1), (3, 6), (2, 17)):
            x = floats(batch, batch, steps, 3)
            x[0, steps // 2:] = 0  # what Masking leaves out
            wanted = {k: v.numpy() for k, v in loaded.signatures[name](x=tf.constant(x)).items()}
            assert_same(ask(name, {"x": x}), wanted, f"Keras {version}: {name}")


# ---- loops that do not end ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def endless(start_server, tmp_path_factory):
    class Endless(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([], tf.float32, name="x")])
        def spin(self, x):
            return {"y": tf.while_loop(lambda y: y < 1e9, lambda y: (tf.sin(y),), [x], maximum_iterations=None)[0]}

        @tf.function(input_signature=[tf.TensorSpec([], tf.float32, name="x")])
        def plain(self, x):
            return {"y": x + 1}

    path = tmp_path_factory.mktemp("endless") / "endless"
    module = Endless()
    tf.saved_model.save(module, str(path / "1"), signatures={"spin": module.spin, "plain": module.plain})
    server = start_server("endless", path)
    return server, Asker(server, "endless")


def assert_serves(ask):
    """Every thread is free again: as many calls as there are threads, twice, are answered."""
    calls = [ask.stub.Predict.future(ask.request("plain", {"x": np.float32(i)}), timeout=5) for i in range(8)]
    assert [float(tf.make_ndarray(c.result().outputs["y"])) for c in calls] == [i + 1.0 for i in range(8)]


def test_deadline_ends_a_loop(endless):
    _, ask = endless
    for _ in range(3):
        start = time.monotonic()
        calls = [ask.stub.Predict.future(ask.request("spin", {"x": np.float32(1)}), timeout=0.3) for _ in range(4)]
        for call in calls:
            assert call.exception().code() == grpc.StatusCode.DEADLINE_EXCEEDED
        assert time.monotonic() - start < 3
        assert_serves(ask)


def test_client_cancels_a_loop(endless):
    """Without a deadline: the thread is free soon after the client has gone."""
    _, ask = endless
    for _ in range(3):
        calls = [ask.stub.Predict.future(ask.request("spin", {"x": np.float32(1)})) for _ in range(4)]
        time.sleep(0.3)
        assert not any(call.done() for call in calls)
        for call in calls:
            call.cancel()
        assert_serves(ask)


def test_server_stops_though_a_loop_runs(endless):
    server, ask = endless
    call = ask.stub.Predict.future(ask.request("spin", {"x": np.float32(1)}))
    time.sleep(0.2)
    start = time.monotonic()
    assert server.stop() == 0
    assert call.exception().code() == grpc.StatusCode.UNAVAILABLE
    assert time.monotonic() - start < 40
