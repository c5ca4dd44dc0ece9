/* SPDX-License-Identifier: Apache-2.0
 *
 * Run: one execution of a plan on one scratch.
 */
#ifndef DIGIT_PLAN_RUN_H
#define DIGIT_PLAN_RUN_H

#include "model/plan/plan.h"
#include "model/plan/scratch.h"

/* Sees every step that has run: its number in the plan, what its kernel was given and gave, and how
 * long it took. What runs within a step (the body of a loop) is a part of it. */
typedef struct PlanWatch {
    void (*step_done)(void *data, int32_t number, const OpContext *context, uint64_t ns);
    void *data;
} PlanWatch;

/* Whether nobody waits for the answer any more. It is asked when a run takes long: not before
 * RUN_ASK_NS have passed, and not more often, between steps and by loops. */
typedef struct RunCancel {
    bool (*is_cancelled)(void *data);
    void *data;
} RunCancel;

#define RUN_ASK_NS 20000000u

typedef struct PlanRun {
    const Plan *plan;
    const Tensor *feeds;  /* [plan->n_feeds], of the plan's types; borrowed until the outputs have
                           * been used: an output may be a feed */
    uint64_t deadline_ns; /* CLOCK_MONOTONIC; 0: none. Checked between steps */
    const RunCancel *cancel; /* NULL: runs to its end */
    const PlanWatch *watch;  /* NULL: nobody looks, and no clock is read */
    Scratch *scratch;
    Arena *arena; /* for bytes of strings and copies of variables */
} PlanRun;

/* Runs the steps in order and gives outputs[0..plan->n_outputs), which lie in the scratch, in the
 * arena, in the plan or in the feeds, and are valid until the next run on that scratch.
 *
 * What kernels say, with "\n\t [[{{node NAME}}]]" behind it; DEADLINE_EXCEEDED; CANCELLED;
 * RESOURCE_EXHAUSTED past SCRATCH_MAX_BYTES. Thread-safe for different scratches and arenas. */
Error *plan_run(const PlanRun *run, Tensor *outputs) _warn_unused_result_;

#endif
