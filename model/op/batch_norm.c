/* SPDX-License-Identifier: Apache-2.0
 *
 * FusedBatchNorm, V2 and V3 as inference uses them (is_training false): with the moving mean m and
 * variance v of a channel,
 *
 *     y = (x - m) * scale / sqrt(v + epsilon) + offset
 *
 * The other outputs are what TensorFlow's CPU kernel gives then: mean and variance twice, and for
 * V3 an empty tensor. NHWC and NCHW. Any thread.
 */
#include <math.h>
#include <string.h>

#include "model/op/kernels.h"

#define GRAIN 16384 /* elements that one worker takes at a time */

typedef struct BatchNormKernel {
    bool channels_first; /* NCHW */
    float epsilon;
} BatchNormKernel;

typedef struct BatchNormRun {
    const float *x;
    float *y;
    const float *factor, *shift, *mean; /* [C] y = (x - mean) * factor + shift */
    size_t channels, inner;             /* element i belongs to channel i / inner % channels */
} BatchNormRun;

static void normalize_rows(void *context, size_t begin, size_t end, int thread)
{
    const BatchNormRun *r = context;
    (void)thread;
    for (size_t row = begin; row < end; row++) {
        if (r->inner == 1) {
            const float *x = r->x + row * r->channels;
            float *y = r->y + row * r->channels;
            for (size_t c = 0; c < r->channels; c++)
                y[c] = (x[c] - r->mean[c]) * r->factor[c] + r->shift[c];
        } else {
            size_t c = row % r->channels;
            const float *x = r->x + row * r->inner;
            float *y = r->y + row * r->inner;
            for (size_t i = 0; i < r->inner; i++)
                y[i] = (x[i] - r->mean[c]) * r->factor[c] + r->shift[c];
        }
    }
}

Error *batch_norm_prepare(OpPrepare *prepare)
{
    BatchNormKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    bool is_training = true;
    TRY(attrs_bool_or(prepare->attrs, "is_training", true, &is_training));
    if (is_training)
        return error_new(ERROR_UNIMPLEMENTED,
                         "%s with is_training true is not supported: false is, which normalizes "
                         "with the moving mean and variance",
                         prepare->op->name);
    if (prepare->input_dtypes[0] != DT_FLOAT)
        return error_new(ERROR_UNIMPLEMENTED, "%s of type %s is not supported: float is",
                         prepare->op->name, dtype_name(prepare->input_dtypes[0]));
    TRY(attrs_float_or(prepare->attrs, "epsilon", 0.0001F, &kernel->epsilon));
    const char *format = NULL;
    TRY(attrs_text_or(prepare->attrs, "data_format", "NHWC", &format));
    kernel->channels_first = strcmp(format, "NCHW") == 0;
    if (!kernel->channels_first && strcmp(format, "NHWC") != 0)
        return error_new(ERROR_UNIMPLEMENTED,
                         "%s with data_format '%s' is not supported: NHWC and NCHW are",
                         prepare->op->name, format);
    prepare->kernel = kernel;
    return NULL;
}

/* Parameters in TensorFlow's order and words: ranks first, then sizes. */
static Error *check_parameters(const OpContext *context, int64_t channels)
{
    static const struct {
        const char *name, *text;
    } rows[] = { { "scale", "scale" },
                 { "offset", "offset" },
                 { "estimated_mean", "When is_training=false, mean" },
                 { "estimated_variance", "When is_training=false, variance" } };
    char text[SHAPE_TEXT_BYTES];
    for (int i = 0; i < (int)ARRAY_SIZE(rows); i++) {
        const Tensor *t = op_input(context, i + 1);
        if (t->shape.rank != 1)
            return error_new(ERROR_INVALID_ARGUMENT, "%s must be 1-dimensional%s", rows[i].name,
                             shape_text(&t->shape, text));
    }
    for (int i = 0; i < (int)ARRAY_SIZE(rows); i++) {
        const Tensor *t = op_input(context, i + 1);
        if (t->n != channels)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "%s must have the same number of elements as the channels of x, got "
                             "%lld and %lld",
                             rows[i].text, (long long)t->n, (long long)channels);
    }
    return NULL;
}

/* Outputs 1..4 are mean, variance, mean, variance, or NaN for an empty x; output 5 of V3 is empty.
 */
static Error *copy_statistics(OpContext *context)
{
    bool is_empty = op_input(context, 0)->n == 0;
    Tensor *out = NULL;
    Shape channels = op_input(context, 3)->shape, nothing = shape_of(0);
    for (int i = 1; i < context->n_outputs && i <= 4; i++) {
        const Tensor *in = op_input(context, i % 2 == 1 ? 3 : 4);
        TRY(op_output(context, i, DT_FLOAT, &channels, &out));
        for (int64_t c = 0; c < in->n; c++)
            ((float *)out->data)[c] = is_empty ? (i <= 2 ? NAN : 0) : ((const float *)in->data)[c];
    }
    if (context->n_outputs > 5)
        TRY(op_output(context, 5, DT_FLOAT, &nothing, &out));
    return NULL;
}

Error *batch_norm_run(OpContext *context)
{
    const BatchNormKernel *kernel = context->kernel;
    const Tensor *x = op_input(context, 0), *scale = op_input(context, 1);
    const Tensor *offset = op_input(context, 2), *mean = op_input(context, 3);
    const Tensor *variance = op_input(context, 4);
    char text[SHAPE_TEXT_BYTES];
    if (x->shape.rank != 4)
        return error_new(ERROR_INVALID_ARGUMENT, "input must be 4-dimensional%s",
                         shape_text(&x->shape, text));
    int axis = kernel->channels_first ? 1 : 3;
    int64_t channels = x->shape.dims[axis];
    TRY(check_parameters(context, channels));
    Tensor *y = NULL;
    TRY(op_output_reuse(context, 0, 0, DT_FLOAT, &x->shape, &y));
    TRY(copy_statistics(context));
    if (x->n == 0)
        return NULL;
    float *factor = op_scratch(context, (size_t)channels * sizeof(float));
    if (factor == NULL)
        return error_out_of_memory();
    for (int64_t c = 0; c < channels; c++)
        factor[c] = ((const float *)scale->data)[c] /
                    sqrtf(((const float *)variance->data)[c] + kernel->epsilon);
    BatchNormRun r = { .x = x->data,
                       .y = y->data,
                       .factor = factor,
                       .shift = offset->data,
                       .mean = mean->data,
                       .channels = (size_t)channels,
                       .inner = 1 };
    for (int i = axis + 1; i < 4; i++)
        r.inner *= (size_t)x->shape.dims[i];
    size_t row = r.inner == 1 ? r.channels : r.inner;
    workers_for(context->workers, (size_t)x->n / row, GRAIN / row + 1, normalize_rows, &r);
    return NULL;
}
