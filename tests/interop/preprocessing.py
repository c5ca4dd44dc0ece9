"""What Keras makes of its preprocessing layers: a table of layers and what to ask them.

Each row: name, a function that makes the layer, inputs for it. Layers are exported in a tf.function
of their own, in a SavedModel as `serving_default`: x -> y.
"""
import numpy as np
import tensorflow as tf

WORDS = ["apple", "pear", "plum", "fig"]
NUMBERS = [3, 5, 9]
TEXT = np.array([[b"pear", b"fig", b"pear"], [b"what?", b"", b"apple"]], object)
LINES = np.array([b"Apple, PEAR: plum!", b"", b"  fig\tfig  unknown word ", b"pear"], object)
IDS = np.array([[3, 9, 3], [4, -1, 5]], np.int64)
RAW = np.array([[0, 4, 1], [2, 2, 2]], np.int64)
FLOATS = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32) * 2
IMAGES = np.random.default_rng(1).uniform(0, 255, (2, 9, 6, 3)).astype(np.float32)


def layers(keras):
    """[(name, layer, input)] of one Keras: tf.keras or tf_keras."""
    k = keras.layers
    rows = []

    def row(name, x, layer):
        rows.append((name, layer, x))

    for mode in ("int", "multi_hot", "count", "tf_idf"):
        weights = {"idf_weights": [.5, .6, .7, .8]} if mode == "tf_idf" else {}
        row(f"lookup_{mode}", TEXT, k.StringLookup(vocabulary=WORDS, output_mode=mode, **weights))
    row("lookup_one_hot", TEXT[0], k.StringLookup(vocabulary=WORDS, output_mode="one_hot"))
    for mode in ("int", "multi_hot", "count"):
        row(f"lookup_{mode}_two_oov", TEXT, k.StringLookup(vocabulary=WORDS, output_mode=mode, num_oov_indices=2))
    row("lookup_mask", TEXT, k.StringLookup(vocabulary=WORDS, mask_token=""))
    row("lookup_mask_two_oov", TEXT, k.StringLookup(vocabulary=WORDS, mask_token="", num_oov_indices=2))
    row("lookup_no_oov", TEXT[0], k.StringLookup(vocabulary=WORDS, num_oov_indices=0))
    row("lookup_oov", TEXT, k.StringLookup(vocabulary=WORDS, num_oov_indices=3))
    row("lookup_invert", np.array([0, 1, 4, 7], np.int64), k.StringLookup(vocabulary=WORDS, invert=True))
    row("integer", IDS, k.IntegerLookup(vocabulary=NUMBERS))
    row("integer_oov", IDS, k.IntegerLookup(vocabulary=NUMBERS, num_oov_indices=2))
    row("integer_hot", IDS, k.IntegerLookup(vocabulary=NUMBERS, output_mode="multi_hot"))
    row("integer_mask", IDS, k.IntegerLookup(vocabulary=NUMBERS, mask_token=0))
    row("integer_invert", np.arange(4, dtype=np.int64), k.IntegerLookup(vocabulary=NUMBERS, invert=True))
    row("integer_count", IDS, k.IntegerLookup(vocabulary=NUMBERS, output_mode="count"))
    row("integer_tf_idf", IDS, k.IntegerLookup(vocabulary=NUMBERS, output_mode="tf_idf", idf_weights=[.1, .2, .3]))
    row("category_one_hot", RAW[:, :1], k.CategoryEncoding(num_tokens=5, output_mode="one_hot"))
    for mode in ("multi_hot", "count"):
        row(f"category_{mode}", RAW, k.CategoryEncoding(num_tokens=5, output_mode=mode))
    row("hashing", TEXT, k.Hashing(7))
    row("hashing_salt", TEXT, k.Hashing(7, salt=[133, 137]))
    row("hashing_int", IDS, k.Hashing(7))
    row("hashing_mask", TEXT, k.Hashing(7, mask_value=""))
    row("hashing_one_hot", TEXT[:, :1], k.Hashing(7, output_mode="one_hot"))
    row("discretization", FLOATS, k.Discretization([-1., 0., 1.5]))
    for mode in ("multi_hot", "count"):
        row(f"hashing_{mode}", TEXT, k.Hashing(7, output_mode=mode))
        row(f"discretization_{mode}", FLOATS, k.Discretization([-1., 0., 1.5], output_mode=mode))
    normalization = k.Normalization()
    normalization.adapt(FLOATS)
    row("normalization", FLOATS, normalization)
    moments = {"mean": [1., 2., 3.], "variance": [2., 3., 4.]}
    row("normalization_given", FLOATS, k.Normalization(**moments))
    row("normalization_invert", FLOATS, k.Normalization(invert=True, **moments))
    row("normalization_scalar", FLOATS, k.Normalization(axis=None, mean=1., variance=2.))
    for name, options in (("", {}), ("_count", {"output_mode": "count"}),
                          ("_multi_hot", {"output_mode": "multi_hot"}),
                          ("_length", {"output_sequence_length": 5}), ("_lower", {"standardize": "lower"}),
                          ("_strip", {"standardize": "strip_punctuation"})):
        row(f"text{name}", LINES, k.TextVectorization(vocabulary=WORDS, **options))
    pairs = WORDS + ["unknown word", "fig unknown"]
    for name, ngrams in (("2", 2), ("1_2", (1, 2)), ("2_3", (2, 3))):
        row(f"text_ngrams_{name}", LINES, k.TextVectorization(vocabulary=pairs, ngrams=ngrams))
    row("text_ngrams_count", LINES, k.TextVectorization(vocabulary=pairs, ngrams=2, output_mode="count"))
    row("text_tf_idf", LINES, k.TextVectorization(vocabulary=WORDS, output_mode="tf_idf", idf_weights=[.5, .6, .7, .8]))
    row("text_characters", LINES, k.TextVectorization(vocabulary=list("aelp"), split="character"))
    row("text_whole", LINES, k.TextVectorization(vocabulary=WORDS, split=None))
    row("text_padded", LINES, k.TextVectorization(vocabulary=WORDS, output_mode="multi_hot", max_tokens=9,
                                                  pad_to_max_tokens=True))
    row("rescaling", IMAGES, k.Rescaling(1 / 127.5, offset=-1.))
    for method in ("bilinear", "nearest", "bicubic", "area", "lanczos3"):
        row(f"resizing_{method}", IMAGES, k.Resizing(5, 7, interpolation=method))
    row("resizing_crop", IMAGES, k.Resizing(5, 7, crop_to_aspect_ratio=True))
    row("center_crop", IMAGES, k.CenterCrop(4, 4))  # Keras 2 makes an If of the images' size
    row("center_crop_up", IMAGES, k.CenterCrop(12, 12))
    row("center_crop_mixed", IMAGES, k.CenterCrop(4, 12))
    return rows


def tabular(keras):
    """A model of a table's columns, each through its own layer, and inputs for it."""
    k = keras.layers
    keras.utils.set_random_seed(3)
    age, fruit, text = (keras.Input((1,), dtype=t, name=n) for t, n in
                        (("float32", "age"), ("string", "fruit"), ("string", "text")))
    shop = keras.Input((1,), dtype="int64", name="shop")
    bins = k.Discretization([18., 40., 65.])(age)
    words = k.StringLookup(vocabulary=WORDS, output_mode="one_hot")(fruit)
    crossed = k.HashedCrossing(11, output_mode="one_hot")((bins, k.Hashing(5)(fruit)))
    columns = [
        k.Normalization(axis=None, mean=40., variance=100.)(age),
        k.CategoryEncoding(num_tokens=4, output_mode="one_hot")(bins),
        words,
        crossed,
        k.Flatten()(k.Embedding(5, 3)(k.StringLookup(vocabulary=WORDS)(fruit))),
        k.IntegerLookup(vocabulary=NUMBERS, num_oov_indices=2, output_mode="one_hot")(shop),
        k.Flatten()(k.TextVectorization(vocabulary=WORDS, output_mode="count", ngrams=2)(text)),
    ]
    hidden = k.Dense(8, activation="relu")(k.Concatenate()(columns))
    model = keras.Model([age, fruit, shop, text], k.Dense(2, activation="softmax")(hidden))
    inputs = {"age": np.float32([[17], [40], [70.5]]), "fruit": np.array([[b"pear"], [b"?"], [b"fig"]], object),
              "shop": np.array([[3], [4], [9]], np.int64),
              "text": np.array([[b"Pear, apple"], [b""], [b"fig fig plum x"]], object)}
    return model, inputs


def text_classifier(keras, kind):
    """A classifier of lines of text, and lines for it: `kind` is how words become one vector. The mean of
    a line without words is NaN where they are masked, and stays so: after relu TensorFlow has 0 or NaN,
    as its rewriter fuses or not."""
    k = keras.layers
    keras.utils.set_random_seed(4)
    line = keras.Input((), dtype="string", name="line")
    ids = k.TextVectorization(vocabulary=WORDS, output_sequence_length=6)(line)
    masked = k.Embedding(len(WORDS) + 2, 5, mask_zero=kind.endswith("_masked"))(ids)
    vector = k.LSTM(7)(masked) if kind.startswith("lstm") else k.GlobalAveragePooling1D()(masked)
    model = keras.Model(line, k.Dense(3, activation="softmax")(k.Dense(4, activation="tanh")(vector)))
    return model, {"line": LINES}


def export(layer, x, folder):
    """Writes the SavedModel and gives TensorFlow's own answer to x."""
    module = tf.Module()
    module.layer = layer
    spec = tf.TensorSpec([None, *x.shape[1:]], tf.string if x.dtype == object else x.dtype, name="x")
    module.call = tf.function(lambda x: {"y": layer(x)}, input_signature=[spec])
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.call})
    loaded = tf.saved_model.load(str(folder))
    return loaded.signatures["serving_default"](x=tf.constant(x))["y"].numpy()
