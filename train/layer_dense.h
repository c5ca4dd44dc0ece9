/* SPDX-License-Identifier: Apache-2.0
 *
 * Dense layer: y = x * weights + bias, for a whole batch. The passes take a range of columns or
 * rows, so that threads share a layer without sharing an element: every sum is over the whole batch
 * in one matrix product, and there are no partial gradients to add up.
 */
#ifndef DIGIT_TRAIN_LAYER_DENSE_H
#define DIGIT_TRAIN_LAYER_DENSE_H

#include <stddef.h>

/* All borrowed. */
typedef struct DenseLayer {
    size_t in, out;
    const float *weights; /* [in,out] */
    const float *bias;    /* [out] */
    float *d_weights;     /* [in,out] */
    float *d_bias;        /* [out] */
} DenseLayer;

/* y [n,out], columns [begin,end) = x [n,in] * weights + bias. */
void dense_forward(const DenseLayer *dense, const float *x, size_t n, float *y, size_t begin,
                   size_t end);

/* The batch of a backward pass. */
typedef struct DenseBatch {
    size_t n;
    const float *x;   /* [n,in] */
    const float *d_y; /* [n,out] */
    float *d_x;       /* [n,in], or NULL when nothing wants it */
} DenseBatch;

/* d_weights, rows [begin,end) = x^T * d_y; d_x, columns [begin,end) = d_y * weights^T. */
void dense_backward(const DenseLayer *dense, const DenseBatch *batch, size_t begin, size_t end);

/* d_bias = the column sums of d_y. */
void dense_backward_bias(const DenseLayer *dense, const float *d_y, size_t n);

#endif
