# SPDX-License-Identifier: Apache-2.0
"""Cases of ops on images."""
import struct
import zlib

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


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth, color_type, rows, extra=b"", interlace=0):
    """A PNG of rows that are packed already."""
    header = struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, interlace)
    data = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows))
    return (b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + extra + png_chunk(b"IDAT", data)
            + png_chunk(b"IEND", b""))


def pngs(cases):
    """One of every kind: color types 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGBA."""
    palette = png_chunk(b"PLTE", bytes(cases.rng.integers(0, 256, 12).astype(np.uint8)))
    kinds = [(0, d, b"") for d in (1, 2, 4, 8, 16)] + [(2, 8, b""), (2, 16, b"")]
    kinds += [(3, 1, palette), (3, 2, palette), (3, 2, palette + png_chunk(b"tRNS", b"\x80\0\xff"))]
    kinds += [(4, 8, b""), (4, 16, b""), (6, 8, b""), (6, 16, b"")]
    kinds += [(0, 8, png_chunk(b"tRNS", b"\0\x07")), (2, 8, png_chunk(b"tRNS", b"\0\1\0\2\0\3"))]
    kinds += [(2, 8, png_chunk(b"gAMA", struct.pack(">I", 45455)))]
    for color_type, depth, extra in kinds:
        channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color_type]
        row_bytes = (5 * channels * depth + 7) // 8
        rows = cases.rng.integers(0, 2 if color_type == 3 and depth == 1 else 256, (4, row_bytes))
        yield png(5, 4, depth, color_type, rows.astype(np.uint8), extra)


def decode(cases):
    files = list(pngs(cases))
    for file in files:
        for channels in range(5):
            for dtype in (np.uint8, np.uint16):
                cases.add("DecodePng", [file], channels=channels, dtype=dtype)
        cases.add("DecodeImage", [file])
        cases.add("DecodeImage", [file], channels=3, dtype=np.uint16)
    whole = files[5]
    for size in (0, 7, 8, 20, 33, 40, len(whole) - 20):
        cases.add("DecodePng", [whole[:size]], any_text=True)
    cases.add("DecodePng", [whole[:45] + b"\xff\xff" + whole[47:]], any_text=True)
    cases.add("DecodePng", [b"no image at all"], any_text=True)
    cases.add("DecodePng", [np.array([whole], object)], any_text=True)
    cases.add("DecodePng", [png(1 << 16, 1 << 16, 8, 2, [])], any_text=True)


def add_cases(cases):
    decode(cases)
    resize(cases)
    scale_and_translate(cases)
