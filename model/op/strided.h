/* SPDX-License-Identifier: Apache-2.0
 *
 * StridedCopy: elements from one place to another, each with its own step for every dimension. What
 * Transpose, Slice, Concat, Pad, Tile and their like do is one such copy each.
 *
 * Elements of all types are moved by their size; the bytes of strings stay where they are.
 */
#ifndef DIGIT_OP_STRIDED_H
#define DIGIT_OP_STRIDED_H

#include <stddef.h>
#include <stdint.h>

#include "model/base/workers.h"
#include "model/tensor/tensor.h"

#define STRIDED_MAX_RANK (2 * SHAPE_MAX_RANK) /* Tile walks each dimension twice */

typedef struct StridedCopy {
    int rank;
    int64_t dims[STRIDED_MAX_RANK];
    int64_t from[STRIDED_MAX_RANK]; /* in elements; may be 0 or negative */
    int64_t to[STRIDED_MAX_RANK];
} StridedCopy;

/* Appends an inner dimension; joins it to the last one where both sides walk them as one. Begin
 * with a StridedCopy of zeros. */
void strided_add(StridedCopy *copy, int64_t dim, int64_t from, int64_t to);

/* Copies. `from` and `to` are the first elements; they do not overlap. */
void strided_run(const StridedCopy *copy, size_t size, const void *from, void *to);

/* The same, shared with `workers` (NULL: alone) where it is long enough. */
void strided_run_shared(const StridedCopy *copy, size_t size, const void *from, void *to,
                        Workers *workers);

/* Steps of the dimensions of a tensor of that shape. */
void shape_strides(const Shape *shape, int64_t strides[SHAPE_MAX_RANK]);

/* The element after `n` elements of `size` bytes. */
static inline const void *element_after(const void *data, int64_t n, size_t size)
{
    return data == NULL ? NULL : (const char *)data + n * (int64_t)size;
}

#endif
