"""Bundles of both families, written by TensorFlow in the ways that people have written them, against TensorFlow's own
answers: digit-server loads each and is asked what the cases ask for."""
import subprocess

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

v1 = tf.compat.v1


def ask(server, signature, inputs):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "m"
    request.model_spec.signature_name = signature
    for alias, value in inputs.items():
        request.inputs[alias].CopyFrom(tf.make_tensor_proto(value))
    with grpc.insecure_channel(f"localhost:{server.port}") as channel:
        reply = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request, 60)
    return {alias: tf.make_ndarray(value) for alias, value in reply.outputs.items()}


def ask_v1(bundle, tags, cases):
    """What TensorFlow's loader of TF1 answers, in one session."""
    with v1.Session(graph=tf.Graph()) as session:
        meta = v1.saved_model.load(session, tags, str(bundle))
        for signature, inputs in cases:
            definition = meta.signature_def[signature]
            yield session.run({k: info.name for k, info in definition.outputs.items()},
                              {definition.inputs[k].name: v for k, v in inputs.items()})


def compare(got, wanted):
    assert got.keys() == wanted.keys()
    for alias, value in wanted.items():
        value = np.asarray(value)
        if value.dtype.kind in "fc":
            np.testing.assert_allclose(got[alias], value, rtol=1e-5, atol=1e-6)
        else:
            np.testing.assert_array_equal(got[alias], value.astype(got[alias].dtype))


def signature(inputs, outputs, method="tensorflow/serving/predict"):
    info = v1.saved_model.utils.build_tensor_info
    return v1.saved_model.signature_def_utils.build_signature_def(
        {k: info(v) for k, v in inputs.items()}, {k: info(v) for k, v in outputs.items()}, method)


def save(path, session, signatures, tags=("serve",), **options):
    builder = v1.saved_model.builder.SavedModelBuilder(str(path))
    builder.add_meta_graph_and_variables(session, list(tags), signature_def_map=signatures, **options)
    builder.save()


X = np.linspace(-2, 2, 12, dtype=np.float32).reshape(3, 4)

# ---- TF1 -----------------------------------------------------------------------------------------
# Each writes its bundle and returns the cases, [(signature, inputs)].


def references(path):
    """VariableV2, simple_save."""
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 4], "x")
        w = v1.get_variable("w", [4, 3], initializer=v1.random_normal_initializer(seed=1), use_resource=False)
        b = v1.get_variable("b", [3], initializer=v1.ones_initializer(), use_resource=False)
        v1.get_variable("global_step", [], tf.int64, initializer=v1.zeros_initializer(), use_resource=False)
        session.run(v1.global_variables_initializer())
        v1.saved_model.simple_save(session, str(path), {"x": x}, {"y": tf.nn.relu(x @ w + b)})
    return [("serving_default", {"x": X})]


def resources(path):
    """VarHandleOp in a graph of TF1."""
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 4], "x")
        w = v1.get_variable("w", [4, 3], initializer=v1.random_normal_initializer(seed=2), use_resource=True)
        session.run(v1.global_variables_initializer())
        save(path, session, {"serving_default": signature({"x": x}, {"y": x @ w})})
    return [("serving_default", {"x": X})]


def partitioned(path):
    """A variable that lies in the checkpoint as slices of one tensor."""
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.int64, [None], "x")
        with v1.variable_scope("", partitioner=v1.fixed_size_partitioner(3)):
            table = v1.get_variable("table", [10, 4], initializer=v1.random_normal_initializer(seed=3),
                                    use_resource=False)
        session.run(v1.global_variables_initializer())
        rows = tf.gather(tf.convert_to_tensor(table), x)
        save(path, session, {"serving_default": signature({"x": x}, {"rows": rows})})
    return [("serving_default", {"x": np.array([9, 0, 4, 3])})]


def assigned(path):
    """References that are handed on: AssignAdd of what Assign gives, and its value as an output."""
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [], "x")
        total = v1.get_variable("total", [], initializer=v1.zeros_initializer(), use_resource=False)
        session.run(v1.global_variables_initializer())
        twice = v1.assign_add(v1.assign_add(total, x), x)
        reset = v1.assign(total, x)
        save(path, session, {"add": signature({"x": x}, {"total": twice}),
                             "reset": signature({"x": x}, {"total": tf.identity(reset)})})
    return [("add", {"x": np.float32(2)}), ("add", {"x": np.float32(3)}), ("reset", {"x": np.float32(7)}),
            ("add", {"x": np.float32(1)})]


def reshaped(path):
    """validate_shape=False: a variable whose shape only its value tells."""
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 4], "x")
        b = v1.get_variable("b", initializer=v1.placeholder_with_default(tf.ones([4]), None), validate_shape=False,
                            use_resource=False)
        session.run(v1.global_variables_initializer())
        save(path, session, {"serving_default": signature({"x": x}, {"y": x + b})})
    return [("serving_default", {"x": X})]


def interior(path):
    """Signatures that are fed in the middle of the graph, at what others compute."""
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 4], "x")
        w = v1.get_variable("w", [4, 2], initializer=v1.random_normal_initializer(seed=4))
        hidden = tf.tanh(x, name="hidden")
        y = hidden @ w
        session.run(v1.global_variables_initializer())
        save(path, session, {"whole": signature({"x": x}, {"y": y}), "tail": signature({"h": hidden}, {"y": y})})
    return [("whole", {"x": X}), ("tail", {"h": X})]


def vocabulary(path, legacy):
    """A table from an asset, made by the main op or by the one that came before it."""
    words = path.parent / "words.txt"
    words.write_text("ant\nbee\ncat\n")
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.string, [None], "x")
        table = tf.lookup.StaticVocabularyTable(tf.lookup.TextFileInitializer(
            str(words), tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER), 2)
        scale = v1.get_variable("scale", [], tf.int64, initializer=v1.constant_initializer(10))
        ids = table.lookup(x) * scale
        session.run([v1.global_variables_initializer(), v1.tables_initializer()])
        init = v1.tables_initializer()
        if legacy:
            v1.add_to_collection("legacy_init_op", init)
        save(path, session, {"serving_default": signature({"x": x}, {"ids": ids})},
             assets_collection=v1.get_collection(v1.GraphKeys.ASSET_FILEPATHS), main_op=None if legacy else init)
    words.unlink()
    return [("serving_default", {"x": np.array([b"cat", b"ant", b"dog"])})]


def estimator(path):
    """As an Estimator exports: Examples in, parsed in the graph; signatures for each method."""
    with tf.Graph().as_default(), v1.Session() as session:
        serialized = v1.placeholder(tf.string, [None], "input_example_tensor")
        features = v1.parse_example(serialized, {"a": tf.io.FixedLenFeature([2], tf.float32),
                                                 "b": tf.io.FixedLenFeature([1], tf.float32, [0.5])})
        w = v1.get_variable("w", [3, 2], initializer=v1.random_normal_initializer(seed=5))
        logits = tf.concat([features["a"], features["b"]], 1) @ w
        session.run(v1.global_variables_initializer())
        labels = tf.tile(tf.constant(["no", "yes"])[None], [tf.shape(serialized)[0], 1])
        save(path, session, {
            "serving_default": signature({"inputs": serialized}, {"classes": labels, "scores": tf.nn.softmax(logits)},
                                         "tensorflow/serving/classify"),
            "predict": signature({"examples": serialized}, {"logits": logits,
                                                            "class_ids": tf.argmax(logits, 1)})})

    def example(**values):
        return tf.train.Example(features=tf.train.Features(feature={
            k: tf.train.Feature(float_list=tf.train.FloatList(value=v)) for k, v in values.items()})).SerializeToString()

    examples = np.array([example(a=[1, 2], b=[3]), example(a=[-1, 0.5])])
    return [("predict", {"examples": examples}), ("serving_default", {"inputs": examples})]


TF1 = {
    "references": references, "resources": resources, "partitioned": partitioned, "assigned": assigned,
    "reshaped": reshaped, "interior": interior, "main_op": lambda path: vocabulary(path, False),
    "legacy_init_op": lambda path: vocabulary(path, True), "estimator": estimator,
}


@pytest.mark.parametrize("name", TF1)
def test_tf1(name, start_server, tmp_path):
    bundle = tmp_path / "m" / "1"
    bundle.parent.mkdir()
    cases = TF1[name](bundle)
    wanted = list(ask_v1(bundle, ["serve"], cases))
    server = start_server("m", bundle.parent)
    for (name_, inputs), answer in zip(cases, wanted):
        compare(ask(server, name_, inputs), answer)
    assert server.stop() == 0


def test_tags(start_server, tmp_path):
    """Two MetaGraphs over one checkpoint: each has its tags."""
    bundle = tmp_path / "m" / "1"
    bundle.parent.mkdir()
    builder = v1.saved_model.builder.SavedModelBuilder(str(bundle))
    for k, tags in enumerate((["train"], ["serve", "gpu"], ["serve"])):
        with tf.Graph().as_default(), v1.Session() as session:
            x = v1.placeholder(tf.float32, [None], "x")
            w = v1.get_variable("w", [], initializer=v1.constant_initializer(3.0))
            session.run(v1.global_variables_initializer())
            signatures = {"serving_default": signature({"x": x}, {"y": x * w + k})}
            if k == 0:
                builder.add_meta_graph_and_variables(session, tags, signature_def_map=signatures)
            else:
                builder.add_meta_graph(tags, signature_def_map=signatures)
    builder.save()
    server = start_server("m", bundle.parent)
    compare(ask(server, "", {"x": np.float32([1, 2])}), {"y": np.float32([5, 8])})
    assert server.stop() == 0


# ---- TF2 -----------------------------------------------------------------------------------------


class Nested(tf.Module):
    """Captured resources of several kinds, some in a module within; one is used and not tracked."""

    def __init__(self):
        super().__init__()
        self.scale = tf.Variable([1.0, 2.0, 3.0, 4.0])
        self.inner = tf.Module()
        self.inner.shift = tf.Variable(0.5)
        self.unused = tf.Variable(tf.zeros([1000]))
        self.table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer([b"a", b"b"], tf.constant([1, 2], tf.int64)), -1)

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, "x")])
    def scaled(self, x):
        return {"y": x * self.scale + self.inner.shift}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "words")])
    def look_up(self, words):
        return {"ids": self.table.lookup(words)}

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, "x"), tf.TensorSpec([], tf.float32, "factor")])
    def by(self, x, factor):
        return {"y": self.scaled(x)["y"] * factor}


def module(path):
    nested = Nested()
    tf.saved_model.save(nested, str(path), signatures={"scaled": nested.scaled, "look_up": nested.look_up,
                                                       "by": nested.by})
    return [("scaled", {"x": X}), ("look_up", {"words": np.array([b"b", b"c"])}),
            ("by", {"x": X, "factor": np.float32(3)})]


def network(keras):
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(8, "relu"),
                              keras.layers.BatchNormalization(), keras.layers.Dense(3, "softmax")])
    model.compile("adam", "mse")
    model.fit(X, np.eye(3, dtype=np.float32), epochs=2, verbose=0)  # an optimizer has slots
    return model


def keras2(path):
    tf_keras = pytest.importorskip("tf_keras")
    network(tf_keras).save(str(path), save_format="tf")
    return [("serving_default", None)]


def keras3_export(path):
    import keras
    network(keras).export(str(path), verbose=False)
    return [("serving_default", None), ("serve", None)]


TF2 = {"module": module, "keras2": keras2, "keras3_export": keras3_export}


@pytest.mark.parametrize("name", TF2)
def test_tf2(name, start_server, tmp_path):
    bundle = tmp_path / "m" / "1"
    bundle.parent.mkdir()
    cases = TF2[name](bundle)
    loaded = tf.saved_model.load(str(bundle))
    server = start_server("m", bundle.parent)
    for signature_name, inputs in cases:
        function = loaded.signatures[signature_name]
        if inputs is None:  # Keras chooses the name
            inputs = dict.fromkeys(function.structured_input_signature[1], X)
        wanted = function(**{k: tf.constant(v) for k, v in inputs.items()})
        compare(ask(server, signature_name, inputs), {k: v.numpy() for k, v in wanted.items()})
    assert server.stop() == 0


# ---- bundles that are broken ---------------------------------------------------------------------


def inspect(build, bundle):
    """digit-inspect's one line about a bundle that does not load."""
    done = subprocess.run([build / "inspect/digit-inspect", bundle], text=True, capture_output=True)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    return done.stderr


def test_not_restored(build, tmp_path):
    """tf.saved_model.save of a Keras 3 model: its restore function gives values to other variables than its signature
    reads. TensorFlow's loader runs that function and fails at the first request; Digit says so when it loads."""
    import keras
    tf.saved_model.save(network(keras), str(tmp_path / "1"))
    with pytest.raises(tf.errors.FailedPreconditionError, match="Could not find variable"):
        list(ask_v1(tmp_path / "1", ["serve"], [("serving_default", {"inputs": X})]))
    text = inspect(build, tmp_path / "1")
    assert "signature 'serving_default'" in text and "kernel: the variable was never assigned" in text


def test_missing_shard(build, tmp_path):
    """Nobody reads the optimizer's slots, but a checkpoint that is not whole is not served."""
    bundle = tmp_path / "1"
    keras3_export(bundle)
    shard = next((bundle / "variables").glob("*.data-*"))
    shard.write_bytes(shard.read_bytes()[:-8])
    text = inspect(build, bundle)
    assert shard.name in text and "too few for" in text
