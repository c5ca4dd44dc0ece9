/* SPDX-License-Identifier: Apache-2.0
 *
 * Zeroed float memory for the trainer's buffers.
 */
#ifndef DIGIT_TRAIN_FLOATS_H
#define DIGIT_TRAIN_FLOATS_H

#include <string.h>

#include "model/base/arena.h"
#include "model/base/bytes.h"

/* n * each zeroed floats in `arena`, aligned to ARENA_ALIGNMENT; NULL when memory is out. */
static inline float *floats_new(Arena *arena, size_t n, size_t each)
{
    size_t count, bytes;
    if (!checked_mul(n, each, &count) || !checked_mul(count, sizeof(float), &bytes))
        return NULL;
    float *floats = arena_alloc_aligned(arena, bytes);
    if (floats != NULL)
        memset(floats, 0, bytes);
    return floats;
}

#endif
