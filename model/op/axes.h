/* SPDX-License-Identifier: Apache-2.0
 *
 * Axis: a dimension of a tensor as a stranger's number names it, negative ones from the end.
 */
#ifndef DIGIT_OP_AXES_H
#define DIGIT_OP_AXES_H

#include "model/base/error.h"
#include "model/op/op.h"
#include "model/tensor/tensor.h"

/* The dimension 0..rank-1 that `axis` names, or -1 when it names none. */
static inline int axis_of(int64_t axis, int rank)
{
    if (axis < -(int64_t)rank || axis >= rank)
        return -1;
    return (int)(axis < 0 ? axis + rank : axis);
}

/* The product of dims[begin..end): elements on one side of an axis. It cannot overflow when the
 * shape is a tensor's and none of its other dimensions is 0; where one is, it is not walked. */
static inline int64_t dims_product(const Shape *shape, int begin, int end)
{
    uint64_t n = 1;
    for (int d = begin; d < end; d++)
        n *= (uint64_t)shape->dims[d];
    return (int64_t)n;
}

/* Appends a dimension. False when the shape has all that it may have. */
static inline bool shape_push(Shape *shape, int64_t dim)
{
    if (shape->rank == SHAPE_MAX_RANK)
        return false;
    shape->dims[shape->rank++] = dim;
    return true;
}

/* The error when shape_push is false. */
static inline Error *shape_rank_error(void)
{
    return error_new(ERROR_UNIMPLEMENTED, "tensors have at most %d dimensions", SHAPE_MAX_RANK);
}

/* INVALID_ARGUMENT when input i is neither int32 nor int64: axes, shapes and the like may be no other
 * type, whatever a node's attributes say. For prepare functions; op_prepare_indices (identity.c) is
 * this for all inputs behind the first. */
Error *op_check_index_type(const OpPrepare *prepare, int i) _warn_unused_result_;

#endif
