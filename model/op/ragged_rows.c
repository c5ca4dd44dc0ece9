/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of ragged tensors: RaggedGather and RaggedTensorToSparse. A ragged tensor is here
 * its splits from the outside in, and its values:
 *
 *   splits 0    row r is [splits[r], splits[r + 1]) of the rows of splits 1
 *   ...
 *   splits n    row r is that part of the values' first dimension
 *
 * open_ragged checks all splits before any is used. Any thread.
 */
#include "model/op/axes.h"
#include "model/op/kernels.h"
#include "model/op/ragged.h"

typedef struct Ragged {
    const Tensor *const *splits; /* [n_splits] */
    int n_splits;
    const Tensor *values;
} Ragged;

static int64_t rows_of(const Tensor *splits)
{
    return splits->n - 1;
}

static Error *check_splits(const Tensor *splits, int64_t n_values)
{
    bool is_good = splits->shape.rank == 1 && splits->n > 0 && tensor_index_at(splits, 0) == 0;
    for (int64_t i = 1; is_good && i < splits->n; i++)
        is_good = tensor_index_at(splits, i) >= tensor_index_at(splits, i - 1);
    if (!is_good || tensor_index_at(splits, splits->n - 1) != n_values)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "row splits must be a vector that ascends from 0 to the number of rows "
                         "that they split, %lld",
                         (long long)n_values);
    return NULL;
}

/* The last input of the ragged tensor is its values; its splits are all inputs before. */
static Error *open_ragged(const OpContext *c, int values, Ragged *ret)
{
    *ret = (Ragged){ c->inputs, values, op_input(c, values) };
    if (ret->values->shape.rank < 1)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "the values of a ragged tensor must have at least one dimension");
    int64_t n = ret->values->shape.dims[0];
    for (int i = values - 1; i >= 0; i--) {
        TRY(check_splits(ret->splits[i], n));
        n = rows_of(ret->splits[i]);
    }
    return NULL;
}

/* ---- RaggedGather -------------------------------------------------------------------------- */

/*   params_nested_splits..., params_dense_values, indices -> splits..., values
 *
 * The splits of the output are those that the dimensions of `indices` but the last make, and of each
 * level of params the rows that are gathered. */

Error *ragged_gather_prepare(OpPrepare *prepare)
{
    int n = prepare->n_inputs;
    if (n < 3)
        return error_new(ERROR_INVALID_ARGUMENT, "PARAMS_RAGGED_RANK must be at least 1");
    for (int i = 0; i < n; i++)
        if (i != n - 2)
            TRY(op_check_index_type(prepare, i));
    return NULL;
}

static Error *open_gather(const OpContext *c, Ragged *ret)
{
    const Tensor *indices = op_input(c, c->n_inputs - 1);
    TRY(open_ragged(c, c->n_inputs - 2, ret));
    if (c->n_outputs != ret->n_splits + indices->shape.rank)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "OUTPUT_RAGGED_RANK is %d, but %d splits and indices of rank %d make %d",
                         c->n_outputs - 1, ret->n_splits, indices->shape.rank,
                         ret->n_splits + indices->shape.rank - 1);
    int64_t n_rows = rows_of(ret->splits[0]);
    for (int64_t i = 0; i < indices->n; i++) {
        int64_t index = tensor_index_at(indices, i);
        if (index < 0 || index >= n_rows)
            return error_new(ERROR_INVALID_ARGUMENT, "index %lld is not in [0, %lld)",
                             (long long)index, (long long)n_rows);
    }
    return NULL;
}

/* What rows [*begin, *end) of level 0 are `level` levels further in. */
static void descend(const Ragged *r, int level, int64_t *begin, int64_t *end)
{
    for (int i = 0; i < level; i++) {
        *begin = tensor_index_at(r->splits[i], *begin);
        *end = tensor_index_at(r->splits[i], *end);
    }
}

static Error *count_gathered(const Ragged *r, const Tensor *indices, int level, int64_t *ret)
{
    int64_t n = 0;
    for (int64_t i = 0; i < indices->n; i++) {
        int64_t begin = tensor_index_at(indices, i), end = begin + 1;
        descend(r, level, &begin, &end);
        if (__builtin_add_overflow(n, end - begin, &n))
            return error_new(ERROR_INVALID_ARGUMENT, "the gathered rows are too many");
    }
    *ret = n;
    return NULL;
}

/* Output `d`: `indices` has rows of dims[d + 1] each. */
static Error *split_indices(OpContext *c, const Shape *indices, int d, DType dtype)
{
    int64_t n = dims_product(indices, 0, d + 1);
    Tensor *y = NULL;
    TRY(op_output(c, d, dtype, &shape_of(n + 1), &y));
    for (int64_t i = 0; i <= n; i++)
        TRY(splits_set(y, i, i * indices->dims[d + 1]));
    return NULL;
}

static Error *gather_splits(OpContext *c, const Ragged *r, int level, int output)
{
    const Tensor *indices = op_input(c, c->n_inputs - 1), *splits = r->splits[level];
    int64_t n = 0, at = 0, sum = 0;
    Tensor *y = NULL;
    TRY(count_gathered(r, indices, level, &n));
    TRY(op_output(c, output, splits->dtype, &shape_of(n + 1), &y));
    TRY(splits_set(y, at++, 0));
    for (int64_t i = 0; i < indices->n; i++) {
        int64_t begin = tensor_index_at(indices, i), end = begin + 1;
        descend(r, level, &begin, &end);
        for (int64_t k = begin; k < end; k++) {
            sum += tensor_index_at(splits, k + 1) - tensor_index_at(splits, k);
            TRY(splits_set(y, at++, sum));
        }
    }
    return NULL;
}

static Error *gather_values(OpContext *c, const Ragged *r)
{
    const Tensor *indices = op_input(c, c->n_inputs - 1);
    Shape shape = r->values->shape;
    Tensor *y = NULL;
    TRY(count_gathered(r, indices, r->n_splits, &shape.dims[0]));
    TRY(op_output(c, c->n_outputs - 1, r->values->dtype, &shape, &y));
    size_t bytes = (size_t)dims_product(&shape, 1, shape.rank) * dtype_size(r->values->dtype);
    char *to = y->data;
    for (int64_t i = 0; y->n > 0 && i < indices->n; i++) {
        int64_t begin = tensor_index_at(indices, i), end = begin + 1;
        descend(r, r->n_splits, &begin, &end);
        size_t size = (size_t)(end - begin) * bytes;
        memcpy(to, (const char *)r->values->data + (size_t)begin * bytes, size);
        to += size;
    }
    return NULL;
}

Error *ragged_gather_run(OpContext *c)
{
    Ragged r;
    TRY(open_gather(c, &r));
    const Shape *indices = &op_input(c, c->n_inputs - 1)->shape;
    int first = indices->rank - 1; /* an index alone takes a level away */
    if (first < 0)
        return error_new(ERROR_INVALID_ARGUMENT, "indices must have at least one dimension");
    for (int d = 0; d < first; d++)
        TRY(split_indices(c, indices, d, r.splits[0]->dtype));
    for (int i = 0; i < r.n_splits; i++)
        TRY(gather_splits(c, &r, i, first + i));
    return gather_values(c, &r);
}

/* ---- RaggedTensorToSparse ------------------------------------------------------------------ */

Error *ragged_to_sparse_prepare(OpPrepare *prepare)
{
    if (prepare->n_inputs < 2)
        return error_new(ERROR_INVALID_ARGUMENT, "RAGGED_RANK must be at least 1");
    for (int i = 0; i + 1 < prepare->n_inputs; i++)
        TRY(op_check_index_type(prepare, i));
    return NULL;
}

/* As many rows as there are, each level as long as its longest row, and the values' own dimensions. */
static Error *write_sparse_shape(OpContext *c, const Ragged *r)
{
    const Shape *inner = &r->values->shape;
    Tensor *y = NULL;
    TRY(op_output(c, 2, DT_INT64, &shape_of(r->n_splits + inner->rank), &y));
    int64_t *dims = y->data;
    *dims++ = rows_of(r->splits[0]);
    for (int i = 0; i < r->n_splits; i++, dims++) {
        *dims = 0;
        for (int64_t k = 1; k < r->splits[i]->n; k++) {
            int64_t n = tensor_index_at(r->splits[i], k) - tensor_index_at(r->splits[i], k - 1);
            *dims = n > *dims ? n : *dims;
        }
    }
    for (int d = 1; d < inner->rank; d++)
        *dims++ = inner->dims[d];
    return NULL;
}

/* Column `level` of the indices of all elements: which row they are in of the row around it. `to` is
 * the column's place in the first of `rank` indices; a row of the values has `inner` elements. */
static void write_column(const Ragged *r, int level, int64_t inner, int rank, int64_t *to)
{
    int64_t n_rows = level == 0 ? 1 : rows_of(r->splits[level - 1]);
    for (int64_t row = 0; row < n_rows; row++) {
        int64_t begin = level == 0 ? 0 : tensor_index_at(r->splits[level - 1], row);
        int64_t end =
            level == 0 ? rows_of(r->splits[0]) : tensor_index_at(r->splits[level - 1], row + 1);
        for (int64_t k = begin; k < end; k++) {
            int64_t first = k, last = k + 1;
            for (int i = level; i < r->n_splits; i++) {
                first = tensor_index_at(r->splits[i], first);
                last = tensor_index_at(r->splits[i], last);
            }
            for (int64_t e = first * inner; e < last * inner; e++)
                to[e * rank] = k - begin;
        }
    }
}

Error *ragged_to_sparse_run(OpContext *c)
{
    Ragged r;
    TRY(open_ragged(c, c->n_inputs - 1, &r));
    const Tensor *values = r.values;
    int rank = r.n_splits + values->shape.rank;
    Tensor *indices = NULL;
    TRY(op_output(c, 0, DT_INT64, &shape_of(values->n, rank), &indices));
    TRY(op_output_alias(c, 1, c->n_inputs - 1, &shape_of(values->n)));
    TRY(write_sparse_shape(c, &r));
    int64_t inner = dims_product(&values->shape, 1, values->shape.rank), *to = indices->data;
    if (values->n == 0)
        return NULL;
    for (int level = 0; level <= r.n_splits; level++)
        write_column(&r, level, inner, rank, to + level);
    for (int d = 1; d < values->shape.rank; d++) {
        int64_t unit = dims_product(&values->shape, d + 1, values->shape.rank);
        for (int64_t e = 0; e < values->n; e++)
            to[e * rank + r.n_splits + d] = e / unit % values->shape.dims[d];
    }
    return NULL;
}
