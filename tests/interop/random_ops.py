"""Random nodes for each family of ops: shapes of up to four dimensions, empty ones too, types, attributes, NaN and Inf.

A family is a function that adds one case to `cases` (tests/data/op_cases.py), which TensorFlow answers then and there;
an error is an answer too. What TensorFlow itself gets wrong is left out, with the reason.
"""
import numpy as np

from op_cases import FLOATS, INTS, NUMBERS, PLAIN, is_float

F32, F64, I32, I64 = np.float32, np.float64, np.int32, np.int64
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 30.0, -30.0, np.inf, -np.inf, np.nan]


class Random:
    """What families draw from."""

    def __init__(self, cases):
        self.cases, self.rng = cases, cases.rng

    def below(self, n):
        return int(self.rng.integers(0, n))

    def between(self, low, high):
        """low..high, both included."""
        return int(self.rng.integers(low, high + 1))

    def one(self, items):
        return items[self.below(len(items))]

    def chance(self, n):
        """True once in n."""
        return self.below(n) == 0

    def shape(self, low=0, high=4, largest=6):
        shape = [self.between(1, largest) for _ in range(self.between(low, high))]
        if shape and self.chance(12):
            shape[self.below(len(shape))] = 0
        return shape

    def numbers(self, dtype, shape, low=-4, high=5, special=True):
        x = self.cases.random(dtype, *shape, low=low, high=high)
        if special and is_float(dtype) and x.size and self.chance(4):
            x = np.asarray(x)
            for _ in range(self.between(1, 3)):
                x.reshape(-1)[self.below(x.size)] = self.one(SPECIAL)
        return x

    def floats(self, *shape, dtype=F32):
        return self.numbers(dtype, shape, -1, 1, special=False)

    def any(self, shape, dtypes=PLAIN):
        return self.cases.strings(*shape) if self.chance(8) else self.numbers(self.one(dtypes), shape)

    def axis(self, rank):
        return self.between(-rank, rank - 1)

    def broadcast(self):
        """Two shapes that fit each other, but for one in twenty."""
        x = self.shape()
        y = [1 if self.chance(3) else d for d in x[self.below(len(x) + 1):]]
        x = [1 if self.chance(5) else d for d in x]
        if y and self.chance(20):
            y[-1] += 1
        return (x, y) if self.chance(2) else (y, x)


def unary(r):
    op = r.one("Abs Neg Sign Square Ceil Cos Erf Erfc Exp Expm1 Floor IsFinite IsInf IsNan Log Log1p Rint Round Rsqrt "
               "Reciprocal Sigmoid Sin Sqrt Tan Tanh Acos Acosh Asin Asinh Atan Atanh Cosh Sinh Relu Relu6 Elu Selu "
               "Softplus Softsign LeakyRelu OnesLike ZerosLike Shape Size Rank Identity Invert".split())
    dtype = r.one(PLAIN) if r.chance(3) else r.one(FLOATS)
    if op in ("Round", "Reciprocal") and not is_float(dtype):
        dtype = F32  # TensorFlow rounds integers to 0, and 1 / 0 of integers ends it
    if op == "Invert":
        dtype = r.one(INTS)
    # erf(inf) of double is NaN in TensorFlow.
    r.cases.add(op, [r.numbers(dtype, r.shape(), special=not (op == "Erf" and dtype == F64))])


def binary(r):
    op = r.one("Add AddV2 Div DivNoNan FloorDiv FloorMod Maximum Minimum Mul Pow RealDiv SquaredDifference Sub "
               "TruncateDiv TruncateMod Atan2 Xdivy Xlogy Equal NotEqual Less LessEqual Greater GreaterEqual".split())
    divides, power = "Div" in op or "Mod" in op or op == "Xdivy", op == "Pow"
    dtype = r.one(NUMBERS)
    if op.startswith(("Floor", "Truncate")) and dtype in FLOATS[2:]:
        dtype = F32  # TensorFlow rounds the quotient of 16-bit types before it takes the floor
    is_small = not is_float(dtype) and (divides or power)
    low = 1 if is_small else 0.5 if power else -4
    x, y = r.broadcast()
    r.cases.add(op, [r.numbers(dtype, x, low=0.5 if power and is_float(dtype) else -4, special=not power),
                     r.numbers(dtype, y, low=low, special=not power)])


def choose(r):
    kind = r.below(4)
    if kind == 0:
        source, target = r.one(PLAIN), r.one(PLAIN)
        # Of numbers that the other type has not, the processor decides.
        x = r.numbers(source, r.shape(), low=0, special=is_float(target))
        r.cases.add("Cast", [x], DstT=target)
    elif kind == 1:
        x, y = r.broadcast()
        dtype = r.one(PLAIN)
        r.cases.add("SelectV2", [r.numbers(np.bool_, r.one([x, y, []])), r.numbers(dtype, x), r.numbers(dtype, y)])
    elif kind == 2:
        x, y = r.broadcast()
        r.cases.add(r.one(["LogicalAnd", "LogicalOr"]), [r.numbers(np.bool_, x), r.numbers(np.bool_, y)])
    else:
        # Of 16-bit types TensorFlow rounds each sum, which many addends would show.
        dtype, shape = r.one([F32, F64, I32, I64]), r.shape()
        r.cases.add("AddN", [r.numbers(dtype, shape) for _ in range(r.between(1, 5))])


def reduce(r):
    shape = r.shape(1, 4)
    axes = [r.axis(len(shape)) for _ in range(r.below(len(shape) + 1))]
    index = r.one([I32, I64])
    kind = r.below(6)
    if kind == 0:
        r.cases.add(r.one(["All", "Any"]), [r.numbers(np.bool_, shape), np.array(axes, index)], keep_dims=r.chance(2))
    elif kind == 1:
        r.cases.add(r.one(["ArgMax", "ArgMin"]), [r.numbers(r.one(PLAIN), shape), index(r.axis(len(shape)))],
                    output_type=r.one([I32, I64]))
    elif kind == 2:
        r.cases.add(r.one(["Cumsum", "Cumprod"]), [r.numbers(r.one(NUMBERS), shape, -2, 3, special=False),
                                                   index(r.axis(len(shape)))],
                    exclusive=r.chance(2), reverse=r.chance(2))
    else:
        op, dtype = r.one("Max Min Mean Prod Sum".split()), r.one(NUMBERS)
        if op == "Mean" and not is_float(dtype) and 0 in shape:
            return  # TensorFlow divides an integer by zero
        r.cases.add(op, [r.numbers(dtype, shape, -2, 3, special=op in ("Max", "Min")),
                         np.array(axes, index)], keep_dims=r.chance(2))


def product(r):
    dtype = r.one([F32, F32, F32, F64, np.float16, I32, I64])
    m, k, n = (r.between(0 if r.chance(10) else 1, 40) for _ in range(3))
    ta, tb = r.chance(2), r.chance(2)
    a, b = ([k, m] if ta else [m, k]), ([n, k] if tb else [k, n])

    def matrix(*shape):
        return r.floats(*shape, dtype=dtype) if is_float(dtype) else r.numbers(dtype, shape)
    if r.chance(2):
        r.cases.add("MatMul", [matrix(*a), matrix(*b)], transpose_a=ta, transpose_b=tb)
        return
    x, y = r.broadcast()
    op = r.one(["BatchMatMulV2", "BatchMatMulV2", "BatchMatMul"])
    if op == "BatchMatMul":
        y = x
    r.cases.add(op, [matrix(*x[-2:], *a), matrix(*y[-2:], *b)], adj_x=ta, adj_y=tb)


def spatial(r, n, largest=11):
    """Sizes, window, strides and dilations of n dimensions; strides or dilations, not both, as TensorFlow wants."""
    taps = [r.between(1, 4) for _ in range(n)]
    dilations = [r.between(1, 3) for _ in range(n)] if r.chance(3) else [1] * n
    strides = [1] * n if max(dilations) > 1 else [r.between(1, 3) for _ in range(n)]
    size = [(t - 1) * d + r.between(1, largest) for t, d in zip(taps, dilations)]
    return size, taps, strides, dilations


def convolution(r):
    size, taps, strides, dilations = spatial(r, 2)
    groups = r.one([1, 1, 1, 2, 3])
    c, o = groups * r.between(1, 5), groups * r.between(1, 9)
    padding, explicit = r.one(["SAME", "VALID", "EXPLICIT"]), {}
    if padding == "EXPLICIT":
        explicit = {"explicit_paddings": [0, 0, *(r.below(4) for _ in range(4)), 0, 0]}
    dtype = F32 if r.below(4) else r.one([F64, np.float16])
    batch = r.between(1, 3)
    if r.chance(3):
        s = strides[0]  # TensorFlow's depthwise kernels want equal strides
        r.cases.add("DepthwiseConv2dNative", [r.floats(batch, *size, c, dtype=dtype),
                                              r.floats(*taps, c, r.between(1, 3), dtype=dtype)],
                    strides=[1, s, s, 1], padding=padding, **explicit)
        return
    if dtype != F32:
        groups = 1  # TensorFlow has no grouped kernels of other types
    r.cases.add("Conv2D", [r.floats(batch, *size, c, dtype=dtype), r.floats(*taps, c // groups, o, dtype=dtype)],
                strides=[1, *strides, 1], dilations=[1, *dilations, 1], padding=padding, **explicit)


def volume(r):
    size, taps, strides, _ = spatial(r, 3, 4)
    s, c, o = strides[0], r.between(1, 3), r.between(1, 4)  # of unequal strides TensorFlow misplaces the results
    r.cases.add("Conv3D", [r.floats(r.between(1, 2), *size, c), r.floats(*taps, c, o)], strides=[1, s, s, s, 1],
                padding=r.one(["SAME", "VALID"]))


def transposed(r):
    taps, s = [r.between(1, 4) for _ in range(2)], r.between(1, 3)
    padding, ci, co = r.one(["SAME", "VALID"]), r.between(1, 4), r.between(1, 4)
    size = [t + r.below(7) for t in taps]
    out = [-(-n // s) if padding == "SAME" else (n - t) // s + 1 for n, t in zip(size, taps)]
    batch = r.between(1, 2)
    r.cases.add("Conv2DBackpropInput", [np.array([batch, *size, ci], I32), r.floats(*taps, ci, co),
                                        r.floats(batch, *out, co)], strides=[1, s, s, 1], padding=padding)


def pool(r):
    n = r.one([2, 2, 3])
    size, taps, strides, _ = spatial(r, n, 6)
    op = r.one(["MaxPool", "AvgPool"]) + ("3D" if n == 3 else "")
    dtype = F32 if n == 3 or r.below(3) else r.one([F64, np.float16])
    x = r.floats(r.between(0 if r.chance(10) and n == 2 else 1, 2), *size, r.between(1, 5), dtype=dtype)
    r.cases.add(op, [x], ksize=[1, *taps, 1], strides=[1, *strides, 1], padding=r.one(["SAME", "VALID"]))


def normalise(r):
    kind = r.below(3)
    if kind == 0:
        dtype = r.one(FLOATS)
        r.cases.add(r.one(["Softmax", "LogSoftmax"]), [r.numbers(dtype, r.shape(1, 4), special=False)])
    elif kind == 1:
        c = r.between(1, 6)
        p = [r.floats(c), r.floats(c), r.floats(c), np.abs(r.floats(c)) + F32(0.1)]
        r.cases.add("FusedBatchNormV3", [r.floats(r.between(0 if r.chance(8) else 1, 3), r.between(1, 4), r.between(1, 4), c), *p],
                    is_training=False, epsilon=r.one([1e-3, 1e-5]))
    else:
        shape, dtype = r.shape(2, 4), r.one(FLOATS)
        r.cases.add("BiasAdd", [r.numbers(dtype, shape), r.numbers(dtype, shape[-1:])])


def join(r):
    kind, index = r.below(5), r.one([I32, I64])
    shape = r.shape(1, 4)
    axis = r.axis(len(shape))
    dtype = r.one(PLAIN)
    if kind == 0:
        parts = []
        for _ in range(r.between(2, 4)):
            part = list(shape)
            part[axis] = r.below(4)
            parts.append(r.numbers(dtype, part))
        r.cases.add("ConcatV2", parts + [index(axis)])
    elif kind == 1:
        r.cases.add("Pack", [r.numbers(dtype, shape) for _ in range(r.between(1, 4))], axis=r.axis(len(shape) + 1))
    elif kind == 2:
        shape[axis] = r.between(1, 4)
        r.cases.add("Unpack", [r.numbers(dtype, shape)], num=shape[axis], axis=axis)
    elif kind == 3:
        n = r.between(1, 3)
        shape[axis] = n * r.below(3)
        r.cases.add("Split", [I32(axis), r.numbers(dtype, shape)], num_split=n)
    else:
        sizes = [r.below(4) for _ in range(r.between(1, 4))]
        shape[axis] = sum(sizes)
        if r.chance(2):
            sizes[r.below(len(sizes))] = -1
        r.cases.add("SplitV", [r.numbers(dtype, shape), np.array(sizes, index), I32(axis)], num_split=len(sizes))


def cut(r):
    shape, index = r.shape(1, 4), r.one([I32, I64])
    x = r.any(shape)
    if r.chance(4):
        begin = [r.below(d + 1) for d in shape]
        size = [-1 if r.chance(4) else r.below(d - b + 1) for d, b in zip(shape, begin)]
        r.cases.add("Slice", [x, np.array(begin, index), np.array(size, index)])
        return
    n = r.between(1, len(shape))
    spec = [(r.between(-d - 1, d + 1), r.between(-d - 1, d + 1), r.one([1, 1, 2, 3, -1, -2])) for d in shape[:n]]
    begin, end, strides = (np.array(v, index) for v in zip(*spec))
    bits = 1 << n
    masks = dict(begin_mask=r.below(bits), end_mask=r.below(bits))
    if r.chance(3):
        masks["shrink_axis_mask"] = 1 << r.below(n)
    if r.chance(3):
        masks["new_axis_mask"] = 1 << r.below(n)
    if r.chance(3):
        masks["ellipsis_mask"] = 1 << r.below(n)
    r.cases.add("StridedSlice", [x, begin, end, strides], **masks)


def move(r):
    shape, index = r.shape(1, 4, 5), r.one([I32, I64])
    x, rank = r.any(shape), len(shape)
    op = r.one("Transpose Tile BroadcastTo Reshape ExpandDims Squeeze ReverseV2 Roll Pad PadV2 MirrorPad".split())
    if op in ("ReverseV2", "Roll", "Pad", "PadV2", "MirrorPad"):
        x = r.numbers(r.one(NUMBERS), shape)
    if op == "Transpose":
        r.cases.add(op, [x, r.rng.permutation(rank).astype(index)])
    elif op == "Tile":
        r.cases.add(op, [r.numbers(r.one([F32, F64, I32, I64, np.uint8, np.bool_]), shape),
                         np.array([r.below(4) for _ in shape], index)])
    elif op == "BroadcastTo":
        small = [1 if r.chance(2) else d for d in shape]
        r.cases.add(op, [r.numbers(r.one(PLAIN), small), np.array([2] * r.below(2) + shape, index)])
    elif op == "Reshape":
        new = [-1, *shape[1:]] if 0 not in shape and r.chance(2) else shape[::-1]
        r.cases.add(op, [x, np.array(new, index)])
    elif op == "ExpandDims":
        r.cases.add(op, [x, index(r.axis(rank + 1))])
    elif op == "Squeeze":
        shape = [1 if r.chance(2) else d for d in shape]
        ones = [d for d in range(rank) if shape[d] == 1]
        dims = [d if r.chance(2) else d - rank for d in ones if r.chance(2)]
        r.cases.add(op, [r.numbers(r.one(PLAIN), shape)], squeeze_dims=dims)
    elif op == "ReverseV2":
        r.cases.add(op, [x, np.array([d for d in range(rank) if r.chance(2)], index)])
    elif op == "Roll":
        n = r.between(1, rank)
        r.cases.add(op, [x, np.array([r.between(-9, 9) for _ in range(n)], index),
                         np.array([r.axis(rank) for _ in range(n)], index)])
    else:
        top = max(0, min(shape) - 1) if op == "MirrorPad" else 3
        pads = np.array([[r.between(0, top), r.between(0, top)] for _ in shape], index)
        more = [r.numbers(x.dtype.type, [])] if op == "PadV2" else []
        mode = {"mode": r.one(["REFLECT", "SYMMETRIC"])} if op == "MirrorPad" else {}
        r.cases.add(op, [x, pads, *more], **mode)


def gather(r):
    index = r.one([I32, I64])
    kind = r.below(6)
    shape = r.shape(1, 4)
    rank = len(shape)
    if kind == 0 and 0 not in shape:
        batch = r.below(rank)
        axis = r.between(batch, rank - 1)
        r.cases.add("GatherV2", [r.any(shape), r.cases.random(index, *shape[:batch], *r.shape(0, 2), low=0, high=shape[axis]),
                                 r.one([I32, I64])(axis)], batch_dims=batch)
    elif kind == 1 and 0 not in shape:
        depth = r.between(1, rank)
        rows = r.shape(0, 2)
        ids = np.stack([r.rng.integers(0, d, rows) for d in shape[:depth]], -1).astype(index)
        r.cases.add("GatherNd", [r.any(shape), ids])
    elif kind == 2 and 0 not in shape:
        depth = r.between(1, rank)
        ids = np.stack([r.rng.integers(0, d, 5) for d in shape[:depth]], -1).astype(index)
        dtype = r.one([F32, F64, I32, I64, np.uint8])
        updates = r.numbers(dtype, [5, *shape[depth:]], special=False)
        op = r.one("Scatter TensorScatterAdd TensorScatterSub TensorScatterMax TensorScatterMin".split())
        if op == "Scatter":
            r.cases.add("ScatterNd", [ids, updates, np.array(shape, index)])
        else:
            r.cases.add(op, [r.numbers(dtype, shape, special=False), ids, updates])
    elif kind == 3:
        dtype = r.one(PLAIN)
        r.cases.add("OneHot", [r.cases.random(r.one([I32, I64]), *shape, low=-1, high=5), I32(r.below(5)),
                               r.numbers(dtype, []), r.numbers(dtype, [])], axis=r.between(-1, rank))
    elif kind == 4:
        r.cases.add("TopKV2", [r.numbers(r.one(NUMBERS), shape, special=False), I32(r.below(shape[-1] + 1))])
    else:
        n = r.below(6)
        ids = np.sort(r.rng.integers(0, 4, n)).astype(index)
        x = r.numbers(r.one([F32, F64, I32, I64]), [n, *shape[1:]], special=False)
        what = r.one("Max Min Prod Sum".split())
        if r.chance(2):
            r.cases.add(f"Segment{what}", [x, ids])
        else:
            r.cases.add(f"UnsortedSegment{what}", [x, ids, I32(5)])


WORDS = [b"", b"a", b"Fig", b" plum ", b"pear,fig", b"12", b"-3.5e2", b"inf", "\u00e4\u00d6\u20ac".encode(), b"x y  z", b"\t1"]
PATTERNS = [b"a", b"[aeiou]", b"(p)(.)", b"^.", b"x?", b"[^a-z]+", b"\\s+", b"\\d", b"(?i)FIG"]


def text(r):
    x = np.array([r.one(WORDS) + (r.one(WORDS) if r.chance(2) else b"") for _ in range(r.between(1, 6))], object)
    op = r.one("StringLower StringUpper StringStrip StringLength Substr StringSplitV2 StringJoin RegexReplace "
               "RegexFullMatch StringToNumber StringToHashBucketFast AsString".split())
    if op == "Substr":
        r.cases.add(op, [x, r.cases.random(I32, x.size, low=-3, high=4), r.cases.random(I32, x.size, low=0, high=5)],
                    unit=r.one(["BYTE", "UTF8_CHAR"]), any_text=True)
    elif op == "StringSplitV2":
        r.cases.add(op, [x, np.array(r.one([b"", b",", b" ", b"ig"]), object)], maxsplit=r.one([-1, -1, 1, 2]))
    elif op == "StringJoin":
        r.cases.add(op, [x, x[::-1], np.array(r.one(WORDS), object)], separator=r.one(["", "-"]))
    elif op == "RegexReplace":
        r.cases.add(op, [x, np.array(r.one(PATTERNS), object), np.array(r.one([b"", b"_", b"<\\0>"]), object)],
                    replace_global=r.chance(2))
    elif op == "RegexFullMatch":
        r.cases.add(op, [x, np.array(r.one(PATTERNS + [b".*", b"[a-z]*"]), object)])
    elif op == "StringToNumber":
        r.cases.add(op, [np.array([r.one(WORDS)], object) if r.chance(3) else
                         np.array([str(v).encode() for v in r.numbers(r.one([F32, I32]), [4], special=False)], object)],
                    out_type=r.one([F32, F64, I32, I64]))
    elif op == "StringToHashBucketFast":
        r.cases.add(op, [x], num_buckets=r.between(1, 1000))
    elif op == "AsString":
        dtype = r.one(PLAIN)
        options = dict(precision=r.one([-1, 3]), width=r.one([-1, 8]), fill=r.one(["", " ", "0"])) if is_float(dtype) else {}
        r.cases.add(op, [r.numbers(dtype, r.shape(0, 2))], **options)
    else:
        r.cases.add(op, [x])


def resize(r):
    op = r.one("ResizeArea ResizeBicubic ResizeBilinear ResizeNearestNeighbor".split())
    shape = [r.between(1, 2), r.between(1, 9), r.between(1, 9), r.between(1, 4)]
    corners = r.chance(3)
    half = {} if op == "ResizeArea" else {"half_pixel_centers": not corners and r.chance(2)}
    r.cases.add(op, [r.numbers(r.one([F32, F64, np.uint8, I32]), shape, special=False),
                     np.array([r.between(1, 12), r.between(1, 12)], I32)], align_corners=corners, **half)


FAMILIES = [unary, binary, choose, reduce, product, convolution, volume, transposed, pool, normalise, join, cut, move,
            gather, text, resize]
