/* SPDX-License-Identifier: Apache-2.0
 *
 * _FusedScale (fused.h): x * scale + shift of each channel, and an activation while the row is in
 * the cache. float. Any thread.
 */
#include "model/op/broadcast.h"
#include "model/op/elementwise.h"
#include "model/op/fused.h"
#include "model/op/kernels.h"

#define GRAIN 16384 /* elements that one worker takes at a time */

typedef struct ScaleRun {
    const float *x;             /* [n_rows, c] */
    const float *scale, *shift; /* [c], or of one element */
    bool is_scalar;
    float *y;
    size_t c;
    const Activation *activation;
} ScaleRun;

static void scale_row(const ScaleRun *r, const float *x, float *y)
{
    if (r->is_scalar) {
        const float scale = *r->scale, shift = *r->shift;
        INDEPENDENT_ITERATIONS
        for (size_t i = 0; i < r->c; i++)
            y[i] = x[i] * scale + shift;
    } else {
        INDEPENDENT_ITERATIONS
        for (size_t i = 0; i < r->c; i++)
            y[i] = x[i] * r->scale[i] + r->shift[i];
    }
    if (r->activation->kind != ACTIVATION_NONE)
        activation_apply(r->activation, y, r->c, y);
}

static void scale_rows(void *context, size_t begin, size_t end, int thread)
{
    const ScaleRun *r = context;
    (void)thread;
    for (size_t row = begin; row < end; row++)
        scale_row(r, r->x + row * r->c, r->y + row * r->c);
}

Error *fused_scale_prepare(OpPrepare *prepare)
{
    Activation *activation = arena_calloc(prepare->arena, 1, sizeof(*activation));
    if (activation == NULL)
        return error_out_of_memory();
    if (prepare->input_dtypes[0] != DT_FLOAT)
        return error_new(ERROR_INTERNAL, "_FusedScale takes floats");
    TRY(fused_activation(prepare->attrs, activation));
    prepare->kernel = activation;
    return NULL;
}

/* Where x does not have the channels: it is repeated, or does not fit. */
static Error *scale_repeated(OpContext *context, const Tensor *x, const Tensor *scale,
                             const Tensor *shift)
{
    const Shape *shapes[3] = { &x->shape, &scale->shape, &shift->shape };
    const Activation *activation = context->kernel;
    char text[2][SHAPE_TEXT_BYTES];
    Broadcast b;
    Tensor *y = NULL;
    if (!broadcast_init(&b, 3, shapes))
        return error_new(ERROR_INVALID_ARGUMENT, "Incompatible shapes: %s vs. %s",
                         shape_text(shapes[0], text[0]), shape_text(shapes[1], text[1]));
    TRY(op_output(context, 0, DT_FLOAT, &b.shape, &y));
    float *out = y->data;
    for (BroadcastWalk w = broadcast_begin(&b); !w.done; broadcast_next(&b, &w), out += b.row) {
        const float *v = (const float *)x->data + w.offsets[0];
        const float *s = (const float *)scale->data + w.offsets[1];
        const float *t = (const float *)shift->data + w.offsets[2];
        for (int64_t i = 0; i < b.row; i++)
            out[i] = v[i * b.row_strides[0]] * s[i * b.row_strides[1]] + t[i * b.row_strides[2]];
        activation_apply(activation, out, (size_t)b.row, out);
    }
    return NULL;
}

/* [C], [1,C] and so on, of no more dimensions than x has. */
static bool has_channels_only(const Tensor *factor, const Shape *x)
{
    return factor->shape.rank > 0 && factor->shape.rank <= x->rank &&
           factor->n == x->dims[x->rank - 1] &&
           factor->shape.dims[factor->shape.rank - 1] == factor->n;
}

Error *fused_scale_run(OpContext *context)
{
    const Tensor *x = op_input(context, 0);
    const Tensor *scale = op_input(context, 1), *shift = op_input(context, 2);
    int64_t channels = x->shape.rank > 0 ? x->shape.dims[x->shape.rank - 1] : 1;
    bool is_scalar = scale->shape.rank == 0 && shift->shape.rank == 0;
    bool is_vector = has_channels_only(scale, &x->shape) && has_channels_only(shift, &x->shape);
    Tensor *y = NULL;
    if (!is_scalar && !is_vector)
        return scale_repeated(context, x, scale, shift);
    TRY(op_output_reuse(context, 0, 0, DT_FLOAT, &x->shape, &y));
    if (y->n == 0)
        return NULL;
    ScaleRun run = { .x = x->data,
                     .scale = scale->data,
                     .shift = shift->data,
                     .is_scalar = is_scalar,
                     .y = y->data,
                     .c = (size_t)channels,
                     .activation = context->kernel };
    workers_for(context->workers, (size_t)(y->n / channels), GRAIN / run.c + 1, scale_rows, &run);
    return NULL;
}
