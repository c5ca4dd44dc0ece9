# SPDX-License-Identifier: Apache-2.0
"""Cases of the neural-network ops: matrix products, convolutions, pools, normalisation, activations."""
import numpy as np

F32 = np.float32
SPECIAL = np.array([0.0, 1.0, -1.0, 0.5, 6.5, -2.5, 15.0, -15.0, 30.0, -30.0, 1e4, -1e4, np.inf, -np.inf,
                    np.nan])
ACTIVATIONS = "Relu Relu6 Elu Selu Softplus Softsign LeakyRelu".split()


def small(cases, *shape, low=-1, high=1):
    """Floats whose sums do not lose their last digits to cancellation."""
    return cases.random(F32, *shape, low=low, high=high)


def matmul(cases):
    for m, k, n in [(1, 1, 1), (1, 7, 5), (3, 4, 1), (2, 17, 33), (5, 40, 70), (0, 3, 2), (2, 0, 3), (2, 3, 0),
                    (15, 6, 32)]:
        for ta in (False, True):
            for tb in (False, True):
                a = small(cases, *((k, m) if ta else (m, k)))
                b = small(cases, *((n, k) if tb else (k, n)))
                cases.add("MatMul", [a, b], transpose_a=ta, transpose_b=tb)
    for dtype in (np.float64, np.int32, np.int64):
        for ta in (False, True):
            a = cases.random(dtype, *((4, 3) if ta else (3, 4)))
            cases.add("MatMul", [a, cases.random(dtype, 4, 5)], transpose_a=ta)
            cases.add("MatMul", [a, cases.random(dtype, 5, 4)], transpose_a=ta, transpose_b=True)
    cases.add("MatMul", [np.array([[1, np.inf, 2]], F32), small(cases, 3, 2, low=1)])
    cases.add("MatMul", [np.array([[1, np.nan], [2, 3]], F32), small(cases, 2, 3)])
    for a, b in [((1, 3), (2, 1)), ((3,), (3, 1)), ((2, 3), (3,)), ((2, 2, 2), (2, 2)), ((0, 3), (2, 0))]:
        cases.add("MatMul", [small(cases, *a), small(cases, *b)])


def batch_matmul(cases):
    for op in ("BatchMatMul", "BatchMatMulV2"):
        for x, y in [((2, 3), (3, 4)), ((2, 3, 4), (2, 4, 5)), ((2, 3, 1, 4), (2, 3, 4, 2)), ((0, 3, 4), (0, 4, 5)),
                     ((2, 3, 0), (2, 0, 5)), ((2, 3, 4), (2, 5, 6)), ((2, 3, 4), (3, 4, 5)), ((3, 4), (2, 4, 5)),
                     ((4,), (4, 2))]:
            cases.add(op, [small(cases, *x), small(cases, *y)])
        cases.add(op, [small(cases, 2, 4, 3), small(cases, 2, 4, 5)], adj_x=True)
        cases.add(op, [small(cases, 2, 3, 4), small(cases, 2, 5, 4)], adj_y=True)
        cases.add(op, [small(cases, 2, 4, 3), small(cases, 2, 5, 4)], adj_x=True, adj_y=True)
        cases.add(op, [cases.random(np.int32, 2, 3, 4), cases.random(np.int32, 2, 4, 5)])
        cases.add(op, [cases.random(np.float64, 2, 3, 4), cases.random(np.float64, 2, 4, 5)])
    for x, y in [((2, 1, 3, 4), (5, 4, 2)), ((3, 4), (2, 3, 4, 2)), ((1, 3, 4), (4, 4, 2)), ((5, 1, 1, 2), (1, 3, 2, 2))]:
        cases.add("BatchMatMulV2", [small(cases, *x), small(cases, *y)])


def bias_add(cases):
    for dtype in (np.float32, np.float64, np.int32, np.int64):
        cases.add("BiasAdd", [cases.random(dtype, 3, 4), cases.random(dtype, 4)])
    for shape in [(2, 3, 5), (2, 3, 4, 5), (2, 1, 2, 3, 5), (0, 5), (3, 0)]:
        cases.add("BiasAdd", [small(cases, *shape), small(cases, shape[-1])])
    cases.add("BiasAdd", [small(cases, 2, 5, 3, 4), small(cases, 5)], data_format="NCHW")
    for shape, bias in [((5,), (5,)), ((2, 5), (4,)), ((2, 5), (5, 1)), ((2, 5), ())]:
        cases.add("BiasAdd", [small(cases, *shape), small(cases, *bias)])


def activation(cases):
    for op in ACTIVATIONS:
        for dtype in (np.float32, np.float64):
            cases.add(op, [cases.random(dtype, 3, 7)])
            cases.add(op, [SPECIAL.astype(dtype)])
        cases.add(op, [F32(-0.7)])
        cases.add(op, [small(cases, 2, 0)])
    for alpha in (0.0, 0.5, 2.0, -1.0):
        cases.add("LeakyRelu", [small(cases, 9, low=-4)], alpha=alpha)


def softmax(cases):
    for op in ("Softmax", "LogSoftmax"):
        for shape in [(1,), (10,), (3, 10), (2, 3, 4), (2, 1, 3, 5), (0, 4), (4, 1)]:
            cases.add(op, [small(cases, *shape)])
        cases.add(op, [cases.random(np.float64, 3, 4)])
        cases.add(op, [np.array([[1000, 0, -1000], [1e30, 1e30, 0], [-1e30, 0, 1]], F32)])


def batch_norm(cases):
    for op in ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"):
        for shape in [(2, 3, 4, 5), (1, 1, 1, 1), (0, 2, 2, 3)]:
            for fmt in ("NHWC", "NCHW"):
                c = shape[3] if fmt == "NHWC" else shape[1]
                p = [small(cases, c) for _ in range(3)] + [small(cases, c, low=0.1)]
                cases.add(op, [small(cases, *shape)] + p, is_training=False, data_format=fmt, epsilon=0.001)
        p = [small(cases, 3) for _ in range(3)] + [small(cases, 3, low=0.1)]
        cases.add(op, [small(cases, 1, 2, 2, 3)] + p, is_training=False)
        cases.add(op, [small(cases, 1, 2, 2, 4)] + p, is_training=False)
        cases.add(op, [small(cases, 2, 3)] + p, is_training=False)
        for i in range(4 if op.endswith("V3") else 0):
            for bad in (small(cases, 2), small(cases, 3, 1)):
                cases.add(op, [small(cases, 1, 2, 2, 3)] + p[:i] + [bad] + p[i + 1:], is_training=False)


def window(cases, spatial_max):
    """Random sizes, strides and padding of a window."""
    rng = cases.rng
    return dict(padding=str(rng.choice(["SAME", "VALID"])),
                strides=[1, int(rng.integers(1, spatial_max)), int(rng.integers(1, spatial_max)), 1])


def pool(cases):
    rng = cases.rng
    for op in ("MaxPool", "AvgPool"):
        for _ in range(30):
            h, w, c = (int(v) for v in rng.integers(1, 9, 3))
            k = [1, int(rng.integers(1, h + 1)), int(rng.integers(1, w + 1)), 1]
            cases.add(op, [small(cases, int(rng.integers(1, 3)), h, w, c)], ksize=k, **window(cases, 4))
        cases.add(op, [small(cases, 1, 3, 3, 2)], ksize=[1, 5, 4, 1], strides=[1, 1, 1, 1], padding="SAME")
        for shape in [(0, 4, 4, 2), (1, 0, 4, 2), (1, 4, 4, 0)]:
            cases.add(op, [small(cases, *shape)], ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="VALID")
        cases.add(op, [small(cases, 3, 3)], ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="VALID")
    cases.add("MaxPool", [np.array([1, np.nan, -np.inf, -np.inf, 3, np.inf], F32).reshape(1, 1, 6, 1)],
              ksize=[1, 1, 2, 1], strides=[1, 1, 2, 1], padding="VALID")
    cases.add("MaxPool", [small(cases, 1, 5, 6, 3)], ksize=[1, 3, 3, 1], strides=[1, 2, 2, 1],
              padding="EXPLICIT", explicit_paddings=[0, 0, 1, 2, 0, 1, 0, 0])
    for padding in ("SAME", "VALID"):
        cases.add("MaxPoolV2", [small(cases, 2, 5, 6, 3), np.array([1, 2, 3, 1], np.int32),
                                np.array([1, 2, 1, 1], np.int32)], padding=padding)


def conv(cases):
    rng = cases.rng
    for i in range(60):
        kh, kw, c, o = (int(v) for v in rng.integers(1, (6, 6, 9, 11)))
        h, w = int(rng.integers(kh, 12)), int(rng.integers(kw, 20))
        attrs = window(cases, 4 if i % 3 == 0 else 2)
        if i % 4 == 0:
            attrs["dilations"] = [1, 2, 1 + i // 4 % 2, 1]
            h, w = h + kh, w + kw
        cases.add("Conv2D", [small(cases, int(rng.integers(1, 3)), h, w, c), small(cases, kh, kw, c, o)],
                  **attrs)
    unit = dict(strides=[1, 1, 1, 1], padding="VALID")
    for h, w, o in [(3, 31, 17), (2, 14, 33), (5, 28, 32), (1, 15, 64)]:
        cases.add("Conv2D", [small(cases, 1, h, w, 2), small(cases, 3, 3, 2, o)], strides=[1, 1, 1, 1],
                  padding="SAME")
    for groups, c, o in [(2, 4, 6), (3, 6, 3), (4, 4, 4), (3, 3, 6), (2, 6, 70)]:
        cases.add("Conv2D", [small(cases, 2, 5, 6, c), small(cases, 3, 2, c // groups, o)],
                  strides=[1, 1, 2, 1], padding="SAME")
    for pads in ([0, 0, 1, 2, 0, 3, 0, 0], [0, 0, 4, 4, 5, 6, 0, 0]):
        cases.add("Conv2D", [small(cases, 1, 4, 5, 2), small(cases, 3, 2, 2, 3)], strides=[1, 1, 1, 1],
                  padding="EXPLICIT", explicit_paddings=pads)
    # Not an input without elements: TensorFlow's oneDNN kernels then give the input's shape.
    for x, f in [((1, 5, 5, 3), (3, 3, 2, 4)), ((1, 5, 5, 4), (3, 3, 2, 3)), ((1, 3, 3, 2), (5, 5, 2, 1)),
                 ((1, 3, 3, 2), (1, 2, 1)), ((1, 3, 3, 2), (0, 1, 2, 1)), ((1, 3, 3, 2), (1, 1, 2, 0))]:
        cases.add("Conv2D", [small(cases, *x), small(cases, *f)], **unit)


def depthwise(cases):
    rng = cases.rng
    for i in range(16):
        kh, kw, c, m = (int(v) for v in rng.integers(1, (5, 5, 20, 3)))
        h, w = int(rng.integers(kh, 9)), int(rng.integers(kw, 12))
        stride = int(rng.integers(1, 3))
        cases.add("DepthwiseConv2dNative", [small(cases, 1, h, w, c), small(cases, kh, kw, c, m)],
                  strides=[1, stride, stride, 1], padding=str(rng.choice(["SAME", "VALID"])))
    cases.add("DepthwiseConv2dNative", [small(cases, 1, 9, 9, 3), small(cases, 3, 3, 3, 1)],
              strides=[1, 1, 1, 1], dilations=[1, 2, 2, 1], padding="SAME")
    for x, f in [((1, 5, 5, 3), (3, 3, 2, 1)), ((1, 2, 2, 2), (4, 4, 2, 1))]:
        cases.add("DepthwiseConv2dNative", [small(cases, *x), small(cases, *f)], strides=[1, 1, 1, 1],
                  padding="VALID")


def add_cases(cases):
    matmul(cases)
    batch_matmul(cases)
    bias_add(cases)
    activation(cases)
    softmax(cases)
    batch_norm(cases)
    pool(cases)
    conv(cases)
    depthwise(cases)
