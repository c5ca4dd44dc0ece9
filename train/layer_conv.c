/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolution forward and backward: shapes and the turning of weights; the arithmetic is in
 * conv_tile.h. Both passes over the image are the same correlation:
 *
 *   forward          out[y,x,f]    = sum x[y+ky, x+kx, c]     * w[ky,kx,c,f]
 *   backward input   d_x[y,x,c]    = sum d_out[y+ky, x+kx, f] * w[4-ky,4-kx,c,f]
 *   backward weights d_w[ky,kx,c,f] = sum x[y+ky, x+kx, c]    * d_out[y,x,f]
 *
 * (indices of padded images count from the border in the two first, d_out's from the inside in the
 * last).
 */
#include "train/layer_conv.h"

#include <assert.h>

size_t conv_n_weights(const ConvShape *shape)
{
    return (size_t)CONV_KERNEL * CONV_KERNEL * (size_t)shape->channels * CONV_FILTERS;
}

size_t conv_n_padded(const ConvShape *shape)
{
    size_t side = (size_t)shape->size + 2 * CONV_PAD;
    return side * side * (size_t)shape->channels;
}

size_t conv_n_out(const ConvShape *shape)
{
    return (size_t)shape->size * (size_t)shape->size * CONV_FILTERS;
}

void conv_forward(const ConvShape *shape, const float *x, const float *weights, float *out)
{
    assert(shape->channels == 1 || shape->channels == CONV_FILTERS);
    conv_kernel_best()->forward(shape, x, weights, out);
}

void conv_backward_weights(const ConvShape *shape, const float *x, const float *d_out,
                           float *d_weights)
{
    /* The kernel walks d_out's pixels from its first inner one. */
    size_t inside = ((size_t)shape->size + 2 * CONV_PAD + 1) * CONV_PAD * CONV_FILTERS;
    conv_kernel_best()->backward_weights(shape, x, d_out + inside, d_weights);
}

void conv_turn_weights(const float *weights, float *turned)
{
    const size_t taps = CONV_KERNEL * CONV_KERNEL;
    for (size_t tap = 0; tap < taps; tap++) {
        const float *from = weights + (taps - 1 - tap) * CONV_FILTERS * CONV_FILTERS;
        float *to = turned + tap * CONV_FILTERS * CONV_FILTERS;
        for (size_t c = 0; c < CONV_FILTERS; c++)
            for (size_t f = 0; f < CONV_FILTERS; f++)
                to[f * CONV_FILTERS + c] = from[c * CONV_FILTERS + f];
    }
}

void conv_backward_input(const ConvShape *shape, const float *d_out, const float *turned,
                         float *d_x)
{
    assert(shape->channels == CONV_FILTERS);
    conv_kernel_best()->forward(shape, d_out, turned, d_x);
}
