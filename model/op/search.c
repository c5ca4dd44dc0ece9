/* SPDX-License-Identifier: Apache-2.0
 *
 * Where: the coordinates of elements that are not zero. LowerBound and UpperBound: where values fall
 * in sorted rows. InvertPermutation. HistogramFixedWidth: how many values fall into each of equal
 * bins. Any thread.
 */
#include <math.h>
#include <string.h>

#include "model/op/elementwise.h"
#include "model/op/kernels.h"
#include "model/op/typed.h"

static void store_index(Tensor *t, int64_t i, int64_t value)
{
    if (t->dtype == DT_INT32)
        ((int32_t *)t->data)[i] = (int32_t)value;
    else
        ((int64_t *)t->data)[i] = value;
}

static Error *prepare_index_type(OpPrepare *prepare, const char *attr, DType **ret)
{
    DType *index = arena_calloc(prepare->arena, 1, sizeof(*index));
    if (index == NULL)
        return error_out_of_memory();
    TRY(attrs_type_or(prepare->attrs, attr, DT_INT32, index));
    if (*index != DT_INT32 && *index != DT_INT64)
        return op_unsupported_type(prepare, *index);
    prepare->kernel = index;
    *ret = index;
    return NULL;
}

static bool is_number(DType dtype)
{
    return dtype_is_floating(dtype) || dtype_is_integer(dtype);
}

/* ---- Where --------------------------------------------------------------------------------- */

#define IS_SET(dt, type, suffix)                                                                   \
    case dt:                                                                                       \
        return ((const type *)x->data)[i] != 0;

static bool is_set(const Tensor *x, int64_t i)
{
    switch (x->dtype) {
        FOR_EACH_NUMBER(IS_SET)
        IS_SET(DT_BOOL, bool, b8)
    default: /* half and bfloat16: all but 0 and -0 */
        return (((const uint16_t *)x->data)[i] & 0x7fff) != 0;
    }
}

Error *where_prepare(OpPrepare *prepare)
{
    DType dtype = prepare->input_dtypes[0];
    return dtype == DT_BOOL || is_number(dtype) ? NULL : op_unsupported_type(prepare, dtype);
}

Error *where_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    int64_t n = 0;
    if (x->shape.rank == 0)
        return error_new(ERROR_INVALID_ARGUMENT, "WhereOp : Unhandled input dimensions: 0");
    for (int64_t i = 0; i < x->n; i++)
        n += is_set(x, i);
    Tensor *y = NULL;
    TRY(op_output(c, 0, DT_INT64, &shape_of(n, x->shape.rank), &y));
    int64_t *at = (int64_t *)y->data + (y->n > 0 ? y->n : 0);
    for (int64_t i = x->n; y->n > 0 && i-- > 0;) { /* from the end: both from the last digit on */
        int64_t left = i;
        if (!is_set(x, i))
            continue;
        for (int d = x->shape.rank - 1; d >= 0; d--) {
            *--at = left % x->shape.dims[d];
            left /= x->shape.dims[d];
        }
    }
    return NULL;
}

/* ---- LowerBound, UpperBound ---------------------------------------------------------------- */

/* The number of elements of the sorted row[0..n) that are less than v, or (upper) not greater. */
typedef int64_t BoundLoop(const void *row, int64_t n, const void *values, int64_t k, bool is_upper);

#define BOUND_LOOP(dt, type, suffix)                                                               \
    static int64_t bound_##suffix(const void *rows, int64_t n, const void *values, int64_t k,      \
                                  bool is_upper)                                                   \
    {                                                                                              \
        const type *row = rows;                                                                    \
        const type v = ((const type *)values)[k];                                                  \
        int64_t low = 0, high = n;                                                                 \
        while (low < high) {                                                                       \
            int64_t middle = low + (high - low) / 2;                                               \
            if (is_upper ? !(v < row[middle]) : row[middle] < v)                                   \
                low = middle + 1;                                                                  \
            else                                                                                   \
                high = middle;                                                                     \
        }                                                                                          \
        return low;                                                                                \
    }
FOR_EACH_NUMBER(BOUND_LOOP)

#define BOUND_ROW(dt, type, suffix) [dt] = bound_##suffix,
static BoundLoop *const bound_loops[DTYPE_MAX + 1] = { FOR_EACH_NUMBER(BOUND_ROW) };

typedef struct BoundKernel {
    BoundLoop *loop;
    DType index;
    bool is_upper;
} BoundKernel;

Error *bound_prepare(OpPrepare *prepare)
{
    BoundKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    DType *index = NULL, dtype = prepare->input_dtypes[0];
    if (kernel == NULL)
        return error_out_of_memory();
    TRY(prepare_index_type(prepare, "out_type", &index));
    *kernel = (BoundKernel){ .loop = bound_loops[dtype_is_short_float(dtype) ? DT_FLOAT : dtype],
                             .index = *index,
                             .is_upper = strcmp(prepare->op->name, "UpperBound") == 0 };
    if (kernel->loop == NULL)
        return op_unsupported_type(prepare, dtype);
    prepare->kernel = kernel;
    return NULL;
}

Error *bound_run(OpContext *c)
{
    const BoundKernel *kernel = c->kernel;
    const Tensor *sorted = op_input(c, 0), *values = op_input(c, 1);
    if (sorted->shape.rank != 2)
        return error_new(ERROR_INVALID_ARGUMENT, "sorted input argument must be a matrix");
    if (values->shape.rank != 2)
        return error_new(ERROR_INVALID_ARGUMENT, "values argument must be a matrix");
    if (sorted->shape.dims[0] != values->shape.dims[0])
        return error_new(ERROR_INVALID_ARGUMENT, "Leading dim_size of both tensors must match.");
    Tensor *y = NULL;
    TRY(op_output(c, 0, kernel->index, &values->shape, &y));
    int64_t n = sorted->shape.dims[1], n_values = values->shape.dims[1];
    if (kernel->index == DT_INT32 && n > INT32_MAX)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "trailing dim_size must less than INT_MAX for int32 output type, was %lld",
                         (long long)n);
    const float *rows = NULL, *wanted = NULL;
    TRY(shorts_as_floats(c, sorted, &rows));
    TRY(shorts_as_floats(c, values, &wanted));
    size_t size = dtype_is_short_float(sorted->dtype) ? sizeof(float) : dtype_size(sorted->dtype);
    for (int64_t k = 0; k < y->n; k++) {
        const char *row = n > 0 ? (const char *)rows + (size_t)(k / n_values * n) * size : NULL;
        store_index(y, k, kernel->loop(row, n, wanted, k, kernel->is_upper));
    }
    return NULL;
}

/* ---- InvertPermutation --------------------------------------------------------------------- */

Error *invert_permutation_prepare(OpPrepare *prepare)
{
    DType dtype = prepare->input_dtypes[0];
    return dtype == DT_INT32 || dtype == DT_INT64 ? NULL : op_unsupported_type(prepare, dtype);
}

Error *invert_permutation_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    if (x->shape.rank != 1)
        return error_new(ERROR_INVALID_ARGUMENT, "invert_permutation expects a 1D vector.");
    Tensor *y = NULL;
    TRY(op_output(c, 0, x->dtype, &x->shape, &y));
    for (int64_t i = 0; i < y->n; i++)
        store_index(y, i, -1);
    for (int64_t i = 0; i < x->n; i++) {
        int64_t to = tensor_index_at(x, i);
        if (to < 0 || to >= x->n)
            return error_new(ERROR_INVALID_ARGUMENT, "%lld is not between 0 and %lld",
                             (long long)to, (long long)x->n);
        if (tensor_index_at(y, to) != -1)
            return error_new(ERROR_INVALID_ARGUMENT, "%lld is duplicated in the input.",
                             (long long)to);
        store_index(y, to, i);
    }
    return NULL;
}

/* ---- HistogramFixedWidth ------------------------------------------------------------------- */

Error *histogram_prepare(OpPrepare *prepare)
{
    DType *index = NULL, dtype = prepare->input_dtypes[0];
    if (dtype != DT_FLOAT && dtype != DT_DOUBLE && dtype != DT_INT32 && dtype != DT_INT64)
        return op_unsupported_type(prepare, dtype);
    return prepare_index_type(prepare, "dtype", &index);
}

/* A value of one of the four types; each int64 that matters here is exact enough as TensorFlow
 * itself goes on with double. */
static double number_at(const Tensor *t, int64_t i)
{
    switch (t->dtype) {
    case DT_FLOAT:
        return (double)((const float *)t->data)[i];
    case DT_DOUBLE:
        return ((const double *)t->data)[i];
    default:
        return (double)tensor_index_at(t, i);
    }
}

static Error *check_histogram(const Tensor *range, const Tensor *bins)
{
    char text[SHAPE_TEXT_BYTES];
    if (range->shape.rank != 1)
        return error_new(ERROR_INVALID_ARGUMENT, "value_range should be a vector.");
    if (range->n != 2)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "value_range should be a vector of 2 elements, but its shape is %s",
                         shape_text(&range->shape, text));
    if (bins->shape.rank != 0)
        return error_new(ERROR_INVALID_ARGUMENT, "nbins should be a scalar.");
    if (tensor_index_at(bins, 0) <= 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "nbins should be a positive number, but got '%lld'",
                         (long long)tensor_index_at(bins, 0));
    double low = number_at(range, 0), high = number_at(range, 1);
    if (!(low < high))
        return error_new(ERROR_INVALID_ARGUMENT,
                         "value_range should satisfy value_range[0] < value_range[1], but got "
                         "'[%g, %g]'",
                         low, high);
    return NULL;
}

/* Values outside of the range count in the first and the last bin; NaN in the first. */
Error *histogram_run(OpContext *c)
{
    const Tensor *values = op_input(c, 0), *range = op_input(c, 1), *bins = op_input(c, 2);
    TRY(check_histogram(range, bins));
    int64_t n = tensor_index_at(bins, 0);
    Tensor *y = NULL;
    TRY(op_output(c, 0, *(const DType *)c->kernel, &shape_of(n), &y));
    memset(y->data, 0, tensor_bytes(y));
    double low = number_at(range, 0), step = (number_at(range, 1) - low) / (double)n;
    for (int64_t i = 0; i < values->n; i++) {
        double at = (number_at(values, i) - low) / step;
        int64_t bin = !(at > 0) ? 0 : at >= (double)n ? n - 1 : (int64_t)at;
        if (y->dtype == DT_INT32)
            ((int32_t *)y->data)[bin]++;
        else
            ((int64_t *)y->data)[bin]++;
    }
    return NULL;
}
