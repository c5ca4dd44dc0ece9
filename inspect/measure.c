/* SPDX-License-Identifier: Apache-2.0
 *
 * Measure. The first run allocates and the second one finds its layout made (plan/frame.h): only
 * those after them are timed.
 */
#include "inspect/measure.h"

#include <time.h>

#include "model/plan/flops.h"

#define WARM_RUNS 2

Error *measure_new(Arena *arena, const Plan *plan, Measure **ret_measure)
{
    Measure *measure = arena_calloc(arena, 1, sizeof *measure);
    if (measure == NULL)
        return error_out_of_memory();
    measure->plan = plan;
    measure->shapes = arena_calloc(arena, (size_t)plan->n_slots, sizeof(Shape));
    measure->steps = arena_calloc(arena, (size_t)plan->n_steps, sizeof(StepMeasure));
    if (measure->shapes == NULL || measure->steps == NULL)
        return error_out_of_memory();
    for (int32_t i = 0; i < plan->n_slots; i++)
        measure->shapes[i].rank = SHAPE_UNKNOWN_RANK;
    *ret_measure = measure;
    return NULL;
}

static void learn(void *data, int32_t number, const OpContext *context, _unused_ uint64_t ns)
{
    Measure *measure = data;
    const Step *step = &measure->plan->steps[number];
    measure->steps[number].flops = step_flops(step, context->inputs, context->outputs);
    measure->flops += measure->steps[number].flops;
    for (int i = 0; i < step->n_outputs; i++)
        measure->shapes[step->first_output + i] = context->outputs[i].shape;
}

static void take_time(void *data, int32_t number, _unused_ const OpContext *context, uint64_t ns)
{
    Measure *measure = data;
    measure->steps[number].ns += ns;
}

static int compare_pointers(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t) * (StoreConstant *const *)a,
              y = (uintptr_t) * (StoreConstant *const *)b;
    return (x > y) - (x < y);
}

/* Bytes of the constants that steps take and that are still there, each once; what was packed is
 * not. */
static Error *count_weights(const Plan *plan, size_t *ret_bytes)
{
    _cleanup_(freep) StoreConstant **constants = calloc(plan->n_step_inputs + 1, sizeof *constants);
    size_t n = 0;
    if (constants == NULL)
        return error_out_of_memory();
    for (int32_t s = 0; s < plan->n_steps; s++)
        for (int i = 0; i < plan->steps[s].n_inputs; i++)
            if (plan->steps[s].inputs[i] < 0)
                constants[n++] = plan->constants[~plan->steps[s].inputs[i]];
    qsort(constants, n, sizeof *constants, compare_pointers);
    *ret_bytes = 0;
    for (size_t i = 0; i < n; i++)
        if ((i == 0 || constants[i] != constants[i - 1]) && constants[i]->tensor.data != NULL)
            *ret_bytes += tensor_bytes(&constants[i]->tensor);
    return NULL;
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static Error *run_times(PlanRun *run, int64_t n, Tensor *outputs)
{
    for (int64_t i = 0; i < n; i++) {
        arena_reset(run->arena, SIZE_MAX);
        TRY(plan_run(run, outputs));
    }
    return NULL;
}

Error *measure_run(Measure *measure, const MeasureOptions *options)
{
    const Plan *plan = measure->plan;
    const PlanWatch learning = { learn, measure }, timing = { take_time, measure };
    _cleanup_(arena_freep) Arena *arena = arena_new(64 << 10, 0);
    _cleanup_(scratch_freep) Scratch *scratch = scratch_new((int)options->threads);
    _cleanup_(freep) Tensor *outputs = calloc(plan->n_outputs + 1, sizeof *outputs);
    if (arena == NULL || scratch == NULL || outputs == NULL)
        return error_out_of_memory();
    PlanRun run = { .plan = plan,
                    .feeds = options->inputs,
                    .watch = &learning,
                    .scratch = scratch,
                    .arena = arena };
    TRY(run_times(&run, 1, outputs));
    run.watch = NULL;
    TRY(run_times(&run, WARM_RUNS, outputs));
    for (size_t i = 0; i < plan->n_feeds; i++)
        measure->shapes[i] = options->inputs[i].shape;
    measure->is_run = true;
    TRY(count_weights(plan, &measure->weight_bytes));
    measure->scratch_bytes = scratch_bytes(scratch);
    run.watch = &timing;
    uint64_t start = now_ns();
    TRY(run_times(&run, options->repeat, outputs));
    measure->ns = now_ns() - start;
    measure->n_runs = options->repeat;
    return NULL;
}
