/* SPDX-License-Identifier: Apache-2.0
 *
 * Place: puts blocks of memory that are needed at different times into one piece.
 */
#ifndef DIGIT_PLAN_PLACE_H
#define DIGIT_PLAN_PLACE_H

#include <stddef.h>
#include <stdint.h>

#include "model/base/error.h"

typedef struct PlaceBlock {
    size_t bytes;
    int32_t from, to; /* steps that need it, both included */
    size_t offset;    /* out; a multiple of ARENA_ALIGNMENT */
} PlaceBlock;

/* Sets the offsets so that blocks needed at one time do not overlap, and gives the bytes of the
 * whole. Best fit, the largest first: Pisarchyk and Lee, "Efficient Memory Management for Deep
 * Neural Net Inference" (2020), "greedy by size". RESOURCE_EXHAUSTED when the sum overflows or
 * memory is out. */
Error *place_blocks(PlaceBlock *blocks, size_t n, size_t *ret_bytes) _warn_unused_result_;

#endif
