/* SPDX-License-Identifier: Apache-2.0
 *
 * ConvPlain: a convolution of images or volumes in plain loops, for the types and groups that the
 * fast forms (conv.h, conv_volume.c) do not have.
 */
#ifndef DIGIT_OP_CONV_PLAIN_H
#define DIGIT_OP_CONV_PLAIN_H

#include "model/op/conv.h"

/* Group g of the input channels makes group g of the output channels. An image is a volume of depth
 * 1: its first axis is window_flat_axis. */
typedef struct ConvPlain {
    DType dtype; /* float, double or int32, which wraps */
    int64_t batch, in_c, out_c, groups;
    WindowAxis axes[3]; /* depth, rows, columns */
    const void *x;      /* [batch, in..., in_c] */
    const void *filter; /* [taps..., in_c / groups, out_c] */
    void *y;            /* [batch, out..., out_c] */
} ConvPlain;

bool conv_plain_has(DType dtype);

/* Any thread; results do not depend on the number of workers. */
void conv_plain_run(const ConvPlain *conv, Workers *workers);

/* The same of images. A depthwise filter [h,w,C,M] is, element for element, one of groups
 * [h,w,1,C*M]. */
void conv_plain_image(const ConvShape *shape, const Tensor *x, const Tensor *filter, Tensor *y,
                      Workers *workers);

#endif
