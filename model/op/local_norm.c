/* SPDX-License-Identifier: Apache-2.0
 *
 * LRN: local response normalisation (Krizhevsky et al., 2012, section 3.3) over the channels, the last
 * axis: y = x / (bias + alpha * sum of x^2 of the channels within depth_radius) ^ beta. Any thread.
 */
#include <math.h>

#include "model/op/elementwise.h"
#include "model/op/kernels.h"

#define GRAIN 4096 /* elements that one worker takes at a time */

typedef struct LocalNorm {
    int64_t radius;
    float bias, alpha, beta;
} LocalNorm;

Error *local_norm_prepare(OpPrepare *prepare)
{
    LocalNorm *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    if (prepare->input_dtypes[0] != DT_FLOAT)
        return op_unsupported_type(prepare, prepare->input_dtypes[0]);
    TRY(attrs_int_or(prepare->attrs, "depth_radius", 5, &kernel->radius));
    TRY(attrs_float_or(prepare->attrs, "bias", 1, &kernel->bias));
    TRY(attrs_float_or(prepare->attrs, "alpha", 1, &kernel->alpha));
    TRY(attrs_float_or(prepare->attrs, "beta", 0.5F, &kernel->beta));
    if (kernel->radius < 0 || kernel->radius > INT32_MAX)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "depth_radius = %lld is not in the range of a non-negative int32",
                         (long long)kernel->radius);
    prepare->kernel = kernel;
    return NULL;
}

typedef struct LocalNormRun {
    const LocalNorm *kernel;
    int64_t channels;
    const float *x;
    float *y;
} LocalNormRun;

static void normalize_pixels(void *context, size_t begin, size_t end, int thread)
{
    const LocalNormRun *r = context;
    const LocalNorm *k = r->kernel;
    (void)thread;
    for (size_t i = begin; i < end; i++) {
        const float *x = r->x + i * (size_t)r->channels;
        float *y = r->y + i * (size_t)r->channels;
        for (int64_t c = 0; c < r->channels; c++) {
            int64_t first = c > k->radius ? c - k->radius : 0;
            int64_t end_c = c + k->radius + 1 < r->channels ? c + k->radius + 1 : r->channels;
            float sum = 0;
            for (int64_t j = first; j < end_c; j++)
                sum += x[j] * x[j];
            y[c] = x[c] / powf(k->bias + k->alpha * sum, k->beta);
        }
    }
}

Error *local_norm_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    Tensor *y = NULL;
    if (x->shape.rank != 4)
        return error_new(ERROR_INVALID_ARGUMENT, "in must be 4-dimensional");
    TRY(op_output(c, 0, DT_FLOAT, &x->shape, &y));
    if (x->n == 0)
        return NULL;
    LocalNormRun r = {
        .kernel = c->kernel, .channels = x->shape.dims[3], .x = x->data, .y = y->data
    };
    workers_for(c->workers, (size_t)(x->n / r.channels), GRAIN / (size_t)r.channels + 1,
                normalize_pixels, &r);
    return NULL;
}
