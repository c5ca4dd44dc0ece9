/* SPDX-License-Identifier: Apache-2.0
 *
 * Softmax and cross-entropy of ten classes. The largest logit is taken off first: the result is the
 * same and exp never overflows.
 */
#include "train/loss.h"

#include <math.h>

int loss_argmax(const float *values)
{
    int best = 0;
    for (int k = 1; k < LOSS_CLASSES; k++)
        best = values[k] > values[best] ? k : best;
    return best;
}

void loss_softmax(const float *logits, float *probabilities)
{
    float largest = logits[loss_argmax(logits)], sum = 0.0f;
    for (int k = 0; k < LOSS_CLASSES; k++) {
        probabilities[k] = expf(logits[k] - largest);
        sum += probabilities[k];
    }
    for (int k = 0; k < LOSS_CLASSES; k++)
        probabilities[k] /= sum;
}

double loss_cross_entropy(const float *logits, int label)
{
    double largest = (double)logits[loss_argmax(logits)], sum = 0.0;
    for (int k = 0; k < LOSS_CLASSES; k++)
        sum += exp((double)logits[k] - largest);
    return log(sum) + largest - (double)logits[label];
}

void loss_backward(const float *probabilities, int label, float weight, float *d_logits)
{
    for (int k = 0; k < LOSS_CLASSES; k++)
        d_logits[k] = weight * (probabilities[k] - (k == label ? 1.0f : 0.0f));
}
