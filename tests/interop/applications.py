"""Every family of keras.applications, as Keras exports it, with weights that nothing can hide behind.

Keras' trained weights are not there when tests run, and a deep network of random ones tells nothing: its answer is the
same for all images. So normalisations get the statistics of the images, other values than their first ones, and the
head is scaled until its logits spread as a trained network's do (_sharpen). That makes errors larger, not smaller: a
difference in the logits reaches the probabilities undamped, while a head of small weights would hide it.

    python3 applications.py FOLDER      writes FOLDER/again.f32: what the bundle answers in this process
"""
import pathlib
import sys

import keras
import numpy as np
import tensorflow as tf

# Name -> side of the images: the smallest that keeps all of the family's layers at work.
FAMILIES = {
    "VGG16": 64, "VGG19": 64, "ResNet50": 96, "ResNet101": 96, "ResNet50V2": 96, "ResNet101V2": 96, "InceptionV3": 96, "InceptionResNetV2": 96,
    "Xception": 96, "MobileNet": 96, "MobileNetV2": 96, "MobileNetV3Small": 96,
    "MobileNetV3Large": 96, "DenseNet121": 96, "NASNetMobile": 96, "EfficientNetB0": 96,
    "EfficientNetV2B0": 96, "ConvNeXtTiny": 96,
}
# Those that take 0..255, since scaling the images is part of the network.
BYTES = {"MobileNetV3Small", "MobileNetV3Large", "EfficientNetB0", "EfficientNetV2B0", "ConvNeXtTiny"}
CLASSES = 100  # enough: a head of 1000 is the same product, only larger on disk


def _images(name, batch, side, rng):
    """Smooth pictures that differ from each other, in the range that the family takes."""
    coarse = rng.uniform(0, 255, (batch, 4, 4, 3))
    images = tf.image.resize(coarse, (side, side)).numpy() + rng.normal(0, 20, (batch, side, side, 3))
    return (images if name in BYTES else images / 127.5 - 1).astype(np.float32)


def _calibrate(model, images):
    """Gives batch normalisations the statistics of `images`: without them the signal of a deep random network
    drowns in its biases, and any image gives the same answer."""
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    momenta = [layer.momentum for layer in norms]
    for layer in norms:
        layer.momentum = 0.0
    model(images, training=True)
    for layer, momentum in zip(norms, momenta):
        layer.momentum = momentum


def _randomise(model, rng):
    """Gives every normalisation parameters and statistics of its own: at their first values (1, 0, 0, 1) a
    compiler that folds them wrongly would go unseen."""
    for weight in model.weights:
        name, shape = weight.path.rsplit("/", 1)[-1], weight.shape
        if name == "gamma":
            weight.assign(rng.uniform(0.7, 1.3, shape))
        elif name in ("beta", "bias"):
            weight.assign(rng.normal(0, 0.1, shape))
        elif model.name in ("vgg16", "vgg19"):  # nothing normalises: He's scale carries the signal through
            weight.assign(weight * np.sqrt(2))
        elif name == "variance":  # of a Normalization layer
            weight.assign(rng.uniform(0.5, 1.5, shape))
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            mean, variance = layer.moving_mean.numpy(), layer.moving_variance.numpy()
            # Where a channel hardly varies, dividing by its deviation would blow up TensorFlow's own rounding.
            layer.moving_variance.assign(variance * rng.uniform(0.7, 1.3, variance.shape) + 0.25 * mean**2)
            layer.moving_mean.assign(mean + rng.normal(0, 0.1, mean.shape) * np.sqrt(variance))


def _sharpen(model, images):
    """Scales and centres the head until the answers are decided by the image: of a hundred classes all near 0.01,
    or of one that always wins, everything is equal. What the images have in common stays small enough to be taken
    away again without losing the digits that are compared."""
    head = next(layer for layer in reversed(model.layers) if layer.weights)
    head.set_weights([w * 1e-3 for w in head.get_weights()])
    logits = np.log(model(images, training=False).numpy())
    common = logits.mean(0)
    scale = min(0.7 / (logits - common).std(), 6 / common.std())
    kernel, bias = (w * scale for w in head.get_weights())
    head.set_weights([kernel, bias - (common - common.mean()) * scale])


def export(name, folder, batch=2, side=None):
    """Writes FOLDER/bundle, images.f32 [batch,side,side,3] and probabilities.f32 [batch,CLASSES] as TensorFlow has
    them. Returns folder, images and probabilities."""
    side = side or FAMILIES[name]
    keras.utils.set_random_seed(7)
    rng = np.random.default_rng(7)
    model = getattr(keras.applications, name)(weights=None, input_shape=(side, side, 3), classes=CLASSES)
    images = _images(name, 4, side, rng)
    _calibrate(model, images)
    _randomise(model, rng)
    _sharpen(model, images)
    images = images[:batch]
    folder = pathlib.Path(folder)
    model.export(str(folder / "bundle"), verbose=False)
    probabilities = model(images, training=False).numpy()
    images.tofile(folder / "images.f32")
    probabilities.astype(np.float32).tofile(folder / "probabilities.f32")
    keras.backend.clear_session()
    return images, probabilities


def answer_again(folder):
    """The bundle's own answer, read from disk as any user of TensorFlow would."""
    folder = pathlib.Path(folder)
    signature = tf.saved_model.load(str(folder / "bundle")).signatures["serving_default"]
    spec = next(iter(signature.structured_input_signature[1].values()))
    images = np.fromfile(folder / "images.f32", np.float32).reshape([-1, *spec.shape[1:]])
    (answer,) = signature(**{spec.name: tf.constant(images)}).values()
    answer.numpy().tofile(folder / "again.f32")


if __name__ == "__main__":
    answer_again(sys.argv[1])
