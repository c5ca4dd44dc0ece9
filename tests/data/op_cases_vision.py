# SPDX-License-Identifier: Apache-2.0
"""Cases of ops of computer vision: colours, windows, crops and warps of images, BMP files."""
import struct

import numpy as np

from op_cases import BFLOAT16, INTS, PLAIN
from op_cases_image import png

F32, I32 = np.float32, np.int32
FLOATS = [F32, np.float64, np.float16, BFLOAT16]


def unit(cases, dtype, *shape):
    return cases.random(F32, *shape, low=0, high=1).astype(dtype)


def color(cases):
    grey = np.array([[0, 0, 0], [1, 1, 1], [0.5, 0.5, 0.5], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1]], F32)
    for op in ("RGBToHSV", "HSVToRGB"):
        for dtype in FLOATS[:2]:
            cases.add(op, [unit(cases, dtype, 2, 3, 4, 3)])
            cases.add(op, [grey.astype(dtype)])
        cases.add(op, [unit(cases, F32, 3)])
        cases.add(op, [unit(cases, F32, 0, 3)])
        cases.add(op, [unit(cases, F32, 2, 4)], any_text=True)
        cases.add(op, [F32(1)], any_text=True)
    cases.add("HSVToRGB", [unit(cases, np.float16, 4, 3)])
    for dtype in (F32, np.float16):
        for factor in (0.0, 0.5, 2.0):
            cases.add("AdjustContrastv2", [unit(cases, dtype, 2, 3, 4, 2), F32(factor)])
    for op in ("AdjustHue", "AdjustSaturation"):
        for amount in (-0.3, 0.0, 0.2, 0.9, 1.7):
            cases.add(op, [unit(cases, F32, 2, 3, 4, 3), F32(amount)])
        cases.add(op, [grey.reshape(2, 2, 2, 3), F32(0.4)])
    for op in ("AdjustHue", "AdjustSaturation", "AdjustContrastv2"):
        cases.add(op, [unit(cases, F32, 0, 3, 4, 3), F32(0.5)])
        cases.add(op, [unit(cases, F32, 4, 3), F32(0.5)], any_text=True)
        cases.add(op, [unit(cases, F32, 1, 2, 2, 3), np.array([0.5], F32)], any_text=True)


def patches(cases):
    rng = cases.rng
    for dtype in PLAIN:
        cases.add("ExtractImagePatches", [cases.random(dtype, 1, 4, 5, 2)], ksizes=[1, 3, 2, 1], strides=[1, 1, 2, 1],
                  rates=[1, 1, 2, 1], padding="SAME")
        cases.add("ExtractVolumePatches", [cases.random(dtype, 1, 2, 3, 3, 2)], ksizes=[1, 2, 2, 1, 1],
                  strides=[1, 1, 2, 2, 1], padding="SAME")
    for padding in ("SAME", "VALID"):
        for _ in range(6):
            k, s, r = (rng.integers(1, 4, 2).tolist() for _ in range(3))
            cases.add("ExtractImagePatches", [cases.random(F32, 2, 8, 9, 3)], ksizes=[1, *k, 1], strides=[1, *s, 1],
                      rates=[1, *r, 1], padding=padding)
            k, s = (rng.integers(1, 3, 3).tolist() for _ in range(2))
            cases.add("ExtractVolumePatches", [cases.random(F32, 2, 4, 5, 3, 2)], ksizes=[1, *k, 1], strides=[1, *s, 1],
                      padding=padding)
    one = dict(ksizes=[1, 2, 2, 1], strides=[1, 1, 1, 1], rates=[1, 1, 1, 1])
    cases.add("ExtractImagePatches", [cases.random(F32, 0, 4, 4, 1)], padding="VALID", **one)
    cases.add("ExtractImagePatches", [cases.random(F32, 4, 4, 1)], padding="VALID", any_text=True, **one)


def windows(cases):
    for dtype in FLOATS + INTS:
        for padding in ("SAME", "VALID"):
            cases.add("Dilation2D", [cases.random(dtype, 1, 5, 6, 2), cases.random(dtype, 3, 2, 2)],
                      strides=[1, 2, 1, 1], rates=[1, 1, 2, 1], padding=padding)
            cases.add("MaxPoolWithArgmax", [cases.random(dtype, 2, 5, 6, 2)], ksize=[1, 2, 3, 1],
                      strides=[1, 1, 2, 1], padding=padding)
    for batch in (False, True):
        for index in (I32, np.int64):
            cases.add("MaxPoolWithArgmax", [cases.random(F32, 2, 4, 4, 3)], ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1],
                      padding="VALID", include_batch_in_index=batch, Targmax=index)
    cases.add("Dilation2D", [cases.random(F32, 1, 5, 6, 2), cases.random(F32, 3, 2, 3)], strides=[1] * 4,
              rates=[1] * 4, padding="SAME", any_text=True)
    for dtype in (F32, np.float16, BFLOAT16):
        cases.add("LRN", [cases.random(dtype, 1, 2, 3, 7)])
        cases.add("LRN", [cases.random(dtype, 1, 2, 3, 7)], depth_radius=2, bias=2.0, alpha=0.1, beta=0.75)
    cases.add("LRN", [cases.random(F32, 1, 2, 3, 3)], depth_radius=0, beta=1.0)
    cases.add("LRN", [cases.random(F32, 0, 2, 3, 3)])
    cases.add("LRN", [cases.random(F32, 2, 3, 3)], any_text=True)


def crops(cases):
    boxes = np.array([[0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], [0.9, 0.7, 0.2, 0.1], [-0.5, -0.3, 1.4, 1.2], [0.5, 0.5, 0.5, 0.5]], F32)
    index = np.array([0, 1, 1, 0, 1], I32)
    for dtype in FLOATS[:3] + INTS:
        for method in ("bilinear", "nearest"):
            for size in ((4, 3), (1, 1), (9, 8)) if dtype == F32 else ((2, 3),):
                cases.add("CropAndResize", [cases.random(dtype, 2, 5, 6, 1), boxes, index, np.array(size, I32)],
                          method=method, extrapolation_value=0.5)
    image = cases.random(F32, 2, 5, 6, 2)
    cases.add("CropAndResize", [image, boxes[:0], index[:0], np.array([2, 2], I32)])
    for b, i, size in ((boxes, index[:3], (2, 2)), (boxes[:, :3], index, (2, 2)), (boxes, index, (0, 2)), (boxes, index, (2, 2, 2)),
                       (boxes, index + 1, (2, 2))):
        cases.add("CropAndResize", [image, b, i, np.array(size, I32)], any_text=True)


def warps(cases):
    transforms = np.array([[1, 0, 0, 0, 1, 0, 0, 0], [0.8, -0.6, 1.3, 0.6, 0.8, -1.2, 0, 0], [1.1, 0.1, -2.5, 0.05, 0.9, 3.2, 0.01, -0.02],
                           [1, 0, -30.25, 0, 1, 41.5, 0, 0]], F32)
    size = np.array([6, 7], I32)
    for mode in ("CONSTANT", "REFLECT", "WRAP", "NEAREST"):
        for method in ("NEAREST", "BILINEAR"):
            attrs = dict(interpolation=method, fill_mode=mode)
            # Of doubles too, TensorFlow makes the sums as float, and the last digits differ.
            for dtype in (np.float64, np.float16, np.uint8, I32, np.int64) if mode == "CONSTANT" else (F32,):
                if dtype != np.float64 or method == "NEAREST":
                    cases.add("ImageProjectiveTransformV3", [cases.random(dtype, 4, 5, 4, 2), transforms, size, F32(2)],
                              **attrs)
            cases.add("ImageProjectiveTransformV3", [cases.random(F32, 2, 5, 4, 1), transforms[2:3], size, F32(0.5)], **attrs)
            cases.add("ImageProjectiveTransformV3", [cases.random(F32, 4, 1, 1, 1), transforms, size, F32(0.5)], **attrs)
            cases.add("ImageProjectiveTransformV2", [cases.random(F32, 4, 5, 4, 1), transforms, size], **attrs)
    image = cases.random(F32, 4, 5, 4, 1)
    for t, s in ((transforms[:, :7], size), (transforms[:2], size), (transforms, size[:1]), (transforms, size * 0)):
        cases.add("ImageProjectiveTransformV3", [image, t, s, F32(0)], any_text=True, interpolation="NEAREST")


def sums(cases):
    for dtype in FLOATS:
        cases.add("L2Loss", [cases.random(dtype, 2, 5)])
        cases.add("EuclideanNorm", [cases.random(dtype, 2, 3, 4), np.array([0, 2], I32)])
    cases.add("L2Loss", [cases.random(F32, 0)])
    cases.add("L2Loss", [F32(3)])
    cases.add("EuclideanNorm", [cases.random(F32, 2, 300), np.int64(1)], keep_dims=True)
    cases.add("EuclideanNorm", [cases.random(F32, 2, 0), I32(-1)])
    p = cases.random(F32, 6, 5)
    p[1, 2], p[2, 1], p[3] = np.inf, np.nan, 1
    for k in (0, 1, 2, 9):
        for index in (I32, np.int64):
            targets = np.array([0, 1, 2, 3, 4, 7], index)
            cases.add("InTopK", [p, targets], k=k)
            cases.add("InTopKV2", [p, targets, np.asarray(k, index)])
    cases.add("InTopKV2", [p, np.zeros(3, I32), I32(1)], any_text=True)
    cases.add("InTopKV2", [p[0], np.zeros(3, I32), I32(1)], any_text=True)
    cases.add("InTopKV2", [p, np.zeros(6, I32), np.ones(1, I32)], any_text=True)


def bmp(cases, width, height, bits, start=54):
    rows = [bytes(cases.rng.integers(0, 256, (width * bits + 31) // 32 * 4).astype(np.uint8)) for _ in range(abs(height))]
    header = b"BM" + struct.pack("<IIIIiiHH", 0, 0, start, 40, width, height, 1, bits)
    return header + bytes(start - len(header)) + b"".join(rows)


def files(cases):
    for bits, channels in ((8, 1), (24, 3), (32, 4)):
        for height in (4, -3):
            file = bmp(cases, 5, height, bits)
            for attrs in ({}, {"channels": channels}):
                cases.add("DecodeBmp", [file], **attrs)
                cases.add("DecodeImage", [file], **attrs)
    for color_type, channels in ((0, 1), (2, 3), (6, 4)):
        rows = cases.rng.integers(0, 256, (4, 5 * channels)).astype(np.uint8)
        file = png(5, 4, 8, color_type, rows)
        for channels in (0, 1, 3):
            cases.add("DecodeJpeg", [file], channels=channels)
        cases.add("DecodeImage", [file], dtype=F32)
    cases.add("DecodeImage", [bmp(cases, 5, 3, 24)], dtype=F32)
    cases.add("DecodeImage", [bmp(cases, 5, 3, 24)], dtype=np.uint16)
    file = bmp(cases, 5, 3, 24)
    cases.add("DecodeBmp", [file], channels=1, any_text=True)
    for bad in (file[:20], file[:60], bmp(cases, 0, 3, 24), bmp(cases, 3, 3, 16), file[:10] + b"\xff\xff\xff\x7f" + file[14:]):
        cases.add("DecodeBmp", [bad], any_text=True)


def add_cases(cases):
    color(cases)
    patches(cases)
    windows(cases)
    crops(cases)
    warps(cases)
    sums(cases)
    files(cases)
