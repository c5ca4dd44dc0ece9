/* SPDX-License-Identifier: Apache-2.0
 *
 * Elements along axes in another order: ReverseV2, ReverseSequence and Roll. Any thread.
 */
#include <string.h>

#include "model/op/axes.h"
#include "model/op/kernels.h"
#include "model/op/strided.h"

/* ---- ReverseV2 ----------------------------------------------------------------------------- */

static Error *read_axes(const Tensor *axes, int rank, bool is_reversed[SHAPE_MAX_RANK])
{
    if (axes->shape.rank != 1)
        return error_new(ERROR_INVALID_ARGUMENT, "'dims' must be 1-dimension, not %d",
                         axes->shape.rank);
    for (int64_t i = 0; i < axes->n; i++) {
        int64_t axis = tensor_index_at(axes, i);
        int d = axis_of(axis, rank);
        if (d < 0)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "'axis'[%lld] = %lld is out of valid range [%d, %d", (long long)i,
                             (long long)axis, 0, rank - 1);
        if (is_reversed[d])
            return error_new(ERROR_INVALID_ARGUMENT, "axis %d specified more than once.", d);
        is_reversed[d] = true;
    }
    return NULL;
}

Error *reverse_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    bool is_reversed[SHAPE_MAX_RANK] = { false };
    int64_t strides[SHAPE_MAX_RANK], first = 0;
    if (x->shape.rank == 0)
        return op_output_alias(c, 0, 0, &x->shape);
    TRY(read_axes(op_input(c, 1), x->shape.rank, is_reversed));
    Tensor *y = NULL;
    TRY(op_output(c, 0, x->dtype, &x->shape, &y));
    if (y->n == 0)
        return NULL;
    StridedCopy copy = { 0 };
    shape_strides(&x->shape, strides);
    for (int d = 0; d < x->shape.rank; d++) {
        int64_t dim = x->shape.dims[d];
        first += is_reversed[d] ? (dim - 1) * strides[d] : 0;
        strided_add(&copy, dim, is_reversed[d] ? -strides[d] : strides[d], strides[d]);
    }
    size_t size = dtype_size(x->dtype);
    strided_run(&copy, size, element_after(x->data, first, size), y->data);
    return NULL;
}

/* ---- ReverseSequence ----------------------------------------------------------------------- */

typedef struct SequenceKernel {
    int64_t seq_dim, batch_dim;
} SequenceKernel;

Error *reverse_sequence_prepare(OpPrepare *prepare)
{
    TRY(op_prepare_indices(prepare));
    SequenceKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    TRY(attrs_int(prepare->attrs, "seq_dim", &kernel->seq_dim));
    TRY(attrs_int_or(prepare->attrs, "batch_dim", 0, &kernel->batch_dim));
    if (kernel->seq_dim < 0 || kernel->batch_dim < 0)
        return error_new(ERROR_INVALID_ARGUMENT, "seq_dim and batch_dim must not be negative");
    prepare->kernel = kernel;
    return NULL;
}

static Error *check_sequence(const OpContext *c)
{
    const SequenceKernel *kernel = c->kernel;
    const Tensor *x = op_input(c, 0), *lengths = op_input(c, 1);
    if (lengths->shape.rank != 1)
        return error_new(ERROR_INVALID_ARGUMENT, "seq_lengths must be 1-dim, not %d",
                         lengths->shape.rank);
    if (kernel->batch_dim == kernel->seq_dim)
        return error_new(ERROR_INVALID_ARGUMENT, "batch_dim == seq_dim == %lld",
                         (long long)kernel->seq_dim);
    if (kernel->seq_dim >= x->shape.rank)
        return error_new(ERROR_INVALID_ARGUMENT, "seq_dim must be < input rank ( %lld vs. %d)",
                         (long long)kernel->seq_dim, x->shape.rank);
    if (kernel->batch_dim >= x->shape.rank)
        return error_new(ERROR_INVALID_ARGUMENT, "batch_dim must be < input rank ( %lld vs. %d)",
                         (long long)kernel->batch_dim, x->shape.rank);
    if (lengths->n != x->shape.dims[kernel->batch_dim])
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Length of seq_lengths != input.dims(%lld), (%lld vs. %lld)",
                         (long long)kernel->batch_dim, (long long)lengths->n,
                         (long long)x->shape.dims[kernel->batch_dim]);
    for (int64_t i = 0; i < lengths->n; i++) {
        int64_t length = tensor_index_at(lengths, i);
        if (length < 0)
            return error_new(ERROR_INVALID_ARGUMENT, "seq_lens(%lld) < 0", (long long)i);
        if (length > x->shape.dims[kernel->seq_dim])
            return error_new(ERROR_INVALID_ARGUMENT, "seq_lens(%lld) > input.dims(%lld)",
                             (long long)i, (long long)kernel->seq_dim);
    }
    return NULL;
}

/* Positions [from, from + n) of the sequence of batch entry b, backwards or as they are. */
static void move_sequence(const OpContext *c, int64_t b, int64_t from, int64_t n, bool backwards)
{
    const SequenceKernel *kernel = c->kernel;
    const Tensor *x = op_input(c, 0);
    int64_t strides[SHAPE_MAX_RANK], first = 0, to = 0;
    size_t size = dtype_size(x->dtype);
    StridedCopy copy = { 0 };
    shape_strides(&x->shape, strides);
    for (int d = 0; d < x->shape.rank; d++) {
        if (d == kernel->batch_dim) {
            first += b * strides[d];
            to += b * strides[d];
        } else if (d == kernel->seq_dim) {
            first += (backwards ? from + n - 1 : from) * strides[d];
            to += from * strides[d];
            strided_add(&copy, n, backwards ? -strides[d] : strides[d], strides[d]);
        } else {
            strided_add(&copy, x->shape.dims[d], strides[d], strides[d]);
        }
    }
    if (n > 0)
        strided_run(&copy, size, element_after(x->data, first, size),
                    (char *)c->outputs[0].data + to * (int64_t)size);
}

Error *reverse_sequence_run(OpContext *c)
{
    const SequenceKernel *kernel = c->kernel;
    const Tensor *x = op_input(c, 0), *lengths = op_input(c, 1);
    TRY(check_sequence(c));
    Tensor *y = NULL;
    TRY(op_output(c, 0, x->dtype, &x->shape, &y));
    for (int64_t b = 0; y->n > 0 && b < lengths->n; b++) {
        int64_t n = tensor_index_at(lengths, b);
        move_sequence(c, b, 0, n, true);
        move_sequence(c, b, n, x->shape.dims[kernel->seq_dim] - n, false);
    }
    return NULL;
}

/* ---- Roll ---------------------------------------------------------------------------------- */

/* How far each dimension is rolled, 0..dim - 1: the sum of the shifts that name it. */
static Error *read_shifts(const OpContext *c, int64_t ret[SHAPE_MAX_RANK])
{
    const Tensor *x = op_input(c, 0), *shift = op_input(c, 1), *axis = op_input(c, 2);
    char text[SHAPE_TEXT_BYTES];
    if (x->shape.rank < 1)
        return error_new(ERROR_INVALID_ARGUMENT, "input must be 1-D or higher");
    if (shift->shape.rank > 1)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "shift must be a scalar or a 1-D vector. Found: %s",
                         shape_text(&shift->shape, text));
    if (axis->shape.rank > 1)
        return error_new(ERROR_INVALID_ARGUMENT, "axis must be a scalar or a 1-D vector. Found: %s",
                         shape_text(&axis->shape, text));
    if (!shape_equal(&shift->shape, &axis->shape))
        return error_new(ERROR_INVALID_ARGUMENT, "shift and axis must have the same size");
    for (int64_t i = 0; i < shift->n; i++) {
        int64_t value = tensor_index_at(axis, i);
        int d = axis_of(value, x->shape.rank);
        if (d < 0)
            return error_new(ERROR_INVALID_ARGUMENT, "axis %lld is out of range", (long long)value);
        int64_t dim = x->shape.dims[d] > 0 ? x->shape.dims[d] : 1;
        ret[d] = (ret[d] + tensor_index_at(shift, i) % dim + dim) % dim;
    }
    return NULL;
}

Error *roll_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    int64_t shifts[SHAPE_MAX_RANK] = { 0 }, strides[SHAPE_MAX_RANK];
    int rank = x->shape.rank;
    TRY(read_shifts(c, shifts));
    Tensor *y = NULL;
    TRY(op_output(c, 0, x->dtype, &x->shape, &y));
    if (y->n == 0)
        return NULL;
    size_t size = dtype_size(x->dtype);
    shape_strides(&x->shape, strides);
    /* Each dimension falls into a part that moves up and one that comes round: all 2^rank parts. */
    for (unsigned part = 0; part < 1u << rank; part++) {
        StridedCopy copy = { 0 };
        int64_t from = 0, to = 0, n = 1;
        for (int d = 0; d < rank; d++) {
            bool wraps = (part >> d & 1) != 0;
            int64_t kept = x->shape.dims[d] - shifts[d], dim = wraps ? shifts[d] : kept;
            from += wraps ? kept * strides[d] : 0;
            to += wraps ? 0 : shifts[d] * strides[d];
            n *= dim;
            strided_add(&copy, dim, strides[d], strides[d]);
        }
        if (n > 0)
            strided_run(&copy, size, element_after(x->data, from, size),
                        (char *)y->data + to * (int64_t)size);
    }
    return NULL;
}
