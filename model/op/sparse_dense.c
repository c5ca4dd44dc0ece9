/* SPDX-License-Identifier: Apache-2.0
 *
 * From sparse tensors to dense ones: SparseToDense, SparseReduceSum, SparseReduceMax,
 * SparseTensorDenseMatMul.
 */
#include "model/op/axes.h"
#include "model/op/kernels.h"
#include "model/op/sparse.h"
#include "model/op/typed.h"

/* ---- SparseToDense ------------------------------------------------------------------------- */

Error *sparse_to_dense_prepare(OpPrepare *prepare)
{
    bool *validate = arena_calloc(prepare->arena, 1, sizeof(*validate));
    if (validate == NULL)
        return error_out_of_memory();
    TRY(op_check_index_type(prepare, 0));
    TRY(attrs_bool_or(prepare->attrs, "validate_indices", true, validate));
    prepare->kernel = validate;
    return NULL;
}

/* Indices are a scalar, a vector, or a matrix; values are one for each, or one for all. */
static Error *check_to_dense(const OpContext *c, const Shape *shape)
{
    const Tensor *indices = op_input(c, 0), *values = op_input(c, 2);
    char text[SHAPE_TEXT_BYTES];
    int64_t n = indices->shape.rank > 0 ? indices->shape.dims[0] : 1;
    int64_t rank = indices->shape.rank > 1 ? indices->shape.dims[1] : 1;
    if (indices->shape.rank > 2)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "sparse_indices should be a scalar, vector, or matrix, got shape %s",
                         shape_text(&indices->shape, text));
    if (rank != shape->rank)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "output_shape has incorrect number of elements: %d should be: %lld",
                         shape->rank, (long long)rank);
    if (values->shape.rank > 1 || (values->shape.rank == 1 && values->n != n))
        return error_new(ERROR_INVALID_ARGUMENT,
                         "sparse_values has incorrect shape %s, should be [] or [%lld]",
                         shape_text(&values->shape, text), (long long)n);
    if (op_input(c, 3)->shape.rank != 0)
        return error_new(ERROR_INVALID_ARGUMENT, "default_value should be a scalar.");
    return NULL;
}

/* Where index i lies in the dense tensor. */
static Error *dense_offset(const Tensor *indices, int64_t i, const Shape *shape, int64_t *ret)
{
    int64_t at = 0;
    for (int d = 0; d < shape->rank; d++) {
        int64_t index = tensor_index_at(indices, i * shape->rank + d);
        if (index < 0 || index >= shape->dims[d])
            return error_new(ERROR_INVALID_ARGUMENT,
                             "indices[%lld] has %lld in dimension %d, which is out of bounds: need "
                             "0 <= index < %lld",
                             (long long)i, (long long)index, d, (long long)shape->dims[d]);
        at = at * shape->dims[d] + index;
    }
    *ret = at;
    return NULL;
}

Error *sparse_to_dense_run(OpContext *c)
{
    const Tensor *indices = op_input(c, 0), *values = op_input(c, 2);
    bool validate = *(const bool *)c->kernel;
    Shape shape;
    TRY(tensor_to_shape(op_input(c, 1), &shape));
    TRY(check_to_dense(c, &shape));
    Tensor *dense = NULL;
    TRY(op_output(c, 0, values->dtype, &shape, &dense));
    for (int64_t i = 0; i < dense->n; i++)
        sparse_copy_value(op_input(c, 3), 0, dense, i);
    int64_t n = indices->shape.rank > 0 ? indices->shape.dims[0] : 1, last = -1;
    for (int64_t i = 0; i < n; i++) {
        int64_t at = 0;
        TRY(dense_offset(indices, i, &shape, &at));
        if (validate && at <= last)
            return error_new(ERROR_INVALID_ARGUMENT, "indices[%lld] is %s", (long long)i,
                             at == last ? "repeated" : "out of order");
        sparse_copy_value(values, values->shape.rank == 0 ? 0 : i, dense, at);
        last = at;
    }
    return NULL;
}

/* ---- SparseReduceSum, SparseReduceMax ------------------------------------------------------ */

typedef struct SparseReduceKernel {
    bool keep_dims, is_max;
} SparseReduceKernel;

Error *sparse_reduce_prepare(OpPrepare *prepare)
{
    SparseReduceKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    DType dtype = prepare->input_dtypes[1];
    if (!dtype_is_integer(dtype) && dtype != DT_FLOAT && dtype != DT_DOUBLE)
        return error_new(ERROR_UNIMPLEMENTED, "there is no kernel of %s for type %s",
                         prepare->op->name, dtype_name(dtype));
    TRY(attrs_bool_or(prepare->attrs, "keep_dims", false, &kernel->keep_dims));
    kernel->is_max = strcmp(prepare->op->name, "SparseReduceMax") == 0;
    prepare->kernel = kernel;
    return NULL;
}

static Error *read_axes(const Tensor *axes, int rank, bool reduced[SHAPE_MAX_RANK])
{
    for (int64_t i = 0; i < axes->n; i++) {
        int axis = axis_of(tensor_index_at(axes, i), rank);
        if (axis < 0)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Invalid reduction dimension %lld, for input with %d dimensions.",
                             (long long)tensor_index_at(axes, i), rank);
        reduced[axis] = true;
    }
    return NULL;
}

/* Signed sums are made as unsigned ones: overflow wraps. */
#define REDUCE_INTO(dt, type, wide)                                                                \
    case dt: {                                                                                     \
        type *to = (type *)y->data + at, v = ((const type *)x->data)[i];                           \
        if (is_max)                                                                                \
            *to = is_first || v > *to ? v : *to;                                                   \
        else                                                                                       \
            *to = (type)((wide)*to + (wide)v);                                                     \
        break;                                                                                     \
    }
#define REDUCE_INT(dt, type, suffix) REDUCE_INTO(dt, type, uint64_t)
#define REDUCE_FLOAT(dt, type, suffix) REDUCE_INTO(dt, type, type)

static void reduce_into(bool is_max, bool is_first, const Tensor *x, int64_t i, Tensor *y,
                        int64_t at)
{
    switch (x->dtype) {
        FOR_EACH_INT(REDUCE_INT)
        FOR_EACH_FLOAT(REDUCE_FLOAT)
    default:
        break;
    }
}

Error *sparse_reduce_run(OpContext *c)
{
    const SparseReduceKernel *kernel = c->kernel;
    bool reduced[SHAPE_MAX_RANK] = { false };
    Sparse s;
    TRY(sparse_open(op_input(c, 0), op_input(c, 1), op_input(c, 2), &s));
    TRY(sparse_check_bounds(&s));
    TRY(read_axes(op_input(c, 3), s.rank, reduced));
    Shape shape = { .rank = 0 };
    for (int d = 0; d < s.rank; d++) {
        if (!reduced[d] || kernel->keep_dims)
            shape.dims[shape.rank++] = reduced[d] ? 1 : s.dims[d];
    }
    Tensor *y = NULL;
    TRY(op_output(c, 0, s.values->dtype, &shape, &y));
    if (y->n > 0)
        memset(y->data, 0, tensor_bytes(y));
    bool *seen = op_scratch(c, (size_t)y->n);
    if (seen == NULL)
        return error_out_of_memory();
    memset(seen, 0, (size_t)y->n);
    for (int64_t i = 0; i < s.n; i++) {
        int64_t at = 0;
        for (int d = 0; d < s.rank; d++)
            at = reduced[d] ? at : at * s.dims[d] + s.indices[i * s.rank + d];
        reduce_into(kernel->is_max, !seen[at], s.values, i, y, at);
        seen[at] = true;
    }
    return NULL;
}

/* ---- SparseTensorDenseMatMul --------------------------------------------------------------- */

typedef struct SparseMatMulKernel {
    bool adjoint_a, adjoint_b;
} SparseMatMulKernel;

Error *sparse_matmul_prepare(OpPrepare *prepare)
{
    SparseMatMulKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    DType dtype = prepare->input_dtypes[1];
    TRY(op_check_index_type(prepare, 0));
    if (dtype != DT_FLOAT && dtype != DT_DOUBLE && dtype != DT_INT32)
        return error_new(ERROR_UNIMPLEMENTED, "there is no kernel of %s for type %s",
                         prepare->op->name, dtype_name(dtype));
    TRY(attrs_bool_or(prepare->attrs, "adjoint_a", false, &kernel->adjoint_a));
    TRY(attrs_bool_or(prepare->attrs, "adjoint_b", false, &kernel->adjoint_b));
    prepare->kernel = kernel;
    return NULL;
}

/* product[row, :] += value * b[k, :], or b[:, k] of an adjoint b */
#define ADD_ROW(dt, type, wide)                                                                    \
    case dt: {                                                                                     \
        type *to = (type *)product->data + row * n;                                                \
        type value = ((const type *)values->data)[i];                                              \
        const type *from = (const type *)b->data + (adjoint_b ? k : k * n);                        \
        int64_t stride = adjoint_b ? b->shape.dims[1] : 1;                                         \
        for (int64_t j = 0; j < n; j++)                                                            \
            to[j] = (type)((wide)to[j] + (wide)value * (wide)from[j * stride]);                    \
        break;                                                                                     \
    }

Error *sparse_matmul_run(OpContext *c)
{
    const SparseMatMulKernel *kernel = c->kernel;
    const Tensor *indices = op_input(c, 0), *values = op_input(c, 1), *a_shape = op_input(c, 2),
                 *b = op_input(c, 3);
    bool adjoint_b = kernel->adjoint_b;
    if (indices->shape.rank != 2 || indices->shape.dims[1] != 2 || values->shape.rank != 1 ||
        values->n != indices->shape.dims[0] || a_shape->n != 2 || b->shape.rank != 2)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "a must be a sparse matrix (indices [n,2], values [n], shape [2]) and b a "
                         "matrix");
    const int64_t *dims = a_shape->data;
    int row_of = kernel->adjoint_a ? 1 : 0;
    int64_t n_rows = dims[row_of], inner = dims[1 - row_of];
    int64_t n = b->shape.dims[adjoint_b ? 0 : 1], b_inner = b->shape.dims[adjoint_b ? 1 : 0];
    if (inner != b_inner)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Cannot multiply A and B because inner dimension does not match: %lld vs. "
                         "%lld.  Did you forget a transpose?",
                         (long long)inner, (long long)b_inner);
    Tensor *product = NULL;
    TRY(op_output(c, 0, b->dtype, &shape_of(n_rows, n), &product));
    if (product->n > 0)
        memset(product->data, 0, tensor_bytes(product));
    for (int64_t i = 0; i < values->n; i++) {
        int64_t row = tensor_index_at(indices, 2 * i + row_of);
        int64_t k = tensor_index_at(indices, 2 * i + 1 - row_of);
        if (row < 0 || row >= n_rows || k < 0 || k >= inner)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "a's index %lld, [%lld,%lld], is out of bounds of its shape",
                             (long long)i, (long long)tensor_index_at(indices, 2 * i),
                             (long long)tensor_index_at(indices, 2 * i + 1));
        switch (b->dtype) {
            ADD_ROW(DT_FLOAT, float, float)
            ADD_ROW(DT_DOUBLE, double, double)
            ADD_ROW(DT_INT32, int32_t, uint32_t)
        default:
            break;
        }
    }
    return NULL;
}
