/* SPDX-License-Identifier: Apache-2.0
 *
 * Axis: a dimension of a tensor as a stranger's number names it, negative ones from the end.
 */
#ifndef DIGIT_OP_AXES_H
#define DIGIT_OP_AXES_H

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

#endif
