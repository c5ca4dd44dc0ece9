/* SPDX-License-Identifier: Apache-2.0
 *
 * ReLU and dropout of one image's features. The two share a mask: an output is zero where the
 * input was not positive and where it was dropped, and neither lets a gradient through. What is no
 * number goes through, so that the loss tells of it.
 */
#include "train/layer_dropout.h"

void dropout_forward(float *x, size_t n, float rate, Rng *rng)
{
    if (rate == 0.0f) {
        for (size_t i = 0; i < n; i++)
            x[i] = x[i] < 0.0f ? 0.0f : x[i];
        return;
    }
    const float scale = 1.0f / (1.0f - rate);
    for (size_t i = 0; i < n; i++) {
        float keep = rng_uniform(rng) < rate ? 0.0f : scale;
        x[i] = x[i] < 0.0f ? 0.0f : x[i] * keep;
    }
}

void dropout_backward(const float *out, float *d, size_t n, float rate)
{
    const float scale = 1.0f / (1.0f - rate);
    for (size_t i = 0; i < n; i++)
        d[i] = out[i] > 0.0f ? d[i] * scale : 0.0f;
}
