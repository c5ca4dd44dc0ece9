/* SPDX-License-Identifier: Apache-2.0
 *
 * Net: the tutorial's network, whole.
 *
 *   images [N,28,28,1] in 0..1
 *   hidden_layers times:
 *     conv2d_i               5x5, 32 filters, SAME, no bias
 *     batch_normalization_i
 *     ReLU, max-pool 2x2     28 -> 14 -> 7 -> 3 -> 1
 *   flatten                  [N,784], or side * side * 32 after the last pool
 *   dense                    dense_units, ReLU, dropout in training
 *   dense_1                  10 logits, softmax
 */
#ifndef DIGIT_TRAIN_NET_H
#define DIGIT_TRAIN_NET_H

#include "model/base/workers.h"
#include "train/parameters.h"

#define NET_SIZE 28 /* pixels a side */
#define NET_PIXELS (NET_SIZE * NET_SIZE)
#define NET_CLASSES 10
#define NET_MAX_LAYERS 4 /* the fourth pool leaves one pixel */

typedef struct Net Net;

typedef struct NetOptions {
    int hidden_layers; /* 0..NET_MAX_LAYERS */
    int dense_units;
    int batch_size;     /* the most images that a pass takes */
    float dropout_rate; /* 0 <= rate < 1 */
    uint64_t seed;      /* of the initial weights and the dropout */
    Workers *workers;   /* borrowed, as long as the Net; NULL: one thread */
} NetOptions;

/* A net with fresh weights: Glorot-uniform kernels, zero biases, gamma 1, beta 0, as tf.layers.
 * RESOURCE_EXHAUSTED when memory is out. */
Error *net_new(const NetOptions *options, Net **ret_net) _warn_unused_result_;

/* Takes NULL; returns NULL. */
Net *net_free(Net *net);

const NetOptions *net_options(const Net *net);

/* The tensors, owned by the net; values may be written between passes. */
Parameters *net_parameters(Net *net);

/* Pixels a side after `layers` blocks. */
int net_side_after(int layers);

/* Floating-point operations for one image, of the convolutions and dense layers (a multiplication
 * and an addition are two; products with padding do not count): forward; forward and backward. For
 * benchmarks. */
double net_inference_flops(const NetOptions *options);
double net_training_flops(const NetOptions *options);

/* Forward and backward over n images [n,784] with their labels [n]: gradients into the parameters,
 * moving statistics followed. `step` counts from 0 and names the dropout. Gives the mean
 * cross-entropy. n is 1..batch_size. */
double net_gradients(Net *net, const float *images, const uint8_t *labels, size_t n, long step);

/* Inference: probabilities [n,10] of n images [n,784], and their summed cross-entropy when labels
 * is not NULL. */
double net_predict(Net *net, const float *images, const uint8_t *labels, size_t n,
                   float *probabilities);

static inline void net_freep(Net **net)
{
    net_free(*net);
}

#endif
