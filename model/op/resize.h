/* SPDX-License-Identifier: Apache-2.0
 *
 * What the kernels that resize images share (resize.c, scale_and_translate.c).
 */
#ifndef DIGIT_OP_RESIZE_H
#define DIGIT_OP_RESIZE_H

#include "model/op/op.h"

typedef struct ResizeFrame {
    int64_t n, in_height, in_width, channels; /* of the images */
    int64_t height, width;                    /* of the output */
    Shape shape;                              /* of the output */
} ResizeFrame;

/* From inputs 0 (images) and 1 (size), checked. INVALID_ARGUMENT in TensorFlow's words. */
Error *resize_frame(const OpContext *c, ResizeFrame *ret) _warn_unused_result_;

/* The elements as float: its own, or converted in scratch memory. */
Error *resize_floats(OpContext *c, const Tensor *t, const float **ret) _warn_unused_result_;

#endif
