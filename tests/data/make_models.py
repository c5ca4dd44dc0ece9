#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/data/models: small SavedModels made by TensorFlow, and what it answers.

Each models/NAME is a bundle; NAME/cases holds serialized PredictRequests, each followed by the
PredictResponse that TensorFlow gives, run in order in one session (a counter counts). Before each
message stands its size, four bytes, little-endian. tests/unit/model/test_models.c loads, asks and
compares.

    python3 make_models.py [NAME...]        needs tensorflow 2.20 and tensorflow-serving-api

The files that it writes are the same for every run, but for what TensorFlow itself makes up (names
of functions, fingerprint.pb, which is removed).
"""
import os
import pathlib
import shutil
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import predict_pb2

v1 = tf.compat.v1
ROOT = pathlib.Path(__file__).parent / "models"


def write_cases(name, cases, run):
    """cases: [(signature, {alias: array})]; run(signature, inputs) -> {alias: array}."""
    messages = []
    for signature, inputs in cases:
        request = predict_pb2.PredictRequest()
        request.model_spec.name = name
        request.model_spec.signature_name = signature
        for alias, value in inputs.items():
            request.inputs[alias].CopyFrom(tf.make_tensor_proto(value))
        response = predict_pb2.PredictResponse()
        for alias, value in run(signature, inputs).items():
            response.outputs[alias].CopyFrom(tf.make_tensor_proto(value))
        messages += [request, response]
    with open(ROOT / name / "cases", "wb") as file:
        for message in messages:
            data = message.SerializeToString(deterministic=True)
            file.write(len(data).to_bytes(4, "little") + data)


def fresh(name):
    path = ROOT / name
    shutil.rmtree(path, ignore_errors=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    return str(path)


def tidy(name):
    for extra in ("fingerprint.pb", "assets"):
        path = ROOT / name / extra
        if path.is_file():
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def run_v1(name, cases):
    """Loads the bundle with the v1 loader and answers the cases in one session."""
    with v1.Session(graph=tf.Graph()) as session:
        meta = v1.saved_model.load(session, ["serve"], str(ROOT / name))

        def run(signature, inputs):
            definition = meta.signature_def[signature]
            feeds = {definition.inputs[k].name: v for k, v in inputs.items()}
            fetches = {k: info.name for k, info in definition.outputs.items()}
            return session.run(fetches, feeds)

        write_cases(name, cases, run)


def run_v2(name, cases):
    model = tf.saved_model.load(str(ROOT / name))
    saved_model = saved_model_pb2.SavedModel()
    saved_model.ParseFromString((ROOT / name / "saved_model.pb").read_bytes())
    definitions = saved_model.meta_graphs[0].signature_def

    def run(signature, inputs):
        defaults = {k: tf.make_ndarray(v) for k, v in definitions[signature].defaults.items()}
        inputs = {**defaults, **inputs}
        outputs = model.signatures[signature](**{k: tf.constant(v) for k, v in inputs.items()})
        return {k: v.numpy() for k, v in outputs.items()}

    write_cases(name, cases, run)


def signature(method, inputs, outputs):
    build = v1.saved_model.utils.build_tensor_info
    return v1.saved_model.signature_def_utils.build_signature_def(
        {k: build(v) for k, v in inputs.items()}, {k: build(v) for k, v in outputs.items()},
        "tensorflow/serving/" + method)


def save_v1(name, session, signatures, **options):
    builder = v1.saved_model.builder.SavedModelBuilder(fresh(name))
    builder.add_meta_graph_and_variables(session, ["serve"], signature_def_map=signatures, **options)
    builder.save()
    tidy(name)


def example(**features):
    def feature(value):
        if isinstance(value, bytes):
            return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        return tf.train.Feature(float_list=tf.train.FloatList(value=np.ravel(value)))
    message = tf.train.Example(features=tf.train.Features(
        feature={k: feature(v) for k, v in features.items()}))
    return message.SerializeToString(deterministic=True)


def noise(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


# ---- models -------------------------------------------------------------------------------------

def make_cnn():
    """The tutorial's network, tiny: what the compiler fuses and folds, in TF1 form."""
    with tf.Graph().as_default(), v1.Session() as session:
        image = v1.placeholder(tf.float32, [None, 8, 8, 1], name="image")
        x, channels = image, 1
        for layer in range(2):
            def variable(kind, *shape, positive=False):
                value = noise(100 * layer + len(kind), *shape)
                value = np.abs(value) + 0.5 if positive else value
                return v1.get_variable(f"conv{layer}/{kind}", initializer=tf.constant(value),
                                       use_resource=layer == 0)
            x = tf.nn.conv2d(x, variable("kernel", 5, 5, channels, 4), 1, "SAME")
            if layer == 1:
                x = tf.nn.bias_add(x, variable("bias", 4))
            x, _, _ = v1.nn.fused_batch_norm(
                x, variable("gamma", 4), variable("beta", 4), variable("mean", 4),
                variable("variance", 4, positive=True), epsilon=0.001, is_training=False)
            x = tf.nn.max_pool2d(tf.nn.relu(x), 2, 2, "SAME")
            channels = 4
        x = tf.reshape(x, [-1, 16])
        for layer, (n, m) in enumerate([(16, 6), (6, 10)]):
            kernel = v1.get_variable(f"dense{layer}/kernel", initializer=tf.constant(noise(7, n, m)))
            bias = v1.get_variable(f"dense{layer}/bias", initializer=tf.constant(noise(8, m)))
            x = tf.nn.bias_add(tf.matmul(x, kernel), bias)
            x = tf.nn.relu(x) if layer == 0 else x
        probabilities = tf.nn.softmax(x, name="probabilities")
        classes = tf.argmax(x, 1, name="classes")
        session.run(v1.global_variables_initializer())
        predict = signature("predict", {"image": image},
                            {"classes": classes, "probabilities": probabilities})
        save_v1("cnn", session, {"predict": predict, "serving_default": predict})
    run_v1("cnn", [("predict", {"image": noise(1, 1, 8, 8, 1)}),
                   ("serving_default", {"image": noise(2, 5, 8, 8, 1)}),
                   ("predict", {"image": noise(3, 2, 8, 8, 1)}),
                   ("predict", {"image": noise(3, 0, 8, 8, 1)})])


def make_heads():
    """Classify and regress over ParseExample, with reference variables and feeds inside."""
    with tf.Graph().as_default(), v1.Session() as session:
        serialized = v1.placeholder(tf.string, [None], name="tf_example")
        parsed = v1.io.parse_example(serialized, {
            "x": v1.io.FixedLenFeature([3], tf.float32),
            "x2": v1.io.FixedLenFeature([1], tf.float32, default_value=[0.25])})
        x = tf.identity(parsed["x"], name="x")
        x2 = tf.identity(parsed["x2"], name="x2")
        weights = v1.get_variable("w", initializer=tf.constant(noise(11, 3, 4)), use_resource=False)
        offset = v1.get_variable("b", initializer=tf.constant(1.5), use_resource=False)
        scores = tf.add(tf.matmul(x, weights), offset, name="scores")
        values, indices = tf.nn.top_k(scores, 2)
        labels = tf.gather(tf.constant(["north", "east", "south", "west"]), indices, name="labels")
        y = tf.add(tf.multiply(x2, 2.0), offset, name="y")
        session.run(v1.global_variables_initializer())
        save_v1("heads", session, {
            "classify": signature("classify", {"inputs": serialized},
                                  {"classes": labels, "scores": values}),
            "regress": signature("regress", {"inputs": serialized}, {"outputs": y}),
            "serving_default": signature("predict", {"x": x}, {"scores": scores}),
            "both": signature("predict", {"x2": x2, "x": x}, {"y": y, "scores": scores})})
    examples = np.array([example(x=noise(4, 3)), example(x=noise(5, 3), x2=[3.0])], object)
    run_v1("heads", [("classify", {"inputs": examples}), ("regress", {"inputs": examples}),
                     ("serving_default", {"x": noise(6, 2, 3)}),
                     ("both", {"x": noise(6, 2, 3), "x2": noise(7, 2, 1)})])


def make_counter():
    """A signature that writes: nothing of it may be folded."""
    with tf.Graph().as_default(), v1.Session() as session:
        delta = v1.placeholder(tf.float32, [], name="delta")
        counter = v1.get_variable("counter", initializer=tf.constant(0.0), use_resource=False)
        step = v1.get_variable("step", initializer=tf.constant(2.0), use_resource=False)
        session.run(v1.global_variables_initializer())
        outputs = {"get": tf.identity(counter, name="value"),
                   "increment": v1.assign_add(counter, step, name="add_step"),
                   "reset": v1.assign(counter, 0.0, name="zero")}
        signatures = {k: signature("predict", {}, {"output": v}) for k, v in outputs.items()}
        signatures["increment_by"] = signature(
            "predict", {"delta": delta}, {"output": v1.assign_add(counter, delta, name="add")})
        with tf.control_dependencies([v1.assign_add(counter, 1.0, name="add_one")]):
            signatures["after"] = signature("predict", {},
                                            {"output": tf.add(counter.read_value(), 0.0,
                                                                    name="after")})
        save_v1("counter", session, signatures)
    cases = [(k, {}) for k in ("get", "increment", "increment", "get")]
    cases += [("increment_by", {"delta": np.float32(0.5)}), ("after", {}), ("get", {}),
              ("reset", {}), ("get", {})]
    run_v1("counter", cases)


def make_assets():
    """A string variable that the init op sets to an asset's path, as TF Serving's own bundles have,
    and a variable that the init op derives from another one."""
    with tf.Graph().as_default(), v1.Session() as session:
        path = ROOT / "vocabulary.txt"
        path.write_text("one\ntwo\n")
        original = v1.constant(str(path))
        v1.add_to_collection(v1.GraphKeys.ASSET_FILEPATHS, original)
        filename = v1.get_variable("filename", initializer="", trainable=False, collections=[],
                                   use_resource=False, validate_shape=False)
        base = v1.get_variable("base", initializer=tf.constant([1.0, 2.0]), use_resource=True)
        derived = v1.get_variable("derived", initializer=tf.constant([0.0, 0.0]), use_resource=True)
        set_filename = v1.assign(filename, original, validate_shape=False)
        set_derived = derived.assign(base.read_value() * 10.0)
        with tf.control_dependencies([set_filename, set_derived]):
            init = tf.no_op(name="init_all")
        x = v1.placeholder(tf.float32, [None, 2], name="x")
        y = tf.add(tf.multiply(x, derived), base, name="y")
        session.run(v1.global_variables_initializer())
        session.run(filename.initializer)
        save_v1("assets", session, {"serving_default": signature("predict", {"x": x}, {"y": y})},
                assets_collection=v1.get_collection(v1.GraphKeys.ASSET_FILEPATHS),
                main_op=init)
        path.unlink()
    run_v1("assets", [("serving_default", {"x": noise(9, 3, 2)})])


def make_module():
    """TF2: functions in functions, a default argument, a variable that a signature writes."""
    class Module(tf.Module):
        def __init__(self):
            super().__init__()
            self.w = tf.Variable(noise(21, 3, 2), name="w")
            self.b = tf.Variable(noise(22, 2), name="b")
            self.total = tf.Variable(0.0, name="total")

        @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32)])
        def inner(self, x):
            return tf.nn.relu(tf.matmul(x, self.w) + self.b)

        @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, "x")])
        def outer(self, x):
            y = self.inner(x)
            return {"y": y, "z": self.inner(x * 2.0) + y}

        @tf.function(input_signature=[tf.TensorSpec([], tf.float32, "amount")])
        def add(self, amount):
            self.total.assign_add(amount)
            return {"total": self.total.read_value()}

        @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, "x"),
                                      tf.TensorSpec([1], tf.float32, "factor")])
        def scaled(self, x, factor=tf.constant([3.0])):
            return {"y": x * factor}

    module = Module()
    tf.saved_model.save(module, fresh("module"), signatures={
        "serving_default": module.outer, "add": module.add, "scaled": module.scaled})
    tidy("module")
    run_v2("module", [("serving_default", {"x": noise(23, 4, 3)}), ("add", {"amount": np.float32(2)}),
                      ("add", {"amount": np.float32(0.5)}), ("scaled", {"x": noise(24, 3)})])


def make_keras():
    """Keras 3: every weight is stored twice, and the reads go through functions."""
    model = tf.keras.Sequential([
        tf.keras.layers.Input((5,), name="features"),
        tf.keras.layers.Dense(4, activation="relu"),
        tf.keras.layers.Dense(3, activation="softmax")])
    model.set_weights([noise(30 + i, *w.shape) for i, w in enumerate(model.get_weights())])
    model.export(fresh("keras"), verbose=False)
    tidy("keras")
    loaded = tf.saved_model.load(str(ROOT / "keras"))
    alias = list(loaded.signatures["serving_default"].structured_input_signature[1])[0]
    run_v2("keras", [("serving_default", {alias: noise(40, 2, 5)})])


def make_tables():
    """TF2: tables from asset files, from tensors, and one that is restored and may change."""
    class Module(tf.Module):
        def __init__(self):
            super().__init__()
            words, pairs = ROOT / "words.txt", ROOT / "pairs.csv"
            words.write_text("zero\none\ntwo\n")
            pairs.write_text("1,a,0.5\n2,b,1.5\n")
            self.words = tf.lookup.StaticVocabularyTable(tf.lookup.TextFileInitializer(
                str(words), tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64,
                tf.lookup.TextFileIndex.LINE_NUMBER), num_oov_buckets=3)
            self.pairs = tf.lookup.StaticHashTable(tf.lookup.TextFileInitializer(
                str(pairs), tf.string, 1, tf.float32, 2, delimiter=","), -1.0)
            self.names = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(
                tf.constant([5, 6], tf.int64), ["five", "six"]), "none")
            self.changing = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, -1)
            self.changing.insert(["one", "b"], tf.constant([100, 200], tf.int64))

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "text"),
                                      tf.TensorSpec([None, None], tf.int64, "number")])
        def look(self, text, number):
            return {"word": self.words.lookup(text), "pair": self.pairs.lookup(text),
                    "name": self.names.lookup(number), "changing": self.changing.lookup(text),
                    "size": self.pairs.size()}

    module = Module()
    tf.saved_model.save(module, fresh("tables"), signatures={"serving_default": module.look})
    tidy("tables")
    for name in ("words.txt", "pairs.csv"):
        (ROOT / name).unlink()
    run_v2("tables", [("serving_default", {
        "text": np.array([b"one", b"b", b"", b"three", b"zero"], object),
        "number": np.array([[5, 6, 7]], np.int64)})])


def make_tables_v1():
    """TF1: a table whose file is an asset, filled by the init op, and one from tensors."""
    with tf.Graph().as_default(), v1.Session() as session:
        path = ROOT / "labels.txt"
        path.write_text("cat\ndog\n")
        labels = v1.lookup.StaticHashTable(v1.lookup.TextFileInitializer(
            str(path), tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER, tf.string,
            tf.lookup.TextFileIndex.WHOLE_LINE), "?")
        numbers = v1.lookup.StaticHashTable(v1.lookup.KeyValueTensorInitializer(
            ["cat", "dog"], tf.constant([9, 4], tf.int64)), -1)
        x = v1.placeholder(tf.int64, [None], name="x")
        label = labels.lookup(x)
        session.run(v1.tables_initializer())
        save_v1("tables_v1", session,
                {"serving_default": signature("predict", {"x": x}, {
                    "label": label, "number": numbers.lookup(label)})},
                assets_collection=v1.get_collection(v1.GraphKeys.ASSET_FILEPATHS),
                main_op=v1.tables_initializer())
        path.unlink()
    run_v1("tables_v1", [("serving_default", {"x": np.array([1, 0, 2], np.int64)})])


def make_control():
    """tf.cond in tf.cond, tf.switch_case; loops that end early, swap, grow, nest."""
    class Control(tf.Module):
        def __init__(self):
            super().__init__()
            self.w = tf.Variable(noise(50, 3, 3), name="w")
            self.b = tf.Variable(noise(51, 3), name="b")

        @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, "x"),
                                      tf.TensorSpec([], tf.int32, "k")])
        def branches(self, x, k):
            def deep():
                return tf.cond(k > 10, lambda: x @ self.w + self.b, lambda: x * 2.0)
            case = [lambda: x + 1.0, lambda: tf.nn.relu(x @ self.w), lambda: x[:1]]
            return {"cond": tf.cond(k > 0, deep, lambda: -x), "case": tf.switch_case(k, case)}

        @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, "x"),
                                      tf.TensorSpec([], tf.int32, "k")])
        def loops(self, x, k):
            n, y = tf.while_loop(
                lambda i, y: tf.logical_and(i < k, tf.reduce_sum(tf.abs(y)) < 100.0),
                lambda i, y: (i + 1, tf.nn.tanh(y @ self.w) + self.b + y), [0, x])
            a, b, _ = tf.while_loop(lambda a, b, i: i < k, lambda a, b, i: (b, a, i + 1),
                                    [x, x * 2.0, 0])
            grown, _ = tf.while_loop(
                lambda g, i: i < k, lambda g, i: (tf.concat([g, x], 0), i + 1), [x, 0],
                shape_invariants=[tf.TensorShape([None, 3]), tf.TensorShape([])])

            def outer(i, v):
                _, v = tf.while_loop(lambda j, v: j < i, lambda j, v: (
                    j + 1, v + self.b * tf.cast(j, tf.float32)), [0, v])
                return i + 1, v
            _, nested = tf.while_loop(lambda i, v: i < k, outer, [0, x])
            return {"n": n, "y": y, "a": a, "b": b, "grown": grown, "nested": nested}

    module = Control()
    tf.saved_model.save(module, fresh("control"), signatures={
        "serving_default": module.branches, "loops": module.loops})
    tidy("control")
    sizes = [(2, 0), (3, 1), (2, 2), (4, 11), (1, -1), (2, 30), (2, 5), (2, 5), (2, 5)]
    run_v2("control", [(signature_name, {"x": noise(52 + i, n, 3), "k": np.int32(k)})
                       for signature_name in ("serving_default", "loops")
                       for i, (n, k) in enumerate(sizes)])


def make_lists():
    """tf.map_fn, tf.scan, TensorArrays that grow, are read again, are gathered."""
    class Lists(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, "x")])
        def lists(self, x):
            n = tf.shape(x)[0]
            mapped = tf.map_fn(lambda r: tf.reduce_sum(r) * r[:2], x,
                               fn_output_signature=tf.float32)
            grown = tf.TensorArray(tf.float32, size=0, dynamic_size=True, clear_after_read=False)
            grown = grown.write(0, x[0])
            for i in tf.range(1, n):
                grown = grown.write(i, grown.read(i - 1) + x[i])
            rows = tf.TensorArray(tf.float32, size=n, clear_after_read=False).unstack(x)
            changed = rows.write(1, x[0] * 3.0)
            return {"mapped": mapped, "scanned": tf.scan(lambda a, r: a + r, x),
                    "grown": grown.stack(), "size": grown.size(), "rows": rows.gather([1, 0]),
                    "changed": changed.stack(), "unchanged": rows.stack(), "row": rows.read(0)}

    module = Lists()
    tf.saved_model.save(module, fresh("lists"), signatures={"serving_default": module.lists})
    tidy("lists")
    run_v2("lists", [("serving_default", {"x": noise(70 + i, n, 4)})
                     for i, n in enumerate([3, 2, 7, 3, 3])])


def make_recurrent():
    """Keras 3: LSTM and GRU as loops over lists, with a mask."""
    model = tf.keras.Sequential([
        tf.keras.layers.Input((None, 3), name="steps"), tf.keras.layers.Masking(0.0),
        tf.keras.layers.LSTM(5, return_sequences=True), tf.keras.layers.GRU(4),
        tf.keras.layers.Dense(2, activation="softmax")])
    model.set_weights([noise(80 + i, *w.shape) for i, w in enumerate(model.get_weights())])
    model.export(fresh("recurrent"), verbose=False)
    tidy("recurrent")
    loaded = tf.saved_model.load(str(ROOT / "recurrent"))
    alias = list(loaded.signatures["serving_default"].structured_input_signature[1])[0]
    cases = []
    for i, (n, steps) in enumerate([(2, 4), (1, 1), (3, 9), (2, 4), (2, 4)]):
        x = noise(100 + i, n, steps, 3)
        x[0, steps // 2:] = 0
        cases.append(("serving_default", {alias: x}))
    run_v2("recurrent", cases)


MODELS = {k[5:]: v for k, v in list(globals().items()) if k.startswith("make_")}

if __name__ == "__main__":
    ROOT.mkdir(exist_ok=True)
    for model_name in sys.argv[1:] or MODELS:
        MODELS[model_name]()
        print(model_name)
