/* SPDX-License-Identifier: Apache-2.0
 *
 * ReLU, then inverted dropout: in training each element is dropped with probability `rate` and the
 * others are divided by 1 - rate, so that inference needs no scaling (it is ReLU alone: rate 0).
 *
 * Source: Srivastava et al., "Dropout", JMLR 15 (2014).
 */
#ifndef DIGIT_TRAIN_LAYER_DROPOUT_H
#define DIGIT_TRAIN_LAYER_DROPOUT_H

#include <stddef.h>

#include "train/rng.h"

/* In place over x [n]. `rng` is not touched when rate is 0, and may be NULL then. */
void dropout_forward(float *x, size_t n, float rate, Rng *rng);

/* d [n], in place: the gradient by the input, from the gradient by the output. `out` [n] is what
 * dropout_forward left: zero exactly where nothing came through. */
void dropout_backward(const float *out, float *d, size_t n, float rate);

#endif
