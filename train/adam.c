/* SPDX-License-Identifier: Apache-2.0
 *
 * Adam over one flat vector of all trainable weights: each element by itself, so threads share the
 * loop and the result is the same for any number of them.
 */
#include "train/adam.h"

#include <math.h>

#define GRAIN 16384 /* floats: four vectors of 64 KB, about the second-level cache */

typedef struct Step {
    const AdamVectors *vectors;
    float rate;
} Step;

static void update(void *context, size_t begin, size_t end, int thread _unused_)
{
    const Step *step = context;
    float *value = step->vectors->values, *m = step->vectors->m, *v = step->vectors->v;
    const float *gradient = step->vectors->gradients;
    const float rate = step->rate;
    for (size_t i = begin; i < end; i++) {
        float g = gradient[i];
        m[i] += (g - m[i]) * (1.0f - ADAM_BETA1);
        v[i] += (g * g - v[i]) * (1.0f - ADAM_BETA2);
        value[i] -= rate * m[i] / (sqrtf(v[i]) + ADAM_EPSILON);
    }
}

void adam_step(const AdamVectors *vectors, long step, double rate, Workers *workers)
{
    double t = (double)step + 1.0;
    double corrected =
        rate * sqrt(1.0 - pow((double)ADAM_BETA2, t)) / (1.0 - pow((double)ADAM_BETA1, t));
    Step context = { vectors, (float)corrected };
    workers_for(workers, vectors->n, GRAIN, update, &context);
}
