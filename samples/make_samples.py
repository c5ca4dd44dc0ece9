#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws the sample digits 0.png .. 9.png of this folder: python3 samples/make_samples.py

Each digit is one or two pen strokes: smooth curves through a few points, drawn with a round pen
whose pressure varies a little, slanted as people write. The pictures differ in size, colours and
kind of PNG, as the pictures do that digit-client is given. Needs nothing but Python; draws the same
bytes each time.
"""
import math
import os
import struct
import zlib

# Strokes in a box of 1 x 1, y down.
STROKES = {
    0: [[(0.60, 0.03), (0.32, 0.10), (0.14, 0.42), (0.18, 0.80), (0.42, 0.97), (0.70, 0.84), (0.84, 0.48), (0.74, 0.12),
         (0.52, 0.05)]],
    1: [[(0.42, 0.16), (0.50, 0.10), (0.56, 0.02), (0.53, 0.34), (0.50, 0.66), (0.47, 0.98)]],
    2: [[(0.14, 0.24), (0.30, 0.05), (0.58, 0.03), (0.74, 0.20), (0.66, 0.44), (0.40, 0.68), (0.12, 0.94)],
        [(0.12, 0.94), (0.34, 0.90), (0.60, 0.95), (0.90, 0.92)]],
    3: [[(0.16, 0.14), (0.40, 0.02), (0.70, 0.08), (0.74, 0.28), (0.56, 0.43), (0.36, 0.47)],
        [(0.36, 0.47), (0.66, 0.50), (0.82, 0.68), (0.68, 0.90), (0.40, 0.98), (0.14, 0.86)]],
    4: [[(0.30, 0.04), (0.22, 0.28), (0.14, 0.52), (0.40, 0.56), (0.66, 0.53), (0.90, 0.50)],
        [(0.72, 0.06), (0.68, 0.36), (0.64, 0.66), (0.60, 0.98)]],
    5: [[(0.78, 0.05), (0.54, 0.07), (0.32, 0.06)],
        [(0.32, 0.06), (0.27, 0.26), (0.22, 0.44), (0.46, 0.38), (0.72, 0.50), (0.76, 0.74), (0.54, 0.95), (0.24, 0.95),
         (0.12, 0.84)]],
    6: [[(0.68, 0.03), (0.44, 0.16), (0.24, 0.44), (0.20, 0.74), (0.36, 0.95), (0.60, 0.93), (0.74, 0.76), (0.64, 0.57),
         (0.42, 0.56), (0.25, 0.70)]],
    7: [[(0.12, 0.10), (0.36, 0.07), (0.60, 0.08), (0.84, 0.05)],
        [(0.84, 0.05), (0.70, 0.30), (0.54, 0.62), (0.44, 0.98)]],
    8: [[(0.70, 0.12), (0.48, 0.02), (0.26, 0.14), (0.32, 0.34), (0.56, 0.50), (0.74, 0.72), (0.60, 0.94), (0.34, 0.95),
         (0.22, 0.76), (0.40, 0.54), (0.66, 0.34), (0.74, 0.16), (0.66, 0.08)]],
    9: [[(0.74, 0.16), (0.52, 0.03), (0.28, 0.14), (0.24, 0.36), (0.44, 0.50), (0.66, 0.40), (0.75, 0.18)],
        [(0.75, 0.18), (0.72, 0.44), (0.66, 0.72), (0.58, 0.98)]],
}
SLANT = 0.10
PEN = 0.062  # radius, of the box


def curve(points, steps=24):
    """A Catmull-Rom spline through all points."""
    p = [points[0], *points, points[-1]]
    out = []
    for i in range(1, len(p) - 2):
        a, b, c, d = p[i - 1 : i + 3]
        for s in range(steps):
            t = s / steps
            out.append(tuple(
                0.5 * (2 * b[k] + (c[k] - a[k]) * t + (2 * a[k] - 5 * b[k] + 4 * c[k] - d[k]) * t * t
                       + (3 * b[k] - a[k] - 3 * c[k] + d[k]) * t ** 3) for k in (0, 1)))
    return out + [points[-1]]


def distance(px, py, a, b):
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = dx * dx + dy * dy
    t = 0 if length == 0 else max(0, min(1, ((px - a[0]) * dx + (py - a[1]) * dy) / length))
    return math.hypot(px - a[0] - t * dx, py - a[1] - t * dy)


def draw(digit, width, height, left, top, side):
    """How much of each pixel is ink, 0..1: rows of the picture."""
    ink = [[0.0] * width for _ in range(height)]
    for stroke in STROKES[digit]:
        points = [(left + side * (x + SLANT * (0.5 - y)), top + side * y) for x, y in curve(stroke)]
        for i, (a, b) in enumerate(zip(points, points[1:])):
            radius = side * PEN * (1 + 0.12 * math.sin(9 * i / len(points)))
            for y in range(max(0, int(min(a[1], b[1]) - radius - 1)),
                           min(height, int(max(a[1], b[1]) + radius + 2))):
                for x in range(max(0, int(min(a[0], b[0]) - radius - 1)),
                               min(width, int(max(a[0], b[0]) + radius + 2))):
                    covered = radius + 0.5 - distance(x + 0.5, y + 0.5, a, b)
                    ink[y][x] = max(ink[y][x], min(1.0, covered))
    return ink


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, color_type, rows):
    head = struct.pack(">IIBBBBB", width, height, 8, color_type, 0, 0, 0)
    data = b"".join(b"\0" + row for row in rows)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b""))


GREY, RGB, RGBA = 0, 2, 6


def picture(digit, width, height, left, top, side, color_type, paper, pen):
    """`paper` and `pen` are pixels of the colour type; what is between is mixed."""
    rows = [bytes(round(p + (q - p) * v) for v in row for p, q in zip(paper, pen))
            for row in draw(digit, width, height, left, top, side)]
    return png(width, height, color_type, rows)


# 28 x 28 and white on black is MNIST's own way; the others are what people have.
PICTURES = {
    0: (28, 28, 4, 4, 20, GREY, (0,), (255,)),
    1: (200, 200, 40, 30, 140, GREY, (250,), (30,)),  # pencil on paper
    2: (28, 28, 4, 4, 20, GREY, (0,), (255,)),
    3: (240, 240, 60, 40, 150, RGB, (253, 250, 240), (20, 40, 150)),  # blue ink on cream paper
    4: (28, 28, 4, 4, 20, GREY, (0,), (255,)),
    5: (160, 200, 20, 30, 130, RGBA, (0, 0, 0, 0), (0, 0, 0, 255)),  # black ink on nothing
    6: (28, 28, 4, 4, 20, GREY, (255,), (0,)),  # black on white
    7: (320, 200, 150, 20, 140, GREY, (240,), (60,)),  # not in the middle
    8: (28, 28, 4, 4, 20, GREY, (0,), (255,)),
    9: (200, 260, 50, 60, 130, RGB, (35, 70, 50), (235, 235, 225)),  # chalk on a board
}

if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    for digit, arguments in PICTURES.items():
        with open(os.path.join(here, f"{digit}.png"), "wb") as f:
            f.write(picture(digit, *arguments))
