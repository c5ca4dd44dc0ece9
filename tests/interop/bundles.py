"""Small bundles that real TensorFlow writes at test time."""
import pathlib

import tensorflow as tf


class Affine(tf.Module):
    """y = a x + b, as TensorFlow Serving's half_plus_two, with signatures of one and two inputs and of strings."""

    def __init__(self, a, b):
        super().__init__()
        self.a = tf.Variable(a, dtype=tf.float32)
        self.b = tf.Variable(b, dtype=tf.float32)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
    def predict(self, x):
        y = self.a * x + self.b
        return {"y": y, "twice": 2 * y}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x"),
                                  tf.TensorSpec([None], tf.float32, name="z")])
    def two(self, x, z):
        return {"sum": x + z}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="s")])
    def echo(self, s):
        return {"s": tf.identity(s)}


def affine(folder, version, a=0.5, b=2.0):
    module = Affine(a, b)
    path = pathlib.Path(folder) / str(version)
    # Written beside and renamed, as a publisher should: a server may be watching.
    hidden = path.with_name(f"tmp-{version}")
    tf.saved_model.save(module, str(hidden), signatures={
        "serving_default": module.predict, "two": module.two, "echo": module.echo})
    hidden.rename(path)
    return path


class Classifier(tf.Module):
    """Two classes with the scores -(x / 2 + 2) and x / 2 + 2, of examples with a feature x."""

    def __init__(self):
        super().__init__()
        self.weight = tf.Variable(0.5)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="inputs")])
    def classify(self, inputs):
        parsed = tf.io.parse_example(inputs, {"x": tf.io.FixedLenFeature([1], tf.float32)})
        score = self.weight * parsed["x"] + 2.0
        labels = tf.constant(["low", "high"])
        return {"classes": tf.tile(labels[None, :], [tf.shape(inputs)[0], 1]),
                "scores": tf.concat([-score, score], 1)}


def classifier(folder, version):
    module = Classifier()
    path = pathlib.Path(folder) / str(version)
    tf.saved_model.save(module, str(path), signatures={"classify": module.classify})
    return path


class Counter(tf.Module):
    def __init__(self):
        super().__init__()
        self.n = tf.Variable(0.0)

    @tf.function(input_signature=[])
    def increment(self):
        return {"output": self.n.assign_add(1.0)}


def counter(folder, version):
    module = Counter()
    path = pathlib.Path(folder) / str(version)
    tf.saved_model.save(module, str(path), signatures={"increment": module.increment})
    return path


class Slow(tf.Module):
    """Matrix products that take a while: some 10 ms a row of 64 on one core."""

    def __init__(self):
        super().__init__()
        self.w = tf.Variable(tf.eye(1024))

    @tf.function(input_signature=[tf.TensorSpec([None, 1024], tf.float32, name="x")])
    def __call__(self, x):
        for _ in range(16):
            x = tf.matmul(x, self.w)
        return {"y": tf.reduce_mean(x, 1)}


def slow(folder, version):
    module = Slow()
    path = pathlib.Path(folder) / str(version)
    tf.saved_model.save(module, str(path), signatures=module.__call__)
    return path


class Heads(tf.Module):
    """y = x / 2 + 2 and y = x / 2 + 3 of examples with a feature x, as heads of both kinds."""

    def parse(self, inputs):
        return tf.io.parse_example(inputs, {"x": tf.io.FixedLenFeature([1], tf.float32)})["x"]

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="inputs")])
    def classify(self, inputs):
        return {"scores": self.parse(inputs) / 2.0 + 2.0}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="inputs")])
    def regress(self, inputs):
        return {"outputs": self.parse(inputs) / 2.0 + 3.0}


def heads(folder, version):
    module = Heads()
    path = pathlib.Path(folder) / str(version)
    tf.saved_model.save(module, str(path), signatures={
        "classify": module.classify, "regress": module.regress})
    return path


class EveryType(tf.Module):
    """Each input twice, one behind the other, in every type that the v2 protocol has."""

    TYPES = {"BOOL": tf.bool, "UINT8": tf.uint8, "UINT16": tf.uint16, "UINT32": tf.uint32,
             "UINT64": tf.uint64, "INT8": tf.int8, "INT16": tf.int16, "INT32": tf.int32,
             "INT64": tf.int64, "FP16": tf.half, "BF16": tf.bfloat16, "FP32": tf.float32,
             "FP64": tf.float64, "BYTES": tf.string}

    def signature(self, datatype):
        @tf.function(input_signature=[tf.TensorSpec([None, 2], self.TYPES[datatype], name="x")])
        def double(x):
            return {"y": tf.concat([x, x], 0)}
        return double


def every_type(folder, version):
    module = EveryType()
    path = pathlib.Path(folder) / str(version)
    tf.saved_model.save(module, str(path), signatures={
        datatype: module.signature(datatype) for datatype in module.TYPES})
    return path
