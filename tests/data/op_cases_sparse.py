# SPDX-License-Identifier: Apache-2.0
"""Cases of ops on sparse tensors."""
import numpy as np

I32, I64, F32, F64 = np.int32, np.int64, np.float32, np.float64


def texts(*values):
    return np.array([v.encode() for v in values], object)


def sparse(cases, dtype, shape, n, is_sorted=True):
    """[indices, values, shape] of n elements."""
    flat = cases.rng.choice(int(np.prod(shape)), n, replace=False)
    if is_sorted:
        flat.sort()
    indices = np.stack(np.unravel_index(flat, shape), 1).astype(I64).reshape(n, len(shape))
    values = cases.strings(n) if dtype is object else cases.random(dtype, n)
    return [indices, values, np.array(shape, I64)]


def order(cases):
    for dtype in (F32, I64, object, np.bool_, np.int8):
        for shape, n in (((5,), 3), ((4, 6), 8), ((3, 2, 3), 9), ((3, 4), 0)):
            for is_sorted in (True, False):
                cases.add("SparseReorder", sparse(cases, dtype, shape, n, is_sorted))
    indices = np.array([[1, 1], [0, 2], [1, 1], [0, 2]], I64)
    cases.add("SparseReorder", [indices, texts("a", "b", "c", "d"), I64([2, 3])])
    cases.add("SparseReorder", [indices[:, 0], texts("a", "b", "c", "d"), I64([2])], any_text=True)
    cases.add("SparseReorder", [indices, texts("a", "b", "c"), I64([2, 3])], any_text=True)
    cases.add("SparseReorder", [indices, texts("a", "b", "c", "d"), I64([2])], any_text=True)


def reshape(cases):
    indices, _, shape = sparse(cases, F32, (4, 6), 9)
    for new in ([24], [3, 8], [2, 3, 4], [-1], [6, -1], [4, 6, 1], [2, -1, 2], [1, 24]):
        cases.add("SparseReshape", [indices, shape, I64(new)])
    for new in ([-1, -1], [5, -1], [23], [0, -1], [-2, 12], []):
        cases.add("SparseReshape", [indices, shape, I64(new)], any_text=True)
    empty = np.zeros((0, 2), I64)
    cases.add("SparseReshape", [empty, I64([4, 6]), I64([-1])])
    cases.add("SparseReshape", [empty, I64([0, 6]), I64([3, 0])])
    cases.add("SparseReshape", [empty, I64([0, 6]), I64([-1, 6])])


def fill_empty_rows(cases):
    for dtype in (F32, I64, object):
        default = np.array(b"none", object) if dtype is object else dtype(7)
        for shape, n in (((5, 4), 4), ((5, 4), 18), ((6, 2, 2), 5), ((3,), 2), ((4, 2), 0), ((0, 3), 0)):
            for is_sorted in (True, False):
                s = sparse(cases, dtype, shape, n, is_sorted)
                cases.add("SparseFillEmptyRows", s + [default])
    s = [I64([[0, 1], [5, 0]]), F32([1, 2]), I64([5, 2])]
    cases.add("SparseFillEmptyRows", s + [F32(0)], any_text=True)
    s[0][1][0] = -1
    cases.add("SparseFillEmptyRows", s + [F32(0)], any_text=True)
    cases.add("SparseFillEmptyRows", [I64([[0, 1]]), F32([1]), I64([0, 2]), F32(0)], any_text=True)
    cases.add("SparseFillEmptyRows", [I64([[0, 1]]), F32([1]), I64([1, 2]), F32([0])], any_text=True)


def to_dense(cases):
    for dtype in (F32, I64, np.bool_, object):
        for index in (I32, I64):
            indices, values, shape = sparse(cases, dtype, (4, 6), 9)
            default = np.array(b"none", object) if dtype is object else dtype(1)
            cases.add("SparseToDense", [indices.astype(index), shape.astype(index), values, default])
            cases.add("SparseToDense", [indices.astype(index), shape.astype(index), values[0], default])
    for args in ([I64(2), I64([5]), F32(1), F32(0)], [I64([1, 3]), I64([5]), F32([1, 2]), F32(9)],
                 [I64([]), I64([5]), F32([]), F32(9)], [np.zeros((0, 2), I64), I64([2, 3]), F32([]), F32(9)]):
        cases.add("SparseToDense", args)
    for indices in ([3, 1], [1, 1], [1, 5], [-1, 1]):
        args = [I64(indices), I64([5]), F32([1, 2]), F32(0)]
        cases.add("SparseToDense", args, any_text=True)
        cases.add("SparseToDense", args, any_text=True, validate_indices=False)
    cases.add("SparseToDense", [I64([1]), I64([5, 2]), F32([1]), F32(0)], any_text=True)
    cases.add("SparseToDense", [I64([1]), I64([5]), F32([1, 2]), F32(0)], any_text=True)
    cases.add("SparseToDense", [I64([1]), I64([5]), F32([1]), F32([0])], any_text=True)


def reduce(cases):
    for op in ("SparseReduceSum", "SparseReduceMax"):
        for dtype in (F32, F64, I32, I64, np.uint8):
            s = sparse(cases, dtype, (2, 3, 2), 7)
            for axes in ([0], [1], [-1], [0, 2], [0, 1, 2]):
                for keep in (False, True):
                    cases.add(op, s + [I32(axes)], keep_dims=keep)
        cases.add(op, s + [I32(1)])
        cases.add(op, sparse(cases, F32, (3, 4), 0) + [I32([0])])
        cases.add(op, s + [I32([3])], any_text=True)


def matmul(cases):
    for dtype in (F32, F64, I32):
        for adjoint_a in (False, True):
            for adjoint_b in (False, True):
                a = sparse(cases, dtype, (5, 4) if adjoint_a else (4, 5), 9)
                b = cases.random(dtype, *((3, 5) if adjoint_b else (5, 3)))
                cases.add("SparseTensorDenseMatMul", a + [b], adjoint_a=adjoint_a, adjoint_b=adjoint_b)
                cases.add("SparseTensorDenseMatMul", [a[0].astype(I32)] + a[1:] + [b],
                          adjoint_a=adjoint_a, adjoint_b=adjoint_b)
    a = sparse(cases, F32, (4, 5), 0)
    cases.add("SparseTensorDenseMatMul", a + [cases.random(F32, 5, 3)])
    cases.add("SparseTensorDenseMatMul", a + [cases.random(F32, 4, 3)], any_text=True)
    for bad in ([[4, 0]], [[0, 5]], [[-1, 0]]):
        cases.add("SparseTensorDenseMatMul", [I64(bad), F32([1]), I64([4, 5]), cases.random(F32, 5, 3)],
                  any_text=True)


def concat_and_slice(cases):
    for dtype in (F32, object, I64):
        for axis in (0, 1, -1):
            for is_sorted in (True, False):
                parts = [sparse(cases, dtype, shape, n, is_sorted) for shape, n in
                         (((3, 4), 5), ((3, 4), 0), ((3, 4), 7))]
                cases.add("SparseConcat", [p[k] for k in range(3) for p in parts], N=3, concat_dim=axis)
        parts = [sparse(cases, dtype, shape, 4) for shape in ((2, 3, 2), (2, 5, 2))]
        cases.add("SparseConcat", [p[k] for k in range(3) for p in parts], N=2, concat_dim=1)
        cases.add("SparseConcat", [p[k] for k in range(3) for p in parts], any_text=True, N=2, concat_dim=0)
        cases.add("SparseConcat", [p[k] for k in range(3) for p in parts], any_text=True, N=2, concat_dim=3)
        for start, size in (([0, 0], [4, 6]), ([1, 2], [2, 3]), ([3, 5], [9, 9]), ([5, 0], [1, 1]),
                            ([0, 0], [0, 3])):
            cases.add("SparseSlice", sparse(cases, dtype, (4, 6), 14) + [I64(start), I64(size)])
    cases.add("SparseSlice", sparse(cases, F32, (4, 6), 14) + [I64([0]), I64([1])], any_text=True)


def columns(cases, types, dense=()):
    """[indices..., values..., shapes..., dense...] of columns of 4 rows."""
    parts = []
    for dtype in types:
        s = sparse(cases, I64, (4, 3), 7)
        if dtype is object:
            s[1] = texts(*(f"w{v}" for v in s[1]))
        parts.append(s)
    matrices = [texts(*(f"d{v}" for v in cases.random(I64, 8))).reshape(4, 2) if dtype is object
                else cases.random(I64, 4, 2, low=-9, high=2**40) for dtype in dense]
    return [p[k] for k in range(3) for p in parts] + matrices


def cross(cases):
    T = object
    for types, dense in (((T, T), ()), ((T,), (T,)), ((), (T, T)), ((T, I64), (I64,)), ((I64, I64), (T,)),
                         ((I64,), ()), ((), (I64, T)), ((T, T, T), (I64, I64))):
        kinds = {"sparse_types": ["string" if t is T else I64 for t in types],
                 "dense_types": ["string" if t is T else I64 for t in dense], "N": len(types)}
        x = columns(cases, types, dense)
        for buckets in (0, 100):
            cases.add("SparseCross", x, hashed_output=True, num_buckets=buckets, hash_key=956888297470,
                      out_type=I64, internal_type=I64, **kinds)
            for strong in (False, True):
                if strong and I64 in types + dense:   # TensorFlow dies of it
                    continue
                cases.add("SparseCrossHashed", x + [I64(buckets), np.bool_(strong), I64([3, -4])], **kinds)
        internal = I64 if I64 in types + dense else "string"
        cases.add("SparseCross", x, hashed_output=False, num_buckets=0, hash_key=1, out_type="string",
                  internal_type=internal, **kinds)
        cases.add("SparseCrossV2", x + [np.array(b"-", T)], **kinds)
    x = columns(cases, (T, T))
    kinds = {"sparse_types": ["string"] * 2, "dense_types": [], "N": 2}
    cases.add("SparseCrossV2", x + [np.array([b"-"], T)], any_text=True, **kinds)
    x[5] = I64([5, 3])
    cases.add("SparseCrossV2", x + [np.array(b"-", T)], any_text=True, **kinds)
    x[5] = I64([4])
    cases.add("SparseCrossV2", x + [np.array(b"-", T)], any_text=True, **kinds)


def add_cases(cases):
    order(cases)
    reshape(cases)
    fill_empty_rows(cases)
    to_dense(cases)
    reduce(cases)
    matmul(cases)
    concat_and_slice(cases)
    cross(cases)
