/* SPDX-License-Identifier: Apache-2.0
 *
 * Split, SplitV and Unpack: one tensor cut along a dimension into several. Each output is one copy
 * of rows out of the input.
 */
#include <string.h>

#include "model/op/axes.h"
#include "model/op/elementwise.h"
#include "model/op/kernels.h"
#include "model/op/strided.h"

/* Writes output i of `shape`: rows of `part` elements that begin `at` elements into each row. */
static Error *give_part(OpContext *c, int i, const Tensor *x, int axis, const Shape *shape,
                        int64_t *at)
{
    Tensor *y = NULL;
    TRY(op_output(c, i, x->dtype, shape, &y));
    int64_t row = dims_product(&x->shape, axis, x->shape.rank);
    int64_t n_rows = row == 0 ? 0 : x->n / row;
    int64_t part = n_rows == 0 ? 0 : y->n / n_rows;
    StridedCopy copy = { 0 };
    strided_add(&copy, n_rows, row, part);
    strided_add(&copy, part, 1, 1);
    size_t size = dtype_size(x->dtype);
    if (y->n > 0)
        strided_run(&copy, size, element_after(x->data, *at, size), y->data);
    *at += part;
    return NULL;
}

/* The dimension that the scalar `dim` names. */
static Error *read_axis(const Tensor *dim, const Shape *shape, int *ret_axis)
{
    char text[SHAPE_TEXT_BYTES];
    if (dim->n != 1)
        return error_new(ERROR_INVALID_ARGUMENT, "split_dim_tensor must have exactly one element.");
    if (shape->rank == 0)
        return error_new(ERROR_INVALID_ARGUMENT, "Cannot split a scalar: the input has shape %s",
                         shape_text(shape, text));
    int axis = axis_of(tensor_index_at(dim, 0), shape->rank);
    if (axis < 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "-input rank(-%d) <= split_dim < input rank (%d), but got %lld",
                         shape->rank, shape->rank, (long long)tensor_index_at(dim, 0));
    *ret_axis = axis;
    return NULL;
}

Error *split_v_prepare(OpPrepare *prepare)
{
    DType sizes = prepare->input_dtypes[1];
    if (sizes != DT_INT8 && sizes != DT_INT32 && sizes != DT_INT64)
        return op_unsupported_type(prepare, sizes);
    return NULL;
}

Error *split_run(OpContext *c)
{
    const Tensor *x = op_input(c, 1);
    int axis = 0, n = c->n_outputs;
    TRY(read_axis(op_input(c, 0), &x->shape, &axis));
    Shape shape = x->shape;
    if (n < 1)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Number of ways to split should be > 0, but got %d", n);
    if (shape.dims[axis] % n != 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Number of ways to split should evenly divide the split dimension, but "
                         "got split_dim %d (size = %lld) and num_split %d",
                         axis, (long long)shape.dims[axis], n);
    shape.dims[axis] /= n;
    int64_t at = 0;
    for (int i = 0; i < n; i++)
        TRY(give_part(c, i, x, axis, &shape, &at));
    return NULL;
}

/* The sizes of SplitV; one may be -1: what is left. */
static Error *read_sizes(const OpContext *c, int64_t length, int64_t *sizes)
{
    const Tensor *given = op_input(c, 1);
    int unknown = -1, n = c->n_outputs;
    int64_t sum = 0;
    if (given->shape.rank != 1 || given->n != n)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "size of the split_tensor must be 1-D and have the same elements as "
                         "outputs got %lld elements for %d outputs",
                         (long long)given->n, n);
    if (n == 1 && tensor_index_at(given, 0) != length)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "If there is only one output, it must have the same size as the input. "
                         "Input size: %lld output size: %lld",
                         (long long)length, (long long)tensor_index_at(given, 0));
    for (int i = 0; i < n; i++) {
        sizes[i] = tensor_index_at(given, i);
        if (sizes[i] == -1 && unknown >= 0)
            return error_new(ERROR_INVALID_ARGUMENT, "There can only be one -1 in the input.");
        if (sizes[i] == -1) {
            unknown = i;
            continue;
        }
        if (sizes[i] < 0 || sizes[i] > length)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Split size at index %d must be >= 0 and at most %lld. Got: %lld", i,
                             (long long)length, (long long)sizes[i]);
        sum += sizes[i]; /* at most OP_MAX_ARGS * length */
    }
    if (unknown < 0 ? sum != length : sum > length)
        return error_new(
            ERROR_INVALID_ARGUMENT,
            "Determined shape must either match input shape along split_dim exactly if "
            "fully specified, or be less than the size of the input along split_dim if "
            "not fully specified.  Got: %lld",
            (long long)sum);
    if (unknown >= 0)
        sizes[unknown] = length - sum;
    return NULL;
}

Error *split_v_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    int axis = 0;
    TRY(read_axis(op_input(c, 2), &x->shape, &axis));
    int64_t *sizes = op_scratch(c, (size_t)c->n_outputs * sizeof(*sizes));
    if (sizes == NULL)
        return error_out_of_memory();
    TRY(read_sizes(c, x->shape.dims[axis], sizes));
    int64_t at = 0;
    for (int i = 0; i < c->n_outputs; i++) {
        Shape shape = x->shape;
        shape.dims[axis] = sizes[i];
        TRY(give_part(c, i, x, axis, &shape, &at));
    }
    return NULL;
}

Error *unpack_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    int64_t wanted = *(const int64_t *)c->kernel;
    int axis = axis_of(wanted, x->shape.rank);
    char text[SHAPE_TEXT_BYTES];
    if (axis < 0)
        return error_new(ERROR_INVALID_ARGUMENT, "axis = %lld not in [%d, %d)", (long long)wanted,
                         -x->shape.rank, x->shape.rank);
    if (x->shape.dims[axis] != c->n_outputs)
        return error_new(ERROR_INVALID_ARGUMENT, "Input shape axis %d must equal %d, got shape %s",
                         axis, c->n_outputs, shape_text(&x->shape, text));
    Shape shape = { .rank = 0 };
    for (int d = 0; d < x->shape.rank; d++) {
        if (d != axis)
            shape.dims[shape.rank++] = x->shape.dims[d];
    }
    int64_t at = 0;
    for (int i = 0; i < c->n_outputs; i++)
        TRY(give_part(c, i, x, axis, &shape, &at));
    return NULL;
}
