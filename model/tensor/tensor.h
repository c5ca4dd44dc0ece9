/* SPDX-License-Identifier: Apache-2.0
 *
 * Tensor: element type, shape, and row-major elements that somebody else owns.
 *
 * A Tensor is a small value that is copied freely; whoever made the memory says how long it lives
 * (an arena, a plan, a variable). The elements of a DT_STRING tensor are `Bytes`, whose bytes live
 * as long as the tensor's own memory.
 */
#ifndef DIGIT_TENSOR_TENSOR_H
#define DIGIT_TENSOR_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/error.h"
#include "model/tensor/dtype.h"

#define SHAPE_MAX_RANK 8
#define SHAPE_UNKNOWN_RANK (-1) /* only in the partial shapes of signatures and attributes */

/* dims[0..rank). In a partial shape a dimension may be -1 (any size). */
typedef struct Shape {
    int rank;
    int64_t dims[SHAPE_MAX_RANK];
} Shape;

typedef struct Tensor {
    DType dtype;
    Shape shape;
    int64_t n;  /* number of elements: the product of the dimensions */
    void *data; /* n * dtype_size(dtype) bytes; may be NULL when n is 0 */
} Tensor;

/* shape_of(2, 3) is [2,3]; shape_of() is a scalar's. A compound literal: its address may be taken,
 * and too many dimensions are an error of the compiler's. */
#define shape_of(...)                                                                              \
    ((Shape){ (int)(sizeof((int64_t[]){ 0, ##__VA_ARGS__ }) / sizeof(int64_t)) - 1,                \
              { __VA_ARGS__ } })
Shape shape_make(int rank, const int64_t *dims);

/* The number of elements. INVALID_ARGUMENT when a dimension is negative, or when the product times
 * 16 bytes would not fit in an int64_t. */
Error *shape_count(const Shape *shape, int64_t *ret_n) _warn_unused_result_;

bool shape_equal(const Shape *a, const Shape *b);

/* True when `shape` is one of those that the partial shape stands for. */
bool shape_allows(const Shape *partial, const Shape *shape);

/* "[2,28,28,1]", with "?" for -1, "<unknown>" for an unknown rank: TensorFlow's own spelling. Writes
 * into the caller's `text` and returns it. */
#define SHAPE_TEXT_BYTES 192
const char *shape_text(const Shape *shape, char text[SHAPE_TEXT_BYTES]);

/* A tensor in `arena`, elements uninitialised (strings: empty). Fails as shape_count, and
 * RESOURCE_EXHAUSTED when the arena is full. */
Error *tensor_new(Arena *arena, DType dtype, const Shape *shape,
                  Tensor *ret_tensor) _warn_unused_result_;

/* A scalar or vector view of memory of the caller. */
Tensor tensor_view(DType dtype, const Shape *shape, const void *data);

/* A deep copy in `arena`, the bytes of strings included. Not for resources and variants. */
Error *tensor_copy(Arena *arena, const Tensor *tensor, Tensor *ret_tensor) _warn_unused_result_;

/* Same type, shape and elements: bit by bit, strings by their bytes. */
bool tensor_equal(const Tensor *a, const Tensor *b);

/* n * dtype_size. */
size_t tensor_bytes(const Tensor *tensor);

/* The same memory under another shape of the same number of elements. */
Tensor tensor_reshaped(const Tensor *tensor, const Shape *shape);

/* The i-th element of an int32 or int64 tensor (axes, shapes, sizes), or of one of the other types
 * that TensorFlow has indices of: int8, uint8, int16. */
int64_t tensor_index_at(const Tensor *tensor, int64_t i);

/* A one-dimensional int32 or int64 tensor (or a scalar) as a shape. INVALID_ARGUMENT for another
 * type, a rank over one, or more than SHAPE_MAX_RANK elements. Negative dims are let through. */
Error *tensor_to_shape(const Tensor *tensor, Shape *ret_shape) _warn_unused_result_;

#endif
