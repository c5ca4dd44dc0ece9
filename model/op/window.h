/* SPDX-License-Identifier: Apache-2.0
 *
 * Window: how a convolution's filter, or a pool's window, slides over the rows and columns of an
 * image: TensorFlow's strides, dilations and padding.
 */
#ifndef DIGIT_OP_WINDOW_H
#define DIGIT_OP_WINDOW_H

#include "model/op/attrs.h"

typedef enum Padding {
    PADDING_VALID, /* no window leaves the input */
    PADDING_SAME,  /* ceil(input / stride) windows; of an odd padding the larger half is behind */
    PADDING_EXPLICIT, /* as the attribute explicit_paddings says */
} Padding;

/* As the attributes say it. Index 0 is rows (height), 1 is columns (width). */
typedef struct Window {
    int64_t size[2]; /* of pools; 1 when the attributes have none */
    int64_t stride[2];
    int64_t dilation[2];
    Padding padding;
    int64_t before[2], after[2]; /* with PADDING_EXPLICIT */
    bool channels_first;         /* NCHW */
} Window;

/* The names of the attributes, which the fused convolution spells in its own way for its pool.
 * NULL: there is no such attribute. */
typedef struct WindowNames {
    const char *size, *strides, *padding, *dilations, *explicit_paddings;
} WindowNames;

/* INVALID_ARGUMENT for values that make no sense, UNIMPLEMENTED for windows over batch or channels;
 * in TensorFlow's words. */
Error *window_from_attrs(const Attrs *attrs, const WindowNames *names,
                         Window *ret_window) _warn_unused_result_;

/* The window of a convolution in its common attributes. */
Error *window_of_convolution(const Attrs *attrs, Window *ret_window) _warn_unused_result_;

/* The attribute `name` with explicit paddings, a pair (before, after) for each of `n_dims`
 * dimensions, those of batch and of dimension `channel` zero. Borrowed. INVALID_ARGUMENT in
 * TensorFlow's words. */
Error *window_explicit_paddings(const Attrs *attrs, const char *name, int n_dims, int channel,
                                const int64_t **ret_paddings) _warn_unused_result_;

/* One axis of one call: input position out * stride - before + tap * dilation belongs to tap `tap`
 * of window `out`. */
typedef struct WindowAxis {
    int64_t in, taps, stride, dilation, out, before;
} WindowAxis;

/* The axis that is missing where an image is taken for a volume: one position, one tap. */
extern const WindowAxis window_flat_axis;

/* Axis 0 or 1 of `window` with a window of `taps` positions over `in` of them. INVALID_ARGUMENT
 * when the window is larger than the padded input. */
Error *window_axis(const Window *window, int axis, int64_t in, int64_t taps,
                   WindowAxis *ret_axis) _warn_unused_result_;

/* The taps [first, end) of window `out` that lie in the input; first == end when none does. */
void window_taps(const WindowAxis *axis, int64_t out, int64_t *ret_first, int64_t *ret_end);

#endif
