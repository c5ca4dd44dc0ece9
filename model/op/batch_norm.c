/* SPDX-License-Identifier: Apache-2.0
 *
 * FusedBatchNorm, V2 and V3: with the mean m and variance v of a channel, the moving ones that are
 * given (is_training false) or those of the batch itself,
 *
 *     y = (x - m) * scale / sqrt(v + epsilon) + offset
 *
 * The other outputs are what TensorFlow's CPU kernel gives: mean and variance, moved by the batch
 * where it is training, and again as they normalized; for V3 an empty tensor that only gradients
 * would read. Images and volumes, channels last or first. Any thread.
 */
#include <math.h>
#include <string.h>

#include "model/op/kernels.h"

#define GRAIN 16384 /* elements that one worker takes at a time */

typedef struct BatchNormKernel {
    bool is_training;     /* normalizes with the batch's own mean and variance */
    float average_factor; /* of the batch in the moving averages that training gives */
    int rank;             /* of x: 4 or 5 */
    bool channels_first;  /* NCHW, NCDHW */
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
    static const struct {
        const char *name;
        int rank;
        bool channels_first;
    } formats[] = {
        { "NHWC", 4, false }, { "NCHW", 4, true }, { "NDHWC", 5, false }, { "NCDHW", 5, true }
    };
    BatchNormKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    TRY(attrs_bool_or(prepare->attrs, "is_training", true, &kernel->is_training));
    TRY(attrs_float_or(prepare->attrs, "exponential_avg_factor", 1, &kernel->average_factor));
    if (prepare->input_dtypes[0] != DT_FLOAT)
        return error_new(ERROR_UNIMPLEMENTED, "%s of type %s is not supported: float is",
                         prepare->op->name, dtype_name(prepare->input_dtypes[0]));
    TRY(attrs_float_or(prepare->attrs, "epsilon", 0.0001F, &kernel->epsilon));
    const char *format = NULL;
    TRY(attrs_text_or(prepare->attrs, "data_format", "NHWC", &format));
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
        if (strcmp(format, formats[i].name) == 0) {
            kernel->rank = formats[i].rank;
            kernel->channels_first = formats[i].channels_first;
        }
    }
    if (kernel->rank == 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "data_format must be NHWC, NCHW, NDHWC or NCDHW, but is '%s'", format);
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
    const BatchNormKernel *kernel = context->kernel;
    /* Statistics that do not enter the result may be left out. */
    int n_needed = kernel->is_training && kernel->average_factor == 1 ? 2 : ARRAY_SIZE(rows);
    for (int i = 0; i < n_needed; i++) {
        const Tensor *t = op_input(context, i + 1);
        if (t->n != channels)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "%s must have the same number of elements as the channels of x, got "
                             "%lld and %lld",
                             rows[i].text, (long long)t->n, (long long)channels);
    }
    return NULL;
}

/* The mean and the variance of each channel of x, in `mean` and `variance`. */
static void measure(const Tensor *x, size_t channels, size_t inner, float *mean, float *variance)
{
    size_t n = (size_t)x->n / channels;
    const float *values = x->data;
    for (size_t c = 0; c < channels; c++) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < n; i++)
            sum += (double)values[(i / inner * channels + c) * inner + i % inner];
        sum /= (double)n;
        for (size_t i = 0; i < n; i++) {
            double d = (double)values[(i / inner * channels + c) * inner + i % inner] - sum;
            squares += d * d;
        }
        mean[c] = (float)sum;
        variance[c] = (float)(squares / (double)n);
    }
}

/* Outputs 1 and 2: the moving mean and variance after this batch, the latter without bias. An empty
 * batch has no mean: NaN, which an average of old and new keeps out. */
static void move_statistics(const OpContext *context, int64_t n, const float *mean,
                            const float *variance)
{
    const BatchNormKernel *kernel = context->kernel;
    const float *old[2] = { op_input(context, 3)->data, op_input(context, 4)->data };
    const float f = kernel->average_factor, unbias = n > 1 ? (float)n / (float)(n - 1) : 1;
    float *moved[2] = { context->outputs[1].data, context->outputs[2].data };
    for (int64_t c = 0; c < context->outputs[1].n; c++) {
        const float now[2] = { mean[c], variance[c] * unbias };
        for (int i = 0; i < 2; i++)
            moved[i][c] = f == 1 ? now[i] : (1 - f) * old[i][c] + f * now[i];
    }
}

/* Makes outputs 1..5. Without training 1..4 are mean, variance, mean, variance, or NaN and zeros for
 * an empty x; with it, those of the batch. Output 5 of V3 is empty. *ret_mean and *ret_variance
 * normalize. */
static Error *make_statistics(OpContext *context, size_t inner, const float **ret_mean,
                              const float **ret_variance)
{
    const BatchNormKernel *kernel = context->kernel;
    const Tensor *x = op_input(context, 0);
    bool is_empty = x->n == 0;
    Tensor *out = NULL;
    Shape channels = op_input(context, 1)->shape, nothing = shape_of(0);
    *ret_mean = op_input(context, 3)->data;
    *ret_variance = op_input(context, 4)->data;
    for (int i = 1; i < context->n_outputs && i <= 4; i++) {
        const float *in = i % 2 == 1 ? *ret_mean : *ret_variance;
        TRY(op_output(context, i, DT_FLOAT, &channels, &out));
        for (int64_t c = 0; c < out->n && (is_empty || !kernel->is_training); c++)
            ((float *)out->data)[c] = is_empty ? (i <= 2 ? NAN : 0) : in[c];
    }
    if (context->n_outputs > 5)
        TRY(op_output(context, 5, DT_FLOAT, &nothing, &out));
    if (is_empty || !kernel->is_training)
        return NULL;
    float *mean = context->outputs[3].data, *variance = context->outputs[4].data;
    measure(x, (size_t)channels.dims[0], inner, mean, variance);
    move_statistics(context, x->n / channels.dims[0], mean, variance);
    *ret_mean = mean;
    *ret_variance = variance;
    return NULL;
}

Error *batch_norm_run(OpContext *context)
{
    const BatchNormKernel *kernel = context->kernel;
    const Tensor *x = op_input(context, 0), *scale = op_input(context, 1);
    const float *mean = NULL, *variance = NULL;
    char text[SHAPE_TEXT_BYTES];
    if (x->shape.rank != kernel->rank)
        return error_new(ERROR_INVALID_ARGUMENT, "input must be %d-dimensional%s", kernel->rank,
                         shape_text(&x->shape, text));
    int axis = kernel->channels_first ? 1 : kernel->rank - 1;
    int64_t channels = x->shape.dims[axis];
    TRY(check_parameters(context, channels));
    Tensor *y = NULL;
    size_t inner = 1;
    for (int i = axis + 1; i < kernel->rank; i++)
        inner *= (size_t)x->shape.dims[i];
    TRY(op_output_reuse(context, 0, 0, DT_FLOAT, &x->shape, &y));
    TRY(make_statistics(context, inner, &mean, &variance));
    if (x->n == 0)
        return NULL;
    float *factor = op_scratch(context, (size_t)channels * sizeof(float));
    if (factor == NULL)
        return error_out_of_memory();
    for (int64_t c = 0; c < channels; c++)
        factor[c] = ((const float *)scale->data)[c] / sqrtf(variance[c] + kernel->epsilon);
    BatchNormRun r = { .x = x->data,
                       .y = y->data,
                       .factor = factor,
                       .shift = op_input(context, 2)->data,
                       .mean = mean,
                       .channels = (size_t)channels,
                       .inner = inner };
    size_t row = r.inner == 1 ? r.channels : r.inner;
    workers_for(context->workers, (size_t)x->n / row, GRAIN / row + 1, normalize_rows, &r);
    return NULL;
}
