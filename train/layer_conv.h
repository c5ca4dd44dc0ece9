/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolution 5x5, stride 1, SAME, 32 filters, no bias (the batch normalisation that follows would
 * take it away again). One image at a time; tensors are NHWC, weights HWIO, as TensorFlow has them.
 */
#ifndef DIGIT_TRAIN_LAYER_CONV_H
#define DIGIT_TRAIN_LAYER_CONV_H

#include <stddef.h>

#include "train/conv_kernel.h"

/* Weights, and floats in one padded image and in one output. */
size_t conv_n_weights(const ConvShape *shape);
size_t conv_n_padded(const ConvShape *shape);
size_t conv_n_out(const ConvShape *shape);

/* out [size,size,32] = conv(x, weights); x is padded: [size+4,size+4,channels]. */
void conv_forward(const ConvShape *shape, const float *x, const float *weights, float *out);

/* d_weights [5,5,channels,32] += the gradient of this image. x and d_out [size+4,size+4,32] are
 * padded. */
void conv_backward_weights(const ConvShape *shape, const float *x, const float *d_out,
                           float *d_weights);

/* Weights as conv_backward_input wants them: turned by 180 degrees, input and output swapped:
 * turned[ky][kx][f][c] = weights[4-ky][4-kx][c][f]. Both [5,5,32,32]. */
void conv_turn_weights(const float *weights, float *turned);

/* d_x [size,size,32], not padded = the gradient by the input, for a layer of 32 channels: the
 * convolution of the padded d_out with the turned weights. (The first layer needs none.) */
void conv_backward_input(const ConvShape *shape, const float *d_out, const float *turned,
                         float *d_x);

#endif
