"""What an Estimator's serving graph makes of serialized tf.Examples: ParseExample, feature columns, an
input layer, exported as a TF1 SavedModel `serving_default`: examples -> y.
"""
import numpy as np
import tensorflow as tf

fc = tf.compat.v1.feature_column
v1 = tf.compat.v1


def example(**features):
    e = tf.train.Example()
    for name, values in features.items():
        f = e.features.feature[name]
        if isinstance(values[0], bytes):
            f.bytes_list.value.extend(values)
        elif isinstance(values[0], float):
            f.float_list.value.extend(values)
        else:
            f.int64_list.value.extend(values)
    return e.SerializeToString()


EXAMPLES = np.array([
    example(age=[31.], fruit=[b"pear"], tags=[b"a", b"b", b"zz"], shop=[3], size=[1., 2.]),
    example(age=[62.], fruit=[b"fig"], shop=[9], size=[3., 4.]),
    example(age=[7.5], fruit=[b"?"], tags=[b"b"], shop=[4], size=[5., 6.]),
], object)


def columns(vocabulary_path):
    """[(name, feature columns)]; one reads a vocabulary file, which is written."""
    vocabulary_path.write_text("a\nb\nc\n")
    age, size = fc.numeric_column("age"), fc.numeric_column("size", 2, normalizer_fn=lambda x: x / 2)
    ages = fc.bucketized_column(age, [10., 40.])
    fruit = fc.categorical_column_with_vocabulary_list("fruit", ["pear", "fig", "plum"])
    tags = fc.categorical_column_with_hash_bucket("tags", 10)
    shop = fc.categorical_column_with_identity("shop", 12)
    file = fc.categorical_column_with_vocabulary_file("tags", str(vocabulary_path), 3, num_oov_buckets=2)
    crossed = fc.crossed_column(["fruit", ages], 20)
    rows = [("numeric", [age, size]), ("bucketized", [ages])]
    for name, column in (("vocabulary", fruit), ("hashed", tags), ("identity", shop), ("file", file),
                         ("crossed", crossed), ("crossed_three", fc.crossed_column(["fruit", "tags", ages], 30)),
                         ("weighted", fc.weighted_categorical_column(shop, "age"))):
        rows.append((f"indicator_{name}", [fc.indicator_column(column)]))
    for combiner in ("mean", "sqrtn", "sum"):
        rows.append((f"embedding_{combiner}", [fc.embedding_column(tags, 3, combiner)]))
    rows.append(("embedding_weighted", [fc.embedding_column(fc.weighted_categorical_column(shop, "age"), 2)]))
    rows.append(("embedding_two", [fc.embedding_column(fruit, 4), fc.embedding_column(file, 2)]))
    return rows + [("together", [age, ages, fc.indicator_column(tags), fc.indicator_column(crossed)])]


def export(columns, folder):
    """Writes the SavedModel and gives TensorFlow's own answer to EXAMPLES."""
    with tf.Graph().as_default(), v1.Session() as session:
        v1.set_random_seed(1)
        serialized = v1.placeholder(tf.string, [None])
        y = fc.input_layer(tf.io.parse_example(serialized, fc.make_parse_example_spec(columns)), columns)
        session.run([v1.global_variables_initializer(), v1.tables_initializer()])
        builder = v1.saved_model.Builder(str(folder))
        signature = v1.saved_model.predict_signature_def({"examples": serialized}, {"y": y})
        builder.add_meta_graph_and_variables(session, ["serve"], {"serving_default": signature},
                                             main_op=v1.tables_initializer())
        builder.save()
        return session.run(y, {serialized: EXAMPLES})
