/* SPDX-License-Identifier: Apache-2.0
 *
 * Volume: how a filter, or a pool's window, slides over the depth, rows and columns of a volume. An
 * image is a volume of depth 1. See window.h, whose attributes these are with one number more.
 */
#ifndef DIGIT_OP_VOLUME_H
#define DIGIT_OP_VOLUME_H

#include "model/op/window.h"

/* As the attributes say it. Each axis is axis 0 of a Window of its own. */
typedef struct Volume {
    int n_spatial;  /* 2 of an image, 3 of a volume: its tensors have two dimensions more */
    Window axes[3]; /* depth, rows, columns */
    bool channels_first;
} Volume;

typedef enum VolumeField { VOLUME_SIZE, VOLUME_STRIDE, VOLUME_DILATION } VolumeField;

/* Sets sizes, strides or dilations from n_spatial + 2 numbers in the order of the data format; `name`
 * is what errors call them. INVALID_ARGUMENT for those out of range, UNIMPLEMENTED for windows over
 * batch or channels. */
Error *volume_set(Volume *volume, VolumeField field, const char *name,
                  const int64_t *numbers) _warn_unused_result_;

/* Reads the attributes of an op on images (n_spatial 2) or volumes (3): strides, padding, and those
 * of data_format, ksize, dilations and explicit_paddings that there are. Errors as
 * window_from_attrs. */
Error *volume_from_attrs(const Attrs *attrs, int n_spatial,
                         Volume *ret_volume) _warn_unused_result_;

/* The axes of a call: `in` and `taps` are the sizes of the n_spatial axes. */
Error *volume_axes(const Volume *volume, const int64_t *in, const int64_t *taps,
                   WindowAxis ret_axes[3]) _warn_unused_result_;

#endif
