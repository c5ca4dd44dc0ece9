/* SPDX-License-Identifier: Apache-2.0
 *
 * Scratch and its frames: see frame.h. Nothing here runs a kernel, and between the first runs and
 * the next trim nothing here allocates.
 */
#include <string.h>
#include <sys/mman.h>

#include "model/base/bytes.h"
#include "model/plan/frame.h"
#include "model/plan/place.h"

#define FRAME_BLOCK_BYTES ((size_t)16 << 10)

struct Loose {
    Loose *previous, *next;
    size_t bytes;
    /* the memory begins ARENA_ALIGNMENT bytes after the start */
};

_Static_assert(sizeof(Loose) <= ARENA_ALIGNMENT, "the header fits before the memory");

/* ---- loose memory and slab ----------------------------------------------------------------- */

static Error *check_limit(const Scratch *scratch, size_t bytes)
{
    if (bytes > scratch->max_bytes || scratch_bytes(scratch) > scratch->max_bytes - bytes)
        return error_new(ERROR_RESOURCE_EXHAUSTED,
                         "the run needs more than the limit of %zu bytes of working memory",
                         scratch->max_bytes);
    return NULL;
}

Error *loose_new(Scratch *scratch, size_t bytes, Loose **ret_loose)
{
    void *memory = NULL;
    TRY(check_limit(scratch, bytes));
    if (posix_memalign(&memory, ARENA_ALIGNMENT, bytes + ARENA_ALIGNMENT) != 0)
        return error_out_of_memory();
    Loose *loose = memory;
    *loose = (Loose){ NULL, scratch->loose, bytes };
    if (loose->next != NULL)
        loose->next->previous = loose;
    scratch->loose = loose;
    scratch->loose_bytes += bytes;
    *ret_loose = loose;
    return NULL;
}

void loose_free(Scratch *scratch, Loose *loose)
{
    if (loose->previous != NULL)
        loose->previous->next = loose->next;
    else
        scratch->loose = loose->next;
    if (loose->next != NULL)
        loose->next->previous = loose->previous;
    scratch->loose_bytes -= loose->bytes;
    free(loose);
}

void *loose_data(Loose *loose)
{
    return (uint8_t *)loose + ARENA_ALIGNMENT;
}

static void free_all_loose(Scratch *scratch)
{
    while (scratch->loose != NULL)
        loose_free(scratch, scratch->loose);
}

static void keep_free(Scratch *scratch, Keep *keep)
{
    scratch->kept_bytes -= keep->bytes;
    free(keep->data);
    *keep = (Keep){ 0 };
}

/* What has to grow again gets some room, as places do (run.c). */
Error *keep_grow(Scratch *scratch, Keep *keep, size_t bytes)
{
    void *memory = NULL;
    size_t room = keep->bytes > 0 ? bytes / 4 : 0;
    keep_free(scratch, keep);
    TRY(check_limit(scratch, bytes + room));
    if (posix_memalign(&memory, ARENA_ALIGNMENT, bytes + room) != 0)
        return error_out_of_memory();
    *keep = (Keep){ memory, bytes + room };
    scratch->kept_bytes += keep->bytes;
    return NULL;
}

/* False when the system has no more; the slab is gone then. */
static bool set_slab(Scratch *scratch, size_t bytes)
{
    if (scratch->slab != NULL)
        munmap(scratch->slab, scratch->slab_bytes);
    scratch->slab = NULL;
    scratch->slab_bytes = 0;
    if (bytes == 0)
        return true;
    void *slab = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (slab == MAP_FAILED)
        return false;
    scratch->slab = slab;
    scratch->slab_bytes = bytes;
    return true;
}

/* ---- layout -------------------------------------------------------------------------------- */

/* Fills one block for each place that wants memory, and says which place each one is of. */
static size_t collect_blocks(const Frame *frame, const int32_t *end, PlaceBlock *blocks,
                             int32_t *place_of)
{
    const Plan *plan = frame->plan;
    size_t n = 0;
    for (int32_t i = 0; i < plan->n_slots + plan->n_steps; i++) {
        if (frame->places[i].wanted == 0)
            continue;
        int32_t step = i - plan->n_slots;
        place_of[n] = i;
        blocks[n++] = (PlaceBlock){ .bytes = frame->places[i].wanted,
                                    .from = step >= 0 ? step : plan->made[i],
                                    .to = step >= 0 ? step : end[i] };
    }
    return n;
}

static Error *make_places(Frame *frame)
{
    const Plan *plan = frame->plan;
    size_t n_places = (size_t)plan->n_slots + (size_t)plan->n_steps;
    _cleanup_(freep) int32_t *end = calloc((size_t)plan->n_slots + 1, sizeof *end);
    _cleanup_(freep) int32_t *place_of = calloc(n_places + 1, sizeof *place_of);
    _cleanup_(freep) PlaceBlock *blocks = calloc(n_places + 1, sizeof *blocks);
    if (end == NULL || place_of == NULL || blocks == NULL)
        return error_out_of_memory();
    /* What is shared lives as long as the last one in it. A value shares the memory of an earlier
     * one only, so one pass from the end is enough. */
    for (int32_t i = plan->n_slots - 1; i >= 0; i--) {
        int32_t root = frame->places[i].shares;
        end[i] = plan->last_use[i] > end[i] ? plan->last_use[i] : end[i];
        if (root != NO_SLOT && end[root] < end[i])
            end[root] = end[i];
    }
    size_t n = collect_blocks(frame, end, blocks, place_of);
    TRY(place_blocks(blocks, n, &frame->slab_bytes));
    for (size_t i = 0; i < n; i++) {
        frame->places[place_of[i]].offset = blocks[i].offset;
        frame->places[place_of[i]].bytes = blocks[i].bytes;
    }
    frame->is_stale = false;
    return NULL;
}

/* Without a layout all memory is loose, and the limit is met there. */
static void forget_places(Frame *frame)
{
    size_t n = (size_t)frame->plan->n_slots + (size_t)frame->plan->n_steps;
    for (size_t i = 0; i < n; i++)
        frame->places[i].bytes = frame->places[i].wanted = 0;
    frame->slab_bytes = 0;
    frame->is_stale = false;
}

/* ---- frames -------------------------------------------------------------------------------- */

static void free_carries(Scratch *scratch, Frame *frame)
{
    for (size_t i = 0; i < frame->n_inner; i++)
        if (frame->inner[i] != NULL)
            free_carries(scratch, frame->inner[i]);
    for (size_t i = 0; i < frame->n_loops; i++) {
        for (size_t k = 0; k < frame->loops[i].n; k++) {
            keep_free(scratch, &frame->loops[i].carries[k].buffers[0]);
            keep_free(scratch, &frame->loops[i].carries[k].buffers[1]);
        }
    }
}

static void frame_free(Frame *frame)
{
    for (size_t i = 0; i < frame->n_inner; i++)
        if (frame->inner[i] != NULL)
            frame_free(frame->inner[i]);
    if (frame->life != NULL)
        plan_life_unref(frame->life);
    arena_free(frame->arena);
}

/* Where each step finds its inputs: that never changes. */
static void point_inputs(Frame *frame)
{
    const Plan *plan = frame->plan;
    size_t k = 0;
    for (int32_t s = 0; s < plan->n_steps; s++) {
        const Step *step = &plan->steps[s];
        for (int i = 0; i < step->n_inputs; i++) {
            int32_t value = step->inputs[i];
            frame->inputs[k++] =
                value >= 0 ? &frame->values[value] : &plan->constants[~value]->tensor;
        }
    }
}

static Error *frame_new(const Plan *plan, Frame **ret_frame)
{
    size_t n_slots = (size_t)plan->n_slots, n_places = n_slots + (size_t)plan->n_steps;
    _cleanup_(arena_freep) Arena *arena = arena_new(FRAME_BLOCK_BYTES, 0);
    if (arena == NULL)
        return error_out_of_memory();
    Frame *frame = arena_calloc(arena, 1, sizeof *frame);
    if (frame == NULL)
        return error_out_of_memory();
    frame->plan = plan;
    frame->values = arena_calloc(arena, n_slots, sizeof(Tensor));
    frame->inputs = arena_calloc(arena, plan->n_step_inputs, sizeof(Tensor *));
    frame->memory = arena_calloc(arena, n_slots, sizeof(SlotMemory));
    frame->places = arena_calloc(arena, n_places, sizeof(SlotPlace));
    frame->inner = arena_calloc(arena, (size_t)plan->n_inner, sizeof(Frame *));
    frame->loops = arena_calloc(arena, (size_t)plan->n_loops, sizeof(Loop));
    if (frame->values == NULL || frame->inputs == NULL || frame->memory == NULL ||
        frame->places == NULL || frame->inner == NULL || frame->loops == NULL)
        return error_out_of_memory();
    frame->n_inner = (size_t)plan->n_inner;
    frame->n_loops = (size_t)plan->n_loops;
    for (size_t i = 0; i < n_slots; i++)
        frame->memory[i].root = NO_SLOT;
    for (size_t i = 0; i < n_places; i++)
        frame->places[i].shares = NO_SLOT;
    point_inputs(frame);
    frame->life = plan->life != NULL ? plan_life_ref(plan->life) : NULL;
    frame->arena = TAKE(arena);
    *ret_frame = frame;
    return NULL;
}

Error *frame_inner(Frame *frame, int32_t number, const Plan *plan, Frame **ret_inner)
{
    if (frame->inner[number] == NULL)
        TRY(frame_new(plan, &frame->inner[number]));
    *ret_inner = frame->inner[number];
    return NULL;
}

Error *frame_settle(Frame *frame)
{
    return frame->is_stale ? make_places(frame) : NULL;
}

Error *frame_loop(Frame *frame, int32_t number, size_t n, Loop **ret_loop)
{
    Loop *loop = &frame->loops[number];
    if (loop->carries == NULL) {
        loop->carries = arena_calloc(frame->arena, n, sizeof(Carry));
        if (loop->carries == NULL)
            return error_out_of_memory();
        loop->n = n;
    }
    *ret_loop = loop;
    return NULL;
}

static void drop_dead_frames(Scratch *scratch)
{
    Frame **at = &scratch->frames;
    while (*at != NULL) {
        Frame *frame = *at;
        if (plan_life_is_over(frame->life)) {
            *at = frame->next;
            free_carries(scratch, frame);
            frame_free(frame);
        } else {
            at = &frame->next;
        }
    }
}

static Error *find_frame(Scratch *scratch, const Plan *plan, Frame **ret_frame)
{
    for (Frame *frame = scratch->frames; frame != NULL; frame = frame->next) {
        if (frame->life == plan->life) {
            *ret_frame = frame;
            return NULL;
        }
    }
    drop_dead_frames(scratch);
    Frame *frame = NULL;
    TRY(frame_new(plan, &frame));
    frame->next = scratch->frames;
    scratch->frames = frame;
    *ret_frame = frame;
    return NULL;
}

Error *scratch_begin(Scratch *scratch, const Plan *plan, Frame **ret_frame)
{
    Frame *frame = NULL;
    free_all_loose(scratch);
    TRY(find_frame(scratch, plan, &frame));
    if (frame->is_stale)
        TRY(make_places(frame));
    if (frame->slab_bytes > scratch->slab_bytes &&
        (frame->slab_bytes > scratch->max_bytes || !set_slab(scratch, frame->slab_bytes)))
        forget_places(frame);
    frame->slab = scratch->slab;
    *ret_frame = frame;
    return NULL;
}

/* ---- scratch ------------------------------------------------------------------------------- */

Scratch *scratch_new_shared(Crew *crew)
{
    Scratch *scratch = calloc(1, sizeof *scratch);
    if (scratch == NULL)
        return NULL;
    scratch->max_bytes = SCRATCH_MAX_BYTES;
    scratch->crew = crew;
    return scratch;
}

Scratch *scratch_new(int n_threads)
{
    _cleanup_(crew_freep) Crew *crew = NULL;
    if (n_threads > 1) {
        Error *error = crew_new(n_threads, n_threads, &crew);
        if (error != NULL) {
            error_free(error);
            return NULL;
        }
    }
    Scratch *scratch = scratch_new_shared(crew);
    if (scratch != NULL)
        scratch->own_crew = TAKE(crew);
    return scratch;
}

Scratch *scratch_free(Scratch *scratch)
{
    if (scratch == NULL)
        return NULL;
    free_all_loose(scratch);
    while (scratch->frames != NULL) {
        Frame *frame = scratch->frames;
        scratch->frames = frame->next;
        free_carries(scratch, frame);
        frame_free(frame);
    }
    set_slab(scratch, 0);
    crew_free(scratch->own_crew);
    free(scratch);
    return NULL;
}

void scratch_trim(Scratch *scratch)
{
    size_t needed = 0;
    free_all_loose(scratch);
    drop_dead_frames(scratch);
    for (Frame *frame = scratch->frames; frame != NULL; frame = frame->next) {
        free_carries(scratch, frame);
        if (frame->slab_bytes > needed)
            needed = frame->slab_bytes;
    }
    if (needed < scratch->slab_bytes)
        set_slab(scratch, 0); /* the next run makes one of the right size */
}

size_t scratch_bytes(const Scratch *scratch)
{
    return scratch->slab_bytes + scratch->loose_bytes + scratch->kept_bytes;
}
