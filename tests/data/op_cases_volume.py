# SPDX-License-Identifier: Apache-2.0
"""Cases of convolutions and pools of volumes, transposed convolutions, blocks of positions, and
normalisation by the batch's own statistics."""
import numpy as np
import tensorflow as tf

F32 = np.float32


def small(cases, *shape, low=-1, high=1):
    return cases.random(F32, *shape, low=low, high=high)


def conv_out(size, taps, stride, dilation, padding, extra=0):
    reach = (taps - 1) * dilation + 1
    return -(-size // stride) if padding == "SAME" else (size + extra - reach + stride) // stride


def conv3d(cases):
    for shape, taps, c in [((1, 3, 4, 5), (2, 3, 3), 2), ((2, 3, 3, 3), (1, 1, 1), 3), ((1, 2, 5, 4), (2, 1, 3), 1)]:
        for padding in ("SAME", "VALID"):
            for s, d in [((1, 1, 1), (1, 1, 1)), ((2, 2, 2), (1, 1, 1)), ((1, 1, 1), (1, 2, 1))]:
                # TensorFlow misplaces results of windows larger than the input, and of unequal strides (see below).
                if padding == "VALID" and taps[1] * d[1] > shape[2]:
                    continue
                cases.add("Conv3D", [small(cases, *shape, c), small(cases, *taps, c, 3)],
                          strides=[1, *s, 1], dilations=[1, *d, 1], padding=padding)
    for x, f in [((1, 2, 2, 2, 3), (1, 1, 1, 2, 2)), ((1, 2, 2, 2, 3), (1, 1, 3, 2)),
                 ((1, 2, 2, 2, 3), (0, 1, 1, 3, 2))]:
        cases.add("Conv3D", [small(cases, *x), small(cases, *f)], any_text=True, strides=[1] * 5, padding="SAME")


def unequal_strides(cases):
    """Of strides that differ TensorFlow's kernel misplaces the results: every nth of those of stride 1 is right."""
    for strides in ((1, 2, 3), (2, 1, 1), (3, 2, 1), (1, 1, 2)):
        for padding in ("SAME", "VALID"):
            size, taps = (5, 6, 7), (2, 3, 2)
            pads = [max((-(-n // s) - 1) * s + t - n, 0) if padding == "SAME" else 0
                    for n, t, s in zip(size, taps, strides)]
            pads = [(0, 0), *((p // 2, p - p // 2) for p in pads), (0, 0)]

            def every_nth(x, f):
                y = tf.nn.conv3d(tf.pad(x, pads), f, [1] * 5, "VALID")
                return y[:, ::strides[0], ::strides[1], ::strides[2]]
            cases.add_composed("Conv3D", [small(cases, 1, *size, 2), small(cases, *taps, 2, 3)], every_nth,
                               strides=[1, *strides, 1], padding=padding)


def transposed(cases):
    for size, taps, (ci, co) in [((4, 5), (3, 3), (2, 3)), ((5, 4), (2, 4), (1, 2)), ((3, 3), (1, 1), (3, 1)), ((6, 6), (4, 4), (2, 2))]:
        for padding in ("SAME", "VALID", "EXPLICIT"):
            for s in (1, 2, 3):
                for d in (1, 2):
                    if d > 1 and (s > 1 or padding != "SAME"):
                        continue
                    out = [conv_out(n, t, s, d, padding, 2) if padding == "EXPLICIT" else conv_out(n, t, s, d, padding)
                           for n, t in zip(size, taps)]
                    explicit = {"explicit_paddings": [0, 0, 1, 1, 1, 1, 0, 0]} if padding == "EXPLICIT" else {}
                    cases.add("Conv2DBackpropInput",
                              [np.array([2, *size, ci], np.int32), small(cases, *taps, ci, co), small(cases, 2, *out, co)],
                              strides=[1, s, s, 1], dilations=[1, d, d, 1], padding=padding, **explicit)
    f, y = small(cases, 3, 3, 2, 5), small(cases, 1, 4, 4, 5)
    cases.add("Conv2DBackpropInput", [np.array([4, 4], np.int32), f, y], strides=[1] * 4, padding="SAME")
    cases.add("Conv2DBackpropInput", [np.array([0, 4, 4, 2], np.int32), f, y[:0]], strides=[1] * 4, padding="SAME")
    # Of other sizes that do not fit, TensorFlow's kernel throws.
    cases.add("Conv2DBackpropInput", [np.array([1, 4, 4, 3], np.int32), f, y], any_text=True, strides=[1] * 4,
              padding="SAME")
    for size, taps, (ci, co) in [((2, 3, 4), (2, 2, 3), (2, 3)), ((3, 3, 3), (1, 3, 2), (1, 2))]:
        for padding in ("SAME", "VALID"):
            for s in (1, 2):
                out = [conv_out(n, t, s, 1, padding) for n, t in zip(size, taps)]
                for index in (np.int32, np.int64):
                    cases.add("Conv3DBackpropInputV2",
                              [np.array([2, *size, ci], index), small(cases, *taps, ci, co), small(cases, 2, *out, co)],
                              strides=[1, s, s, s, 1], padding=padding)


def pool3d(cases):
    for op in ("MaxPool3D", "AvgPool3D"):
        for shape in [(1, 3, 4, 5, 2), (2, 2, 3, 3, 1)]:
            for padding in ("SAME", "VALID"):
                for k, s in [((2, 2, 2), (2, 2, 2)), ((1, 2, 3), (1, 1, 2)), ((2, 3, 1), (1, 2, 1))]:
                    cases.add(op, [small(cases, *shape)], ksize=[1, *k, 1], strides=[1, *s, 1], padding=padding)
        cases.add(op, [small(cases, 0, 2, 2, 2, 1)], ksize=[1, 2, 2, 2, 1], strides=[1] * 5, padding="SAME")


def space(cases):
    for dtype in (np.float32, np.int64, np.uint8):
        for shape, block, pads in [((1, 4, 4, 1), (2, 2), ((0, 0), (0, 0))), ((2, 3, 4, 2), (2, 3), ((1, 0), (1, 1))),
                                   ((2, 5), (3,), ((2, 2),)), ((1, 2, 3, 2), (1, 1), ((0, 0), (0, 0))),
                                   ((2, 2, 2, 2), (2, 2, 2), ((0, 2), (2, 0), (1, 1))), ((0, 2, 2, 1), (2, 2), ((0, 0), (0, 0)))]:
            cases.add("SpaceToBatchND", [cases.random(dtype, *shape), np.array(block, np.int32), np.array(pads, np.int32)],
                      known_shapes=True)
        for shape, block, crops in [((4, 2, 2, 1), (2, 2), ((0, 0), (0, 0))), ((12, 2, 3, 2), (2, 3), ((1, 0), (1, 2))),
                                    ((6, 3, 2), (3,), ((2, 4),)), ((8, 1, 2, 2), (2, 2, 2), ((0, 1), (2, 0), (1, 1))),
                                    ((4, 2, 2, 1), (2, 2), ((4, 0), (0, 0)))]:
            cases.add("BatchToSpaceND", [cases.random(dtype, *shape), np.array(block, np.int64), np.array(crops, np.int64)],
                      known_shapes=True)
        for fmt in ("NHWC", "NCHW"):
            for shape in [(2, 4, 6, 4), (1, 2, 2, 8), (0, 2, 2, 4)]:
                shape = shape if fmt == "NHWC" else (shape[0], shape[3], *shape[1:3])
                cases.add("SpaceToDepth", [cases.random(dtype, *shape)], block_size=2, data_format=fmt)
                cases.add("DepthToSpace", [cases.random(dtype, *shape)], block_size=2, data_format=fmt)
    x = small(cases, 1, 4, 5, 3)
    for block, pads in [((3, 2), ((0, 0), (0, 0))), ((2, 0), ((0, 0), (0, 0))), ((2, 2), ((0, -1), (0, 0))), ((2, 2), ((0, 1),)),
                        ((1, 1, 1, 1), ((0, 0),) * 4)]:
        cases.add("SpaceToBatchND", [x, np.array(block, np.int32), np.array(pads, np.int32)], any_text=True, known_shapes=True)
    for batch, crops in [(5, ((0, 0), (0, 0))), (4, ((5, 5), (0, 0))), (4, ((-1, 0), (0, 0)))]:
        cases.add("BatchToSpaceND", [small(cases, batch, 4, 4, 1), np.array([2, 2], np.int32), np.array(crops, np.int32)],
                  any_text=True, known_shapes=True)
    cases.add("SpaceToDepth", [x], any_text=True, block_size=2)
    cases.add("DepthToSpace", [x], any_text=True, block_size=2)
    cases.add("DepthToSpace", [x[0]], any_text=True, block_size=2)


def batch_norm(cases):
    none = np.zeros(0, F32)
    for op in ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"):
        # TensorFlow fills the last output of V3 with what Digit leaves out: it is for gradients only.
        for shape in [(2, 3, 4, 5), (1, 2, 1, 3), (1, 1, 1, 2)]:
            for fmt in ("NHWC", "NCHW"):
                c = shape[3] if fmt == "NHWC" else shape[1]
                x = small(cases, *shape, low=-2, high=5)
                cases.add(op, [x, small(cases, c), small(cases, c), none, none], data_format=fmt, epsilon=0.001)
        cases.add(op, [small(cases, 2, 3, 2, 2), small(cases, 2), small(cases, 2), small(cases, 2), small(cases, 2, low=0.5)],
                  exponential_avg_factor=0.25)
        cases.add(op, [small(cases, 2, 3, 2, 2), small(cases, 2), small(cases, 2), none, none], exponential_avg_factor=0.25,
                  any_text=True)


def add_cases(cases):
    conv3d(cases)
    transposed(cases)
    pool3d(cases)
    space(cases)
    batch_norm(cases)
    unequal_strides(cases)
