/* SPDX-License-Identifier: Apache-2.0
 *
 * Place: greedy by size. Each block goes into the smallest gap that fits between those blocks,
 * already placed, that are needed at the same time; or behind them all.
 */
#include "model/plan/place.h"

#include <stdbool.h>
#include <stdlib.h>

#include "model/base/arena.h"
#include "model/base/bytes.h"

static size_t aligned(size_t bytes)
{
    return (bytes + ARENA_ALIGNMENT - 1) / ARENA_ALIGNMENT * ARENA_ALIGNMENT;
}

/* Larger first; equal ones by time, so that the result is stable. */
static int compare_blocks(const void *a, const void *b)
{
    const PlaceBlock *x = *(PlaceBlock *const *)a, *y = *(PlaceBlock *const *)b;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return x < y ? -1 : x > y;
}

static bool is_alive_with(const PlaceBlock *a, const PlaceBlock *b)
{
    return a->from <= b->to && b->from <= a->to;
}

/* `placed` is sorted by offset. */
static size_t find_offset(const PlaceBlock *block, PlaceBlock *const *placed, size_t n)
{
    size_t end = 0; /* of the blocks in the way so far */
    size_t best = SIZE_MAX, best_gap = SIZE_MAX;
    for (size_t i = 0; i < n; i++) {
        const PlaceBlock *other = placed[i];
        if (!is_alive_with(block, other))
            continue;
        if (other->offset > end) {
            size_t gap = other->offset - end;
            if (gap >= block->bytes && gap < best_gap) {
                best = end;
                best_gap = gap;
            }
        }
        size_t other_end = other->offset + aligned(other->bytes);
        if (other_end > end)
            end = other_end;
    }
    return best != SIZE_MAX ? best : end;
}

Error *place_blocks(PlaceBlock *blocks, size_t n, size_t *ret_bytes)
{
    _cleanup_(freep) PlaceBlock **by_size = calloc(n + 1, sizeof(PlaceBlock *));
    _cleanup_(freep) PlaceBlock **placed = calloc(n + 1, sizeof(PlaceBlock *));
    if (by_size == NULL || placed == NULL)
        return error_out_of_memory();
    size_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        by_size[i] = &blocks[i];
        if (!checked_add(sum, blocks[i].bytes, &sum) || !checked_add(sum, ARENA_ALIGNMENT, &sum))
            return error_new(ERROR_RESOURCE_EXHAUSTED, "the plan's memory overflows");
    }
    qsort(by_size, n, sizeof(PlaceBlock *), compare_blocks);
    size_t total = 0;
    for (size_t i = 0; i < n; i++) {
        PlaceBlock *block = by_size[i];
        block->offset = find_offset(block, placed, i);
        size_t end = block->offset + aligned(block->bytes);
        if (end > total)
            total = end;
        size_t k = i;
        for (; k > 0 && placed[k - 1]->offset > block->offset; k--)
            placed[k] = placed[k - 1];
        placed[k] = block;
    }
    *ret_bytes = total;
    return NULL;
}
