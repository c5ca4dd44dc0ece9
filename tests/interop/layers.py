"""A table of Keras's layers by family, each with an input; and the SavedModel that has one signature
for each layer of a family."""
import numpy as np
import tensorflow as tf

K = tf.keras.layers
RNG = np.random.default_rng(0)
ACTIVATIONS = """celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu linear log_sigmoid
    log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus sparse_sigmoid
    sparsemax squareplus swish tanh tanh_shrink threshold""".split()


def floats(*shape, low=-2.0, high=2.0):
    return RNG.uniform(low, high, shape).astype(np.float32)


def activations():
    x = floats(3, 8, low=-4, high=4)
    for name in ACTIVATIONS:
        if name == "threshold":
            yield name, K.Lambda(lambda x: tf.keras.activations.threshold(x, 0.5, -1.0)), x
        else:
            yield name, K.Activation(name), x
    yield "gelu_tanh", K.Lambda(lambda x: tf.keras.activations.gelu(x, approximate=True)), x
    yield "prelu", K.PReLU(alpha_initializer="uniform"), x
    yield "prelu_shared", K.PReLU(alpha_initializer="uniform", shared_axes=[1, 2]), floats(2, 3, 4, 5)
    yield "relu_layer", K.ReLU(max_value=1.5, negative_slope=0.1, threshold=0.25), x
    yield "softmax_axis", K.Softmax(axis=1), floats(2, 3, 4)
    for layer in (K.LeakyReLU(negative_slope=0.2), K.ELU(alpha=0.5)):
        yield layer.name, layer, x


def convolutions():
    line, image, volume = floats(2, 12, 4), floats(2, 9, 8, 4), floats(1, 5, 6, 7, 4)
    inputs = {1: line, 2: image, 3: volume}
    forms = {"same": {"padding": "same"}, "valid": {}, "strides": {"strides": 2, "padding": "same"},
             "dilation": {"dilation_rate": 2}, "dilation_same": {"dilation_rate": 2, "padding": "same"}}
    for n, x in inputs.items():
        for form, options in forms.items():
            yield f"conv{n}d_{form}", getattr(K, f"Conv{n}D")(5, 3 if n < 3 else 2, activation="relu", **options), x
            if form.startswith("dilation"):
                continue
            yield f"conv{n}d_transpose_{form}", getattr(K, f"Conv{n}DTranspose")(3, 3, **options), x
        if n < 3:
            for form, options in forms.items():
                yield f"separable{n}d_{form}", getattr(K, f"SeparableConv{n}D")(5, 3, depth_multiplier=2, **options), x
                yield f"depthwise{n}d_{form}", getattr(K, f"DepthwiseConv{n}D")(3, depth_multiplier=2, **options), x
            yield f"conv{n}d_groups", getattr(K, f"Conv{n}D")(6, 3, groups=2), x
    yield "conv1d_causal", K.Conv1D(3, 3, padding="causal", dilation_rate=2), line
    yield "conv2d_rectangle", K.Conv2D(3, (1, 5), strides=(2, 1), padding="same", use_bias=False), image
    yield "conv3d_strides", K.Conv3D(3, (2, 3, 1), strides=(2, 2, 2)), volume
    yield "conv2d_transpose_output_padding", K.Conv2DTranspose(3, 3, strides=2, output_padding=1), image
    for n in (1, 2, 3):
        yield f"upsampling{n}d", getattr(K, f"UpSampling{n}D")(2), inputs[n]
        yield f"zero_padding{n}d", getattr(K, f"ZeroPadding{n}D")(2), inputs[n]
        yield f"cropping{n}d", getattr(K, f"Cropping{n}D")(1), inputs[n]
    for method in ("bilinear", "bicubic"):
        yield f"upsampling2d_{method}", K.UpSampling2D((2, 3), interpolation=method), image
    yield "conv_norm", tf.keras.Sequential([K.Conv3D(3, 2), trained(K.BatchNormalization(), floats(1, 4, 5, 6, 3)), K.ReLU()]), volume


def pools():
    inputs = {1: floats(2, 9, 3), 2: floats(2, 8, 7, 3), 3: floats(1, 6, 5, 4, 3)}
    for n, x in inputs.items():
        for kind in ("Max", "Average"):
            for padding in ("valid", "same"):
                for strides in (None, 1):
                    layer = getattr(K, f"{kind}Pooling{n}D")(2 if strides is None else 3, strides=strides, padding=padding)
                    yield f"{kind.lower()}{n}d_{padding}_{strides}", layer, x
            for keep in (False, True):
                yield f"global_{kind.lower()}{n}d_{keep}", getattr(K, f"Global{kind}Pooling{n}D")(keepdims=keep), x
            adaptive = getattr(K, f"Adaptive{kind}Pooling{n}D", None)
            if adaptive is not None:
                yield f"adaptive_{kind.lower()}{n}d", adaptive(2), x


def trained(layer, x):
    """The layer with moving statistics that are not those it begins with."""
    for _ in range(3):
        layer(x, training=True)
    return layer


def normalisations():
    x, image, volume = floats(4, 6), floats(2, 4, 5, 6), floats(2, 3, 4, 5, 6)
    for name, value in (("2", x), ("4", image), ("5", volume), ("3", floats(2, 5, 6))):
        yield f"batch_{name}", trained(K.BatchNormalization(), value), value
        yield f"layer_{name}", K.LayerNormalization(), value
        yield f"unit_{name}", K.UnitNormalization(), value
        yield f"rms_{name}", K.RMSNormalization(), value
        yield f"group_{name}", K.GroupNormalization(groups=3), value
    yield "batch_axis", trained(K.BatchNormalization(axis=1), image), image
    yield "batch_bare", trained(K.BatchNormalization(center=False, scale=False), image), image
    yield "layer_axes", K.LayerNormalization(axis=[1, 2]), image
    yield "group_instance", K.GroupNormalization(groups=-1), image
    yield "spectral", trained(K.SpectralNormalization(K.Conv2D(3, 2)), image), image
    normalization = K.Normalization()
    normalization.adapt(x)
    yield "normalization", normalization, x
    yield "rescaling", K.Rescaling(1 / 127.5, offset=-1.0), image


def functional(*shape, make):
    inputs = tf.keras.Input(shape)
    return tf.keras.Model(inputs, make(inputs))


def core():
    x, words = floats(3, 6), RNG.integers(0, 11, (2, 5)).astype(np.int32)
    sequence, image = floats(2, 5, 4), floats(2, 4, 6, 3)
    yield "dense", K.Dense(5, activation="tanh"), x
    yield "dense_3", K.Dense(5, use_bias=False), sequence
    yield "einsum_dense", K.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="de"), sequence
    yield "embedding", K.Embedding(11, 3), words
    yield "embedding_mask", tf.keras.Sequential([K.Embedding(11, 3, mask_zero=True), K.GlobalAveragePooling1D()]), words
    yield "flatten", K.Flatten(), image
    yield "reshape", K.Reshape((3, -1)), image
    yield "permute", K.Permute((3, 1, 2)), image
    yield "repeat", K.RepeatVector(3), x
    yield "masking", K.Masking(0.0), sequence
    yield "time_distributed", K.TimeDistributed(K.Dense(3)), sequence
    yield "dropout", K.Dropout(0.5), x
    yield "gaussian_noise", K.GaussianNoise(0.5), x
    yield "spatial_dropout", K.SpatialDropout2D(0.5), image
    for name in ("Add", "Multiply", "Subtract", "Average", "Maximum", "Minimum", "Concatenate"):
        yield name.lower(), functional(6, make=lambda x, n=name: getattr(K, n)()([x, K.Dense(6)(x)])), x
    yield "dot", functional(6, make=lambda x: K.Dot(axes=1, normalize=True)([x, K.Dense(6)(x)])), x


def attention():
    x = floats(2, 5, 8)
    yield "multi_head", functional(5, 8, make=lambda x: K.MultiHeadAttention(2, 4)(x, x)), x
    yield "multi_head_causal", functional(5, 8, make=lambda x: K.MultiHeadAttention(2, 4)(x, x, use_causal_mask=True)), x
    yield "grouped_query", functional(5, 8, make=lambda x: K.GroupQueryAttention(4, 4, 2)(x, x)), x
    yield "attention", functional(5, 8, make=lambda x: K.Attention(use_scale=True)([x, x])), x
    yield "additive", functional(5, 8, make=lambda x: K.AdditiveAttention()([x, x])), x


def recurrent():
    x = floats(2, 6, 4)
    for name in ("LSTM", "GRU", "SimpleRNN"):
        layer = getattr(K, name)
        yield name.lower(), layer(5), x
        yield f"{name.lower()}_sequences", layer(3, return_sequences=True, go_backwards=True), x
        yield f"{name.lower()}_bidirectional", K.Bidirectional(layer(3, return_sequences=True)), x
    yield "gru_reset_before", K.GRU(3, reset_after=False), x
    yield "lstm_masked", tf.keras.Sequential([K.Masking(0.0), K.LSTM(3)]), x
    yield "conv_lstm", K.ConvLSTM2D(3, 2), floats(1, 3, 5, 5, 2)


def images():
    image = floats(2, 9, 6, 3, low=0, high=255)
    for method in ("bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5"):
        yield f"resizing_{method}", K.Resizing(5, 7, interpolation=method), image
    yield "resizing_aspect", K.Resizing(5, 7, pad_to_aspect_ratio=True), image
    yield "center_crop", K.CenterCrop(4, 4), image
    for name, layer in (("flip", K.RandomFlip()), ("rotation", K.RandomRotation(0.2)), ("zoom", K.RandomZoom(0.2)),
                        ("contrast", K.RandomContrast(0.2)), ("brightness", K.RandomBrightness(0.2)),
                        ("translation", K.RandomTranslation(0.1, 0.1)), ("crop", K.RandomCrop(4, 4))):
        yield f"random_{name}", layer, image
    for mode in ("one_hot", "multi_hot", "count"):
        ids = RNG.integers(0, 5, (3, 1) if mode == "one_hot" else (3, 4))
        yield f"category_{mode}", K.CategoryEncoding(num_tokens=5, output_mode=mode), ids
    yield "grayscale", K.RandomGrayscale(), image
    yield "adjust", K.Lambda(lambda x: tf.image.adjust_contrast(tf.image.adjust_saturation(
        tf.image.adjust_hue(x / 255.0, 0.2), 1.5), 0.5)), image
    yield "hsv", K.Lambda(lambda x: tf.image.hsv_to_rgb(tf.image.rgb_to_hsv(x / 255.0))), image
    yield "patches", K.Lambda(lambda x: tf.image.extract_patches(x, [1, 3, 2, 1], [1, 2, 2, 1], [1, 1, 1, 1], "SAME")), image
    yield "crops", K.Lambda(lambda x: tf.image.crop_and_resize(x, [[0.1, 0.2, 0.8, 0.9]], [1], [4, 3])), image
    yield "lrn", K.Lambda(lambda x: tf.nn.local_response_normalization(x / 255.0)), image


FAMILIES = {f.__name__: f for f in (activations, convolutions, pools, normalisations, core, attention, recurrent, images)}


def function_of(layer, spec):
    return tf.function(lambda x: {"y": layer(x, training=False)}, input_signature=[spec])


class Family(tf.Module):
    """Layers by name, and what TensorFlow itself gives for their inputs."""

    def __init__(self, rows):
        super().__init__()
        tf.keras.utils.set_random_seed(1)
        self.layers, self.states, self.inputs, self.functions = [], [], {}, {}
        for name, layer, x in rows:
            layer(x)   # Makes its variables.
            for variable in layer.trainable_variables:   # Biases too shall not be zero.
                variable.assign(floats(*variable.shape, low=-0.5, high=0.5))
            self.layers.append(layer)
            self.states.extend(v.value for v in layer.variables)   # Seeds are not the layer's own.
            self.inputs[name] = x
            self.functions[name] = function_of(layer, tf.TensorSpec([None, *x.shape[1:]], x.dtype, name="x"))

    def export(self, folder):
        tf.saved_model.save(self, str(folder), signatures=self.functions)

    def answer(self, name):
        return self.functions[name](self.inputs[name])["y"].numpy()
