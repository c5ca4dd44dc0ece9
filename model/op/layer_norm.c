/* SPDX-License-Identifier: Apache-2.0
 *
 * _LayerNorm (fused.h): each row of the last dimension is read three times, which is once from
 * memory: for its mean, for its variance around that, and to be written. Sums are of sixteen lanes
 * and so more exact than one after the other. float. Any thread.
 */
#include <math.h>
#include <string.h>

#include "model/op/elementwise.h"
#include "model/op/kernels.h"

#define GRAIN 16384 /* elements that one worker takes at a time */

typedef float Lanes __attribute__((vector_size(16 * sizeof(float))));
#define LANES 16

typedef struct NormRun {
    const float *x;             /* [n_rows, c] */
    const float *scale, *shift; /* [c] */
    float *y;
    size_t c;
    float epsilon;
} NormRun;

/* The sum of (x - from)^power, power 1 or 2. */
static inline __attribute__((always_inline)) float sum_row(const float *x, size_t n, float from,
                                                           bool is_squared)
{
    Lanes sums = { 0 }, v;
    size_t i = 0;
    float sum = 0;
    for (; i + LANES <= n; i += LANES) {
        memcpy(&v, x + i, sizeof(v));
        v -= from;
        sums += is_squared ? v * v : v;
    }
    for (; i < n; i++) {
        float d = x[i] - from;
        sum += is_squared ? d * d : d;
    }
    for (int k = 0; k < LANES; k++)
        sum += sums[k];
    return sum;
}

static void norm_rows(void *context, size_t begin, size_t end, int thread)
{
    const NormRun *r = context;
    (void)thread;
    for (size_t row = begin; row < end; row++) {
        const float *x = r->x + row * r->c;
        float *y = r->y + row * r->c;
        float mean = sum_row(x, r->c, 0, false) / (float)r->c;
        float variance = sum_row(x, r->c, mean, true) / (float)r->c;
        float factor = 1 / sqrtf(variance + r->epsilon);
        INDEPENDENT_ITERATIONS
        for (size_t i = 0; i < r->c; i++)
            y[i] = (x[i] - mean) * (factor * r->scale[i]) + r->shift[i];
    }
}

Error *layer_norm_prepare(OpPrepare *prepare)
{
    float *epsilon = arena_calloc(prepare->arena, 1, sizeof(*epsilon));
    if (epsilon == NULL)
        return error_out_of_memory();
    if (prepare->input_dtypes[0] != DT_FLOAT)
        return error_new(ERROR_INTERNAL, "_LayerNorm takes floats");
    TRY(attrs_float_or(prepare->attrs, "epsilon", 0.001F, epsilon));
    prepare->kernel = epsilon;
    return NULL;
}

Error *layer_norm_run(OpContext *context)
{
    const Tensor *x = op_input(context, 0);
    const Tensor *scale = op_input(context, 1), *shift = op_input(context, 2);
    char text[2][SHAPE_TEXT_BYTES];
    int64_t c = x->shape.rank > 0 ? x->shape.dims[x->shape.rank - 1] : -1;
    const Shape channels = shape_of(c);
    Tensor *y = NULL;
    if (!shape_equal(&scale->shape, &channels) || !shape_equal(&shift->shape, &channels))
        return error_new(ERROR_INVALID_ARGUMENT, "Incompatible shapes: %s vs. %s",
                         shape_text(&x->shape, text[0]), shape_text(&scale->shape, text[1]));
    TRY(op_output_reuse(context, 0, 0, DT_FLOAT, &x->shape, &y));
    if (y->n == 0)
        return NULL;
    NormRun run = { .x = x->data,
                    .scale = scale->data,
                    .shift = shift->data,
                    .y = y->data,
                    .c = (size_t)c,
                    .epsilon = *(const float *)context->kernel };
    workers_for(context->workers, (size_t)(y->n / c), GRAIN / run.c + 1, norm_rows, &run);
    return NULL;
}
