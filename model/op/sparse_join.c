/* SPDX-License-Identifier: Apache-2.0
 *
 * Sparse tensors cut and put together: SparseSlice, SparseConcat.
 */
#include "model/op/axes.h"
#include "model/op/kernels.h"
#include "model/op/sparse.h"

/* ---- SparseSlice --------------------------------------------------------------------------- */

static bool is_inside(const Sparse *s, int64_t i, const int64_t *begin, const int64_t *end)
{
    for (int d = 0; d < s->rank; d++) {
        int64_t at = s->indices[i * s->rank + d];
        if (at < begin[d] || at >= end[d])
            return false;
    }
    return true;
}

/* [begin, end) in each dimension, cut at the shape. */
static Error *read_window(const OpContext *c, const Sparse *s, int64_t *begin, int64_t *end)
{
    const Tensor *start = op_input(c, 3), *size = op_input(c, 4);
    if (start->shape.rank != 1 || size->shape.rank != 1 || start->n != s->rank ||
        size->n != s->rank)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "start and size must be vectors of %d elements, one for each dimension",
                         s->rank);
    for (int d = 0; d < s->rank; d++) {
        int64_t from = tensor_index_at(start, d), n = tensor_index_at(size, d), dim = s->dims[d];
        if (from < 0 || n < 0)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "start and size must not be negative, but dimension %d has %lld and "
                             "%lld",
                             d, (long long)from, (long long)n);
        begin[d] = from < dim ? from : dim;
        end[d] = n < dim - begin[d] ? begin[d] + n : dim;
    }
    return NULL;
}

Error *sparse_slice_run(OpContext *c)
{
    Sparse s;
    int64_t begin[SHAPE_MAX_RANK], end[SHAPE_MAX_RANK], n = 0;
    TRY(sparse_open(op_input(c, 0), op_input(c, 1), op_input(c, 2), &s));
    TRY(read_window(c, &s, begin, end));
    for (int64_t i = 0; i < s.n; i++)
        n += is_inside(&s, i, begin, end);
    Tensor *indices = NULL, *values = NULL, *shape = NULL;
    TRY(op_output(c, 0, DT_INT64, &shape_of(n, s.rank), &indices));
    TRY(op_output(c, 1, s.values->dtype, &shape_of(n), &values));
    TRY(op_output(c, 2, DT_INT64, &shape_of(s.rank), &shape));
    int64_t *to = indices->data, k = 0;
    for (int64_t i = 0; i < s.n; i++) {
        if (!is_inside(&s, i, begin, end))
            continue;
        for (int d = 0; d < s.rank; d++)
            *to++ = s.indices[i * s.rank + d] - begin[d];
        sparse_copy_value(s.values, i, values, k++);
    }
    for (int d = 0; d < s.rank; d++)
        ((int64_t *)shape->data)[d] = end[d] - begin[d];
    return NULL;
}

/* ---- SparseConcat -------------------------------------------------------------------------- */

Error *sparse_concat_prepare(OpPrepare *prepare)
{
    int64_t *axis = arena_calloc(prepare->arena, 1, sizeof(*axis));
    if (axis == NULL)
        return error_out_of_memory();
    TRY(attrs_int(prepare->attrs, "concat_dim", axis));
    prepare->kernel = axis;
    return NULL;
}

/* Opens input `k` of n_parts and checks it against the first one. */
static Error *open_part(const OpContext *c, int n_parts, int k, Sparse *ret)
{
    TRY(sparse_open(op_input(c, k), op_input(c, n_parts + k), op_input(c, 2 * n_parts + k), ret));
    return sparse_check_bounds(ret);
}

static Error *add_part(const Sparse *part, int k, int axis, int64_t *n, Shape *shape)
{
    if (part->rank != shape->rank)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Ranks of all input tensors must match: expected %d but got %d at "
                         "position %d",
                         shape->rank, part->rank, k);
    for (int d = 0; k > 0 && d < part->rank; d++) {
        if (d != axis && part->dims[d] != shape->dims[d])
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Input shapes must match: expected %lld for dimension %d but got "
                             "%lld at position %d",
                             (long long)shape->dims[d], d, (long long)part->dims[d], k);
    }
    if (k > 0 && __builtin_add_overflow(shape->dims[axis], part->dims[axis], &shape->dims[axis]))
        return error_new(ERROR_INVALID_ARGUMENT, "Dimension %d of the result is too large", axis);
    *n += part->n;
    return NULL;
}

/* The shape of the result, and the number of its elements. */
static Error *join_shapes(const OpContext *c, int n_parts, int *ret_axis, Shape *shape,
                          int64_t *ret_n)
{
    Sparse part;
    int64_t wanted = *(const int64_t *)c->kernel;
    TRY(open_part(c, n_parts, 0, &part));
    *shape = shape_make(part.rank, part.dims);
    *ret_axis = axis_of(wanted, part.rank);
    if (*ret_axis < 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Concat dimension must be in range [%d, %d), got %lld", -part.rank,
                         part.rank, (long long)wanted);
    *ret_n = 0;
    for (int k = 0; k < n_parts; k++) {
        TRY(open_part(c, n_parts, k, &part));
        TRY(add_part(&part, k, *ret_axis, ret_n, shape));
    }
    return NULL;
}

/* Part by part, then sorted. */
Error *sparse_concat_run(OpContext *c)
{
    int n_parts = c->n_inputs / 3, axis = 0, rank = 0;
    Shape shape;
    Sparse part;
    int64_t n = 0, at = 0, shift = 0;
    TRY(join_shapes(c, n_parts, &axis, &shape, &n));
    rank = shape.rank;
    Tensor *indices = NULL, *values = NULL, *dims = NULL;
    DType dtype = op_input(c, n_parts)->dtype;
    TRY(op_output(c, 0, DT_INT64, &shape_of(n, rank), &indices));
    TRY(op_output(c, 1, dtype, &shape_of(n), &values));
    TRY(op_output(c, 2, DT_INT64, &shape_of(rank), &dims));
    memcpy(dims->data, shape.dims, (size_t)rank * sizeof(shape.dims[0]));
    size_t row_bytes = (size_t)rank * sizeof(int64_t);
    int64_t *all = op_scratch(c, (size_t)n * row_bytes);
    int64_t *order = op_scratch(c, (size_t)n * sizeof(*order));
    Tensor joined = { .dtype = dtype, .shape = shape_of(n), .n = n };
    joined.data = op_scratch(c, tensor_bytes(&joined));
    if (all == NULL || order == NULL || joined.data == NULL)
        return error_out_of_memory();
    for (int k = 0; k < n_parts; k++) {
        TRY(open_part(c, n_parts, k, &part));
        for (int64_t i = 0; i < part.n; i++, at++) {
            memcpy(all + at * rank, part.indices + i * rank, row_bytes);
            all[at * rank + axis] += shift;
            sparse_copy_value(part.values, i, &joined, at);
        }
        shift += part.dims[axis];
    }
    sparse_sort(all, n, rank, order);
    for (int64_t i = 0; i < n; i++) {
        memcpy((int64_t *)indices->data + i * rank, all + order[i] * rank, row_bytes);
        sparse_copy_value(&joined, order[i], values, i);
    }
    return NULL;
}
