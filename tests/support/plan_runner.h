/* SPDX-License-Identifier: Apache-2.0
 *
 * PlanRunner: a GraphDef compiled and run, for tests that look at graphs and plans.
 */
#ifndef DIGIT_TESTS_SUPPORT_PLAN_RUNNER_H
#define DIGIT_TESTS_SUPPORT_PLAN_RUNNER_H

#include "model/op/resource.h"
#include "model/plan/compile.h"
#include "model/plan/run.h"

typedef struct PlanRunner {
    Arena *arena;     /* of the GraphDef and the graphs */
    Arena *run_arena; /* of the last run */
    Library *library;
    Store *store;
    ResourceManager *resources;
    Scratch *scratch;
    Plan *plan;
    bool as_written; /* set after init: plans without folding, simplifying, fusing */
} PlanRunner;

/* Initialises the caller's storage with the graph of `text` (graph_text.h). Always to be followed
 * by plan_runner_done. */
Error *plan_runner_init(PlanRunner *runner, const char *text) _warn_unused_result_;

/* The same with the bytes of a GraphDef. */
Error *plan_runner_init_bytes(PlanRunner *runner, Bytes graph_def) _warn_unused_result_;
void plan_runner_done(PlanRunner *runner);

/* Runs the node `target`, as the bundle's restore and init ops are run. */
Error *plan_runner_target(PlanRunner *runner, const char *target) _warn_unused_result_;

/* Compiles "feed,feed" -> "output,output". */
Error *plan_runner_compile(PlanRunner *runner, const char *feeds,
                           const char *outputs) _warn_unused_result_;

/* Runs the plan that was compiled last. */
Error *plan_runner_run(PlanRunner *runner, const Tensor *feeds,
                       Tensor *outputs) _warn_unused_result_;

/* The number of steps of the plan whose op is `op`; all of them for NULL. */
int plan_runner_count(const PlanRunner *runner, const char *op);

#endif
