/* SPDX-License-Identifier: Apache-2.0
 *
 * Einsum of one or two operands: sums over the axes that the result does not have, of products.
 *
 * Axes of one operand alone that the result does not have are summed first. What is left is a batch
 * of matrix products: the axes of both operands that the result has are the batch, those of both
 * that it does not have are contracted, the others are the rows (left) and columns (right). An
 * operand whose memory has these axes in another order is copied into that order, and so is the
 * result into its own. half and bfloat16 run as float. Any thread.
 */
#include <string.h>

#include "model/op/axes.h"
#include "model/op/einsum_equation.h"
#include "model/op/elementwise.h"
#include "model/op/kernels.h"
#include "model/op/matmul.h"
#include "model/op/strided.h"

/* Labels in some order. */
typedef struct Group {
    int n;
    int labels[2 * SHAPE_MAX_RANK];
} Group;

/* An operand: its elements, and the step of each label, in elements; a label that comes twice takes
 * a step of both axes, the diagonal. */
typedef struct Side {
    const void *data;
    bool has[EINSUM_LABELS];
    int64_t strides[EINSUM_LABELS];
    Group order;   /* as in memory */
    bool is_dense; /* the labels in this order are all the memory */
} Side;

typedef struct Einsum {
    OpContext *context;
    DType dtype; /* of the elements: float for the 16-bit types */
    EinsumEquation equation;
    int64_t dims[EINSUM_LABELS];
    Side sides[2];
} Einsum;

Error *einsum_prepare(OpPrepare *prepare)
{
    EinsumEquation *equation = arena_calloc(prepare->arena, 1, sizeof(*equation));
    const char *text = NULL;
    if (equation == NULL)
        return error_out_of_memory();
    DType dtype = prepare->n_inputs > 0 ? prepare->input_dtypes[0] : DT_INVALID;
    if (prepare->n_inputs > 0 && !matrix_product_has(dtype) && !dtype_is_short_float(dtype))
        return op_unsupported_type(prepare, dtype);
    TRY(attrs_text(prepare->attrs, "equation", &text));
    TRY(einsum_parse(text, equation));
    if (equation->n_inputs != prepare->n_inputs)
        return error_new(ERROR_INVALID_ARGUMENT, "Expected %d inputs but got: %d",
                         equation->n_inputs, prepare->n_inputs);
    prepare->kernel = equation;
    return NULL;
}

/* ---- groups of axes ------------------------------------------------------------------------ */

static void group_add(Group *group, int label)
{
    group->labels[group->n++] = label;
}

static void group_append(Group *group, const Group *more)
{
    for (int i = 0; i < more->n; i++)
        group_add(group, more->labels[i]);
}

/* Elements that the axes have together. They are those of a tensor, or of the result that is still
 * to be made, so that the product may be too large. */
static Error *group_size(const Einsum *e, const Group *group, size_t *ret)
{
    size_t n = 1;
    for (int i = 0; i < group->n; i++) {
        if (!checked_mul(n, (size_t)e->dims[group->labels[i]], &n) || n > INT64_MAX / 16)
            return error_new(ERROR_INVALID_ARGUMENT, "Einsum: the result is too large");
    }
    *ret = n;
    return NULL;
}

static bool group_equal(const Group *a, const Group *b)
{
    return a->n == b->n && memcmp(a->labels, b->labels, (size_t)a->n * sizeof(a->labels[0])) == 0;
}

static void take_operand(Einsum *e, int i)
{
    const EinsumAxes *axes = &e->equation.inputs[i];
    const Shape *shape = &op_input(e->context, i)->shape;
    Side *side = &e->sides[i];
    int64_t strides[SHAPE_MAX_RANK];
    shape_strides(shape, strides);
    side->is_dense = true;
    for (int d = 0; d < axes->n; d++) {
        int label = axes->labels[d];
        if (shape->dims[d] != e->dims[label]) /* a repeated axis: as if it were not there */
            continue;
        if (side->has[label])
            side->is_dense = false;
        else
            group_add(&side->order, label);
        side->has[label] = true;
        side->strides[label] += strides[d];
    }
}

/* ---- copies -------------------------------------------------------------------------------- */

/* The elements of `side` in another order of its axes: its own memory, or scratch. */
static Error *side_in_order(const Einsum *e, const Side *side, const Group *order, const void **ret)
{
    if (side->is_dense && group_equal(&side->order, order)) {
        *ret = side->data;
        return NULL;
    }
    size_t n = 0, size = dtype_size(e->dtype);
    TRY(group_size(e, order, &n));
    void *data = op_scratch(e->context, n * size);
    if (data == NULL)
        return error_out_of_memory();
    StridedCopy copy = { 0 };
    uint64_t to[2 * SHAPE_MAX_RANK], step = 1;
    for (int i = order->n - 1; i >= 0; i--) {
        to[i] = step;
        step *= (uint64_t)e->dims[order->labels[i]];
    }
    for (int i = 0; i < order->n; i++) {
        int label = order->labels[i];
        strided_add(&copy, e->dims[label], side->strides[label], (int64_t)to[i]);
    }
    strided_run(&copy, size, side->data, data);
    *ret = data;
    return NULL;
}

/* y[i] = the sum of x[i][0..n) */
#define SUM_ROWS(type, wide)                                                                       \
    {                                                                                              \
        const type *x = from;                                                                      \
        type *y = to;                                                                              \
        for (size_t i = 0; i < rows; i++) {                                                        \
            wide sum = 0;                                                                          \
            for (size_t k = 0; k < n; k++)                                                         \
                sum += (wide)x[i * n + k];                                                         \
            y[i] = (type)sum;                                                                      \
        }                                                                                          \
        return;                                                                                    \
    }

static void sum_rows(DType dtype, size_t rows, size_t n, const void *from, void *to)
{
    switch (dtype) {
    case DT_FLOAT:
        SUM_ROWS(float, double)
    case DT_DOUBLE:
        SUM_ROWS(double, double)
    case DT_INT32:
        SUM_ROWS(int32_t, uint64_t)
    default:
        SUM_ROWS(int64_t, uint64_t)
    }
}

/* Sums the axes of `side` that neither `other` (may be NULL) nor the result has. */
static Error *sum_own_axes(const Einsum *e, const bool *in_output, const Side *other, Side *side)
{
    Group kept = { 0 }, summed = { 0 };
    for (int i = 0; i < side->order.n; i++) {
        int label = side->order.labels[i];
        bool stays = in_output[label] || (other != NULL && other->has[label]);
        group_add(stays ? &kept : &summed, label);
    }
    if (summed.n == 0)
        return NULL;
    size_t rows = 0, n = 0;
    const void *data = NULL;
    Group order = kept;
    group_append(&order, &summed);
    TRY(group_size(e, &kept, &rows));
    TRY(group_size(e, &summed, &n));
    TRY(side_in_order(e, side, &order, &data));
    void *sums = op_scratch(e->context, rows * dtype_size(e->dtype));
    if (sums == NULL)
        return error_out_of_memory();
    sum_rows(e->dtype, rows, n, data, sums);
    *side = (Side){ .data = sums, .order = kept, .is_dense = true };
    uint64_t step = 1;
    for (int i = kept.n - 1; i >= 0; i--) {
        side->has[kept.labels[i]] = true;
        side->strides[kept.labels[i]] = (int64_t)step;
        step *= (uint64_t)e->dims[kept.labels[i]];
    }
    return NULL;
}

/* ---- the result ---------------------------------------------------------------------------- */

/* Writes `from`, whose axes are in the order of `order`, into y's own order: along the diagonal
 * where y has an axis twice, zeros elsewhere. */
static void write_result(const Einsum *e, const Group *order, const void *from, const Shape *shape,
                         void *to)
{
    const EinsumAxes *axes = &e->equation.output;
    int64_t strides[SHAPE_MAX_RANK], steps[EINSUM_LABELS] = { 0 };
    size_t n = 1;
    shape_strides(shape, strides);
    for (int d = 0; d < axes->n; d++) {
        steps[axes->labels[d]] += strides[d];
        n *= (size_t)shape->dims[d];
    }
    memset(to, 0, n * dtype_size(e->dtype));
    uint64_t from_steps[2 * SHAPE_MAX_RANK], step = 1;
    for (int i = order->n - 1; i >= 0; i--) {
        from_steps[i] = step;
        step *= (uint64_t)e->dims[order->labels[i]];
    }
    StridedCopy copy = { 0 };
    for (int i = 0; i < order->n; i++)
        strided_add(&copy, e->dims[order->labels[i]], (int64_t)from_steps[i],
                    steps[order->labels[i]]);
    strided_run(&copy, dtype_size(e->dtype), from, to);
}

/* True when `order` is the result's own, no axis coming twice. */
static bool is_result_order(const Einsum *e, const Group *order)
{
    const EinsumAxes *axes = &e->equation.output;
    return order->n == axes->n &&
           memcmp(order->labels, axes->labels, (size_t)axes->n * sizeof(axes->labels[0])) == 0;
}

/* An operand as matrices, [batch, outer, contracted] or, transposed, [batch, contracted, outer],
 * whichever is a copy less. */
static Error *as_matrices(const Einsum *e, const Side *side, const Group groups[3],
                          const void **ret_data, bool *ret_transposed)
{
    Group straight = groups[0], transposed = groups[0];
    group_append(&straight, &groups[1]);
    group_append(&straight, &groups[2]);
    group_append(&transposed, &groups[2]);
    group_append(&transposed, &groups[1]);
    *ret_transposed = side->is_dense && group_equal(&side->order, &transposed) &&
                      !group_equal(&transposed, &straight);
    return side_in_order(e, side, *ret_transposed ? &transposed : &straight, ret_data);
}

/* Products of all matrices into `to`, whose order is batch, rows, columns. */
static Error *multiply(const Einsum *e, const Side *left, const Side *right, const Group groups[4],
                       void *to)
{
    const Group *batch = &groups[0], *rows = &groups[1], *columns = &groups[2];
    Gemm g = { .workers = e->context->workers };
    size_t n_matrices = 0, size = dtype_size(e->dtype);
    const void *a = NULL, *b = NULL;
    bool b_is_straight = false;
    TRY(group_size(e, batch, &n_matrices));
    TRY(group_size(e, rows, &g.m));
    TRY(group_size(e, columns, &g.n));
    TRY(group_size(e, &groups[3], &g.k));
    TRY(as_matrices(e, left, (const Group[]){ *batch, *rows, groups[3] }, &a, &g.transpose_a));
    TRY(as_matrices(e, right, (const Group[]){ *batch, groups[3], *columns }, &b, &b_is_straight));
    g.transpose_b = b_is_straight; /* "transposed" there is [batch, columns, contracted] */
    for (size_t i = 0; i < n_matrices; i++)
        TRY(matrix_product(&g, e->dtype, bytes_past(a, i * g.m * g.k * size),
                           bytes_past(b, i * g.k * g.n * size), (char *)to + i * g.m * g.n * size));
    return NULL;
}

/* The batch, rows, columns and contracted axes of a product, in the order of the result. */
static void split_axes(const Einsum *e, const bool *in_output, const Side *left, const Side *right,
                       Group ret_groups[4])
{
    bool is_done[EINSUM_LABELS] = { false };
    for (int d = 0; d < e->equation.output.n; d++) {
        int label = e->equation.output.labels[d];
        bool in_left = left->has[label], in_right = right->has[label];
        if (!is_done[label] && (in_left || in_right))
            group_add(&ret_groups[in_left && in_right ? 0 : in_left ? 1 : 2], label);
        is_done[label] = true;
    }
    for (int i = 0; i < left->order.n; i++) {
        if (!in_output[left->order.labels[i]])
            group_add(&ret_groups[3], left->order.labels[i]);
    }
}

/* Two operands, into y. That whose own axis comes first in the result is the left one. */
static Error *contract(Einsum *e, const bool *in_output, const Shape *shape, void *y)
{
    bool swaps = false;
    for (int d = 0; d < e->equation.output.n; d++) {
        int label = e->equation.output.labels[d];
        if (e->sides[0].has[label] != e->sides[1].has[label]) {
            swaps = e->sides[1].has[label];
            break;
        }
    }
    const Side *left = &e->sides[swaps ? 1 : 0], *right = &e->sides[swaps ? 0 : 1];
    Group groups[4] = { { 0 } };
    split_axes(e, in_output, left, right, groups);
    Group order = groups[0];
    group_append(&order, &groups[1]);
    group_append(&order, &groups[2]);
    if (is_result_order(e, &order))
        return multiply(e, left, right, groups, y);
    size_t n = 0;
    TRY(group_size(e, &order, &n));
    void *product = op_scratch(e->context, n * dtype_size(e->dtype));
    if (product == NULL)
        return error_out_of_memory();
    TRY(multiply(e, left, right, groups, product));
    write_result(e, &order, product, shape, y);
    return NULL;
}

/* One operand, into y. */
static Error *rearrange(const Einsum *e, const Shape *shape, void *y)
{
    const void *data = NULL;
    TRY(side_in_order(e, &e->sides[0], &e->sides[0].order, &data));
    write_result(e, &e->sides[0].order, data, shape, y);
    return NULL;
}

Error *einsum_run(OpContext *c)
{
    const EinsumEquation *equation = c->kernel;
    const Shape *shapes[2] = { NULL };
    DType dtype = op_input(c, 0)->dtype;
    bool is_short = dtype_is_short_float(dtype), in_output[EINSUM_LABELS] = { false };
    Einsum e = { .context = c, .dtype = is_short ? DT_FLOAT : dtype };
    for (int i = 0; i < equation->n_inputs; i++)
        shapes[i] = &op_input(c, i)->shape;
    TRY(einsum_bind(equation, shapes, &e.equation, e.dims));
    Shape shape = { .rank = e.equation.output.n };
    for (int d = 0; d < shape.rank; d++) {
        shape.dims[d] = e.dims[e.equation.output.labels[d]];
        in_output[e.equation.output.labels[d]] = true;
    }
    Tensor *y = NULL;
    TRY(op_output(c, 0, dtype, &shape, &y));
    if (y->n == 0)
        return NULL;
    for (int i = 0; i < equation->n_inputs; i++) {
        const float *wide = NULL;
        TRY(shorts_as_floats(c, op_input(c, i), &wide));
        e.sides[i].data = wide;
        take_operand(&e, i);
    }
    for (int i = 0; i < equation->n_inputs; i++)
        TRY(sum_own_axes(&e, in_output, equation->n_inputs > 1 ? &e.sides[1 - i] : NULL,
                         &e.sides[i]));
    void *to = is_short ? op_scratch(c, (size_t)y->n * sizeof(float)) : y->data;
    if (to == NULL)
        return error_out_of_memory();
    TRY(equation->n_inputs > 1 ? contract(&e, in_output, &shape, to) : rearrange(&e, &shape, to));
    if (is_short)
        shorts_narrow(dtype, y->n, to, y->data);
    return NULL;
}
