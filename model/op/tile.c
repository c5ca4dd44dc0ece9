/* SPDX-License-Identifier: Apache-2.0
 *
 * Tile and BroadcastTo: elements repeated along dimensions. One StridedCopy, in which what repeats
 * is a dimension that stands still in the input.
 */
#include "model/op/axes.h"
#include "model/op/kernels.h"
#include "model/op/strided.h"

Error *tile_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0), *multiples = op_input(c, 1);
    char text[SHAPE_TEXT_BYTES];
    if (multiples->shape.rank != 1)
        return error_new(ERROR_INVALID_ARGUMENT, "Expected multiples to be 1-D, but got shape %s",
                         shape_text(&multiples->shape, text));
    if (multiples->n != x->shape.rank)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Expected multiples argument to be a vector of length %d but got length "
                         "%lld",
                         x->shape.rank, (long long)multiples->n);
    Shape shape = x->shape;
    int64_t from[SHAPE_MAX_RANK], to[SHAPE_MAX_RANK];
    for (int d = 0; d < shape.rank; d++) {
        int64_t times = tensor_index_at(multiples, d);
        if (times < 0)
            return error_new(ERROR_INVALID_ARGUMENT, "Expected multiples[%d] >= 0, but got %lld", d,
                             (long long)times);
        if (__builtin_mul_overflow(shape.dims[d], times, &shape.dims[d]))
            return error_new(ERROR_INVALID_ARGUMENT, "multiples[%d] makes the result too large", d);
    }
    Tensor *y = NULL;
    TRY(op_output(c, 0, x->dtype, &shape, &y));
    if (y->n == 0)
        return NULL;
    StridedCopy copy = { 0 };
    shape_strides(&x->shape, from);
    shape_strides(&shape, to);
    for (int d = 0; d < shape.rank; d++) {
        strided_add(&copy, shape.dims[d] / x->shape.dims[d], 0, to[d] * x->shape.dims[d]);
        strided_add(&copy, x->shape.dims[d], from[d], to[d]);
    }
    strided_run(&copy, dtype_size(x->dtype), x->data, y->data);
    return NULL;
}

Error *broadcast_to_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    char text[2][SHAPE_TEXT_BYTES];
    Shape shape;
    TRY(tensor_to_shape(op_input(c, 1), &shape));
    int added = shape.rank - x->shape.rank;
    bool fits = added >= 0;
    for (int d = 0; fits && d < x->shape.rank; d++)
        fits = x->shape.dims[d] == 1 || x->shape.dims[d] == shape.dims[added + d];
    if (!fits)
        return error_new(ERROR_INVALID_ARGUMENT, "Incompatible shapes: %s vs. %s",
                         shape_text(&x->shape, text[0]), shape_text(&shape, text[1]));
    Tensor *y = NULL;
    TRY(op_output(c, 0, x->dtype, &shape, &y));
    if (y->n == 0)
        return NULL;
    int64_t from[SHAPE_MAX_RANK], to[SHAPE_MAX_RANK];
    StridedCopy copy = { 0 };
    shape_strides(&x->shape, from);
    shape_strides(&shape, to);
    for (int d = 0; d < shape.rank; d++) {
        bool repeats = d < added || x->shape.dims[d - added] == 1;
        strided_add(&copy, shape.dims[d], repeats ? 0 : from[d - added], to[d]);
    }
    strided_run(&copy, dtype_size(x->dtype), x->data, y->data);
    return NULL;
}
