/* SPDX-License-Identifier: Apache-2.0
 *
 * Measure: a plan, and what runs of it have shown: Digit knows shapes only when kernels run.
 */
#ifndef DIGIT_INSPECT_MEASURE_H
#define DIGIT_INSPECT_MEASURE_H

#include "model/model.h"
#include "model/plan/run.h"

typedef struct StepMeasure {
    double flops; /* of one run; 0: not known */
    uint64_t ns;  /* of all timed runs */
} StepMeasure;

typedef struct Measure {
    const Plan *plan;
    Shape *shapes;        /* [n_slots]; SHAPE_UNKNOWN_RANK: no run has made it */
    StepMeasure *steps;   /* [n_steps] */
    double flops;         /* of one run */
    size_t weight_bytes;  /* constants that steps look at */
    size_t scratch_bytes; /* working memory of one thread */
    int64_t n_runs;       /* timed */
    uint64_t ns;          /* of all timed runs, watching included */
    bool is_run;          /* the shapes are there */
} Measure;

typedef struct MeasureOptions {
    const Tensor *inputs; /* the plan's feeds */
    int64_t repeat;       /* timed runs; 0: only as many as it takes to know shapes and memory */
    int64_t threads;
} MeasureOptions;

/* A measure of `plan` that has not been run, in `arena`. */
Error *measure_new(Arena *arena, const Plan *plan, Measure **ret_measure) _warn_unused_result_;

/* Runs the plan. Errors of plan_run. */
Error *measure_run(Measure *measure, const MeasureOptions *options) _warn_unused_result_;

#endif
