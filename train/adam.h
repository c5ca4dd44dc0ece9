/* SPDX-License-Identifier: Apache-2.0
 *
 * Adam, in the form of tf.train.AdamOptimizer ("epsilon hat" of the paper's section 2):
 *
 *   rate_t = rate * sqrt(1 - beta2^t) / (1 - beta1^t)
 *   m = beta1 m + (1 - beta1) g      v = beta2 v + (1 - beta2) g^2
 *   value -= rate_t * m / (sqrt(v) + epsilon)
 *
 * Source: Kingma and Ba, arXiv 1412.6980.
 */
#ifndef DIGIT_TRAIN_ADAM_H
#define DIGIT_TRAIN_ADAM_H

#include <stddef.h>

#include "model/base/workers.h"

#define ADAM_BETA1 0.9f
#define ADAM_BETA2 0.999f
#define ADAM_EPSILON 1e-8f

/* What one step changes: n floats each; all borrowed. */
typedef struct AdamVectors {
    size_t n;
    float *values;
    const float *gradients;
    float *m, *v; /* zero before the first step */
} AdamVectors;

/* Step number t = `step` + 1 at `rate`, shared among `workers` (NULL: inline). */
void adam_step(const AdamVectors *vectors, long step, double rate, Workers *workers);

#endif
