/* SPDX-License-Identifier: Apache-2.0
 *
 * Run: the loop over the steps, and what it does for kernels (OpHost): memory. How memory is laid
 * out is in frame.h; here each request is met from the slab where its place is large enough, else
 * by an allocation that is noted for the next layout.
 */
#include "model/plan/run.h"

#include <string.h>
#include <time.h>

#include "model/plan/control.h"
#include "model/plan/frame.h"

/* Memory for what has no elements: never read, never NULL. */
static _Alignas(ARENA_ALIGNMENT) uint8_t nothing[ARENA_ALIGNMENT];

static Error *check_output(const Run *run, int i, DType dtype)
{
    if (dtype != run->step->output_dtypes[i])
        return error_new(ERROR_INTERNAL, "output %d of %s is %s, the op's row says %s", i,
                         run->step->op->name, dtype_name(dtype),
                         dtype_name(run->step->output_dtypes[i]));
    return NULL;
}

/* Notes that a place was too small. One that has to grow again gets some room, so that sizes that
 * creep up do not each cost a new layout. */
static void note_wanted(Frame *frame, int32_t place, size_t bytes)
{
    SlotPlace *p = &frame->places[place];
    if (bytes <= p->wanted)
        return;
    p->wanted = p->wanted == 0 ? bytes : bytes + bytes / 4;
    frame->is_stale = true;
}

/* ---- host ---------------------------------------------------------------------------------- */

/* Memory of its own for `slot`. */
static Error *own_memory(Run *run, int32_t slot, size_t bytes, void **ret_data)
{
    Frame *frame = run->frame;
    const SlotPlace *place = &frame->places[slot];
    SlotMemory *memory = &frame->memory[slot];
    *memory = (SlotMemory){ .root = NO_SLOT };
    if (bytes == 0) {
        *ret_data = nothing;
        return NULL;
    }
    if (bytes <= place->bytes) {
        *ret_data = run->frame->slab + place->offset;
    } else {
        note_wanted(frame, slot, bytes);
        TRY(loose_new(run->scratch, bytes, &memory->loose));
        *ret_data = loose_data(memory->loose);
    }
    memory->root = slot;
    memory->refs = 1;
    memory->bytes = bytes;
    return NULL;
}

/* Puts `slot` into the memory of `from`, if the layout lets it: memory in the slab is kept for it
 * only when the layout knew. In any case the next one will. */
static bool share_memory(Run *run, int32_t slot, int32_t from)
{
    Frame *frame = run->frame;
    SlotPlace *place = &frame->places[slot];
    int32_t root = frame->memory[from].root;
    if (place->shares == NO_SLOT) {
        place->shares = from;
        frame->is_stale = true;
        if (frame->memory[root].loose == NULL)
            return false;
    } else if (place->shares != from && frame->memory[root].loose == NULL) {
        return false;
    }
    frame->memory[slot] = (SlotMemory){ .root = root };
    frame->memory[root].refs++;
    return true;
}

/* True when nothing but this step needs what input `i` is in. */
static bool is_last_use(const Run *run, int i)
{
    const Step *step = run->step;
    int32_t value = step->inputs[i];
    int n = 0;
    if (value < 0 || run->plan->last_use[value] != run->number)
        return false;
    int32_t root = run->frame->memory[value].root;
    if (root == NO_SLOT || run->frame->memory[root].refs != 1)
        return false;
    for (int k = 0; k < step->n_inputs; k++)
        n += step->inputs[k] == value;
    return n == 1;
}

static Error *host_output(OpContext *context, int i, int reuse_input, DType dtype,
                          const Shape *shape, Tensor **ret_tensor)
{
    Run *run = context->host_data;
    int32_t slot = run->step->first_output + i;
    Tensor tensor = { .dtype = dtype, .shape = *shape };
    TRY(check_output(run, i, dtype));
    TRY(shape_count(shape, &tensor.n));
    size_t bytes = tensor_bytes(&tensor);
    if (reuse_input >= 0 && bytes > 0 && tensor_bytes(context->inputs[reuse_input]) == bytes &&
        is_last_use(run, reuse_input) && share_memory(run, slot, run->step->inputs[reuse_input]))
        tensor.data = context->inputs[reuse_input]->data;
    else
        TRY(own_memory(run, slot, bytes, &tensor.data));
    if (!dtype_is_plain(dtype))
        memset(tensor.data, 0, bytes);
    context->outputs[i] = tensor;
    *ret_tensor = &context->outputs[i];
    return NULL;
}

static Error *host_alias(OpContext *context, int i, int input, const Shape *shape)
{
    Run *run = context->host_data;
    int32_t slot = run->step->first_output + i;
    int32_t from = run->step->inputs[input];
    Tensor tensor = tensor_reshaped(context->inputs[input], shape);
    int64_t n = 0;
    TRY(check_output(run, i, tensor.dtype));
    TRY(shape_count(shape, &n));
    if (n != tensor.n)
        return error_new(ERROR_INTERNAL, "output %d of %s aliases %lld elements as %lld", i,
                         run->step->op->name, (long long)tensor.n, (long long)n);
    bool is_ours = from >= 0 && run->frame->memory[from].root != NO_SLOT;
    if (is_ours && !share_memory(run, slot, from)) {
        const void *data = tensor.data;
        TRY(own_memory(run, slot, tensor_bytes(&tensor), &tensor.data));
        memcpy(tensor.data, data, tensor_bytes(&tensor));
    }
    context->outputs[i] = tensor;
    return NULL;
}

static void *host_scratch(OpContext *context, size_t bytes)
{
    Run *run = context->host_data;
    Frame *frame = run->frame;
    int32_t place = run->plan->n_slots + run->number;
    if (bytes > SCRATCH_MAX_BYTES)
        return NULL;
    if (bytes == 0)
        return nothing;
    size_t begin = run->scratch_bytes;
    run->scratch_bytes += (bytes + ARENA_ALIGNMENT - 1) / ARENA_ALIGNMENT * ARENA_ALIGNMENT;
    if (run->scratch_bytes <= frame->places[place].bytes)
        return run->frame->slab + frame->places[place].offset + begin;
    note_wanted(frame, place, run->scratch_bytes);
    Loose *loose = NULL;
    if (run->n_step_loose == (int)ARRAY_SIZE(run->step_loose))
        return NULL;
    Error *error = loose_new(run->scratch, bytes, &loose);
    if (error != NULL) {
        error_free(error);
        return NULL;
    }
    run->step_loose[run->n_step_loose++] = loose;
    return loose_data(loose);
}

/* ---- loop ---------------------------------------------------------------------------------- */

static void end_step(Run *run)
{
    Frame *frame = run->frame;
    for (int i = 0; i < run->n_step_loose; i++)
        loose_free(run->scratch, run->step_loose[i]);
    run->n_step_loose = 0;
    run->scratch_bytes = 0;
    for (int i = 0; i < run->step->n_dead; i++) {
        int32_t root = frame->memory[run->step->dead[i]].root;
        if (root == NO_SLOT || --frame->memory[root].refs > 0)
            continue;
        if (frame->memory[root].loose != NULL)
            loose_free(run->scratch, frame->memory[root].loose);
        frame->memory[root].loose = NULL;
    }
}

uint64_t run_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

Error *run_check_cancel(RunLimit *limit, uint64_t now_ns)
{
    if (limit->cancel == NULL || now_ns < limit->ask_ns)
        return NULL;
    limit->ask_ns = now_ns + RUN_ASK_NS;
    return limit->cancel->is_cancelled(limit->cancel->data)
               ? error_new(ERROR_CANCELLED, "nobody waits for the answer any more")
               : NULL;
}

/* Before each step, if there is anything to look at. */
static Error *check_limit(const Run *run)
{
    RunLimit *limit = run->limit;
    if (limit->deadline_ns == 0 && limit->cancel == NULL)
        return NULL;
    uint64_t now_ns = run_now_ns();
    if (limit->deadline_ns != 0 && now_ns >= limit->deadline_ns)
        return error_new(ERROR_DEADLINE_EXCEEDED,
                         "Timed out waiting for notification: the deadline passed before "
                         "node '%s' could run",
                         run->step->node_name);
    return run_check_cancel(limit, now_ns);
}

static Error *run_kernel(const Run *run, OpContext *context)
{
    context->workers = crew_take(run->scratch->crew);
    Error *error = op_run(context);
    crew_give(run->scratch->crew, context->workers);
    return error;
}

static Error *run_step(Run *run, OpContext *context)
{
    const Step *step = run->step;
    SlotMemory *memory = &run->frame->memory[step->first_output];
    context->op = step->op;
    context->node_name = step->node_name;
    context->kernel = step->kernel;
    context->n_inputs = step->n_inputs;
    context->n_outputs = step->n_outputs;
    context->outputs = &run->frame->values[step->first_output];
    /* Kernels may also put an output into the run's arena, past the host. */
    for (int i = 0; i < step->n_outputs; i++) {
        memory[i] = (SlotMemory){ .root = NO_SLOT };
        context->outputs[i].dtype = DT_INVALID;
    }
    uint64_t start = run->watch != NULL ? run_now_ns() : 0;
    TRY(step->control != NULL ? control_run(run, context) : run_kernel(run, context));
    for (int i = 0; i < step->n_outputs; i++)
        TRY(check_output(run, i, context->outputs[i].dtype));
    if (run->watch != NULL)
        run->watch->step_done(run->watch->data, run->number, context, run_now_ns() - start);
    end_step(run);
    context->inputs += step->n_inputs;
    return NULL;
}

static Error *run_steps(Run *run)
{
    static const OpHost host = { host_output, host_alias, host_scratch };
    OpContext context = { .inputs = run->frame->inputs,
                          .resources = run->plan->resources,
                          .arena = run->arena,
                          .host = &host,
                          .host_data = run };
    for (run->number = 0; run->number < run->plan->n_steps; run->number++) {
        run->step = &run->plan->steps[run->number];
        TRY(check_limit(run));
        TRY(error_suffix(run_step(run, &context), "\n\t [[{{node %s}}]]", run->step->node_name));
    }
    return NULL;
}

static const Tensor *get_output(const Frame *frame, size_t i)
{
    int32_t value = frame->plan->outputs[i];
    return value >= 0 ? &frame->values[value] : &frame->plan->constants[~value]->tensor;
}

Error *plan_run(const PlanRun *options, Tensor *outputs)
{
    const Plan *plan = options->plan;
    RunLimit limit = { .deadline_ns = options->deadline_ns, .cancel = options->cancel };
    if (limit.cancel != NULL)
        limit.ask_ns = run_now_ns() + RUN_ASK_NS;
    Run run = { .plan = plan,
                .watch = options->watch,
                .scratch = options->scratch,
                .limit = &limit,
                .arena = options->arena };
    TRY(scratch_begin(run.scratch, plan, &run.frame));
    if (plan->n_feeds > 0)
        memcpy(run.frame->values, options->feeds, plan->n_feeds * sizeof(Tensor));
    crew_enter(run.scratch->crew);
    Error *error = run_steps(&run);
    crew_leave(run.scratch->crew);
    TRY(error);
    for (size_t i = 0; i < plan->n_outputs; i++)
        outputs[i] = *get_output(run.frame, i);
    return NULL;
}

/* ---- plans within plans -------------------------------------------------------------------- */

Error *run_inner(const Run *outer, Frame *frame)
{
    Run run = { .plan = frame->plan,
                .scratch = outer->scratch,
                .frame = frame,
                .limit = outer->limit,
                .arena = outer->arena };
    return run_steps(&run);
}

const Tensor *run_inner_output(const Frame *frame, size_t i)
{
    return get_output(frame, i);
}

/* Outputs have no last step that would free what they have outside of the slab. */
void run_inner_end(const Run *outer, Frame *frame)
{
    for (size_t i = 0; i < frame->plan->n_outputs; i++) {
        int32_t value = frame->plan->outputs[i];
        int32_t root = value >= 0 ? frame->memory[value].root : NO_SLOT;
        if (root == NO_SLOT || frame->memory[root].loose == NULL)
            continue;
        loose_free(outer->scratch, frame->memory[root].loose);
        frame->memory[root].loose = NULL;
    }
}
