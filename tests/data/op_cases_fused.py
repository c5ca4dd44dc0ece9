# SPDX-License-Identifier: Apache-2.0
"""Cases of the fused ops (model/op/fused.h): the chains of TensorFlow's ops that they stand for."""
import numpy as np
import tensorflow as tf

F32 = np.float32
SPECIAL = np.array([0.0, 1.0, -1.0, 3.0, -3.0, 2.5, -2.5, 6.5, -6.5, 15.0, -15.0, 100.0, -100.0, np.nan])


def half_erfc(x):
    """Keras 3's GELU."""
    return (0.5 * x) * tf.math.erfc(-x * tf.constant(np.sqrt(0.5), x.dtype))


def hard_sigmoid(x):
    return tf.nn.relu6(x + 3) * tf.constant(1 / 6, x.dtype)


def gelu_tanh(x):
    """tf.nn.gelu's, whose constants are float32 for any type."""
    return 0.5 * x * (1 + tf.tanh(tf.constant(np.sqrt(2 / np.pi), x.dtype) * (x + 0.044715 * tf.pow(x, 3))))


IDIOMS = {"_Silu": lambda x: x * tf.sigmoid(x), "_HardSigmoid": hard_sigmoid,
          "_HardSwish": lambda x: x * hard_sigmoid(x), "_Gelu": half_erfc,
          "_GeluTanh": gelu_tanh}
ACTIVATIONS = {"": lambda x: x, "Relu": tf.nn.relu, "Relu6": tf.nn.relu6, "Elu": tf.nn.elu, "Selu": tf.nn.selu,
               "Softplus": tf.nn.softplus, "Softsign": tf.nn.softsign, "Sigmoid": tf.sigmoid, "Tanh": tf.tanh,
               "LeakyRelu": lambda x: tf.nn.leaky_relu(x, 0.3), **IDIOMS}


def chain(first, activation, pool):
    """first(inputs), a bias where there is one, the activation, a pool."""
    def compute(x, w, *bias):
        y = first(x, w)
        if bias:
            y = tf.nn.bias_add(y, bias[0])
        y = ACTIVATIONS[activation](y)
        return y if pool is None else tf.nn.max_pool2d(y, *pool)
    return compute


def epilogue(cases, i):
    """Attributes of what follows the product, and whether there is a bias."""
    activation = list(ACTIVATIONS)[i % len(ACTIVATIONS)]
    alpha = {"alpha": 0.3} if activation == "LeakyRelu" else {}
    n_args = int(cases.rng.integers(0, 2))
    return dict(num_args=n_args, activation=activation, **alpha), n_args == 1


def small(cases, *shape):
    return cases.random(F32, *shape, low=-1, high=1)


def convolutions(cases, op, function):
    rng = cases.rng
    is_depthwise = op == "_FusedDepthwiseConv2D"
    for i in range(16):
        kh, kw, c, o = (int(v) for v in rng.integers(1, (4, 4, 6, 9 if not is_depthwise else 3)))
        h, w = kh + int(rng.integers(2, 7)), kw + int(rng.integers(2, 9))
        s = int(rng.integers(1, 3))
        padding = str(rng.choice(["SAME", "VALID"]))
        attrs, has_bias = epilogue(cases, i)
        pool = None
        if i % 3 == 0:
            k = int(rng.integers(2, 4)) if padding == "SAME" else 2
            pool = (k, 2, "SAME")
            attrs.update(pool_ksize=[1, k, k, 1], pool_strides=[1, 2, 2, 1], pool_padding="SAME")
        inputs = [small(cases, int(rng.integers(1, 3)), h, w, c), small(cases, kh, kw, c, o)]
        if has_bias:
            inputs.append(small(cases, c * o if is_depthwise else o))
        first = lambda x, f: function(x, f, [1, s, s, 1], padding)  # noqa: E731
        cases.add_composed(op, inputs, chain(first, attrs["activation"], pool), strides=[1, s, s, 1],
                           padding=padding, **attrs)


def products(cases):
    for i in range(28):
        m, k, n = (int(v) for v in cases.rng.integers(1, (5, 12, 34)))
        ta, tb = bool(i & 1), bool(i & 2)
        attrs, has_bias = epilogue(cases, i)
        inputs = [small(cases, *((k, m) if ta else (m, k))), small(cases, *((n, k) if tb else (k, n)))]
        if has_bias:
            inputs.append(small(cases, n))
        first = lambda a, b: tf.matmul(a, b, transpose_a=ta, transpose_b=tb)  # noqa: E731
        cases.add_composed("_FusedMatMul", inputs, chain(first, attrs["activation"], None), transpose_a=ta,
                           transpose_b=tb, **attrs)


def residuals(cases):
    for i in range(6):
        kh, c, o = (int(v) for v in cases.rng.integers(1, (4, 4, 35)))
        attrs, _ = epilogue(cases, i)
        attrs["num_args"] = 2
        relu = ACTIVATIONS[attrs["activation"]]
        other = small(cases, *((1, 3, 4, o) if i % 4 else (2, 1, 1, o)))
        inputs = [small(cases, 1, 3, 4, c), small(cases, kh, kh, c, o), small(cases, o), other]
        cases.add_composed(
            "_FusedConv2D", inputs,
            lambda x, f, b, r: relu(r + tf.nn.bias_add(tf.nn.conv2d(x, f, 1, "SAME"), b)),  # noqa: B023
            strides=[1, 1, 1, 1], padding="SAME", residual=0, **attrs)
        other = small(cases, *((5, o) if i % 4 else (o,)))
        inputs = [small(cases, 5, c), small(cases, c, o), small(cases, o), other]
        cases.add_composed("_FusedMatMul", inputs,
                           lambda x, f, b, r: relu(tf.matmul(x, f) + b + r),  # noqa: B023
                           residual=1, **attrs)


def flattened(cases):
    for i, front in enumerate([(2, 3), (4,), (1, 2, 3), (0, 2)]):
        attrs, _ = epilogue(cases, i)
        relu = ACTIVATIONS[attrs["activation"]]
        attrs["num_args"] = 1
        cases.add_composed("_FusedMatMul", [small(cases, *front, 5), small(cases, 5, 9), small(cases, 9)],
                           lambda x, w, b: relu(tf.tensordot(x, w, 1) + b), flattens=True, **attrs)  # noqa: B023


def layer_norm(x, scale, offset):
    mean, variance = tf.nn.moments(x, -1, keepdims=True)
    return tf.nn.batch_normalization(x, mean, variance, offset, scale, 1e-3)


def rows(cases):
    for shape in [(3, 5), (2, 3, 16), (4, 37), (7,), (0, 4), (2, 1)]:
        c = shape[-1]
        cases.add_composed("_LayerNorm", [small(cases, *shape), small(cases, c), small(cases, c)], layer_norm,
                           epsilon=1e-3)
    for i, (shape, factor) in enumerate([((2, 3, 5), (5,)), ((2, 3, 5), (1, 1, 5)), ((4, 3), ()), ((3, 1), (6,)),
                                         ((4,), (1, 2, 4)), ((0, 3), (3,)), ((), ())]):
        attrs, _ = epilogue(cases, i)
        del attrs["num_args"]
        relu = ACTIVATIONS[attrs["activation"]]
        cases.add_composed("_FusedScale", [small(cases, *shape), small(cases, *factor), small(cases, *factor)],
                           lambda x, a, b: relu(x * a + b), **attrs)  # noqa: B023


def reshapes(cases):
    for sizes in [[-2, -1], [-3, -2, 4], [24], [-1, 2], [-2, 3, 2, 2]]:
        cases.add_composed("_Reshape", [small(cases, 2, 3, 4)],
                           lambda x: tf.reshape(x, [x.shape[-2 - n] if n < -1 else n for n in sizes]),  # noqa: B023
                           sizes=sizes)


def add_cases(cases):
    for op, compute in IDIOMS.items():
        for dtype in (np.float32, np.float64):
            cases.add_composed(op, [cases.random(dtype, 3, 7, low=-6, high=6)], compute)
            cases.add_composed(op, [SPECIAL.astype(dtype)], compute)
        cases.add_composed(op, [small(cases, 2, 0)], compute)
    convolutions(cases, "_FusedConv2D", tf.nn.conv2d)
    convolutions(cases, "_FusedDepthwiseConv2D", tf.nn.depthwise_conv2d)
    products(cases)
    residuals(cases)
    flattened(cases)
    rows(cases)
    reshapes(cases)
