/* SPDX-License-Identifier: Apache-2.0
 *
 * Concat, ConcatV2 (along an existing dimension) and Pack (along a new one). Each input is one copy
 * of rows into the output.
 */
#include <string.h>

#include "model/op/axes.h"
#include "model/op/kernels.h"
#include "model/op/strided.h"

/* Copies the inputs first..first+n, which agree but for `axis`, one behind the other. */
static void copy_inputs(const OpContext *c, int first, int n, int axis, const Tensor *y)
{
    size_t size = dtype_size(y->dtype);
    int64_t row = dims_product(&y->shape, axis, y->shape.rank); /* of the output, in elements */
    int64_t n_rows = row == 0 ? 0 : y->n / row;
    char *to = y->data;
    for (int i = first; i < first + n; i++) {
        const Tensor *x = op_input(c, i);
        int64_t part = n_rows == 0 ? 0 : x->n / n_rows;
        StridedCopy copy = { 0 };
        strided_add(&copy, n_rows, part, row);
        strided_add(&copy, part, 1, 1);
        if (x->n > 0)
            strided_run_shared(&copy, size, x->data, to, c->workers);
        to += (size_t)part * size;
    }
}

/* ---- Concat, ConcatV2 ---------------------------------------------------------------------- */

static Error *check_shape(const Shape *shape, const Shape *first, int i, int axis)
{
    char text[2][SHAPE_TEXT_BYTES];
    if (shape->rank != first->rank)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "ConcatOp : Ranks of all input tensors should match: shape[0] = %s vs. "
                         "shape[%d] = %s",
                         shape_text(first, text[0]), i, shape_text(shape, text[1]));
    for (int d = 0; d < shape->rank; d++) {
        if (d != axis && shape->dims[d] != first->dims[d])
            return error_new(ERROR_INVALID_ARGUMENT,
                             "ConcatOp : Dimension %d in both shapes must be equal: shape[0] = %s "
                             "vs. shape[%d] = %s",
                             d, shape_text(first, text[0]), i, shape_text(shape, text[1]));
    }
    return NULL;
}

/* The values are inputs first..first+n. */
static Error *concat(OpContext *c, int first, int n, const Tensor *axis_input)
{
    if (n < 1)
        return error_new(ERROR_INVALID_ARGUMENT, "ConcatOp : there is nothing to concatenate");
    if (axis_input->n != 1)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "ConcatOp : Concat dim tensor must have exactly one element");
    Shape shape = op_input(c, first)->shape;
    int axis = axis_of(tensor_index_at(axis_input, 0), shape.rank);
    if (axis < 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "ConcatOp : Expected concatenating dimensions in the range [%d, %d), but "
                         "got %lld",
                         -shape.rank, shape.rank, (long long)tensor_index_at(axis_input, 0));
    shape.dims[axis] = 0;
    for (int i = 0; i < n; i++) {
        const Shape *own = &op_input(c, first + i)->shape;
        TRY(check_shape(own, &op_input(c, first)->shape, i, axis));
        if (__builtin_add_overflow(shape.dims[axis], own->dims[axis], &shape.dims[axis]))
            return error_new(ERROR_INVALID_ARGUMENT, "ConcatOp : the result is too large");
    }
    Tensor *y = NULL;
    TRY(op_output(c, 0, op_input(c, first)->dtype, &shape, &y));
    copy_inputs(c, first, n, axis, y);
    return NULL;
}

Error *concat_run(OpContext *c)
{
    return concat(c, 1, c->n_inputs - 1, op_input(c, 0));
}

Error *concat_v2_run(OpContext *c)
{
    return concat(c, 0, c->n_inputs - 1, op_input(c, c->n_inputs - 1));
}

/* ---- Pack ---------------------------------------------------------------------------------- */

/* Pack, Unpack: the attribute `axis`. */
Error *pack_prepare(OpPrepare *prepare)
{
    int64_t *axis = arena_calloc(prepare->arena, 1, sizeof(*axis));
    if (axis == NULL)
        return error_out_of_memory();
    TRY(attrs_int_or(prepare->attrs, "axis", 0, axis));
    prepare->kernel = axis;
    return NULL;
}

Error *pack_run(OpContext *c)
{
    char text[2][SHAPE_TEXT_BYTES];
    if (c->n_inputs < 1)
        return error_new(ERROR_INVALID_ARGUMENT, "Pack has no inputs, but must have one");
    const Shape *own = &op_input(c, 0)->shape;
    int64_t wanted = *(const int64_t *)c->kernel;
    int axis = axis_of(wanted, own->rank + 1);
    if (axis < 0)
        return error_new(ERROR_INVALID_ARGUMENT, "axis = %lld not in [%d, %d)", (long long)wanted,
                         -(own->rank + 1), own->rank + 1);
    for (int i = 1; i < c->n_inputs; i++) {
        if (!shape_equal(&op_input(c, i)->shape, own))
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Shapes of all inputs must match: values[0].shape = %s != "
                             "values[%d].shape = %s",
                             shape_text(own, text[0]), i,
                             shape_text(&op_input(c, i)->shape, text[1]));
    }
    Shape shape = { .rank = 0 };
    bool fits = true;
    for (int d = 0; d <= own->rank; d++) {
        if (d == axis)
            fits = fits && shape_push(&shape, c->n_inputs);
        if (d < own->rank)
            fits = fits && shape_push(&shape, own->dims[d]);
    }
    if (!fits)
        return shape_rank_error();
    Tensor *y = NULL;
    TRY(op_output(c, 0, op_input(c, 0)->dtype, &shape, &y));
    copy_inputs(c, 0, c->n_inputs, axis, y);
    return NULL;
}
