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
    row("lookup_oov", TEXT, k.StringLookup(vocabulary=WORDS, num_oov_indices=3))
    row("lookup_invert", np.array([0, 1, 4, 7], np.int64), k.StringLookup(vocabulary=WORDS, invert=True))
    row("integer", IDS, k.IntegerLookup(vocabulary=NUMBERS))
    row("integer_oov", IDS, k.IntegerLookup(vocabulary=NUMBERS, num_oov_indices=2))
    row("integer_hot", IDS, k.IntegerLookup(vocabulary=NUMBERS, output_mode="multi_hot"))
    for mode in ("multi_hot", "count"):
        row(f"category_{mode}", RAW, k.CategoryEncoding(num_tokens=5, output_mode=mode))
    row("hashing", TEXT, k.Hashing(7))
    row("hashing_salt", TEXT, k.Hashing(7, salt=[133, 137]))
    row("hashing_int", IDS, k.Hashing(7))
    row("hashing_mask", TEXT, k.Hashing(7, mask_value=""))
    row("discretization", FLOATS, k.Discretization([-1., 0., 1.5]))
    normalization = k.Normalization()
    normalization.adapt(FLOATS)
    row("normalization", FLOATS, normalization)
    for name, options in (("", {}), ("_count", {"output_mode": "count"}),
                          ("_multi_hot", {"output_mode": "multi_hot"}),
                          ("_length", {"output_sequence_length": 5}), ("_lower", {"standardize": "lower"}),
                          ("_strip", {"standardize": "strip_punctuation"})):
        row(f"text{name}", LINES, k.TextVectorization(vocabulary=WORDS, **options))
    row("rescaling", IMAGES, k.Rescaling(1 / 127.5, offset=-1.))
    for method in ("bilinear", "nearest", "bicubic", "area", "lanczos3"):
        row(f"resizing_{method}", IMAGES, k.Resizing(5, 7, interpolation=method))
    row("resizing_crop", IMAGES, k.Resizing(5, 7, crop_to_aspect_ratio=True))
    if keras is tf.keras:  # Keras 2 makes an If of the images' size, which is control flow's to test
        row("center_crop", IMAGES, k.CenterCrop(4, 4))
        row("center_crop_up", IMAGES, k.CenterCrop(12, 12))
    return rows


def export(layer, x, folder):
    """Writes the SavedModel and gives TensorFlow's own answer to x."""
    module = tf.Module()
    module.layer = layer
    spec = tf.TensorSpec([None, *x.shape[1:]], tf.string if x.dtype == object else x.dtype, name="x")
    module.call = tf.function(lambda x: {"y": layer(x)}, input_signature=[spec])
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.call})
    loaded = tf.saved_model.load(str(folder))
    return loaded.signatures["serving_default"](x=tf.constant(x))["y"].numpy()
