/* SPDX-License-Identifier: Apache-2.0
 *
 * Unique, UniqueV2, UniqueWithCounts, UniqueWithCountsV2: the different elements of a vector, or
 * slices along an axis, in the order in which they come; for each its number in that list, and how
 * often each comes. ListDiff: the elements of one vector that another has not. Any thread.
 */
#include <string.h>

#include "model/op/axes.h"
#include "model/op/elementwise.h"
#include "model/op/kernels.h"
#include "model/op/order.h"
#include "model/op/strided.h"

Error *unique_prepare(OpPrepare *prepare)
{
    DType *index = arena_calloc(prepare->arena, 1, sizeof(*index));
    if (index == NULL)
        return error_out_of_memory();
    TRY(attrs_type_or(prepare->attrs, "out_idx", DT_INT32, index));
    if (*index != DT_INT32 && *index != DT_INT64)
        return op_unsupported_type(prepare, *index);
    DType dtype = prepare->input_dtypes[0];
    bool is_key = dtype_is_plain(dtype) && dtype_size(dtype) <= sizeof(uint64_t); /* order.c */
    if (!is_key && dtype != DT_STRING)
        return op_unsupported_type(prepare, dtype);
    prepare->kernel = index;
    return strstr(prepare->op->name, "V2") != NULL ? op_prepare_indices(prepare) : NULL;
}

static void store_index(Tensor *t, int64_t i, int64_t value)
{
    if (t->dtype == DT_INT32)
        ((int32_t *)t->data)[i] = (int32_t)value;
    else
        ((int64_t *)t->data)[i] = value;
}

/* ---- Unique -------------------------------------------------------------------------------- */

/* The slices that are looked at, and on which axis. */
static Error *read_slices(const OpContext *c, Slices1D *ret, int *ret_axis)
{
    const Tensor *x = op_input(c, 0);
    const Tensor *axes = c->n_inputs > 1 ? op_input(c, 1) : NULL;
    *ret_axis = 0;
    if (axes == NULL || axes->n == 0) {
        if (x->shape.rank != 1)
            return error_new(ERROR_INVALID_ARGUMENT, "unique expects a 1D vector.");
        *ret = slices_flat(x);
        return NULL;
    }
    if (axes->shape.rank != 1)
        return error_new(ERROR_INVALID_ARGUMENT, "axis expects a 1D vector.");
    if (axes->n != 1)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "axis does not support input tensors larger than 1 elements");
    *ret_axis = axis_of(tensor_index_at(axes, 0), x->shape.rank);
    if (*ret_axis < 0)
        return error_new(ERROR_INVALID_ARGUMENT, "axis has to be between [0, %d)", x->shape.rank);
    *ret = slices_along(x, *ret_axis);
    return NULL;
}

/* first[i] = the first slice equal to slice i. `sorted` holds the slices in order. */
static void find_first(const Slices1D *s, const int64_t *sorted, int64_t *first)
{
    for (int64_t k = 0; k < s->n; k++) {
        int64_t i = sorted[k], before = k > 0 ? sorted[k - 1] : 0;
        bool same = k > 0 && slices_compare(s, before, s, i) == 0 && !slice_has_nan(s, i);
        first[i] = same ? first[before] : i;
    }
}

/* Copies slice i of the input to slice k of the output. */
static void copy_slice(const Slices1D *s, int64_t i, Tensor *y, int64_t n_unique, int64_t k)
{
    size_t size = dtype_size(y->dtype), bytes = (size_t)s->inner * size;
    for (int64_t o = 0; o < s->outer; o++)
        memcpy((char *)y->data + (size_t)(o * n_unique + k) * bytes,
               (const char *)s->tensor->data + (size_t)(o * s->n + i) * bytes, bytes);
}

Error *unique_run(OpContext *c)
{
    DType index_type = *(const DType *)c->kernel;
    Slices1D s;
    int axis = 0;
    TRY(read_slices(c, &s, &axis));
    int64_t *memory = op_scratch(c, (size_t)s.n * 3 * sizeof(*memory));
    if (memory == NULL)
        return error_out_of_memory();
    int64_t *sorted = memory, *first = memory + s.n, *number = memory + 2 * s.n;
    slices_sort(&s, sorted, first);
    find_first(&s, sorted, first);
    int64_t n = 0;
    for (int64_t i = 0; i < s.n; i++)
        n += first[i] == i;
    Shape shape = op_input(c, 0)->shape;
    shape.dims[axis] = n;
    Tensor *y = NULL, *idx = NULL, *count = NULL;
    TRY(op_output(c, 0, op_input(c, 0)->dtype, &shape, &y));
    TRY(op_output(c, 1, index_type, &shape_of(s.n), &idx));
    if (c->n_outputs > 2) {
        TRY(op_output(c, 2, index_type, &shape_of(n), &count));
        if (n > 0)
            memset(count->data, 0, tensor_bytes(count));
    }
    int64_t k = 0;
    for (int64_t i = 0; i < s.n; i++) {
        if (first[i] == i) {
            if (y->n > 0)
                copy_slice(&s, i, y, n, k);
            number[i] = k++;
        }
        int64_t at = number[first[i]];
        store_index(idx, i, at);
        if (count != NULL && index_type == DT_INT32)
            ((int32_t *)count->data)[at]++;
        else if (count != NULL)
            ((int64_t *)count->data)[at]++;
    }
    return NULL;
}

/* ---- ListDiff ------------------------------------------------------------------------------ */

/* Whether element i of x is in y, whose elements are sorted. */
static bool is_in(const Slices1D *x, int64_t i, const Slices1D *y, const int64_t *sorted)
{
    int64_t low = 0, high = y->n;
    if (slice_has_nan(x, i))
        return false;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        int order = slices_compare(x, i, y, sorted[middle]);
        if (order == 0)
            return true;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

Error *list_diff_run(OpContext *c)
{
    const Tensor *inputs[] = { op_input(c, 0), op_input(c, 1) };
    for (int i = 0; i < 2; i++) {
        if (inputs[i]->shape.rank != 1)
            return error_new(ERROR_INVALID_ARGUMENT, "%s should be a 1D vector.",
                             i == 0 ? "x" : "y");
    }
    Slices1D x = slices_flat(inputs[0]), y = slices_flat(inputs[1]);
    int64_t *memory = op_scratch(c, (size_t)(2 * y.n + x.n) * sizeof(*memory));
    if (memory == NULL)
        return error_out_of_memory();
    int64_t *sorted = memory, *kept = memory + 2 * y.n, n = 0;
    slices_sort(&y, sorted, memory + y.n);
    for (int64_t i = 0; i < x.n; i++) {
        if (!is_in(&x, i, &y, sorted))
            kept[n++] = i;
    }
    Tensor *out = NULL, *idx = NULL;
    TRY(op_output(c, 0, inputs[0]->dtype, &shape_of(n), &out));
    TRY(op_output(c, 1, *(const DType *)c->kernel, &shape_of(n), &idx));
    for (int64_t k = 0; k < n; k++) {
        copy_slice(&x, kept[k], out, n, k);
        store_index(idx, k, kept[k]);
    }
    return NULL;
}
