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
 *
 * A plan that a step of another plan runs (a branch, a loop's body) has a frame within that plan's
 * frame; its slab is the step's working memory. What a loop carries from one iteration to the next
 * is copied out of the body's frame into buffers of the loop.
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

/* Memory that stays from run to run, and grows. */
typedef struct Keep {
    void *data;
    size_t bytes;
} Keep;

/* One value that a loop carries: the body reads it from one buffer and it is stored in the other,
 * because the body may hand on one value as another. */
typedef struct Carry {
    Tensor value;
    Keep buffers[2];
} Carry;

typedef struct Loop {
    Carry *carries; /* [n] */
    size_t n;
} Loop;

typedef struct Frame {
    const Plan *plan;      /* only to be followed while `life` is not over */
    PlanLife *life;        /* reference; the key. NULL: a frame within a frame */
    Tensor *values;        /* [n_slots] */
    const Tensor **inputs; /* [n_step_inputs] of all steps: values and constants */
    SlotMemory *memory;    /* [n_slots] */
    SlotPlace *places;     /* [n_slots + n_steps] */
    uint8_t *slab;         /* of the run that is going on: where the places are */
    size_t slab_bytes;     /* that the places need */
    bool is_stale;         /* `places` is to be made anew */
    struct Frame **inner;  /* [n_inner] of the plans that steps run; NULL: not yet run */
    size_t n_inner;
    Loop *loops; /* [n_loops] */
    size_t n_loops;
    Arena *arena; /* all of this */
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
    size_t kept_bytes; /* of all Keeps */
    size_t max_bytes;  /* SCRATCH_MAX_BYTES; tests make do with less */
};

/* The most that one scratch holds. */
#define SCRATCH_MAX_BYTES ((size_t)4 << 30)

/* Ends the last run on the scratch (its outputs' memory goes), and gives the frame of `plan` with a
 * slab as large as its places need. */
Error *scratch_begin(Scratch *scratch, const Plan *plan, Frame **ret_frame) _warn_unused_result_;

/* When a run that has begun has to end without having reached its end. */
typedef struct RunLimit {
    uint64_t deadline_ns; /* CLOCK_MONOTONIC; 0: none */
    const struct RunCancel *cancel;
    uint64_t ask_ns; /* when to ask `cancel` next */
} RunLimit;

/* One execution of one plan. */
typedef struct Run {
    const Plan *plan;
    const struct PlanWatch *watch; /* of the outermost run only */
    Scratch *scratch;
    Frame *frame;
    RunLimit *limit; /* of the outermost run */
    Arena *arena;    /* the caller's */
    const Step *step;
    int32_t number;        /* of the step */
    size_t scratch_bytes;  /* that the step has asked for so far */
    Loose *step_loose[32]; /* its working memory outside of the slab */
    int n_step_loose;
} Run;

/* Runs the plan of `frame`, whose feeds are there, as a part of the run `outer`. The outputs are
 * valid until run_inner_end. */
Error *run_inner(const Run *outer, Frame *frame) _warn_unused_result_;
const Tensor *run_inner_output(const Frame *frame, size_t i);
void run_inner_end(const Run *outer, Frame *frame);

uint64_t run_now_ns(void);

/* CANCELLED when it is; `now_ns` is run_now_ns(). */
Error *run_check_cancel(RunLimit *limit, uint64_t now_ns) _warn_unused_result_;

/* The frame for plan `plan` of the step, made if need be. Its slab is not set. */
Error *frame_inner(Frame *frame, int32_t number, const Plan *plan,
                   Frame **ret_inner) _warn_unused_result_;

/* Places the memory of a frame within a frame, if that is to be made anew. */
Error *frame_settle(Frame *frame) _warn_unused_result_;

/* Makes room for n carries. */
Error *frame_loop(Frame *frame, int32_t number, size_t n, Loop **ret_loop) _warn_unused_result_;

/* Makes the memory `bytes` large, without what was in it. RESOURCE_EXHAUSTED at the limit. */
Error *keep_grow(Scratch *scratch, Keep *keep, size_t bytes) _warn_unused_result_;

/* `bytes` outside of the slab, aligned to ARENA_ALIGNMENT. RESOURCE_EXHAUSTED at the limit. */
Error *loose_new(Scratch *scratch, size_t bytes, Loose **ret_loose) _warn_unused_result_;
void loose_free(Scratch *scratch, Loose *loose);
void *loose_data(Loose *loose);

#endif
