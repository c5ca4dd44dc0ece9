# SPDX-License-Identifier: Apache-2.0
"""Cases of linear algebra. Matrices are well conditioned: near-singular ones show rounding only."""
import numpy as np

F32 = np.float32
BATCHES = [(), (2,), (2, 3), (0,)]


def regular(cases, dtype, *shape):
    return (cases.rng.uniform(-1, 1, shape) + 2 * np.eye(shape[-1])).astype(dtype)


def add_cases(cases):
    for dtype in (np.float32, np.float64):
        for batch in BATCHES:
            for n in (1, 2, 5, 0) if batch == () else (3,):
                a = regular(cases, dtype, *batch, n, n)
                a[..., ::2, :] *= -1
                spd = (a @ np.swapaxes(a, -1, -2) + np.eye(n)).astype(dtype)
                cases.add("Cholesky", [spd])
                cases.add("MatrixDeterminant", [a])
                cases.add("LogMatrixDeterminant", [a])
                for adjoint in (False, True):
                    cases.add("MatrixInverse", [a], adjoint=adjoint)
                    for columns in (1, 3, 0):
                        b = cases.random(dtype, *batch, n, columns)
                        cases.add("MatrixSolve", [a, b], adjoint=adjoint)
                        for lower in (False, True):
                            cases.add("MatrixTriangularSolve", [a, b], lower=lower, adjoint=adjoint)
        pivoted = np.array([[0, 1, 2], [3, 0, 1], [0, 0, 4]], dtype)
        cases.add("MatrixDeterminant", [pivoted])
        cases.add("LogMatrixDeterminant", [pivoted])
        cases.add("MatrixInverse", [pivoted])
        singular = np.array([[1, 2], [2, 4]], dtype)
        for op in ("MatrixDeterminant", "LogMatrixDeterminant"):
            cases.add(op, [singular])
            cases.add(op, [np.zeros((2, 2), dtype)])
        cases.add("MatrixInverse", [singular], any_text=True)
        cases.add("MatrixSolve", [singular, np.ones((2, 1), dtype)], any_text=True)
        cases.add("MatrixTriangularSolve", [np.array([[2, 0], [1, 0]], dtype), np.ones((2, 1), dtype)])
        # Of a matrix that is not positive definite TensorFlow leaves some elements as they come: one has none.
        cases.add("Cholesky", [-np.ones((1, 1), dtype)])
    for shapes in [((3, 3), (2, 3, 1)), ((2, 3, 3), (3, 2)), ((2, 1, 3, 3), (4, 3, 1))]:
        a, b = regular(cases, F32, *shapes[0]), cases.random(F32, *shapes[1])
        cases.add("MatrixTriangularSolve", [a, b])
    nothing = np.zeros((0, 2**24, 2**24), F32)  # of matrices that nobody could hold
    for op in ("Cholesky", "MatrixDeterminant", "MatrixInverse"):
        cases.add(op, [nothing])
    cases.add("MatrixTriangularSolve", [nothing, np.zeros((0, 2**24, 1), F32)])
    for shape in [(2, 3), (3,), ()]:
        for op in ("Cholesky", "MatrixDeterminant", "LogMatrixDeterminant", "MatrixInverse"):
            cases.add(op, [cases.random(F32, *shape)], any_text=True)
    for a, b in [((2, 2), (3, 1)), ((2, 2), (2,)), ((2, 3), (2, 1)), ((2, 2, 2), (3, 2, 1)), ((2,), (2, 1))]:
        cases.add("MatrixSolve", [cases.random(F32, *a), cases.random(F32, *b)], any_text=True)
        cases.add("MatrixTriangularSolve", [np.ones(a, F32), np.ones(b, F32)], any_text=True)
