/* SPDX-License-Identifier: Apache-2.0
 *
 * Diagonals of matrices: MatrixDiag, MatrixDiagPart, MatrixSetDiag and their V2 and V3, which know
 * bands of several diagonals; MatrixBandPart; Diag and DiagPart of tensors of any rank.
 *
 * A band is packed as [batch, diagonals, longest], from the uppermost diagonal down; a shorter
 * diagonal stands at the left or at the right end of its row, as `align` says. Diagonal d has the
 * elements (i, j) with j - i = d. Elements are moved by their size, whatever their type. Any thread.
 */
#include <string.h>

#include "model/op/axes.h"
#include "model/op/kernels.h"
#include "model/op/strided.h"

typedef struct DiagonalKernel {
    bool has_band;   /* V2 and V3: inputs for k (and for the rest) */
    bool left_above; /* diagonals above the main one begin at the left of their rows */
    bool left_below;
} DiagonalKernel;

typedef struct Band {
    int64_t lower, upper;  /* diagonals, both included */
    int64_t n, longest;    /* rows of the packed form, and their length */
    int64_t rows, columns; /* of the matrix */
} Band;

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

Error *diagonal_prepare(OpPrepare *prepare)
{
    DiagonalKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    const char *name = prepare->op->name;
    bool is_v3 = name[strlen(name) - 1] == '3';
    const char *align = "LEFT_LEFT";
    if (is_v3)
        TRY(attrs_text_or(prepare->attrs, "align", "RIGHT_LEFT", &align));
    static const char *const aligns[] = { "LEFT_LEFT", "LEFT_RIGHT", "RIGHT_LEFT", "RIGHT_RIGHT" };
    size_t k = 0;
    while (k < ARRAY_SIZE(aligns) && strcmp(align, aligns[k]) != 0)
        k++;
    if (k == ARRAY_SIZE(aligns))
        return error_new(ERROR_INVALID_ARGUMENT,
                         "attribute align is '%s': it must be LEFT_LEFT, LEFT_RIGHT, RIGHT_LEFT or "
                         "RIGHT_RIGHT",
                         align);
    *kernel = (DiagonalKernel){ .has_band = is_v3 || name[strlen(name) - 1] == '2',
                                .left_above = k < 2,
                                .left_below = k % 2 == 0 };
    prepare->kernel = kernel;
    return NULL;
}

/* ---- bands --------------------------------------------------------------------------------- */

/* The diagonals that input k names; the main one where the op has no such input. */
static Error *read_band(const OpContext *c, int input, Band *ret)
{
    char text[SHAPE_TEXT_BYTES];
    *ret = (Band){ .n = 1 };
    if (!((const DiagonalKernel *)c->kernel)->has_band)
        return NULL;
    const Tensor *k = op_input(c, input);
    if (k->shape.rank > 1)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "diag_index must be a scalar or vector, received shape: %s",
                         shape_text(&k->shape, text));
    if (k->n < 1 || k->n > 2)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "diag_index must have one or two elements, received %lld elements.",
                         (long long)k->n);
    ret->lower = tensor_index_at(k, 0);
    ret->upper = tensor_index_at(k, k->n - 1);
    if (ret->lower > ret->upper)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "lower_diag_index must not be larger than upper_diag_index: %lld > %lld",
                         (long long)ret->lower, (long long)ret->upper);
    ret->n = ret->upper - ret->lower + 1;
    return NULL;
}

static Error *check_padding(const OpContext *c, int input)
{
    char text[SHAPE_TEXT_BYTES];
    if (op_input(c, input)->n != 1)
        return error_new(ERROR_INVALID_ARGUMENT, "padding_value must be scalar, not of shape %s",
                         shape_text(&op_input(c, input)->shape, text));
    return NULL;
}

/* Fits the band to a matrix: the last two dimensions of `shape`. */
static Error *fit_band(const Shape *shape, Band *band)
{
    char text[SHAPE_TEXT_BYTES];
    if (shape->rank < 2)
        return error_new(ERROR_INVALID_ARGUMENT, "input must be at least 2-dim, received shape: %s",
                         shape_text(shape, text));
    band->rows = shape->dims[shape->rank - 2];
    band->columns = shape->dims[shape->rank - 1];
    const int64_t ends[] = { band->lower, band->upper };
    for (int i = 0; i < 2; i++) {
        if (ends[i] != 0 && (ends[i] <= -band->rows || ends[i] >= band->columns))
            return error_new(
                ERROR_INVALID_ARGUMENT,
                "%s_diag_index is out of bound: %lld. It must be between %lld and %lld",
                i == 0 ? "lower" : "upper", (long long)ends[i], (long long)-band->rows,
                (long long)band->columns);
    }
    band->longest =
        smaller(band->rows + smaller(band->upper, 0), band->columns - larger(band->lower, 0));
    return NULL;
}

/* The shape of the packed form: the dimensions of `of` before its last `n_matrix`, and the band. */
static Error *packed_shape(const Shape *of, int n_matrix, const Band *band, Shape *ret)
{
    Shape shape = *of;
    shape.rank -= n_matrix;
    if ((band->n > 1 && !shape_push(&shape, band->n)) || !shape_push(&shape, band->longest))
        return shape_rank_error();
    *ret = shape;
    return NULL;
}

/* Copies the band between matrix `batch` and its packed form, to the matrix or from it. */
typedef struct BandCopy {
    const DiagonalKernel *kernel;
    Band band;
    size_t size;
    char *matrix, *packed;
    bool to_matrix;
} BandCopy;

static void copy_diagonal(const BandCopy *copy, int64_t batch, int64_t d)
{
    const Band *b = &copy->band;
    int64_t length = smaller(b->rows + smaller(d, 0), b->columns - larger(d, 0));
    if (length <= 0)
        return;
    bool at_left = (d >= 0 && copy->kernel->left_above) || (d <= 0 && copy->kernel->left_below);
    int64_t offset = at_left ? 0 : b->longest - length;
    int64_t first = larger(-d, 0) * b->columns + larger(d, 0); /* of the diagonal in the matrix */
    char *packed =
        copy->packed + (size_t)((batch * b->n + b->upper - d) * b->longest + offset) * copy->size;
    char *matrix = copy->matrix + (size_t)(batch * b->rows * b->columns + first) * copy->size;
    StridedCopy strided = { .rank = 0 };
    if (copy->to_matrix) {
        strided_add(&strided, length, 1, b->columns + 1);
        strided_run(&strided, copy->size, packed, matrix);
    } else {
        strided_add(&strided, length, b->columns + 1, 1);
        strided_run(&strided, copy->size, matrix, packed);
    }
}

static void copy_band(const BandCopy *copy, int64_t n_batches)
{
    for (int64_t batch = 0; batch < n_batches; batch++)
        for (int64_t d = copy->band.lower; d <= copy->band.upper; d++)
            copy_diagonal(copy, batch, d);
}

/* Every element is `value`, or zero (a string: empty) where it is NULL. */
static void fill_with(Tensor *y, const void *value)
{
    size_t size = dtype_size(y->dtype);
    if (y->n > 0 && value == NULL)
        memset(y->data, 0, tensor_bytes(y));
    for (int64_t i = 0; i < y->n && value != NULL; i++)
        memcpy((char *)y->data + (size_t)i * size, value, size);
}

/* ---- MatrixDiagPart, MatrixSetDiag --------------------------------------------------------- */

Error *matrix_diag_part_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    BandCopy copy = { .kernel = c->kernel, .size = dtype_size(x->dtype), .matrix = x->data };
    const void *padding = NULL;
    TRY(read_band(c, 1, &copy.band));
    if (copy.kernel->has_band) {
        TRY(check_padding(c, 2));
        padding = op_input(c, 2)->data;
    }
    TRY(fit_band(&x->shape, &copy.band));
    Shape shape;
    TRY(packed_shape(&x->shape, 2, &copy.band, &shape));
    Tensor *y = NULL;
    TRY(op_output(c, 0, x->dtype, &shape, &y));
    fill_with(y, padding);
    copy.packed = y->data;
    if (y->n > 0)
        copy_band(&copy, dims_product(&x->shape, 0, x->shape.rank - 2));
    return NULL;
}

Error *matrix_set_diag_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0), *diagonal = op_input(c, 1);
    char text[SHAPE_TEXT_BYTES], wanted[SHAPE_TEXT_BYTES];
    BandCopy copy = { .kernel = c->kernel, .size = dtype_size(x->dtype), .packed = diagonal->data };
    TRY(read_band(c, 2, &copy.band));
    TRY(fit_band(&x->shape, &copy.band));
    Shape shape;
    TRY(packed_shape(&x->shape, 2, &copy.band, &shape));
    if (!shape_equal(&shape, &diagonal->shape))
        return error_new(ERROR_INVALID_ARGUMENT,
                         "the diagonals of input must have shape %s, but have shape %s",
                         shape_text(&shape, wanted), shape_text(&diagonal->shape, text));
    Tensor *y = NULL;
    TRY(op_output_reuse(c, 0, 0, x->dtype, &x->shape, &y));
    if (y->n > 0 && y->data != x->data)
        memcpy(y->data, x->data, tensor_bytes(x));
    copy.matrix = y->data;
    copy.to_matrix = true;
    if (y->n > 0)
        copy_band(&copy, dims_product(&x->shape, 0, x->shape.rank - 2));
    return NULL;
}

/* ---- MatrixDiag ---------------------------------------------------------------------------- */

/* The size of the matrix: as given, or (-1) the smallest that holds the diagonals, which is square
 * when neither is given. */
static Error *size_matrix(const OpContext *c, Band *band)
{
    int64_t least_rows = band->longest - smaller(band->upper, 0);
    int64_t least_columns = band->longest + larger(band->lower, 0);
    band->rows = band->columns = -1;
    if (((const DiagonalKernel *)c->kernel)->has_band) {
        for (int i = 2; i < 4; i++) {
            if (op_input(c, i)->n != 1)
                return error_new(ERROR_INVALID_ARGUMENT, "%s must be a scalar",
                                 i == 2 ? "num_rows" : "num_cols");
        }
        band->rows = tensor_index_at(op_input(c, 2), 0);
        band->columns = tensor_index_at(op_input(c, 3), 0);
    }
    if (band->rows == -1 && band->columns == -1)
        least_rows = least_columns = larger(least_rows, least_columns);
    if (band->rows != -1 && band->rows < least_rows)
        return error_new(ERROR_INVALID_ARGUMENT, "The number of rows is too small.");
    if (band->columns != -1 && band->columns < least_columns)
        return error_new(ERROR_INVALID_ARGUMENT, "The number of columns is too small.");
    if (band->rows == -1)
        band->rows = least_rows;
    if (band->columns == -1)
        band->columns = least_columns;
    if (band->rows != least_rows && band->columns != least_columns)
        return error_new(ERROR_INVALID_ARGUMENT, "The number of rows or columns is not consistent "
                                                 "with the specified d_lower, d_upper, and "
                                                 "diagonal.");
    return NULL;
}

Error *matrix_diag_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    char text[SHAPE_TEXT_BYTES];
    BandCopy copy = { .kernel = c->kernel, .size = dtype_size(x->dtype), .to_matrix = true };
    const void *padding = NULL;
    TRY(read_band(c, 1, &copy.band));
    int n_dims = copy.band.n > 1 ? 2 : 1;
    if (x->shape.rank < n_dims)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "diagonal must be at least %d-dim, received shape: %s", n_dims,
                         shape_text(&x->shape, text));
    if (n_dims == 2 && x->shape.dims[x->shape.rank - 2] != copy.band.n)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "The number of diagonals provided in the input does not match the "
                         "lower_diag_index and upper_diag_index range.");
    copy.band.longest = x->shape.dims[x->shape.rank - 1];
    TRY(size_matrix(c, &copy.band));
    if (copy.kernel->has_band) {
        TRY(check_padding(c, 4));
        padding = op_input(c, 4)->data;
    }
    Shape shape = x->shape;
    shape.rank -= n_dims;
    if (!shape_push(&shape, copy.band.rows) || !shape_push(&shape, copy.band.columns))
        return shape_rank_error();
    Tensor *y = NULL;
    TRY(op_output(c, 0, x->dtype, &shape, &y));
    fill_with(y, padding);
    copy.matrix = y->data;
    copy.packed = x->data;
    if (y->n > 0 && x->n > 0)
        copy_band(&copy, dims_product(&x->shape, 0, x->shape.rank - n_dims));
    return NULL;
}

/* ---- MatrixBandPart ------------------------------------------------------------------------ */

/* How many diagonals below or above the main one are kept; a negative number keeps all. */
static Error *read_kept(const OpContext *c, int input, const char *name, int64_t dim, int64_t *ret)
{
    const Tensor *kept = op_input(c, input);
    char text[SHAPE_TEXT_BYTES];
    if (kept->shape.rank != 0)
        return error_new(ERROR_INVALID_ARGUMENT, "%s must be scalar, got shape %s", name,
                         shape_text(&kept->shape, text));
    int64_t n = tensor_index_at(kept, 0);
    if (n > dim)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "%s must be negative or less or equal to number of %s (%lld) got: %lld",
                         name, input == 1 ? "rows" : "columns", (long long)dim, (long long)n);
    *ret = n < 0 ? dim : n;
    return NULL;
}

Error *matrix_band_part_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    char text[SHAPE_TEXT_BYTES];
    int64_t lower = 0, upper = 0;
    if (x->shape.rank < 2)
        return error_new(ERROR_INVALID_ARGUMENT, "input must be at least 2-dim, received shape: %s",
                         shape_text(&x->shape, text));
    int64_t rows = x->shape.dims[x->shape.rank - 2], columns = x->shape.dims[x->shape.rank - 1];
    TRY(read_kept(c, 1, "num_lower", rows, &lower));
    TRY(read_kept(c, 2, "num_upper", columns, &upper));
    Tensor *y = NULL;
    TRY(op_output(c, 0, x->dtype, &x->shape, &y));
    fill_with(y, NULL);
    size_t size = dtype_size(x->dtype);
    for (int64_t k = 0; y->n > 0 && k < x->n / columns; k++) { /* rows of all matrices */
        int64_t i = k % rows;
        int64_t begin = smaller(larger(i - lower, 0), columns);
        int64_t end = smaller(i + upper + 1, columns);
        size_t at = (size_t)(k * columns + begin) * size;
        if (begin < end)
            memcpy((char *)y->data + at, (const char *)x->data + at, (size_t)(end - begin) * size);
    }
    return NULL;
}

/* ---- Diag, DiagPart ------------------------------------------------------------------------ */

/* [dims] -> [dims, dims]: element k of the input is element (k, k). */
Error *diag_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    Shape shape = x->shape;
    if (shape.rank < 1)
        return error_new(ERROR_INVALID_ARGUMENT, "Input must be at least rank 1, got 0");
    for (int d = 0; d < x->shape.rank; d++) {
        if (!shape_push(&shape, x->shape.dims[d]))
            return shape_rank_error();
    }
    Tensor *y = NULL;
    TRY(op_output(c, 0, x->dtype, &shape, &y));
    fill_with(y, NULL);
    StridedCopy copy = { .rank = 0 };
    strided_add(&copy, x->n, 1, x->n + 1);
    if (x->n > 0)
        strided_run(&copy, dtype_size(x->dtype), x->data, y->data);
    return NULL;
}

Error *diag_part_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    Shape shape = x->shape;
    char text[SHAPE_TEXT_BYTES];
    shape.rank /= 2;
    if (x->shape.rank % 2 != 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "The rank of the tensor should be even, got shape %s",
                         shape_text(&x->shape, text));
    for (int d = 0; d < shape.rank; d++) {
        if (x->shape.dims[d] != x->shape.dims[shape.rank + d])
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Invalid shape %s: dimensions %d and %d do not match.",
                             shape_text(&x->shape, text), d, shape.rank + d);
    }
    Tensor *y = NULL;
    TRY(op_output(c, 0, x->dtype, &shape, &y));
    StridedCopy copy = { .rank = 0 };
    strided_add(&copy, y->n, y->n + 1, 1);
    if (y->n > 0)
        strided_run(&copy, dtype_size(x->dtype), x->data, y->data);
    return NULL;
}
