/* SPDX-License-Identifier: Apache-2.0
 *
 * Plan: what runs when a signature is called: steps in order, each a kernel with the numbers of the
 * values that it takes and makes. Immutable after plan_emit and shared by all threads.
 *
 *     value   >= 0: slot, a tensor that a run makes (slots [0,n_feeds) are the feeds)
 *             <  0: ~value is a constant
 *
 * A plan lies in the arena of its version's Store; plan_retire only tells the scratches of all
 * threads that it is gone.
 */
#ifndef DIGIT_PLAN_PLAN_H
#define DIGIT_PLAN_PLAN_H

#include "model/graph/control.h"
#include "model/plan/store.h"

/* What a step of control flow runs instead of a kernel. */
typedef struct StepControl {
    ControlKind kind;
    int n_plans;
    struct Plan **plans;      /* [n_plans] as Control.graphs; their feeds are the step's inputs,
                               * but for a predicate */
    const bool *is_invariant; /* as Control.is_invariant */
    int32_t first_frame;      /* of the plans, among the frame's `inner` */
    int32_t loop;             /* of a While: among the frame's `loops` */
} StepControl;

typedef struct Step {
    const Op *op;
    const char *node_name;
    const Attrs *attrs; /* for whoever looks at a plan: run needs the kernel only */
    const void *kernel;
    const StepControl *control; /* NULL: a kernel */
    int n_inputs, n_outputs, n_dead;
    const int32_t *inputs;      /* [n_inputs] values */
    const DType *output_dtypes; /* [n_outputs] */
    int32_t first_output;       /* slot of output 0; the others follow it */
    const int32_t *dead;        /* [n_dead] slots that nothing needs after this step */
} Step;

/* Whether a plan is still there, known to those who may outlive it. */
typedef struct PlanLife PlanLife;

typedef struct Plan {
    PlanLife *life;    /* NULL: of a plan that a step of another one runs */
    const Step *steps; /* [n_steps] */
    int32_t n_steps;
    int32_t n_slots;
    int32_t n_inner;         /* plans that its steps run */
    int32_t n_loops;         /* steps that are a While */
    size_t n_step_inputs;    /* of all steps */
    const int32_t *made;     /* [n_slots] step that makes it; -1: fed */
    const int32_t *last_use; /* [n_slots] last step that needs it; n_steps: an output */
    StoreConstant *const *constants;
    size_t n_feeds;
    const DType *feed_dtypes; /* [n_feeds] */
    size_t n_outputs;
    const int32_t *outputs;     /* [n_outputs] values */
    ResourceManager *resources; /* borrowed; NULL: none */
} Plan;

typedef struct PlanInput {
    Store *store;
    ResourceManager *resources; /* for kernels that run with state; may be NULL */
    Workers *workers;           /* for preparing; may be NULL */
} PlanInput;

/* Makes the plan of a graph that is in order and whose kernels are prepared (prepare.h): numbers the
 * values. The graph is not needed afterwards. */
Error *plan_emit(const PlanInput *input, const Graph *graph, Plan **ret_plan) _warn_unused_result_;

/* Whether a run leaves no trace: none of its steps, or of the plans that they run, has state. */
bool plan_is_pure(const Plan *plan);

/* Nobody runs the plan any more. Takes NULL. */
void plan_retire(Plan *plan);

/* References of scratches. */
PlanLife *plan_life_ref(PlanLife *life);
void plan_life_unref(PlanLife *life);
bool plan_life_is_over(const PlanLife *life);

#endif
