/* SPDX-License-Identifier: Apache-2.0
 *
 * Reductions of rows by number: UnsortedSegmentSum, -Prod, -Max, -Min, whose rows come in any
 * order, and SegmentSum, -Mean, -Prod, -Max, -Min, whose numbers do not fall. A segment without rows
 * is the identity of its reduction (unsorted), or 0, but 1 for products (sorted).
 *
 * half and bfloat16 are not supported. Any thread.
 */
#include <float.h>
#include <string.h>

#include "model/op/axes.h"
#include "model/op/elementwise.h"
#include "model/op/kernels.h"
#include "model/op/typed.h"

/* Starts a row of the result, or takes another row into it. */
typedef void SegmentStart(int64_t n, void *to);
typedef void SegmentStep(int64_t n, const void *row, void *to);

typedef struct SegmentKernel {
    SegmentStart *start; /* of a segment without rows; NULL: zeros */
    SegmentStart *begin; /* of a segment before its first row; NULL: zeros */
    SegmentStep *step;
    SegmentStep *divide; /* of a mean: *row is how many rows there were; NULL otherwise */
} SegmentKernel;

#define START(name, type, value)                                                                   \
    static void name(int64_t n, void *to)                                                          \
    {                                                                                              \
        for (int64_t i = 0; i < n; i++)                                                            \
            ((type *)to)[i] = (value);                                                             \
    }
#define STEP(name, type, expression)                                                               \
    static void name(int64_t n, const void *row, void *to)                                         \
    {                                                                                              \
        for (int64_t i = 0; i < n; i++) {                                                          \
            const type a = ((const type *)to)[i], b = ((const type *)row)[i];                      \
            ((type *)to)[i] = (type)(expression);                                                  \
        }                                                                                          \
    }
#define DIVIDE(name, type)                                                                         \
    static void name(int64_t n, const void *count, void *to)                                       \
    {                                                                                              \
        for (int64_t i = 0; i < n; i++)                                                            \
            ((type *)to)[i] = (type)(((type *)to)[i] / (type) * (const int64_t *)count);           \
    }
#define LOOPS(type, suffix, wide)                                                                  \
    START(one_##suffix, type, 1)                                                                   \
    STEP(sum_##suffix, type, (wide)a + (wide)b)                                                    \
    STEP(product_##suffix, type, (wide)a *(wide)b)                                                 \
    STEP(max_##suffix, type, a < b ? b : a)                                                        \
    STEP(min_##suffix, type, b < a ? b : a)                                                        \
    DIVIDE(divide_##suffix, type)
#define FLOAT_LOOPS(dt, type, suffix) LOOPS(type, suffix, type)
#define INT_LOOPS(dt, type, suffix) LOOPS(type, suffix, uint64_t)
FOR_EACH_FLOAT(FLOAT_LOOPS)
FOR_EACH_INT(INT_LOOPS)

START(lowest_f32, float, -FLT_MAX)
START(highest_f32, float, FLT_MAX)
START(lowest_f64, double, -DBL_MAX)
START(highest_f64, double, DBL_MAX)
#define SIGNED_EXTREMES(dt, type, suffix)                                                          \
    START(lowest_##suffix, type, (type)((uint64_t)1 << (sizeof(type) * 8 - 1)))                    \
    START(highest_##suffix, type, (type)(((uint64_t)1 << (sizeof(type) * 8 - 1)) - 1))
#define UNSIGNED_EXTREMES(dt, type, suffix)                                                        \
    START(lowest_##suffix, type, 0)                                                                \
    START(highest_##suffix, type, (type)UINT64_MAX)
FOR_EACH_SIGNED(SIGNED_EXTREMES)
FOR_EACH_UNSIGNED(UNSIGNED_EXTREMES)

/* Rows of the table: what of (Sum, Mean, Prod, Max, Min), for each type. */
static bool find_kernel(DType dtype, const char *what, SegmentKernel *ret)
{
    switch (dtype) {
#define CASE(dt, type, suffix)                                                                     \
    case dt:                                                                                       \
        if (strcmp(what, "Prod") == 0)                                                             \
            *ret = (SegmentKernel){ one_##suffix, one_##suffix, product_##suffix, NULL };          \
        else if (strcmp(what, "Max") == 0)                                                         \
            *ret = (SegmentKernel){ lowest_##suffix, lowest_##suffix, max_##suffix, NULL };        \
        else if (strcmp(what, "Min") == 0)                                                         \
            *ret = (SegmentKernel){ highest_##suffix, highest_##suffix, min_##suffix, NULL };      \
        else if (strcmp(what, "Mean") == 0)                                                        \
            *ret = (SegmentKernel){ NULL, NULL, sum_##suffix, divide_##suffix };                   \
        else                                                                                       \
            *ret = (SegmentKernel){ NULL, NULL, sum_##suffix, NULL };                              \
        return true;
        FOR_EACH_NUMBER(CASE)
    default:
        return false;
    }
}

static Error *prepare_segment(OpPrepare *prepare, const char *what, SegmentKernel **ret)
{
    SegmentKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    if (!find_kernel(prepare->input_dtypes[0], what, kernel))
        return op_unsupported_type(prepare, prepare->input_dtypes[0]);
    prepare->kernel = kernel;
    *ret = kernel;
    return NULL;
}

static void start_rows(SegmentStart *start, const Tensor *y)
{
    if (y->n > 0)
        memset(y->data, 0, tensor_bytes(y));
    if (start != NULL)
        start(y->n, y->data);
}

/* ---- unsorted ------------------------------------------------------------------------------ */

Error *unsorted_segment_prepare(OpPrepare *prepare)
{
    TRY(op_prepare_indices(prepare));
    SegmentKernel *kernel = NULL;
    return prepare_segment(prepare, prepare->op->name + strlen("UnsortedSegment"), &kernel);
}

static Error *check_unsorted(const Tensor *data, const Tensor *ids, const Tensor *count)
{
    char text[SHAPE_TEXT_BYTES], ids_text[SHAPE_TEXT_BYTES];
    bool starts = ids->shape.rank <= data->shape.rank;
    for (int d = 0; starts && d < ids->shape.rank; d++)
        starts = ids->shape.dims[d] == data->shape.dims[d];
    if (count->shape.rank != 0)
        return error_new(ERROR_INVALID_ARGUMENT, "num_segments should be a scalar, not shape %s",
                         shape_text(&count->shape, text));
    if (!starts)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "data.shape = %s does not start with segment_ids.shape = %s",
                         shape_text(&data->shape, text), shape_text(&ids->shape, ids_text));
    if (tensor_index_at(count, 0) < 0)
        return error_new(ERROR_INVALID_ARGUMENT, "Input num_segments == %lld must not be negative.",
                         (long long)tensor_index_at(count, 0));
    return NULL;
}

/* Rows whose number is negative are left out. */
Error *unsorted_segment_run(OpContext *c)
{
    const SegmentKernel *kernel = c->kernel;
    const Tensor *data = op_input(c, 0), *ids = op_input(c, 1);
    TRY(check_unsorted(data, ids, op_input(c, 2)));
    int64_t n_segments = tensor_index_at(op_input(c, 2), 0);
    Shape shape = { .rank = 0 };
    bool fits = shape_push(&shape, n_segments);
    for (int d = ids->shape.rank; d < data->shape.rank; d++)
        fits = fits && shape_push(&shape, data->shape.dims[d]);
    if (!fits)
        return shape_rank_error();
    Tensor *y = NULL;
    TRY(op_output(c, 0, data->dtype, &shape, &y));
    start_rows(kernel->start, y);
    int64_t row = dims_product(&data->shape, ids->shape.rank, data->shape.rank);
    size_t bytes = (size_t)row * dtype_size(data->dtype);
    for (int64_t i = 0; i < ids->n && data->n > 0; i++) {
        int64_t id = tensor_index_at(ids, i);
        if (id >= n_segments)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "segment_ids[%lld] = %lld is out of range [0, %lld)", (long long)i,
                             (long long)id, (long long)n_segments);
        if (id >= 0)
            kernel->step(row, (const char *)data->data + (size_t)i * bytes,
                         (char *)y->data + (size_t)id * bytes);
    }
    return NULL;
}

/* ---- sorted -------------------------------------------------------------------------------- */

Error *segment_prepare(OpPrepare *prepare)
{
    TRY(op_prepare_indices(prepare));
    const char *what = prepare->op->name + strlen("Segment");
    SegmentKernel *kernel = NULL;
    TRY(prepare_segment(prepare, what, &kernel));
    if (strcmp(what, "Prod") != 0)
        kernel->start = NULL;
    return NULL;
}

static Error *check_sorted(const Tensor *data, const Tensor *ids)
{
    if (data->shape.rank < 1)
        return error_new(ERROR_INVALID_ARGUMENT, "input must be at least rank 1");
    if (ids->shape.rank != 1)
        return error_new(ERROR_INVALID_ARGUMENT, "segment_ids should be a vector.");
    if (ids->n != data->shape.dims[0])
        return error_new(ERROR_INVALID_ARGUMENT,
                         "segment_ids should be the same size as dimension 0 of input.");
    for (int64_t i = 0; i < ids->n; i++) {
        int64_t id = tensor_index_at(ids, i);
        if (id < 0 || id > INT32_MAX)
            return error_new(ERROR_INVALID_ARGUMENT, "segment id %lld is not in [0, %d]",
                             (long long)id, INT32_MAX);
        if (i > 0 && id < tensor_index_at(ids, i - 1))
            return error_new(ERROR_INVALID_ARGUMENT, "segment ids are not increasing");
    }
    return NULL;
}

Error *segment_run(OpContext *c)
{
    const SegmentKernel *kernel = c->kernel;
    const Tensor *data = op_input(c, 0), *ids = op_input(c, 1);
    TRY(check_sorted(data, ids));
    Shape shape = data->shape;
    shape.dims[0] = ids->n == 0 ? 0 : tensor_index_at(ids, ids->n - 1) + 1;
    Tensor *y = NULL;
    TRY(op_output(c, 0, data->dtype, &shape, &y));
    start_rows(kernel->start, y);
    int64_t row = dims_product(&data->shape, 1, data->shape.rank);
    size_t bytes = (size_t)row * dtype_size(data->dtype);
    for (int64_t i = 0; i < ids->n && data->n > 0;) {
        int64_t id = tensor_index_at(ids, i), count = 0;
        char *to = (char *)y->data + (size_t)id * bytes;
        if (kernel->begin != NULL)
            kernel->begin(row, to);
        for (; i < ids->n && tensor_index_at(ids, i) == id; i++, count++)
            kernel->step(row, (const char *)data->data + (size_t)i * bytes, to);
        if (kernel->divide != NULL)
            kernel->divide(row, &count, to);
    }
    return NULL;
}
