/* SPDX-License-Identifier: Apache-2.0
 *
 * Linear algebra of small matrices: Cholesky, MatrixDeterminant, LogMatrixDeterminant,
 * MatrixInverse, MatrixSolve, MatrixTriangularSolve. Inputs are [..., rows, columns]. The textbook
 * loops (Golub and Van Loan, "Matrix Computations", chapters 3 and 4), in double: a classifier has
 * such an op for a whitening matrix, where LAPACK would cost more to call than to do without.
 *
 * float and double only. Any thread.
 */
#include <math.h>
#include <string.h>

#include "model/op/axes.h"
#include "model/op/broadcast.h"
#include "model/op/elementwise.h"
#include "model/op/kernels.h"

typedef struct LinearKernel {
    bool adjoint; /* the transposed matrix is meant */
    bool lower;   /* of MatrixTriangularSolve: the upper triangle is not looked at */
} LinearKernel;

/* A matrix that is being worked on. */
typedef struct Matrix {
    int64_t n;
    double *a;      /* [n, n] */
    int64_t *order; /* [n]: the row that stands at i */
    double sign;    /* of that permutation */
} Matrix;

Error *linear_prepare(OpPrepare *prepare)
{
    LinearKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    DType dtype = prepare->input_dtypes[0];
    if (kernel == NULL)
        return error_out_of_memory();
    if (dtype != DT_FLOAT && dtype != DT_DOUBLE)
        return op_unsupported_type(prepare, dtype);
    TRY(attrs_bool_or(prepare->attrs, "adjoint", false, &kernel->adjoint));
    TRY(attrs_bool_or(prepare->attrs, "lower", true, &kernel->lower));
    prepare->kernel = kernel;
    return NULL;
}

/* ---- matrices ------------------------------------------------------------------------------ */

static Error *check_square(const Tensor *x)
{
    char text[SHAPE_TEXT_BYTES];
    const Shape *shape = &x->shape;
    if (shape->rank < 2)
        return error_new(ERROR_INVALID_ARGUMENT, "Input must have rank >= 2, got %s",
                         shape_text(shape, text));
    if (shape->dims[shape->rank - 2] != shape->dims[shape->rank - 1])
        return error_new(ERROR_INVALID_ARGUMENT, "Input matrix must be square, got %s",
                         shape_text(shape, text));
    return NULL;
}

static double load(const Tensor *t, int64_t i)
{
    return t->dtype == DT_FLOAT ? (double)((const float *)t->data)[i]
                                : ((const double *)t->data)[i];
}

static void store(Tensor *t, int64_t i, double v)
{
    if (t->dtype == DT_FLOAT)
        ((float *)t->data)[i] = (float)v;
    else
        ((double *)t->data)[i] = v;
}

/* Room for one matrix of x. Of none [0, n, n] the n, which no elements vouch for, does not count. */
static Error *matrix_new(OpContext *c, const Tensor *x, Matrix *ret)
{
    int64_t n = x->n > 0 ? x->shape.dims[x->shape.rank - 1] : 0;
    *ret = (Matrix){ .n = n, .a = op_scratch(c, (size_t)n * (size_t)n * sizeof(double)) };
    ret->order = op_scratch(c, (size_t)n * sizeof(int64_t));
    return ret->a == NULL || ret->order == NULL ? error_out_of_memory() : NULL;
}

/* Matrix `k` of a tensor of square ones. */
static void matrix_load(Matrix *m, const Tensor *x, int64_t k, bool transposed)
{
    int64_t n = m->n;
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < n; j++)
            m->a[i * n + j] = load(x, k * n * n + (transposed ? j * n + i : i * n + j));
    }
}

static void swap_rows(Matrix *m, int64_t i, int64_t k)
{
    int64_t row = m->order[i];
    m->order[i] = m->order[k];
    m->order[k] = row;
    m->sign = -m->sign;
    for (int64_t j = 0; j < m->n; j++) {
        double v = m->a[i * m->n + j];
        m->a[i * m->n + j] = m->a[k * m->n + j];
        m->a[k * m->n + j] = v;
    }
}

/* Gaussian elimination with the largest pivot of each column. False when one is 0. */
static bool matrix_factor(Matrix *m)
{
    int64_t n = m->n;
    bool is_regular = true;
    m->sign = 1;
    for (int64_t i = 0; i < n; i++)
        m->order[i] = i;
    for (int64_t p = 0; p < n; p++) {
        int64_t best = p;
        for (int64_t i = p + 1; i < n; i++) {
            if (fabs(m->a[i * n + p]) > fabs(m->a[best * n + p]))
                best = i;
        }
        if (best != p)
            swap_rows(m, p, best);
        double pivot = m->a[p * n + p];
        is_regular = is_regular && pivot != 0;
        for (int64_t i = p + 1; pivot != 0 && i < n; i++) {
            double factor = m->a[i * n + p] /= pivot;
            for (int64_t j = p + 1; j < n; j++)
                m->a[i * n + j] -= factor * m->a[p * n + j];
        }
    }
    return is_regular;
}

/* x becomes the solution of the triangle's equations; `unit`: its diagonal is ones. */
static void solve_lower(const double *a, int64_t n, bool unit, double *x)
{
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j < i; j++)
            x[i] -= a[i * n + j] * x[j];
        x[i] = unit ? x[i] : x[i] / a[i * n + i];
    }
}

static void solve_upper(const double *a, int64_t n, double *x)
{
    for (int64_t i = n - 1; i >= 0; i--) {
        for (int64_t j = i + 1; j < n; j++)
            x[i] -= a[i * n + j] * x[j];
        x[i] /= a[i * n + i];
    }
}

/* ---- determinants -------------------------------------------------------------------------- */

/* The sign of the determinant and the logarithm of its magnitude. */
static double log_determinant(Matrix *m, double *ret_sign)
{
    double sum = 0, sign = 0;
    matrix_factor(m);
    sign = m->sign;
    for (int64_t i = 0; i < m->n; i++) {
        double pivot = m->a[i * m->n + i];
        sum += log(fabs(pivot));
        sign = isnan(pivot) ? pivot : pivot == 0 ? 0 : pivot < 0 ? -sign : sign;
    }
    *ret_sign = sign;
    return sum;
}

/* MatrixDeterminant, and LogMatrixDeterminant with its two outputs. */
Error *determinant_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    TRY(check_square(x));
    Shape shape = x->shape;
    shape.rank -= 2;
    Matrix m;
    Tensor *y[2] = { NULL };
    TRY(matrix_new(c, x, &m));
    for (int i = 0; i < c->n_outputs; i++)
        TRY(op_output(c, i, x->dtype, &shape, &y[i]));
    for (int64_t k = 0; k < y[0]->n; k++) {
        double sign = 0;
        matrix_load(&m, x, k, false);
        double log_magnitude = log_determinant(&m, &sign);
        store(y[0], k, c->n_outputs > 1 ? sign : sign == 0 ? 0 : sign * exp(log_magnitude));
        if (c->n_outputs > 1)
            store(y[1], k, log_magnitude);
    }
    return NULL;
}

/* ---- Cholesky ------------------------------------------------------------------------------ */

/* Only the lower triangle is read. False when the matrix is not positive definite. */
static bool cholesky(Matrix *m)
{
    int64_t n = m->n;
    for (int64_t i = 0; i < n; i++) {
        for (int64_t j = 0; j <= i; j++) {
            double v = m->a[i * n + j];
            for (int64_t k = 0; k < j; k++)
                v -= m->a[i * n + k] * m->a[j * n + k];
            if (i == j && !(v > 0))
                return false;
            m->a[i * n + j] = i == j ? sqrt(v) : v / m->a[j * n + j];
        }
    }
    return true;
}

Error *cholesky_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    Matrix m;
    Tensor *y = NULL;
    TRY(check_square(x));
    TRY(matrix_new(c, x, &m));
    TRY(op_output(c, 0, x->dtype, &x->shape, &y));
    for (int64_t k = 0; x->n > 0 && k < x->n / (m.n * m.n); k++) {
        matrix_load(&m, x, k, false);
        bool fits = cholesky(&m);
        for (int64_t at = 0; at < m.n * m.n; at++) {
            double v = fits ? m.a[at] : NAN; /* as TensorFlow, which only logs that it failed */
            store(y, k * m.n * m.n + at, at % m.n <= at / m.n ? v : 0);
        }
    }
    return NULL;
}

/* ---- MatrixInverse, MatrixSolve, MatrixTriangularSolve ------------------------------------- */

/* Column j of matrix k of the unit matrix (NULL) or of b [..., n, columns]. */
static void load_column(const Tensor *b, int64_t k, int64_t j, const Matrix *m, double *x)
{
    int64_t columns = b != NULL ? b->shape.dims[b->shape.rank - 1] : m->n;
    for (int64_t i = 0; i < m->n; i++) {
        int64_t row = m->order[i];
        x[i] = b != NULL ? load(b, (k * m->n + row) * columns + j) : row == j;
    }
}

static void store_column(Tensor *y, int64_t k, int64_t j, const Matrix *m, const double *x)
{
    int64_t columns = y->shape.dims[y->shape.rank - 1];
    for (int64_t i = 0; i < m->n; i++)
        store(y, (k * m->n + i) * columns + j, x[i]);
}

static Error *check_right_side(const Tensor *a, const Tensor *b)
{
    char texts[2][SHAPE_TEXT_BYTES];
    bool fits = b->shape.rank == a->shape.rank;
    for (int d = 0; fits && d + 1 < a->shape.rank; d++)
        fits = a->shape.dims[d] == b->shape.dims[d];
    if (!fits)
        return error_new(ERROR_INVALID_ARGUMENT, "Input matrix and rhs are incompatible: %s vs. %s",
                         shape_text(&a->shape, texts[0]), shape_text(&b->shape, texts[1]));
    return NULL;
}

/* MatrixInverse has no right side: it solves for the unit matrix. */
Error *matrix_solve_run(OpContext *c)
{
    const LinearKernel *kernel = c->kernel;
    const Tensor *a = op_input(c, 0), *b = c->n_inputs > 1 ? op_input(c, 1) : NULL;
    Matrix m;
    Tensor *y = NULL;
    TRY(check_square(a));
    if (b != NULL)
        TRY(check_right_side(a, b));
    TRY(matrix_new(c, a, &m));
    TRY(op_output(c, 0, a->dtype, b != NULL ? &b->shape : &a->shape, &y));
    double *x = op_scratch(c, (size_t)m.n * sizeof(*x));
    if (x == NULL)
        return error_out_of_memory();
    for (int64_t k = 0; y->n > 0 && k < a->n / (m.n * m.n); k++) {
        matrix_load(&m, a, k, kernel->adjoint);
        if (!matrix_factor(&m))
            return error_new(ERROR_INVALID_ARGUMENT, b != NULL ? "Input matrix is not invertible."
                                                               : "Input is not invertible.");
        for (int64_t j = 0; j < y->shape.dims[y->shape.rank - 1]; j++) {
            load_column(b, k, j, &m, x);
            solve_lower(m.a, m.n, true, x);
            solve_upper(m.a, m.n, x);
            store_column(y, k, j, &m, x);
        }
    }
    return NULL;
}

/* The shapes before the matrices, joined; [.., n, columns] of the result. */
static Error *triangular_shapes(const Tensor *a, const Tensor *b, Broadcast *batches, Shape *ret)
{
    Shape outer[2] = { a->shape, b->shape };
    char texts[2][SHAPE_TEXT_BYTES];
    TRY(check_square(a));
    outer[0].rank -= 2;
    outer[1].rank -= 2;
    if (b->shape.rank < 2 || b->shape.dims[b->shape.rank - 2] != a->shape.dims[a->shape.rank - 1] ||
        !broadcast_init(batches, 2, (const Shape *const[]){ &outer[0], &outer[1] }))
        return error_new(ERROR_INVALID_ARGUMENT,
                         "In[0] and In[1] has different ndims or incompatible sizes: %s vs. %s",
                         shape_text(&a->shape, texts[0]), shape_text(&b->shape, texts[1]));
    *ret = batches->shape;
    if (!shape_push(ret, b->shape.dims[b->shape.rank - 2]) ||
        !shape_push(ret, b->shape.dims[b->shape.rank - 1]))
        return shape_rank_error();
    return NULL;
}

/* A zero on the diagonal gives what division by it gives. */
Error *triangular_solve_run(OpContext *c)
{
    const LinearKernel *kernel = c->kernel;
    const Tensor *a = op_input(c, 0), *b = op_input(c, 1);
    Broadcast batches;
    Shape shape;
    Matrix m;
    Tensor *y = NULL;
    TRY(triangular_shapes(a, b, &batches, &shape));
    TRY(matrix_new(c, a, &m));
    TRY(op_output(c, 0, a->dtype, &shape, &y));
    double *x = op_scratch(c, (size_t)m.n * sizeof(*x));
    if (x == NULL)
        return error_out_of_memory();
    for (int64_t i = 0; i < m.n; i++)
        m.order[i] = i;
    int64_t k = 0;
    for (BroadcastWalk w = broadcast_begin(&batches); y->n > 0 && !w.done;
         broadcast_next(&batches, &w)) {
        for (int64_t r = 0; r < batches.row; r++, k++) {
            matrix_load(&m, a, w.offsets[0] + r * batches.row_strides[0], kernel->adjoint);
            for (int64_t j = 0; j < shape.dims[shape.rank - 1]; j++) {
                load_column(b, w.offsets[1] + r * batches.row_strides[1], j, &m, x);
                if (kernel->lower != kernel->adjoint)
                    solve_lower(m.a, m.n, false, x);
                else
                    solve_upper(m.a, m.n, x);
                store_column(y, k, j, &m, x);
            }
        }
    }
    return NULL;
}
