/* SPDX-License-Identifier: Apache-2.0
 *
 * tensorflow.TensorProto <-> Tensor, in all forms: tensor_content; typed values; fewer values than
 * elements, where the last one is repeated; none at all, which means zeros.
 */
#ifndef DIGIT_TENSOR_TENSOR_PROTO_H
#define DIGIT_TENSOR_TENSOR_PROTO_H

#include "model/base/buf.h"
#include "model/tensor/tensor.h"
#include "tensorflow/core/framework/tensor.pb-c.h"

/* Gives a Tensor that borrows from `proto` where its bytes are the elements' already, else lies in
 * `arena`. INVALID_ARGUMENT for an unknown type, a negative or overflowing shape, a rank over
 * SHAPE_MAX_RANK, content that does not fit the shape; RESOURCE_EXHAUSTED when the arena is full. */
Error *tensor_from_proto(Arena *arena, const Tensorflow__TensorProto *proto,
                         Tensor *ret_tensor) _warn_unused_result_;

/* The same from the wire form of a TensorProto, without unpacking it first: the Tensor borrows from
 * `wire` wherever alignment lets it, so that a request's tensor is copied at most once. */
Error *tensor_from_wire(Arena *arena, Bytes wire, Tensor *ret_tensor) _warn_unused_result_;

/* The size of the wire form that tensor_to_wire writes: typed values, every element, packed, or
 * tensor_content when `as_content`. tensor_shape is always there. */
size_t tensor_wire_size(const Tensor *tensor, bool as_content);

/* Writes exactly tensor_wire_size bytes at `out` and returns the end. */
uint8_t *tensor_to_wire(const Tensor *tensor, bool as_content, uint8_t *out);

/* The i-th element as a varint carries it, signed ones with their sign in all 64 bits. For integers,
 * bools, and the bit patterns of half and bfloat16. */
uint64_t tensor_varint_at(const Tensor *tensor, int64_t i);

/* TensorShapeProto -> Shape: unknown rank and -1 let through. INVALID_ARGUMENT for a rank over
 * SHAPE_MAX_RANK or a dimension under -1. NULL gives an unknown rank. */
Error *shape_from_proto(const Tensorflow__TensorShapeProto *proto,
                        Shape *ret_shape) _warn_unused_result_;

#endif
