# SPDX-License-Identifier: Apache-2.0
"""Cases of ops on images."""
import numpy as np

from op_cases import BFLOAT16

I32, F32 = np.int32, np.float32
RESIZES = "ResizeBilinear ResizeNearestNeighbor ResizeBicubic ResizeArea".split()


def resize(cases):
    for op in RESIZES:
        conventions = [{}, {"align_corners": True}]
        if op != "ResizeArea":
            conventions.append({"half_pixel_centers": True})
        for attrs in conventions:
            x = cases.random(F32, 2, 4, 5, 2)
            for size in ([4, 5], [8, 10], [3, 2], [1, 1], [7, 3], [9, 11]):
                cases.add(op, [x, np.array(size, I32)], **attrs)
            cases.add(op, [cases.random(F32, 1, 1, 1, 2), np.array([3, 3], I32)], **attrs)
            cases.add(op, [cases.random(F32, 1, 1, 4, 1), np.array([3, 3], I32)], **attrs)
            cases.add(op, [cases.random(F32, 1, 2, 9, 1), np.array([4, 4], I32)], **attrs)
            for dtype in (np.uint8, np.int8, np.uint16, np.int16, I32, np.int64, np.float64, np.float16, BFLOAT16):
                cases.add(op, [cases.random(dtype, 1, 4, 6, 2), np.array([6, 5], I32)], **attrs)
        for size in ([0, 3], [-1, 3]):
            cases.add(op, [x, np.array(size, I32)], any_text=True)
        cases.add(op, [x, np.array([1, 2, 3], I32)], any_text=True)
        cases.add(op, [x[0], np.array([2, 2], I32)], any_text=True)
        cases.add(op, [x[:0], np.array([2, 2], I32)])
    cases.add("ResizeBilinear", [x, np.array([2, 2], I32)], any_text=True, align_corners=True,
              half_pixel_centers=True)


def scale_and_translate(cases):
    x = cases.random(F32, 2, 6, 8, 1)
    for kernel in "lanczos1 lanczos3 lanczos5 gaussian box triangle keyscubic mitchellcubic".split():
        for antialias in (True, False):
            for size, scale, shift in (([6, 8], [1, 1], [0, 0]), ([3, 5], [0.5, 0.625], [0, 0]),
                                       ([12, 11], [2, 1.375], [0, 0]), ([5, 5], [0.7, 0.9], [1.2, -0.6])):
                cases.add("ScaleAndTranslate", [x, np.array(size, I32), np.array(scale, F32),
                                                np.array(shift, F32)],
                          kernel_type=kernel, antialias=antialias)
    one = np.array([1, 1], F32)
    cases.add("ScaleAndTranslate", [cases.random(np.uint8, 1, 4, 4, 1), np.array([2, 2], I32), one / 2, one * 0])
    cases.add("ScaleAndTranslate", [x, np.array([2, 2], I32), one * 0, one], any_text=True)
    cases.add("ScaleAndTranslate", [x, np.array([2, 2], I32), -one, one], any_text=True)
    cases.add("ScaleAndTranslate", [x, np.array([2, 2], I32), one, F32(1)], any_text=True)


def add_cases(cases):
    resize(cases)
    scale_and_translate(cases)
