/* SPDX-License-Identifier: Apache-2.0
 *
 * Ops about shapes and bytes rather than values: EnsureShape, CheckNumerics, Bitcast,
 * BroadcastArgs, BroadcastGradientArgs, Print. Any thread.
 */
#include <math.h>
#include <string.h>

#include "model/op/axes.h"
#include "model/op/elementwise.h"
#include "model/op/kernels.h"

/* ---- EnsureShape --------------------------------------------------------------------------- */

Error *ensure_shape_prepare(OpPrepare *prepare)
{
    Shape *shape = arena_calloc(prepare->arena, 1, sizeof(*shape));
    if (shape == NULL)
        return error_out_of_memory();
    TRY(attrs_shape(prepare->attrs, "shape", shape));
    prepare->kernel = shape;
    return NULL;
}

Error *ensure_shape_run(OpContext *c)
{
    const Shape *wanted = c->kernel, *shape = &op_input(c, 0)->shape;
    char text[SHAPE_TEXT_BYTES], wanted_text[SHAPE_TEXT_BYTES];
    bool fits = wanted->rank == SHAPE_UNKNOWN_RANK || wanted->rank == shape->rank;
    for (int d = 0; fits && d < wanted->rank; d++)
        fits = wanted->dims[d] < 0 || wanted->dims[d] == shape->dims[d];
    if (!fits)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Shape of tensor %s %s is not compatible with expected shape %s.",
                         c->node_name, shape_text(shape, text), shape_text(wanted, wanted_text));
    return op_output_alias(c, 0, 0, shape);
}

/* ---- CheckNumerics ------------------------------------------------------------------------- */

typedef struct NumericsKernel {
    const char *message;
    bool tells_signs; /* V2: negative and positive infinities apart */
} NumericsKernel;

Error *check_numerics_prepare(OpPrepare *prepare)
{
    NumericsKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    if (!dtype_is_floating(prepare->input_dtypes[0]))
        return op_unsupported_type(prepare, prepare->input_dtypes[0]);
    TRY(attrs_text(prepare->attrs, "message", &kernel->message));
    kernel->tells_signs = strcmp(prepare->op->name, "CheckNumericsV2") == 0;
    prepare->kernel = kernel;
    return NULL;
}

Error *check_numerics_run(OpContext *c)
{
    const NumericsKernel *kernel = c->kernel;
    const Tensor *x = op_input(c, 0);
    bool has_nan = false, has_positive = false, has_negative = false;
    const float *wide = NULL;
    TRY(shorts_as_floats(c, x, &wide));
    for (int64_t i = 0; i < x->n; i++) {
        double v = x->dtype == DT_DOUBLE ? ((const double *)x->data)[i] : (double)wide[i];
        has_nan |= isnan(v);
        has_positive |= v == INFINITY;
        has_negative |= v == -INFINITY;
    }
    const char *infinite = !(has_positive || has_negative) ? NULL
                           : !kernel->tells_signs          ? "Inf"
                           : !has_positive                 ? "-Inf"
                           : !has_negative                 ? "+Inf"
                                                           : "-Inf and +Inf";
    if (infinite == NULL && !has_nan)
        return op_output_alias(c, 0, 0, &x->shape);
    const char *join = infinite == NULL || !has_nan ? "" : kernel->tells_signs ? ", " : " and ";
    if (kernel->tells_signs && infinite != NULL && has_nan && has_positive != has_negative)
        join = " and ";
    return error_new(ERROR_INVALID_ARGUMENT, "%s : Tensor had %s%s%s values", kernel->message,
                     infinite != NULL ? infinite : "", join, has_nan ? "NaN" : "");
}

/* ---- Bitcast ------------------------------------------------------------------------------- */

Error *bitcast_prepare(OpPrepare *prepare)
{
    DType *to = arena_calloc(prepare->arena, 1, sizeof(*to)), from = prepare->input_dtypes[0];
    if (to == NULL)
        return error_out_of_memory();
    TRY(attrs_type(prepare->attrs, "type", to));
    if (!dtype_is_plain(from) || from == DT_BOOL)
        return op_unsupported_type(prepare, from);
    if (!dtype_is_plain(*to) || *to == DT_BOOL)
        return op_unsupported_type(prepare, *to);
    prepare->kernel = to;
    return NULL;
}

/* A smaller type gets one more dimension, whose elements make one of the input's; a larger one takes
 * it away. */
Error *bitcast_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    DType to = *(const DType *)c->kernel;
    size_t size = dtype_size(x->dtype), to_size = dtype_size(to);
    Shape shape = x->shape;
    char text[SHAPE_TEXT_BYTES];
    if (size > to_size && !shape_push(&shape, (int64_t)(size / to_size)))
        return shape_rank_error();
    if (size < to_size) {
        if (shape.rank < 1 || shape.dims[shape.rank - 1] != (int64_t)(to_size / size))
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Cannot bitcast from %s to %s: shape %s: the last dimension must be "
                             "%zu",
                             dtype_name(x->dtype), dtype_name(to), shape_text(&x->shape, text),
                             to_size / size);
        shape.rank--;
    }
    Tensor *y = NULL;
    TRY(op_output(c, 0, to, &shape, &y));
    if (y->n > 0)
        memcpy(y->data, x->data, tensor_bytes(y));
    return NULL;
}

/* ---- BroadcastArgs, BroadcastGradientArgs -------------------------------------------------- */

Error *broadcast_args_prepare(OpPrepare *prepare)
{
    DType dtype = prepare->input_dtypes[0];
    return dtype == DT_INT32 || dtype == DT_INT64 ? NULL : op_unsupported_type(prepare, dtype);
}

static Error *read_shapes(const OpContext *c, Shape shapes[2], Shape *ret_joined)
{
    char text[SHAPE_TEXT_BYTES], other[SHAPE_TEXT_BYTES];
    for (int i = 0; i < 2; i++) {
        if (op_input(c, i)->shape.rank != 1)
            return error_new(ERROR_INVALID_ARGUMENT, "In[%d] must be a vector.%s", i,
                             shape_text(&op_input(c, i)->shape, text));
        TRY(tensor_to_shape(op_input(c, i), &shapes[i]));
    }
    int rank = shapes[0].rank > shapes[1].rank ? shapes[0].rank : shapes[1].rank;
    ret_joined->rank = rank;
    for (int d = 1; d <= rank; d++) { /* from the last dimension on */
        int64_t a = d <= shapes[0].rank ? shapes[0].dims[shapes[0].rank - d] : 1;
        int64_t b = d <= shapes[1].rank ? shapes[1].dims[shapes[1].rank - d] : 1;
        if (a != b && a != 1 && b != 1)
            return error_new(ERROR_INVALID_ARGUMENT, "Incompatible shapes: %s vs. %s",
                             shape_text(&shapes[0], text), shape_text(&shapes[1], other));
        ret_joined->dims[rank - d] = a == 1 ? b : a;
    }
    return NULL;
}

static Error *output_list(OpContext *c, int i, int n, const int64_t *values)
{
    Tensor *y = NULL;
    DType dtype = op_input(c, 0)->dtype;
    TRY(op_output(c, i, dtype, &shape_of(n), &y));
    for (int k = 0; k < n; k++) {
        if (dtype == DT_INT32)
            ((int32_t *)y->data)[k] = (int32_t)values[k];
        else
            ((int64_t *)y->data)[k] = values[k];
    }
    return NULL;
}

Error *broadcast_args_run(OpContext *c)
{
    Shape shapes[2], joined;
    TRY(read_shapes(c, shapes, &joined));
    return output_list(c, 0, joined.rank, joined.dims);
}

/* The axes along which a gradient is summed, for each operand: those where it has 1 or nothing. */
Error *broadcast_gradient_args_run(OpContext *c)
{
    Shape shapes[2], joined;
    TRY(read_shapes(c, shapes, &joined));
    for (int i = 0; i < 2; i++) {
        int64_t axes[SHAPE_MAX_RANK];
        int n = 0, missing = joined.rank - shapes[i].rank;
        bool same = shape_equal(&shapes[0], &shapes[1]);
        for (int d = 0; !same && d < joined.rank; d++) {
            if (d < missing || shapes[i].dims[d - missing] == 1)
                axes[n++] = d;
        }
        TRY(output_list(c, i, n, axes));
    }
    return NULL;
}

/* ---- Print --------------------------------------------------------------------------------- */

/* The server's log is no place for the contents of requests: nothing is printed. */
Error *print_run(OpContext *c)
{
    return op_output_alias(c, 0, 0, &op_input(c, 0)->shape);
}
