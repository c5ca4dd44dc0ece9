/* SPDX-License-Identifier: Apache-2.0
 *
 * Frame: what one scratch knows of one plan: its values, and where in memory they go.
 *
 * Kernels say what memory they want while they run (op.h), so the layout is learned: the first run
 * takes each output from malloc and gives it back after its last use; what it asked for is noted,
 * and before the next run all blocks are placed in one slab, which all plans of the thread share.
 * From then on an output that fits is at its place at once, and one that does not (a larger batch)
 * comes from malloc, is noted, and makes the slab larger before the next run. Sizes only grow, so a
 * thread settles soon.
 *
 * Memory is shared by values in two ways, both noted as SlotPlace.shares, because the layout must
 * keep the shared block for as long as the last of them lives: an alias (Reshape), and an output
 * that takes over the memory of an input that nobody else needs (op_output_reuse).
 */
#ifndef DIGIT_PLAN_FRAME_H
#define DIGIT_PLAN_FRAME_H

#include "model/plan/plan.h"
#include "model/plan/scratch.h"

#define NO_SLOT (-1)

/* One tensor's allocation outside of the slab; the memory follows it. */
typedef struct Loose Loose;

/* The memory of one slot in the run that is going on. */
typedef struct SlotMemory {
    int32_t root; /* slot whose memory it is in (itself: its own); NO_SLOT: memory of others */
    int32_t refs; /* of a root: slots in it that are still needed */
    size_t bytes; /* of a root */
    Loose *loose; /* of a root: outside of the slab */
} SlotMemory;

/* What earlier runs have taught about one slot; one more for each step, its working memory. */
typedef struct SlotPlace {
    size_t offset, bytes; /* in the slab; 0 bytes: no place there */
    size_t wanted;        /* the most that was ever asked for */
    int32_t shares;       /* slot whose memory it was in; NO_SLOT: none */
} SlotPlace;

typedef struct Frame {
    const Plan *plan;      /* only to be followed while `life` is not over */
    PlanLife *life;        /* reference; the key */
    Tensor *values;        /* [n_slots] */
    const Tensor **inputs; /* [n_step_inputs] of all steps: values and constants */
    SlotMemory *memory;    /* [n_slots] */
    SlotPlace *places;     /* [n_slots + n_steps] */
    size_t slab_bytes;     /* that the places need */
    bool is_stale;         /* `places` is to be made anew */
    Arena *arena;          /* all of this */
    struct Frame *next;
} Frame;

struct Scratch {
    Crew *crew;     /* whose workers runs may have; NULL: one thread */
    Crew *own_crew; /* the same, when no other scratch has it; NULL: borrowed */
    Frame *frames;
    uint8_t *slab; /* a mapping */
    size_t slab_bytes;
    Loose *loose; /* all that are there */
    size_t loose_bytes;
    size_t max_bytes; /* SCRATCH_MAX_BYTES; tests make do with less */
};

/* The most that one scratch holds. */
#define SCRATCH_MAX_BYTES ((size_t)4 << 30)

/* Ends the last run on the scratch (its outputs' memory goes), and gives the frame of `plan` with a
 * slab as large as its places need. */
Error *scratch_begin(Scratch *scratch, const Plan *plan, Frame **ret_frame) _warn_unused_result_;

/* `bytes` outside of the slab, aligned to ARENA_ALIGNMENT. RESOURCE_EXHAUSTED at the limit. */
Error *loose_new(Scratch *scratch, size_t bytes, Loose **ret_loose) _warn_unused_result_;
void loose_free(Scratch *scratch, Loose *loose);
void *loose_data(Loose *loose);

#endif
