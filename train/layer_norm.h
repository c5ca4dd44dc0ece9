/* SPDX-License-Identifier: Apache-2.0
 *
 * Batch normalisation over [N,H,W] of CONV_FILTERS channels, image by image.
 *
 *   x_hat = (x - mean) / sqrt(variance + NORM_EPSILON)      z = gamma * x_hat + beta
 *
 * In training, mean and (biased) variance are the batch's; at inference the moving ones. The moving
 * ones follow as TensorFlow's FusedBatchNormV3 has it: moving += (batch - moving) * (1 - momentum),
 * the variance with Bessel's correction n / (n - 1).
 *
 * Each pass over the batch gives sums per image, which norm_finish adds in the order of the images:
 * the result does not depend on the number of threads.
 *
 * Source: Ioffe and Szegedy, "Batch normalization", arXiv 1502.03167.
 */
#ifndef DIGIT_TRAIN_LAYER_NORM_H
#define DIGIT_TRAIN_LAYER_NORM_H

#include <stddef.h>

#include "train/conv_kernel.h"

#define NORM_EPSILON 0.001f /* as tf.layers.batch_normalization */
#define NORM_MOMENTUM 0.99f

/* Two sums per channel: of x and x^2 forward, of d_z * x_hat and d_z backward. Doubles: the
 * variance is a difference of two large numbers. */
typedef struct NormSums {
    double a[CONV_FILTERS];
    double b[CONV_FILTERS];
} NormSums;

typedef struct NormStats {
    float mean[CONV_FILTERS];
    float variance[CONV_FILTERS]; /* biased */
    float inv_std[CONV_FILTERS];  /* 1 / sqrt(variance + NORM_EPSILON) */
} NormStats;

/* sums = those of one image x [n_pixels,32]. */
void norm_sums(const float *x, size_t n_pixels, NormSums *sums);

/* The statistics of a batch, from the sums of its images and the number of pixels in all. */
void norm_batch_stats(const NormSums *sums, size_t n_images, size_t n_pixels, NormStats *stats);

/* The statistics of inference. */
void norm_moving_stats(const float *moving_mean, const float *moving_variance, NormStats *stats);

/* Moves the moving statistics towards the batch's. `step` counts from 0: while it is small the
 * momentum is step / (step + 1), a plain average of the batches so far, so that a run of a few
 * steps has statistics too; from the hundredth on it is NORM_MOMENTUM. */
void norm_update_moving(const NormStats *stats, size_t n_pixels, long step, float *moving_mean,
                        float *moving_variance);

/* z [n_pixels,32] = gamma * x_hat + beta. */
void norm_forward(const NormStats *stats, const float *gamma, const float *beta, const float *x,
                  size_t n_pixels, float *z);

/* sums = (of d_z * x_hat, of d_z) of one image: its part of the gradients of gamma and beta. */
void norm_backward_sums(const NormStats *stats, const float *x, const float *d_z, size_t n_pixels,
                        NormSums *sums);

/* d_gamma, d_beta [32] = the sums over all images, in their order. */
void norm_backward_finish(const NormSums *sums, size_t n_images, float *d_gamma, float *d_beta);

/* What norm_backward needs besides one image. */
typedef struct NormBackward {
    const NormStats *stats;
    const float *gamma;   /* [32] */
    const float *d_gamma; /* [32] of the whole batch */
    const float *d_beta;  /* [32] of the whole batch */
    size_t n_pixels;      /* of the whole batch */
} NormBackward;

/* d_x = gamma * inv_std * (d_z - d_beta / n - x_hat * d_gamma / n) for one square image of `size`;
 * x and d_z are [size,size,32], d_x is padded [size+4,size+4,32], of which only the inside is
 * written. */
void norm_backward(const NormBackward *norm, const float *x, const float *d_z, int size,
                   float *d_x);

#endif
