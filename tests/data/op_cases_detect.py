# SPDX-License-Identifier: Apache-2.0
"""Cases of choosing among boxes, and of quantisation in floating point."""
import numpy as np

F32 = np.float32
I32 = np.int32


def boxes(cases, *shape):
    corner = cases.rng.uniform(0, 1, (*shape, 2))
    return np.concatenate([corner, corner + cases.rng.uniform(0.1, 0.5, (*shape, 2))], -1).astype(F32)


def nms(cases):
    for n, most in [(12, 5), (12, 20), (1, 1), (6, 0), (0, 3)]:
        b, s = boxes(cases, n), cases.rng.permutation(np.linspace(-1, 1, n)).astype(F32)
        flipped = b[:, [2, 1, 0, 3]]
        for threshold in (0.1, 0.5, 1.0):
            cases.add("NonMaxSuppression", [flipped, s, I32(most)], iou_threshold=threshold)
            for dtype in (F32, np.float16):
                inputs = [b.astype(dtype), s.astype(dtype), I32(most), dtype(threshold)]
                cases.add("NonMaxSuppressionV2", inputs)
                inputs.append(dtype(-0.25))
                cases.add("NonMaxSuppressionV3", inputs)
                for pads in (False, True):
                    cases.add("NonMaxSuppressionV4", inputs, pad_to_max_output_size=pads)
                    for sigma in (0, 0.5):
                        if n > 0 and dtype == F32:
                            cases.add("NonMaxSuppressionV5", inputs + [dtype(sigma)], pad_to_max_output_size=pads)
        overlaps = cases.rng.uniform(0, 1, (n, n)).astype(F32)
        cases.add("NonMaxSuppressionWithOverlaps", [overlaps, s, I32(most), F32(0.6), F32(-0.5)])
    same = np.tile(np.array([[0, 0, 1, 1]], F32), (4, 1))
    cases.add("NonMaxSuppressionV3", [same, np.ones(4, F32), I32(4), F32(0.5), F32(0)])
    cases.add("NonMaxSuppressionV3", [np.zeros((3, 4), F32), np.ones(3, F32), I32(4), F32(0), F32(0)])
    cases.add("NonMaxSuppressionV3", [same, np.array([1, np.nan, -np.inf, np.inf], F32), I32(4), F32(1), F32(-np.inf)])
    bad = [([same, np.ones(4), 4, 1.5, 0]), ([same, np.ones(4), 4, -0.1, 0]), ([same, np.ones(3), 4, 0.5, 0]), ([same[:, :3], np.ones(4), 4, 0.5, 0]),
           ([same[0], np.ones(4), 4, 0.5, 0]), ([same, np.ones((4, 1)), 4, 0.5, 0]),
           ([same, np.ones(4), [4], 0.5, 0]), ([same, np.ones(4), 4, [0.5], 0]), ([same, np.ones(4), 4, 0.5, [0]])]
    # A negative size (and per channel, a scalar) ends TensorFlow's process: not asked.
    for b, s, most, threshold, score in bad:
        inputs = [b, s.astype(F32), np.array(most, I32), np.array(threshold, F32), np.array(score, F32)]
        cases.add("NonMaxSuppressionV3", inputs, any_text=True)
        cases.add("NonMaxSuppressionV5", inputs + [F32(0.5)], any_text=True)
    cases.add("NonMaxSuppressionV5", [same, np.ones(4, F32), I32(4), F32(0.5), F32(0), F32(-1)], any_text=True)
    cases.add("NonMaxSuppression", [same, np.ones(4, F32), I32(4)], iou_threshold=2.0, any_text=True)


def combined(cases):
    for batch, n, classes, shared in [(2, 8, 3, False), (1, 8, 3, True), (1, 5, 1, True), (0, 3, 2, False)]:
        b = boxes(cases, batch, n, 1 if shared else classes)
        s = cases.rng.permutation(np.linspace(0, 1, batch * n * classes)).astype(F32).reshape(batch, n, classes)
        for per_class, total in [(3, 5), (10, 4), (2, 40)]:
            for pads in (False, True):
                cases.add("CombinedNonMaxSuppression", [b, s, I32(per_class), I32(total), F32(0.3), F32(0.2)], pad_per_class=pads,
                          clip_boxes=not pads)
    b, s = boxes(cases, 1, 3, 2), cases.rng.uniform(0, 1, (1, 3, 2)).astype(F32)
    for inputs in ([b[0], s, 2, 2, 0.5, 0], [b, s[0], 2, 2, 0.5, 0], [b, s[:, :2], 2, 2, 0.5, 0], [b, s, 0, 2, 0.5, 0], [b, s, 2, 0, 0.5, 0],
                   [b, s, 2, 2, 1.5, 0], [b, s, [2], 2, 0.5, 0], [b[..., :3], s, 2, 2, 0.5, 0], [b, np.tile(s, 2), 2, 2, 0.5, 0]):
        inputs = [np.asarray(x, I32 if i in (2, 3) else F32) for i, x in enumerate(inputs)]
        cases.add("CombinedNonMaxSuppression", inputs, any_text=True)


RANGES = [(-6, 6), (0, 6), (-1.3, 5.1), (0.5, 3), (-4, -1), (-0.01, 0.02)]


def fake_quant(cases):
    special = np.array([0.0, -0.0, 1e4, -1e4, 0.5, np.inf, -np.inf], F32)
    for low, high in RANGES:
        for bits in (2, 8, 16):
            for narrow in (False, True):
                x = cases.random(F32, 3, 7, low=-7, high=7)
                attrs = {"num_bits": bits, "narrow_range": narrow}
                cases.add("FakeQuantWithMinMaxArgs", [x], min=low, max=high, **attrs)
                cases.add("FakeQuantWithMinMaxVars", [x, F32(low), F32(high)], **attrs)
        cases.add("FakeQuantWithMinMaxVars", [special, F32(low), F32(high)])
    lows, highs = np.array(RANGES, F32).T
    for shape in [(2, 3, 6), (6,), (0, 6)]:
        cases.add("FakeQuantWithMinMaxVarsPerChannel", [cases.random(F32, *shape), lows, highs])
    cases.add("FakeQuantWithMinMaxVarsPerChannel", [cases.random(F32, 2, 2), np.zeros(2, F32), np.array([0, 1], F32)])
    cases.add("FakeQuantWithMinMaxVars", [special, F32(0), F32(0)])
    for bits in (1, 17):
        cases.add("FakeQuantWithMinMaxArgs", [special], num_bits=bits, any_text=True)
        cases.add("FakeQuantWithMinMaxVars", [special, F32(0), F32(1)], num_bits=bits, any_text=True)
    cases.add("FakeQuantWithMinMaxArgs", [special], min=3.0, max=3.0, any_text=True)
    cases.add("FakeQuantWithMinMaxVars", [special, np.zeros(2, F32), F32(1)], any_text=True)
    cases.add("FakeQuantWithMinMaxVarsPerChannel", [cases.random(F32, 2, 3), np.zeros(2, F32), np.ones(2, F32)], any_text=True)


def quantize(cases):
    for op in ("QuantizeAndDequantizeV2", "QuantizeAndDequantizeV3", "QuantizeAndDequantizeV4"):
        is_v3 = op.endswith("3")
        rounds = [{}] if is_v3 else [{"round_mode": "HALF_TO_EVEN"}, {"round_mode": "HALF_UP"}]

        def run(x, low, high, bits, **attrs):
            inputs = [x, np.asarray(low, x.dtype), np.asarray(high, x.dtype)]
            if is_v3:
                cases.add(op, inputs + [I32(bits)], **attrs)
            else:
                cases.add(op, inputs, num_bits=bits, **attrs)

        for dtype in (np.float32, np.float64, np.float16):
            for given in (False, True):
                for signed in (False, True):
                    for round_mode in rounds:
                        x = cases.random(dtype, 3, 7, low=-7 if signed else 0, high=7)
                        run(x, -3 if signed else 0, 4, 8, range_given=given, signed_input=signed, **round_mode)
        for narrow in (False, True):
            for bits in (1, 3, 16) if not narrow else (3, 16):
                for low, high in [(-5, 2), (-2, 5), (1, 3), (-3, -1)]:
                    run(cases.random(F32, 9), low, high, bits, range_given=True, narrow_range=narrow)
        for axis in (0, 1, 2):
            for given in (False, True):
                n = (2, 3, 2)[axis]
                run(cases.random(F32, 2, 3, 2), np.linspace(-3, -1, n), np.linspace(1, 4, n), 4, axis=axis, range_given=given)
        run(np.zeros((0, 2), F32), -1, 1, 8, range_given=True)
        run(np.zeros(3, F32), 0, 0, 8, range_given=False)
        run(np.array([0.5, 1.5, 2.5, -0.5, -1.5], F32), -128, 127, 8, range_given=True)
    x = cases.random(F32, 4)
    for attrs in ({"num_bits": 0}, {"num_bits": 62}, {"num_bits": 63, "signed_input": False}, {"axis": -2}, {"axis": 1}):
        cases.add("QuantizeAndDequantizeV2", [x, F32(-1), F32(1)], any_text=True, **attrs)
    for low, high in [(2, 1), ([0], 1), ([0, 0], [1, 1])]:
        cases.add("QuantizeAndDequantizeV2", [x, np.array(low, F32), np.array(high, F32)], any_text=True, range_given=True)
    for bits in (0, 62, [8, 8]):
        cases.add("QuantizeAndDequantizeV3", [x, F32(-1), F32(1), np.array(bits, I32)], any_text=True)


def add_cases(cases):
    nms(cases)
    combined(cases)
    fake_quant(cases)
    quantize(cases)
