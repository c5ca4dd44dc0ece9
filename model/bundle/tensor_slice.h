/* SPDX-License-Identifier: Apache-2.0
 *
 * TensorSlice: a box cut out of a tensor, one run of indices a dimension. Partitioned variables
 * are stored as such boxes, and RestoreV2 may ask for one.
 */
#ifndef DIGIT_BUNDLE_TENSOR_SLICE_H
#define DIGIT_BUNDLE_TENSOR_SLICE_H

#include "model/base/buf.h"
#include "model/tensor/tensor.h"
#include "tensorflow/core/framework/tensor_slice.pb-c.h"

/* Indices [start, start + length) of each dimension of `whole`, inside it. */
typedef struct TensorSlice {
    Shape whole;
    int64_t start[SHAPE_MAX_RANK];
    int64_t length[SHAPE_MAX_RANK];
} TensorSlice;

/* The box that is all of the tensor. */
TensorSlice tensor_slice_all(const Shape *whole);

/* The shape of the box itself. */
Shape tensor_slice_shape(const TensorSlice *slice);

/* Reads TensorFlow's shape_and_slice text: the whole shape, then a run a dimension, "start,length"
 * or "-" for all: "4 10 0,2:-". INVALID_ARGUMENT for another text, a box outside the tensor, or a
 * shape that is not `whole`. */
Error *tensor_slice_parse(const char *spec, const Shape *whole,
                          TensorSlice *ret_slice) _warn_unused_result_;

/* Reads a slice of an index entry. DATA_LOSS when it does not lie inside `whole`. */
Error *tensor_slice_from_proto(const Tensorflow__TensorSliceProto *proto, const Shape *whole,
                               TensorSlice *ret_slice) _warn_unused_result_;

/* Appends the key under which the index keeps the slice `proto` of the tensor `name`. */
Error *tensor_slice_key(const char *name, const Tensorflow__TensorSliceProto *proto,
                        Buf *key) _warn_unused_result_;

/* What `a` and `b`, boxes of the same tensor, have in common; false when that is nothing. */
bool tensor_slice_intersect(const TensorSlice *a, const TensorSlice *b, TensorSlice *ret_common);

/* Copies the elements of `common`, which both boxes contain, from `from` to `to`: row-major
 * elements of `element_bytes` of the box they are named after. */
void tensor_slice_copy(const TensorSlice *common, const TensorSlice *from_slice, const void *from,
                       const TensorSlice *to_slice, void *to, size_t element_bytes);

#endif
