/* SPDX-License-Identifier: Apache-2.0
 *
 * Sparse: checks and order of sparse tensors (sparse.h), and the ops that change their form:
 * SparseReorder, SparseReshape, SparseFillEmptyRows, SparseToDense.
 */
#include "model/op/sparse.h"

#include "model/op/axes.h"
#include "model/op/kernels.h"

/* ---- sparse.h ------------------------------------------------------------------------------ */

Error *sparse_open(const Tensor *indices, const Tensor *values, const Tensor *shape, Sparse *ret)
{
    char text[SHAPE_TEXT_BYTES];
    if (indices->shape.rank != 2)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Input indices should be a matrix but received shape %s",
                         shape_text(&indices->shape, text));
    if (values->shape.rank != 1 || values->n != indices->shape.dims[0])
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Input values should be a vector of %lld elements, one for each index, "
                         "but received shape %s",
                         (long long)indices->shape.dims[0], shape_text(&values->shape, text));
    if (shape->shape.rank != 1 || shape->n != indices->shape.dims[1])
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Input shape should be a vector of %lld elements, one for each dimension "
                         "of the indices, but received shape %s",
                         (long long)indices->shape.dims[1], shape_text(&shape->shape, text));
    if (shape->n > SHAPE_MAX_RANK)
        return shape_rank_error();
    for (int64_t d = 0; d < shape->n; d++) {
        if (((const int64_t *)shape->data)[d] < 0)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Dimension %lld of a sparse tensor's shape must be >= 0, but is %lld",
                             (long long)d, (long long)((const int64_t *)shape->data)[d]);
    }
    *ret = (Sparse){ .n = values->n,
                     .rank = (int)shape->n,
                     .indices = indices->data,
                     .values = values,
                     .dims = shape->data };
    return NULL;
}

static Error *open_input(const OpContext *c, Sparse *ret)
{
    return sparse_open(op_input(c, 0), op_input(c, 1), op_input(c, 2), ret);
}

Error *sparse_check_bounds(const Sparse *sparse)
{
    for (int64_t i = 0; i < sparse->n; i++) {
        for (int d = 0; d < sparse->rank; d++) {
            int64_t at = sparse->indices[i * sparse->rank + d];
            if (at < 0 || at >= sparse->dims[d])
                return error_new(ERROR_INVALID_ARGUMENT,
                                 "indices[%lld,%d] = %lld is out of bounds: need 0 <= index < %lld",
                                 (long long)i, d, (long long)at, (long long)sparse->dims[d]);
        }
    }
    return NULL;
}

typedef struct Rows {
    const int64_t *indices;
    int rank;
} Rows;

static bool comes_before(const Rows *rows, int64_t a, int64_t b)
{
    int order =
        sparse_compare(rows->indices + a * rows->rank, rows->indices + b * rows->rank, rows->rank);
    return order != 0 ? order < 0 : a < b;
}

/* Lets order[root] sink in the heap order[0..n), whose greatest element is the first. */
static void sink(const Rows *rows, int64_t *order, int64_t root, int64_t n)
{
    int64_t sinking = order[root];
    for (int64_t child; (child = 2 * root + 1) < n; root = child) {
        if (child + 1 < n && comes_before(rows, order[child], order[child + 1]))
            child++;
        if (!comes_before(rows, sinking, order[child]))
            break;
        order[root] = order[child];
    }
    order[root] = sinking;
}

void sparse_sort(const int64_t *indices, int64_t n, int rank, int64_t *order)
{
    const Rows rows = { indices, rank };
    bool is_sorted = true;
    for (int64_t i = 0; i < n; i++) {
        order[i] = i;
        is_sorted = is_sorted && (i == 0 || comes_before(&rows, i - 1, i));
    }
    if (is_sorted) /* the usual case */
        return;
    for (int64_t root = n / 2; root-- > 0;)
        sink(&rows, order, root, n);
    for (int64_t end = n; end-- > 1;) {
        int64_t greatest = order[0];
        order[0] = order[end];
        order[end] = greatest;
        sink(&rows, order, 0, end);
    }
}

void sparse_copy_value(const Tensor *from, int64_t i, Tensor *to, int64_t k)
{
    size_t size = dtype_size(from->dtype);
    memcpy((char *)to->data + (size_t)k * size, (const char *)from->data + (size_t)i * size, size);
}

/* ---- SparseReorder ------------------------------------------------------------------------- */

Error *sparse_reorder_run(OpContext *c)
{
    Sparse s;
    TRY(open_input(c, &s));
    TRY(sparse_check_bounds(&s));
    Tensor *indices = NULL, *values = NULL;
    TRY(op_output(c, 0, DT_INT64, &shape_of(s.n, s.rank), &indices));
    TRY(op_output(c, 1, s.values->dtype, &shape_of(s.n), &values));
    int64_t *order = op_scratch(c, (size_t)s.n * sizeof(*order)), *to = indices->data;
    if (order == NULL)
        return error_out_of_memory();
    sparse_sort(s.indices, s.n, s.rank, order);
    for (int64_t i = 0; i < s.n; i++) {
        for (int d = 0; d < s.rank; d++)
            *to++ = s.indices[order[i] * s.rank + d];
        sparse_copy_value(s.values, order[i], values, i);
    }
    return NULL;
}

/* ---- SparseReshape ------------------------------------------------------------------------- */

/* The dimensions of the new shape; one of -1 is what is left. */
static Error *reshaped_dims(const Tensor *wanted, int64_t n_dense, Shape *ret)
{
    Shape known = { .rank = 0 };
    int unknown = -1;
    int64_t n_known = 0;
    TRY(tensor_to_shape(wanted, ret));
    for (int d = 0; d < ret->rank; d++) {
        if (ret->dims[d] != -1) {
            known.dims[known.rank++] = ret->dims[d];
        } else if (unknown >= 0) {
            return error_new(ERROR_INVALID_ARGUMENT,
                             "only one output dimension may be -1, not both %d and %d", unknown, d);
        } else {
            unknown = d;
        }
    }
    TRY(shape_count(&known, &n_known));
    if (unknown >= 0 && n_known == 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "reshape cannot infer the missing input size for an empty tensor unless "
                         "all specified input sizes are non-zero");
    if (unknown >= 0 ? n_dense % n_known != 0 : n_dense != n_known)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Input to reshape is a SparseTensor with %lld dense values, but the "
                         "requested shape %s %lld",
                         (long long)n_dense, unknown >= 0 ? "requires a multiple of" : "has",
                         (long long)n_known);
    if (unknown >= 0)
        ret->dims[unknown] = n_dense / n_known;
    return NULL;
}

Error *sparse_reshape_run(OpContext *c)
{
    const Tensor *indices = op_input(c, 0), *dims = op_input(c, 1);
    const Tensor no_values = { .dtype = DT_BOOL,
                               .shape = shape_of(indices->shape.dims[0]),
                               .n = indices->shape.dims[0] };
    Shape from = { .rank = 0 }, to;
    Sparse s;
    int64_t n_dense = 0;
    TRY(sparse_open(indices, &no_values, dims, &s));
    TRY(sparse_check_bounds(&s));
    for (int d = 0; d < s.rank; d++)
        from.dims[from.rank++] = s.dims[d];
    TRY(shape_count(&from, &n_dense));
    TRY(reshaped_dims(op_input(c, 2), n_dense, &to));
    Tensor *out = NULL, *shape = NULL;
    TRY(op_output(c, 0, DT_INT64, &shape_of(s.n, to.rank), &out));
    TRY(op_output(c, 1, DT_INT64, &shape_of(to.rank), &shape));
    if (to.rank > 0)
        memcpy(shape->data, to.dims, (size_t)to.rank * sizeof(to.dims[0]));
    for (int64_t i = 0; i < s.n; i++) {
        int64_t at = 0, *row = (int64_t *)out->data + i * to.rank;
        for (int d = 0; d < s.rank; d++)
            at = at * s.dims[d] + s.indices[i * s.rank + d];
        for (int d = to.rank - 1; d >= 0; d--) {
            row[d] = at % to.dims[d];
            at /= to.dims[d];
        }
    }
    return NULL;
}

/* ---- SparseFillEmptyRows ------------------------------------------------------------------- */

/* next[r] becomes where row r begins in the output, empty[r] whether it has no element. Gives the
 * elements of the output. */
static Error *count_rows(const Sparse *s, int64_t n_rows, int64_t *next, bool *empty,
                         int64_t *ret_n)
{
    memset(next, 0, (size_t)n_rows * sizeof(*next));
    for (int64_t i = 0; i < s->n; i++) {
        int64_t row = s->indices[i * s->rank];
        if (row < 0 || row >= n_rows)
            return error_new(ERROR_INVALID_ARGUMENT, "indices(%lld, 0) is invalid: %lld >= %lld",
                             (long long)i, (long long)row, (long long)n_rows);
        next[row]++;
    }
    int64_t n = 0;
    for (int64_t row = 0; row < n_rows; row++) {
        int64_t count = next[row];
        empty[row] = count == 0;
        next[row] = n;
        n += count == 0 ? 1 : count;
    }
    *ret_n = n;
    return NULL;
}

Error *sparse_fill_empty_rows_run(OpContext *c)
{
    const Tensor *fallback = op_input(c, 3);
    Sparse s;
    TRY(open_input(c, &s));
    if (s.rank == 0 || fallback->shape.rank != 0)
        return error_new(ERROR_INVALID_ARGUMENT, "%s",
                         s.rank == 0 ? "Dense shape cannot be empty."
                                     : "default_value must be a scalar.");
    int64_t n_rows = s.dims[0], n = 0;
    if (n_rows == 0 && s.n > 0)
        return error_new(
            ERROR_INVALID_ARGUMENT,
            "Received SparseTensor with dense_shape[0] = 0 but indices.shape[0] = %lld",
            (long long)s.n);
    Tensor *indices = NULL, *values = NULL, *empty = NULL, *map = NULL;
    TRY(op_output(c, 2, DT_BOOL, &shape_of(n_rows), &empty)); /* bounds n_rows by memory */
    TRY(op_output(c, 3, DT_INT64, &shape_of(s.n), &map));
    int64_t *next = op_scratch(c, (size_t)n_rows * sizeof(*next));
    if (next == NULL)
        return error_out_of_memory();
    TRY(count_rows(&s, n_rows, next, empty->data, &n));
    TRY(op_output(c, 0, DT_INT64, &shape_of(n, s.rank), &indices));
    TRY(op_output(c, 1, s.values->dtype, &shape_of(n), &values));
    int64_t *to = indices->data;
    for (int64_t row = 0; row < n_rows; row++) {
        if (!((const bool *)empty->data)[row])
            continue;
        memset(to + next[row] * s.rank, 0, (size_t)s.rank * sizeof(*to));
        to[next[row] * s.rank] = row;
        sparse_copy_value(fallback, 0, values, next[row]);
    }
    for (int64_t i = 0; i < s.n; i++) {
        int64_t at = next[s.indices[i * s.rank]]++;
        memcpy(to + at * s.rank, s.indices + i * s.rank, (size_t)s.rank * sizeof(*to));
        sparse_copy_value(s.values, i, values, at);
        ((int64_t *)map->data)[i] = at;
    }
    return NULL;
}
