/* SPDX-License-Identifier: Apache-2.0
 *
 * IDX: the format of the MNIST files, gzip or not.
 *
 *   offset  size  what
 *   0       2     zero
 *   2       1     element type: 0x08 is unsigned byte, the only one read here
 *   3       1     number of dimensions, 1..IDX_MAX_RANK
 *   4       4*r   dimensions, 32-bit big-endian
 *   4+4*r         elements, row-major
 *
 * Source: http://yann.lecun.com/exdb/mnist/, "The IDX file format"; RFC 1952 for gzip.
 */
#ifndef DIGIT_TRAIN_IDX_H
#define DIGIT_TRAIN_IDX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/error.h"

#define IDX_MAX_RANK 3
#define IDX_MAX_BYTES ((size_t)512 << 20) /* of elements; MNIST's training images are 47 MB */

typedef struct Idx {
    int rank;
    size_t dims[IDX_MAX_RANK];
    const uint8_t *data; /* in the arena, or in the bytes that were given */
} Idx;

/* Decodes `file`, the bytes of an IDX file or of its gzip form; `rank` is what it must have. The
 * elements lie in `arena` (gzip) or are borrowed from `file`. INVALID_ARGUMENT when the header is
 * no such header or bytes are left over; DATA_LOSS when the file is cut off or its gzip stream
 * broken; RESOURCE_EXHAUSTED over IDX_MAX_BYTES. Memory is bounded by what `file` can hold: a
 * header that promises more than gzip's best ratio allows is refused before anything is allocated.
 */
Error *idx_decode(Arena *arena, Bytes file, int rank, Idx *ret_idx) _warn_unused_result_;

/* Reads `path` and decodes it; the error names the path. Errors as file_read and idx_decode. */
Error *idx_read(Arena *arena, const char *path, int rank, Idx *ret_idx) _warn_unused_result_;

#endif
