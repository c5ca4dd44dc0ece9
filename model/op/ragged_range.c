/* SPDX-License-Identifier: Apache-2.0
 *
 * RaggedRange: a row of numbers for each start, limit and delta, as a ragged tensor.
 *
 *   starts, limits, deltas   scalars, or vectors of one length [R]
 *   rt_nested_splits         [R + 1]
 *   rt_dense_values          the rows end to end
 *
 * Any thread.
 */
#include <math.h>

#include "model/op/kernels.h"
#include "model/op/ragged.h"

Error *ragged_range_prepare(OpPrepare *prepare)
{
    DType dtype = prepare->input_dtypes[0];
    if (dtype != DT_INT32 && dtype != DT_INT64 && dtype != DT_FLOAT && dtype != DT_DOUBLE)
        return error_new(ERROR_UNIMPLEMENTED,
                         "RaggedRange of %s is not supported: int32, int64, float and double are",
                         dtype_name(dtype));
    DType *splits = arena_calloc(prepare->arena, 1, sizeof(*splits));
    if (splits == NULL)
        return error_out_of_memory();
    TRY(attrs_type_or(prepare->attrs, "Tsplits", DT_INT64, splits));
    if (*splits != DT_INT32 && *splits != DT_INT64)
        return error_new(ERROR_INVALID_ARGUMENT, "Tsplits is %s, but must be int32 or int64",
                         dtype_name(*splits));
    prepare->kernel = splits;
    return NULL;
}

/* A row's start, limit and delta. Integers are exact; `is_float` says which three hold. */
typedef struct Range {
    bool is_float;
    int64_t start, limit, delta;
    double from, to, step;
} Range;

static double float_at(const Tensor *t, int64_t i)
{
    return t->dtype == DT_FLOAT ? (double)((const float *)t->data)[i]
                                : ((const double *)t->data)[i];
}

static Range range_at(const OpContext *c, int64_t row)
{
    const Tensor *t[3];
    int64_t at[3];
    for (int i = 0; i < 3; i++) {
        t[i] = op_input(c, i);
        at[i] = t[i]->shape.rank == 0 ? 0 : row;
    }
    if (t[0]->dtype == DT_FLOAT || t[0]->dtype == DT_DOUBLE)
        return (Range){ .is_float = true,
                        .from = float_at(t[0], at[0]),
                        .to = float_at(t[1], at[1]),
                        .step = float_at(t[2], at[2]) };
    return (Range){ .start = tensor_index_at(t[0], at[0]),
                    .limit = tensor_index_at(t[1], at[1]),
                    .delta = tensor_index_at(t[2], at[2]) };
}

/* The number of elements; false when it is not below 2^62. A NaN counts none. */
static bool range_count(const Range *r, DType dtype, int64_t *ret)
{
    *ret = 0;
    if (!r->is_float) {
        bool goes_up = r->delta > 0;
        if (goes_up ? r->limit <= r->start : r->limit >= r->start)
            return true;
        uint64_t distance = goes_up ? (uint64_t)r->limit - (uint64_t)r->start
                                    : (uint64_t)r->start - (uint64_t)r->limit;
        uint64_t step = goes_up ? (uint64_t)r->delta : 0 - (uint64_t)r->delta;
        uint64_t n = distance / step + (distance % step != 0);
        *ret = (int64_t)(n >> 62 == 0 ? n : 0);
        return n >> 62 == 0;
    }
    if (!(r->step > 0 ? r->to > r->from : r->to < r->from))
        return true;
    double n = dtype == DT_FLOAT
                   ? (double)ceilf(fabsf(((float)r->to - (float)r->from) / (float)r->step))
                   : ceil(fabs((r->to - r->from) / r->step));
    if (!(n < 0x1p62))
        return false;
    *ret = (int64_t)n;
    return true;
}

/* Floats are summed step by step, as TensorFlow does. */
static void fill_range(const Range *r, DType dtype, int64_t n, void *to)
{
    float single = (float)r->from;
    double twice = r->from;
    uint64_t whole = (uint64_t)r->start;
    for (int64_t i = 0; i < n; i++) {
        switch (dtype) {
        case DT_FLOAT:
            ((float *)to)[i] = single;
            break;
        case DT_DOUBLE:
            ((double *)to)[i] = twice;
            break;
        case DT_INT32:
            ((int32_t *)to)[i] = (int32_t)whole;
            break;
        default:
            ((int64_t *)to)[i] = (int64_t)whole;
            break;
        }
        single += (float)r->step;
        twice += r->step;
        whole += (uint64_t)r->delta;
    }
}

/* Vectors are of one length, scalars serve all rows. */
static Error *count_rows(const OpContext *c, int64_t *ret)
{
    static const char *const names[] = { "starts", "limits", "deltas" };
    int64_t n = -1;
    for (int i = 0; i < 3; i++) {
        const Shape *shape = &op_input(c, i)->shape;
        if (shape->rank > 1)
            return error_new(ERROR_INVALID_ARGUMENT, "%s must be a scalar or vector", names[i]);
        if (shape->rank == 1 && n >= 0 && n != shape->dims[0])
            return error_new(ERROR_INVALID_ARGUMENT,
                             "starts, limits, and deltas must have the same shape");
        n = shape->rank == 1 ? shape->dims[0] : n;
    }
    *ret = n >= 0 ? n : 1;
    return NULL;
}

Error *ragged_range_run(OpContext *c)
{
    DType dtype = op_input(c, 0)->dtype;
    int64_t n_rows = 0, n = 0, sum = 0;
    Tensor *splits = NULL, *values = NULL;
    TRY(count_rows(c, &n_rows));
    TRY(op_output(c, 0, *(const DType *)c->kernel, &shape_of(n_rows + 1), &splits));
    TRY(splits_set(splits, 0, 0));
    for (int64_t row = 0; row < n_rows; row++) {
        Range r = range_at(c, row);
        if (r.is_float ? r.step == 0 : r.delta == 0)
            return error_new(ERROR_INVALID_ARGUMENT, "Requires delta != 0");
        if (!range_count(&r, dtype, &n) || __builtin_add_overflow(sum, n, &sum))
            return error_new(ERROR_INVALID_ARGUMENT, "row %lld has too many elements",
                             (long long)row);
        TRY(splits_set(splits, row + 1, sum));
    }
    TRY(op_output(c, 1, dtype, &shape_of(sum), &values));
    for (int64_t row = 0; row < n_rows; row++) {
        Range r = range_at(c, row);
        int64_t begin = tensor_index_at(splits, row), end = tensor_index_at(splits, row + 1);
        fill_range(&r, dtype, end - begin,
                   (char *)values->data + (size_t)begin * dtype_size(dtype));
    }
    return NULL;
}
