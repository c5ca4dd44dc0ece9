/* SPDX-License-Identifier: Apache-2.0
 *
 * Counting: Bincount, DenseBincount, RaggedBincount (how often each number below `size` occurs, in
 * a row or in all), and Bucketize (between which boundaries a number lies).
 */
#include "model/op/axes.h"
#include "model/op/kernels.h"

#define FOR_EACH_BIN_TYPE(X)                                                                       \
    X(DT_FLOAT, float) X(DT_DOUBLE, double) X(DT_INT32, int32_t) X(DT_INT64, int64_t)

static Error *check_bin_type(const OpPrepare *prepare, DType dtype)
{
    if (dtype != DT_FLOAT && dtype != DT_DOUBLE && dtype != DT_INT32 && dtype != DT_INT64)
        return error_new(ERROR_UNIMPLEMENTED, "there is no kernel of %s for type %s",
                         prepare->op->name, dtype_name(dtype));
    return NULL;
}

typedef struct BincountKernel {
    bool is_binary; /* whether a number occurs, not how often */
    bool is_flat;   /* Bincount: all values into one row, whatever their shape */
} BincountKernel;

Error *bincount_prepare(OpPrepare *prepare)
{
    BincountKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    TRY(attrs_bool_or(prepare->attrs, "binary_output", false, &kernel->is_binary));
    for (int i = 0; i < prepare->n_inputs - 1; i++)
        TRY(op_check_index_type(prepare, i));
    TRY(check_bin_type(prepare, prepare->input_dtypes[prepare->n_inputs - 1]));
    kernel->is_flat = strcmp(prepare->op->name, "Bincount") == 0;
    prepare->kernel = kernel;
    return NULL;
}

/* values[begin..end) into one row of `size` bins. */
typedef struct BinRow {
    const Tensor *values, *weights; /* weights without elements: 1 each */
    int64_t begin, end, size;
    bool is_binary;
} BinRow;

#define COUNT_ROW(dt, type)                                                                        \
    case dt: {                                                                                     \
        type *to = (type *)output->data + row * r->size;                                           \
        for (int64_t i = r->begin; i < r->end; i++) {                                              \
            int64_t v = tensor_index_at(r->values, i);                                             \
            if (v >= r->size)                                                                      \
                continue;                                                                          \
            if (r->is_binary)                                                                      \
                to[v] = 1;                                                                         \
            else                                                                                   \
                to[v] += r->weights->n > 0 ? ((const type *)r->weights->data)[i] : 1;              \
        }                                                                                          \
        break;                                                                                     \
    }

static Error *count_row(const BinRow *r, Tensor *output, int64_t row)
{
    for (int64_t i = r->begin; i < r->end; i++) {
        if (tensor_index_at(r->values, i) < 0)
            return error_new(ERROR_INVALID_ARGUMENT, "Input must be non-negative");
    }
    switch (output->dtype) {
        FOR_EACH_BIN_TYPE(COUNT_ROW)
    default:
        break;
    }
    return NULL;
}

/* The number of bins, and that weights are none or one for each value. */
static Error *check_bins(const Tensor *size, const Tensor *values, const Tensor *weights,
                         int64_t *ret_size)
{
    char text[2][SHAPE_TEXT_BYTES];
    if (size->n != 1)
        return error_new(ERROR_INVALID_ARGUMENT, "Shape must be rank 0 but is rank %d",
                         size->shape.rank);
    *ret_size = tensor_index_at(size, 0);
    if (*ret_size < 0)
        return error_new(ERROR_INVALID_ARGUMENT, "size (%lld) must be non-negative",
                         (long long)*ret_size);
    if (weights->n > 0 && weights->n != values->n)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "`weights` must be the same shape as `arr` or a length-0 `Tensor`, in "
                         "which case it acts as all weights equal to 1. Received %s and %s",
                         shape_text(&weights->shape, text[0]), shape_text(&values->shape, text[1]));
    return NULL;
}

static Error *bins_output(OpContext *c, DType dtype, const Shape *shape, Tensor **ret)
{
    TRY(op_output(c, 0, dtype, shape, ret));
    if ((*ret)->n > 0)
        memset((*ret)->data, 0, tensor_bytes(*ret));
    return NULL;
}

/* Bincount and DenseBincount: a vector's bins, or those of each row of a matrix. */
Error *bincount_run(OpContext *c)
{
    const Tensor *values = op_input(c, 0), *weights = op_input(c, 2);
    const BincountKernel *kernel = c->kernel;
    BinRow r = { .values = values, .weights = weights, .is_binary = kernel->is_binary };
    TRY(check_bins(op_input(c, 1), values, weights, &r.size));
    if (values->shape.rank > 2 && !kernel->is_flat)
        return error_new(ERROR_INVALID_ARGUMENT, "Shape must be at most rank 2 but is rank %d",
                         values->shape.rank);
    bool is_matrix = values->shape.rank == 2 && !kernel->is_flat;
    int64_t n_rows = is_matrix ? values->shape.dims[0] : 1;
    int64_t n_columns = is_matrix ? values->shape.dims[1] : values->n;
    Shape shape = is_matrix ? shape_of(n_rows, r.size) : shape_of(r.size);
    Tensor *output = NULL;
    TRY(bins_output(c, weights->dtype, &shape, &output));
    for (int64_t row = 0; row < n_rows; row++) {
        r.begin = row * n_columns;
        r.end = r.begin + n_columns;
        TRY(count_row(&r, output, row));
    }
    return NULL;
}

Error *ragged_bincount_run(OpContext *c)
{
    const Tensor *splits = op_input(c, 0), *values = op_input(c, 1), *weights = op_input(c, 3);
    const int64_t *at = splits->data;
    const BincountKernel *kernel = c->kernel;
    BinRow r = { .values = values, .weights = weights, .is_binary = kernel->is_binary };
    TRY(check_bins(op_input(c, 2), values, weights, &r.size));
    if (splits->shape.rank != 1 || splits->n == 0 || at[0] != 0 || at[splits->n - 1] != values->n)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Splits must start with 0 and end with the number of values, %lld",
                         (long long)values->n);
    Tensor *output = NULL;
    TRY(bins_output(c, weights->dtype, &shape_of(splits->n - 1, r.size), &output));
    for (int64_t row = 0; row + 1 < splits->n; row++) {
        r.begin = at[row];
        r.end = at[row + 1];
        if (r.begin > r.end || r.end > values->n)
            return error_new(ERROR_INVALID_ARGUMENT, "Splits must be ascending");
        TRY(count_row(&r, output, row));
    }
    return NULL;
}

/* ---- Bucketize ----------------------------------------------------------------------------- */

typedef struct BucketizeKernel {
    size_t n;
    const float *boundaries; /* [n], ascending */
} BucketizeKernel;

Error *bucketize_prepare(OpPrepare *prepare)
{
    BucketizeKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    TRY(check_bin_type(prepare, prepare->input_dtypes[0]));
    const Attr *attr = attrs_find(prepare->attrs, "boundaries");
    if (attr != NULL && attr->kind == ATTR_FLOATS)
        *kernel = (BucketizeKernel){ attr->n, attr->floats };
    else if (attr == NULL || attr->kind != ATTR_EMPTY_LIST)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Bucketize has no attribute boundaries that is a list of floats");
    for (size_t i = 1; i < kernel->n; i++) {
        if (!(kernel->boundaries[i - 1] <= kernel->boundaries[i]))
            return error_new(ERROR_INVALID_ARGUMENT, "Expected sorted boundaries");
    }
    prepare->kernel = kernel;
    return NULL;
}

/* The number of boundaries that are not greater; all of them for NaN. double holds each float, and
 * an int64 is compared as float, as C++ does it. */
static int32_t bucket_of(const BucketizeKernel *kernel, double value)
{
    size_t low = 0, high = kernel->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (value < (double)kernel->boundaries[middle])
            high = middle;
        else
            low = middle + 1;
    }
    return (int32_t)low;
}

static double number_at(const Tensor *t, int64_t i)
{
    switch (t->dtype) {
    case DT_FLOAT:
        return (double)((const float *)t->data)[i];
    case DT_DOUBLE:
        return ((const double *)t->data)[i];
    default:
        return (double)(float)tensor_index_at(t, i);
    }
}

Error *bucketize_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    Tensor *y = NULL;
    TRY(op_output(c, 0, DT_INT32, &x->shape, &y));
    for (int64_t i = 0; i < x->n; i++)
        ((int32_t *)y->data)[i] = bucket_of(c->kernel, number_at(x, i));
    return NULL;
}
