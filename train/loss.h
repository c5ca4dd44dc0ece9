/* SPDX-License-Identifier: Apache-2.0
 *
 * Softmax and the sparse cross-entropy of one image.
 */
#ifndef DIGIT_TRAIN_LOSS_H
#define DIGIT_TRAIN_LOSS_H

#include <stddef.h>

#define LOSS_CLASSES 10

/* probabilities [10] = softmax(logits [10]); may be the same memory. */
void loss_softmax(const float *logits, float *probabilities);

/* -log softmax(logits)[label], computed from the logits, so that a probability that underflows
 * gives no infinity. */
double loss_cross_entropy(const float *logits, int label);

/* d_logits [10] = weight * (probabilities - one-hot of label): the gradient of
 * weight * cross-entropy. */
void loss_backward(const float *probabilities, int label, float weight, float *d_logits);

/* The class of the largest of 10; the first of equals, as ArgMax. */
int loss_argmax(const float *values);

#endif
