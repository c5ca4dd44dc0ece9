/* SPDX-License-Identifier: Apache-2.0
 *
 * Classifier: what follows the blocks, over a whole batch: dense, ReLU, dropout, dense to ten
 * logits, softmax.
 */
#ifndef DIGIT_TRAIN_CLASSIFIER_H
#define DIGIT_TRAIN_CLASSIFIER_H

#include "model/base/workers.h"
#include "train/layer_dense.h"
#include "train/parameters.h"

typedef struct Classifier {
    size_t n_features;
    size_t n_units;
    float dropout_rate;
    uint64_t seed;             /* of the dropout */
    Workers *workers;          /* borrowed */
    DenseLayer hidden, logits; /* over the net's parameters */
    /* Buffers in the net's arena; N is the capacity. */
    float *x;             /* [N,n_features] */
    float *h;             /* [N,n_units] after ReLU and dropout */
    float *d_h;           /* [N,n_units] */
    float *d_x;           /* [N,n_features]; NULL when no block is below */
    float *z;             /* [N,10] logits */
    float *probabilities; /* [N,10] */
    float *d_z;           /* [N,10] */
} Classifier;

/* Declares the parameters. */
void classifier_declare(Parameters *parameters, size_t n_features, size_t n_units);

/* Finds the parameters, which must be allocated, and makes the buffers in `arena`. The caller has
 * set what is above the layers and cleared the rest. RESOURCE_EXHAUSTED when memory is out.
 */
Error *classifier_init(Classifier *classifier, Parameters *parameters, size_t capacity,
                       bool wants_d_x, Arena *arena) _warn_unused_result_;

/* x -> probabilities of n images. step >= 0: with the dropout of that step. */
void classifier_forward(Classifier *classifier, size_t n, long step);

/* The mean cross-entropy of the batch of the last forward, and the gradients of the parameters and
 * of x where it is wanted. */
double classifier_backward(Classifier *classifier, size_t n, const uint8_t *labels);

#endif
