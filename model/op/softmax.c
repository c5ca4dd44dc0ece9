/* SPDX-License-Identifier: Apache-2.0
 *
 * Softmax and LogSoftmax over the last axis, any rank from 1 on; float and double. The greatest
 * logit is subtracted first, so that exp does not overflow. Any thread.
 */
#include <math.h>
#include <string.h>

#include "model/op/floats.h"
#include "model/op/kernels.h"

#define GRAIN 4096 /* elements that one worker takes at a time */
#define CHUNK 256  /* exponentials that are kept at once */

typedef struct SoftmaxRun {
    const Tensor *in;
    Tensor *out;
    size_t classes;
    bool is_log;
} SoftmaxRun;

/* log of the sum of exp(x[i]). */
static float log_of_sum(size_t n, const float *x)
{
    float e[CHUNK], sum = 0;
    for (size_t i = 0; i < n; i += CHUNK) {
        size_t length = n - i < CHUNK ? n - i : CHUNK;
        floats_exp((int64_t)length, x + i, e);
        sum += floats_sum(length, e);
    }
    return logf(sum);
}

static void softmax_f32(const SoftmaxRun *run, const float *in, float *out)
{
    const size_t n = run->classes;
    const float greatest = floats_max(n, in);
    for (size_t i = 0; i < n; i++)
        out[i] = in[i] - greatest;
    if (run->is_log) {
        const float log_sum = log_of_sum(n, out);
        for (size_t i = 0; i < n; i++)
            out[i] -= log_sum;
    } else {
        floats_exp((int64_t)n, out, out);
        const float scale = 1 / floats_sum(n, out);
        for (size_t i = 0; i < n; i++)
            out[i] *= scale;
    }
}

static void softmax_f64(const SoftmaxRun *run, const double *in, double *out)
{
    double greatest = in[0], sum = 0;
    for (size_t i = 1; i < run->classes; i++)
        greatest = in[i] > greatest ? in[i] : greatest;
    for (size_t i = 0; i < run->classes; i++) {
        double shifted = in[i] - greatest, e = exp(shifted);
        out[i] = run->is_log ? shifted : e;
        sum += e;
    }
    const double log_sum = log(sum), scale = 1 / sum;
    for (size_t i = 0; i < run->classes; i++)
        out[i] = run->is_log ? out[i] - log_sum : out[i] * scale;
}

static void softmax_rows(void *context, size_t begin, size_t end, int thread)
{
    const SoftmaxRun *run = context;
    (void)thread;
    for (size_t at = begin * run->classes; at < end * run->classes; at += run->classes) {
        if (run->in->dtype == DT_FLOAT)
            softmax_f32(run, (const float *)run->in->data + at, (float *)run->out->data + at);
        else
            softmax_f64(run, (const double *)run->in->data + at, (double *)run->out->data + at);
    }
}

Error *softmax_prepare(OpPrepare *prepare)
{
    DType dtype = prepare->input_dtypes[0];
    if (dtype != DT_FLOAT && dtype != DT_DOUBLE)
        return error_new(ERROR_UNIMPLEMENTED, "%s of type %s is not supported: float or double is",
                         prepare->op->name, dtype_name(dtype));
    return NULL;
}

static Error *run(OpContext *context, bool is_log)
{
    const Tensor *in = op_input(context, 0);
    char text[SHAPE_TEXT_BYTES];
    if (in->shape.rank < 1)
        return error_new(ERROR_INVALID_ARGUMENT, "logits must have >= 1 dimension, got %s",
                         shape_text(&in->shape, text));
    SoftmaxRun r = { .in = in,
                     .classes = (size_t)in->shape.dims[in->shape.rank - 1],
                     .is_log = is_log };
    TRY(op_output_reuse(context, 0, 0, in->dtype, &in->shape, &r.out));
    if (in->n == 0)
        return NULL;
    workers_for(context->workers, (size_t)in->n / r.classes, GRAIN / r.classes + 1, softmax_rows,
                &r);
    return NULL;
}

Error *softmax_run(OpContext *context)
{
    return run(context, false);
}

Error *log_softmax_run(OpContext *context)
{
    return run(context, true);
}
