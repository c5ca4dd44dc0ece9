/* SPDX-License-Identifier: Apache-2.0
 *
 * Transpose: the dimensions in another order. One StridedCopy, whose dimensions are the output's.
 */
#include "model/op/axes.h"
#include "model/op/kernels.h"
#include "model/op/strided.h"

/* Which dimension of the input each one of the output is. */
static Error *read_perm(const Tensor *perm, int rank, int ret_from[SHAPE_MAX_RANK])
{
    char text[SHAPE_TEXT_BYTES];
    bool is_taken[SHAPE_MAX_RANK] = { false };
    if (perm->shape.rank != 1)
        return error_new(ERROR_INVALID_ARGUMENT, "perm must be rank 1, got shape %s",
                         shape_text(&perm->shape, text));
    if (perm->n != rank)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "transpose expects a vector of size %d. But input(1) is a vector of size "
                         "%lld",
                         rank, (long long)perm->n);
    for (int d = 0; d < rank; d++) {
        int64_t axis = tensor_index_at(perm, d);
        ret_from[d] = axis_of(axis, rank);
        if (ret_from[d] < 0)
            return error_new(ERROR_INVALID_ARGUMENT, "%lld is out of range [0 .. %d)",
                             (long long)axis, rank);
        if (is_taken[ret_from[d]])
            return error_new(ERROR_INVALID_ARGUMENT, "perm has dimension %d twice", ret_from[d]);
        is_taken[ret_from[d]] = true;
    }
    return NULL;
}

Error *transpose_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    int rank = x->shape.rank, from[SHAPE_MAX_RANK];
    int64_t strides[SHAPE_MAX_RANK], to[SHAPE_MAX_RANK];
    bool is_identity = true;
    Shape shape = { .rank = rank };
    StridedCopy copy = { 0 };
    TRY(read_perm(op_input(c, 1), rank, from));
    for (int d = 0; d < rank; d++) {
        is_identity = is_identity && from[d] == d;
        shape.dims[d] = x->shape.dims[from[d]];
    }
    if (is_identity)
        return op_output_alias(c, 0, 0, &shape);
    shape_strides(&x->shape, strides);
    shape_strides(&shape, to);
    for (int d = 0; d < rank; d++)
        strided_add(&copy, shape.dims[d], strides[from[d]], to[d]);
    Tensor *y = NULL;
    TRY(op_output(c, 0, x->dtype, &shape, &y));
    strided_run_shared(&copy, dtype_size(x->dtype), x->data, y->data, c->workers);
    return NULL;
}
