"""Small networks of the layers that Keras spells out in many ops, of Keras 3 and of Keras 2: what the compiler's
passes look for, as exporters really write it."""
import numpy as np


def _dense(k, x):
    """Three dimensions: tensordot, GELU, layer normalisation."""
    x = k.layers.Dense(32, activation="gelu")(x)
    x = k.layers.LayerNormalization()(x)
    y = k.layers.Dense(16, activation="tanh")(x)
    return k.layers.Dense(8)(k.layers.Add()([y, k.layers.Dense(16)(x)]))


def _attention(k, x):
    y = k.layers.MultiHeadAttention(2, 8)(x, x)
    return k.layers.LayerNormalization(epsilon=1e-5)(k.layers.Add()([x, y]))


def _conv1d(k, x):
    x = k.layers.Conv1D(8, 3, activation="relu")(x)
    x = k.layers.MaxPooling1D()(x)
    x = k.layers.SeparableConv1D(8, 3, padding="same")(x)
    x = k.layers.BatchNormalization()(x)
    x = k.layers.Activation("swish")(x)
    return k.layers.GlobalAveragePooling1D()(x)


def _residual(k, x):
    """ResNet's block and MobileNet's, padded by hand; normalisation before the convolution."""
    y = k.layers.ZeroPadding2D(((0, 1), (0, 1)))(x)
    y = k.layers.DepthwiseConv2D(3, strides=2, use_bias=False)(y)
    y = k.layers.ReLU(6.0)(k.layers.BatchNormalization()(y))
    x = k.layers.Conv2D(6, 1, strides=2)(x)
    y = k.layers.Conv2D(6, 1, use_bias=False)(y)
    x = k.layers.ReLU()(k.layers.Add()([x, k.layers.BatchNormalization()(y)]))
    x = k.layers.MaxPooling2D(3, strides=2)(k.layers.ZeroPadding2D(1)(x))
    x = k.layers.LeakyReLU()(k.layers.BatchNormalization()(x))
    return k.layers.Dense(5, activation="softmax")(k.layers.Flatten()(k.layers.Conv2D(4, 2)(x)))


def _volume(k, x):
    x = k.layers.Conv3D(8, 3, activation="relu")(x)
    x = k.layers.BatchNormalization()(x)
    return k.layers.Dense(3, activation="sigmoid")(k.layers.Flatten()(x))


def _transposed(k, x):
    x = k.layers.Conv2DTranspose(8, 3, strides=2, activation="elu")(x)
    x = k.layers.GroupNormalization(4)(x)
    return k.layers.Dense(4)(k.layers.Reshape((-1, 8))(x))


# Name -> shape of an input, and what is made of it.
NETWORKS = {"dense": ((10, 16), _dense), "attention": ((10, 16), _attention), "conv1d": ((32, 4), _conv1d),
            "residual": ((12, 14, 6), _residual), "volume": ((6, 7, 8, 2), _volume),
            "transposed": ((5, 6, 4), _transposed)}


def export(keras, name, folder, batch=3):
    """Writes FOLDER/bundle, and images.f32 [batch,...]. Returns the inputs and TensorFlow's answer."""
    shape, make = NETWORKS[name]
    keras.utils.set_random_seed(3)
    rng = np.random.default_rng(3)
    inputs = keras.Input(shape)
    model = keras.Model(inputs, make(keras, inputs))
    for weight in model.weights:  # at their first values what folds them wrongly would go unseen
        value = weight.numpy()
        low = 0.5 if "variance" in weight.name else -0.5
        weight.assign(value + rng.uniform(low, 0.9, value.shape))
    x = rng.normal(size=(batch, *shape)).astype(np.float32)
    model.export(str(folder / "bundle"))
    x.tofile(folder / "images.f32")
    return x, model(x, training=False).numpy()
