/* SPDX-License-Identifier: Apache-2.0
 *
 * Batch normalisation. All loops run over the CONV_FILTERS channels innermost, which is a constant
 * that the compiler vectorises; none of them allocates or knows threads.
 */
#include "train/layer_norm.h"

#include <math.h>
#include <string.h>

#define SUM_PIXELS 16 /* added in float before they go into the double */

void norm_sums(const float *x, size_t n_pixels, NormSums *sums)
{
    memset(sums, 0, sizeof(*sums));
    for (size_t begin = 0; begin < n_pixels; begin += SUM_PIXELS) {
        float a[CONV_FILTERS] = { 0 }, b[CONV_FILTERS] = { 0 };
        size_t end = begin + SUM_PIXELS < n_pixels ? begin + SUM_PIXELS : n_pixels;
        for (size_t i = begin; i < end; i++)
            for (size_t c = 0; c < CONV_FILTERS; c++) {
                float v = x[i * CONV_FILTERS + c];
                a[c] += v;
                b[c] += v * v;
            }
        for (size_t c = 0; c < CONV_FILTERS; c++) {
            sums->a[c] += (double)a[c];
            sums->b[c] += (double)b[c];
        }
    }
}

static void add_sums(const NormSums *sums, size_t n_images, NormSums *total)
{
    memset(total, 0, sizeof(*total));
    for (size_t i = 0; i < n_images; i++)
        for (size_t c = 0; c < CONV_FILTERS; c++) {
            total->a[c] += sums[i].a[c];
            total->b[c] += sums[i].b[c];
        }
}

void norm_batch_stats(const NormSums *sums, size_t n_images, size_t n_pixels, NormStats *stats)
{
    NormSums total;
    add_sums(sums, n_images, &total);
    for (size_t c = 0; c < CONV_FILTERS; c++) {
        double mean = total.a[c] / (double)n_pixels;
        double variance = fmax(total.b[c] / (double)n_pixels - mean * mean, 0.0);
        stats->mean[c] = (float)mean;
        stats->variance[c] = (float)variance;
        stats->inv_std[c] = (float)(1.0 / sqrt(variance + (double)NORM_EPSILON));
    }
}

void norm_moving_stats(const float *moving_mean, const float *moving_variance, NormStats *stats)
{
    for (size_t c = 0; c < CONV_FILTERS; c++) {
        stats->mean[c] = moving_mean[c];
        stats->variance[c] = moving_variance[c];
        stats->inv_std[c] = 1.0f / sqrtf(moving_variance[c] + NORM_EPSILON);
    }
}

void norm_update_moving(const NormStats *stats, size_t n_pixels, long step, float *moving_mean,
                        float *moving_variance)
{
    float momentum = fminf((float)step / (float)(step + 1), NORM_MOMENTUM);
    float bessel = n_pixels > 1 ? (float)n_pixels / (float)(n_pixels - 1) : 1.0f;
    for (size_t c = 0; c < CONV_FILTERS; c++) {
        moving_mean[c] += (stats->mean[c] - moving_mean[c]) * (1.0f - momentum);
        moving_variance[c] +=
            (stats->variance[c] * bessel - moving_variance[c]) * (1.0f - momentum);
    }
}

void norm_forward(const NormStats *stats, const float *gamma, const float *beta, const float *x,
                  size_t n_pixels, float *z)
{
    float scale[CONV_FILTERS], shift[CONV_FILTERS];
    for (size_t c = 0; c < CONV_FILTERS; c++) {
        scale[c] = gamma[c] * stats->inv_std[c];
        shift[c] = beta[c] - stats->mean[c] * scale[c];
    }
    for (size_t i = 0; i < n_pixels; i++)
        for (size_t c = 0; c < CONV_FILTERS; c++)
            z[i * CONV_FILTERS + c] = x[i * CONV_FILTERS + c] * scale[c] + shift[c];
}

void norm_backward_sums(const NormStats *stats, const float *x, const float *d_z, size_t n_pixels,
                        NormSums *sums)
{
    memset(sums, 0, sizeof(*sums));
    for (size_t begin = 0; begin < n_pixels; begin += SUM_PIXELS) {
        float a[CONV_FILTERS] = { 0 }, b[CONV_FILTERS] = { 0 };
        size_t end = begin + SUM_PIXELS < n_pixels ? begin + SUM_PIXELS : n_pixels;
        for (size_t i = begin; i < end; i++)
            for (size_t c = 0; c < CONV_FILTERS; c++) {
                float d = d_z[i * CONV_FILTERS + c];
                a[c] += d * (x[i * CONV_FILTERS + c] - stats->mean[c]);
                b[c] += d;
            }
        for (size_t c = 0; c < CONV_FILTERS; c++) {
            sums->a[c] += (double)(a[c] * stats->inv_std[c]);
            sums->b[c] += (double)b[c];
        }
    }
}

void norm_backward_finish(const NormSums *sums, size_t n_images, float *d_gamma, float *d_beta)
{
    NormSums total;
    add_sums(sums, n_images, &total);
    for (size_t c = 0; c < CONV_FILTERS; c++) {
        d_gamma[c] = (float)total.a[c];
        d_beta[c] = (float)total.b[c];
    }
}

void norm_backward(const NormBackward *norm, const float *x, const float *d_z, int size, float *d_x)
{
    /* d_x = d_z * scale + x * slope + constant, the formula of the header sorted by d_z and x. */
    float scale[CONV_FILTERS], slope[CONV_FILTERS], constant[CONV_FILTERS];
    const float n = (float)norm->n_pixels;
    for (size_t c = 0; c < CONV_FILTERS; c++) {
        float inv_std = norm->stats->inv_std[c];
        scale[c] = norm->gamma[c] * inv_std;
        slope[c] = -scale[c] * inv_std * norm->d_gamma[c] / n;
        constant[c] = -scale[c] * norm->d_beta[c] / n - slope[c] * norm->stats->mean[c];
    }
    const size_t side = (size_t)size;
    for (size_t y = 0; y < side; y++) {
        float *out = d_x + ((y + CONV_PAD) * (side + 2 * CONV_PAD) + CONV_PAD) * CONV_FILTERS;
        const float *x_row = x + y * side * CONV_FILTERS, *d_row = d_z + y * side * CONV_FILTERS;
        for (size_t i = 0; i < side; i++)
            for (size_t c = 0; c < CONV_FILTERS; c++) {
                size_t at = i * CONV_FILTERS + c;
                out[at] = d_row[at] * scale[c] + x_row[at] * slope[c] + constant[c];
            }
    }
}
