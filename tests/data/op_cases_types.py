# SPDX-License-Identifier: Apache-2.0
"""Cases of the neural-network ops in the types beside float, and with the channels first.

TensorFlow's CPU kernels refuse most of NCHW and NCDHW: then the answer wanted is that of the same
node with the channels last, transposed. Where they misplace the results of Conv3D with unequal
strides, it is every other element of the answer with strides 1."""
import numpy as np

from op_cases import BFLOAT16, INTS

F32, I32 = np.float32, np.int32
SHORT = [np.float16, BFLOAT16]
WIDE = SHORT + [np.float64]


def small(cases, dtype, *shape, low=-1, high=1):
    return cases.random(F32, *shape, low=low, high=high).astype(dtype)


def whole(cases, dtype, *shape):
    return cases.random(np.int64, *shape, low=0 if np.dtype(dtype).kind == "u" else -5, high=6).astype(dtype)


def matmul(cases):
    for dtype in SHORT:
        for ta, tb in ((False, False), (True, False), (False, True)):
            a = small(cases, dtype, *((4, 3) if ta else (3, 4)))
            b = small(cases, dtype, *((5, 4) if tb else (4, 5)))
            cases.add("MatMul", [a, b], transpose_a=ta, transpose_b=tb)
        for op in ("BatchMatMul", "BatchMatMulV2"):
            cases.add(op, [small(cases, dtype, 2, 3, 4), small(cases, dtype, 2, 4, 5)])
        cases.add("BatchMatMulV2", [small(cases, dtype, 2, 1, 3, 4), small(cases, dtype, 3, 5, 4)], adj_y=True)
        cases.add("MatMul", [small(cases, dtype, 0, 3), small(cases, dtype, 3, 2)])
    for dtype in SHORT + [F32, np.float64, I32, np.int64]:
        cases.add("BatchMatMulV3", [whole(cases, dtype, 2, 3), whole(cases, dtype, 3, 4)], Tout=dtype)


def channelwise(cases):
    for dtype in WIDE + INTS:
        for fmt, shape in (("NHWC", (2, 3)), ("NHWC", (1, 2, 2, 3)), ("NCHW", (1, 3, 2, 2)), ("NCHW", (2, 3, 2, 1, 2))):
            cases.add("BiasAdd", [whole(cases, dtype, *shape), whole(cases, dtype, 3)], data_format=fmt)
    for op, dtype, fmt, shape in [(op, dtype, "NHWC", (2, 2, 2, 3)) for op in ("FusedBatchNormV2", "FusedBatchNormV3")
                                  for dtype in SHORT] + [("FusedBatchNormV3", F32, fmt, shape)
                                                         for shape in ((2, 3, 2, 4, 3), (1, 1, 1, 1, 3))
                                                         for fmt in ("NDHWC", "NCDHW")]:
        x = small(cases, dtype, *shape)
        x = to_first(x) if fmt == "NCDHW" else x
        p = [small(cases, F32, 3) for _ in range(3)] + [small(cases, F32, 3, low=0.2)]
        attrs = dict(is_training=False, data_format=fmt)
        # The others are for gradients: TensorFlow leaves them as they were in memory.
        others = p[2:] * 2 + [np.zeros(0, F32)] * (op == "FusedBatchNormV3")
        cases.add_answer(op, [x] + p, [cases.answer(op, [x] + p, **attrs)] + others, **attrs)


def elementwise(cases):
    for dtype in SHORT:
        for op in "Relu Relu6 Elu Selu Softplus Softsign LeakyRelu".split():
            for x in (cases.random(dtype, 3, 5), np.array([0, -0.5, 7, np.inf, -np.inf, np.nan], dtype)):
                if op == "Softplus":  # TensorFlow rounds its steps too, and loses digits
                    cases.add_answer(op, [x], [cases.answer(op, [x.astype(F32)]).astype(dtype)])
                else:
                    cases.add(op, [x])
        for op in ("Softmax", "LogSoftmax"):
            cases.add(op, [cases.random(dtype, 3, 5)])
            cases.add(op, [cases.random(dtype, 0, 5)])
    for dtype in INTS:
        for op in ("Relu", "Relu6"):
            cases.add(op, [whole(cases, dtype, 3, 5)])
            cases.add(op, [np.array([0, 7, 100], dtype)])


def pool(cases):
    for dtype in WIDE + INTS:
        for padding in ("SAME", "VALID"):
            for k, s in ((2, 1), (3, 2)):
                window = dict(ksize=[1, k, 2, 1], strides=[1, s, 1, 1], padding=padding)
                cases.add("MaxPool", [whole(cases, dtype, 1, 4, 5, 2)], **window)
                cases.add("AvgPool", [whole(cases, dtype, 1, 4, 5, 2)], **window)
                for op in ("MaxPool3D", "AvgPool3D"):
                    cases.add(op, [whole(cases, dtype, 1, 2, 4, 3, 2)], ksize=[1, 2, k, 2, 1],
                              strides=[1, 1, s, 1, 1], padding=padding)
        cases.add("MaxPoolV2", [whole(cases, dtype, 1, 4, 5, 2), np.array([1, 2, 2, 1], I32),
                                np.array([1, 1, 2, 1], I32)], padding="SAME")
    cases.add("MaxPool", [np.array([1, np.nan, -np.inf, -np.inf, 3, np.inf]).reshape(1, 1, 6, 1)],
              ksize=[1, 1, 2, 1], strides=[1, 1, 2, 1], padding="VALID")
    for op in ("MaxPool", "AvgPool"):
        x = small(cases, F32, 1, 5, 4, 3)
        last = dict(ksize=[1, 2, 3, 1], strides=[1, 2, 1, 1], padding="SAME")
        channels_first(cases, op, [x], [0], last)


def first(numbers):
    """A number for each dimension, the channels moved from behind to the front."""
    return [numbers[0], numbers[-1], *numbers[1:-1]]


def to_first(x):
    return np.moveaxis(x, -1, 1)


def channels_first(cases, op, inputs, moved, attrs):
    """The node with the channels last, and again with those of inputs `moved` first."""
    cases.add(op, inputs, **attrs)
    wanted = cases.answer(op, inputs, **attrs)
    changed = {k: first(v) if k in ("ksize", "strides", "dilations") else v for k, v in attrs.items()}
    if "explicit_paddings" in attrs:
        pads = attrs["explicit_paddings"]
        changed["explicit_paddings"] = pads[:2] + pads[-2:] + pads[2:-2]
    inputs = [to_first(x) if i in moved else x for i, x in enumerate(inputs)]
    if op.endswith("BackpropInput") or op.endswith("InputV2"):
        inputs[0] = np.array(first(inputs[0]), inputs[0].dtype)
    rank = wanted.ndim
    cases.add_answer(op, inputs, [to_first(wanted)], data_format="NCHW" if rank == 4 else "NCDHW", **changed)


def conv(cases):
    for dtype in WIDE + [I32, F32]:
        for padding in ("SAME", "VALID"):
            for s, d in ((1, 1), (2, 1), (1, 2)):
                attrs = dict(strides=[1, s, s, 1], dilations=[1, d, d, 1], padding=padding)
                x, f = whole(cases, dtype, 2, 5, 6, 3), whole(cases, dtype, 3, 2, 3, 4)
                cases.add("Conv2D", [x, f], **attrs)
                if dtype != I32 and (s, d) != (1, 2):
                    cases.add("DepthwiseConv2dNative", [x, whole(cases, dtype, 3, 2, 3, 2)], **attrs)
    for dtype in (F32, np.float64, np.float16):
        for groups, c, o in ((2, 4, 6), (4, 4, 4)):
            x, f = whole(cases, dtype, 1, 4, 5, c), whole(cases, dtype, 3, 2, c // groups, o)
            cases.add("Conv2D", [x, f], strides=[1, 2, 1, 1], padding="SAME")
    x = small(cases, F32, 2, 5, 6, 4)
    f, grouped, deep = (small(cases, F32, 3, 2, *io) for io in ((4, 5), (2, 6), (4, 2)))
    for attrs in (dict(strides=[1, 2, 1, 1], padding="SAME"), dict(strides=[1, 1, 1, 1], dilations=[1, 2, 1, 1], padding="VALID"),
                  dict(strides=[1, 1, 1, 1], padding="EXPLICIT", explicit_paddings=[0, 0, 1, 0, 2, 3, 0, 0])):
        channels_first(cases, "Conv2D", [x, f], [0], attrs)
        channels_first(cases, "Conv2D", [x, grouped], [0], attrs)
        if len(set(attrs["strides"])) == 1:
            channels_first(cases, "DepthwiseConv2dNative", [x, deep], [0], attrs)
    channels_first(cases, "Conv2D", [x.astype(np.float16), f.astype(np.float16)], [0],
                   dict(strides=[1, 1, 1, 1], padding="SAME"))


def conv3d(cases):
    for dtype in WIDE:
        for padding in ("SAME", "VALID"):
            cases.add("Conv3D", [whole(cases, dtype, 1, 3, 4, 5, 2), whole(cases, dtype, 2, 3, 2, 2, 3)],
                      strides=[1, 1, 1, 1, 1], padding=padding)
    x, f = small(cases, F32, 2, 4, 5, 6, 2), small(cases, F32, 2, 3, 2, 2, 3)
    for attrs in (dict(strides=[1] * 5, padding="SAME"), dict(strides=[1] * 5, dilations=[1, 2, 1, 2, 1], padding="VALID")):
        channels_first(cases, "Conv3D", [x, f], [0], attrs)
    whole_answer = cases.answer("Conv3D", [x, f], strides=[1] * 5, padding="VALID")
    for d, h, w in ((1, 2, 1), (2, 1, 3), (1, 1, 2)):
        cases.add_answer("Conv3D", [x, f], [whole_answer[:, ::d, ::h, ::w]], strides=[1, d, h, w, 1], padding="VALID")
    # Groups, which TensorFlow's CPU kernel has not: each is a convolution of its own.
    grouped = small(cases, F32, 2, 3, 2, 1, 4)
    parts = [cases.answer("Conv3D", [x[..., g:g + 1], grouped[..., 2 * g:2 * g + 2]], strides=[1] * 5, padding="SAME")
             for g in range(2)]
    cases.add_answer("Conv3D", [x, grouped], [np.concatenate(parts, -1)], strides=[1] * 5, padding="SAME")


def transposed(cases):
    for dtype in WIDE:
        f = whole(cases, dtype, 3, 2, 2, 4)
        for s, y in ((1, (4, 5)), (2, (2, 3))):
            cases.add("Conv2DBackpropInput", [np.array([1, 4, 5, 2], I32), f, whole(cases, dtype, 1, *y, 4)],
                      strides=[1, s, s, 1], padding="SAME")
        cases.add("Conv3DBackpropInputV2", [np.array([1, 2, 3, 4, 2], I32), whole(cases, dtype, 2, 2, 2, 2, 3),
                                            whole(cases, dtype, 1, 2, 3, 4, 3)], strides=[1] * 5, padding="SAME")
    channels_first(cases, "Conv2DBackpropInput",
                   [np.array([2, 5, 4, 2], I32), small(cases, F32, 3, 2, 2, 4), small(cases, F32, 2, 3, 2, 4)], [2],
                   dict(strides=[1, 2, 2, 1], padding="SAME"))
    channels_first(cases, "Conv3DBackpropInputV2",
                   [np.array([2, 3, 5, 4, 2], I32), small(cases, F32, 2, 3, 2, 2, 3), small(cases, F32, 2, 3, 5, 4, 3)], [2],
                   dict(strides=[1] * 5, padding="SAME"))


def add_cases(cases):
    matmul(cases)
    channelwise(cases)
    elementwise(cases)
    pool(cases)
    conv(cases)
    conv3d(cases)
    transposed(cases)
