/* SPDX-License-Identifier: Apache-2.0
 *
 * ConvKernel: the inner loops of the trainer's convolution (5x5, SAME, 32 filters) for one
 * instruction set. The processor's best is chosen at run time; the others stay callable, so that
 * tests hold every one of them against the plain form.
 *
 * An image is NHWC. A *padded* image has a border of CONV_PAD zero pixels all round:
 * [size + 4, size + 4, channels].
 */
#ifndef DIGIT_TRAIN_CONV_KERNEL_H
#define DIGIT_TRAIN_CONV_KERNEL_H

#include <stdbool.h>
#include <stddef.h>

#define CONV_KERNEL 5
#define CONV_PAD 2
#define CONV_FILTERS 32

/* A square image of `size` x `size` pixels of `channels` channels: 1 or CONV_FILTERS. */
typedef struct ConvShape {
    int size;
    int channels;
} ConvShape;

typedef struct ConvKernel {
    const char *name;
    /* True when this processor has the instructions. */
    bool (*supported)(void);
    /* out [size,size,32] = x (padded) convolved with weights [5,5,channels,32]. */
    void (*forward)(const ConvShape *shape, const float *x, const float *weights, float *out);
    /* d_weights [5,5,channels,32] += what this image adds to the gradient of the weights. x is
     * padded; d_out points at pixel (0,0) inside a padded [size+4,size+4,32]. */
    void (*backward_weights)(const ConvShape *shape, const float *x, const float *d_out,
                             float *d_weights);
} ConvKernel;

/* All kernels, best first, `*ret_n` of them. The last one runs everywhere. */
const ConvKernel *conv_kernel_all(size_t *ret_n);

/* The best that this processor runs. */
const ConvKernel *conv_kernel_best(void);

#endif
