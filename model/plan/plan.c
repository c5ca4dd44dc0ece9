/* SPDX-License-Identifier: Apache-2.0
 *
 * Plan: from a graph in order to steps. Constants get numbers of their own, outputs of other nodes
 * get slots in order of the steps that make them.
 */
#include "model/plan/prepare.h"

#include <stdatomic.h>
#include <string.h>

struct PlanLife {
    atomic_int refs;     /* the plan's and those of scratches */
    atomic_bool is_over; /* release by plan_retire, acquire by readers: no data is passed on */
};

typedef struct Emit {
    const PlanInput *input;
    const Graph *graph;
    Arena *arena; /* the store's */
    Plan *plan;
    int32_t *first_value; /* [graph->n_order] number of a node's output 0: slot or constant */
    Step *steps;
    int32_t *made, *last_use;
    StoreConstant **constants;
    int32_t n_constants;
} Emit;

/* ---- life ---------------------------------------------------------------------------------- */

static PlanLife *plan_life_new(void)
{
    PlanLife *life = calloc(1, sizeof *life);
    if (life != NULL)
        atomic_init(&life->refs, 1);
    return life;
}

PlanLife *plan_life_ref(PlanLife *life)
{
    atomic_fetch_add_explicit(&life->refs, 1, memory_order_relaxed);
    return life;
}

void plan_life_unref(PlanLife *life)
{
    if (atomic_fetch_sub_explicit(&life->refs, 1, memory_order_acq_rel) == 1)
        free(life);
}

bool plan_life_is_over(const PlanLife *life)
{
    return atomic_load_explicit(&life->is_over, memory_order_acquire);
}

void plan_retire(Plan *plan)
{
    if (plan == NULL || plan->life == NULL)
        return;
    atomic_store_explicit(&plan->life->is_over, true, memory_order_release);
    plan_life_unref(plan->life);
    plan->life = NULL;
}

/* ---- emitting ------------------------------------------------------------------------------ */

static int32_t find_value(const Emit *emit, Endpoint endpoint)
{
    const Node *node = endpoint.node;
    if (node->values != NULL) /* a feed too, of a graph within a graph */
        return ~(emit->first_value[node->position] + endpoint.index);
    return node->feed >= 0 ? node->feed : emit->first_value[node->position] + endpoint.index;
}

/* Counts what there will be, so that everything is allocated once. */
static Error *number_values(Emit *emit)
{
    const Graph *graph = emit->graph;
    Plan *plan = emit->plan;
    int64_t n_slots = (int64_t)graph->n_feeds, n_constants = 0;
    emit->first_value = arena_calloc(graph->arena, graph->n_order, sizeof(int32_t));
    if (emit->first_value == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < graph->n_order; i++) {
        const Node *node = graph->order[i];
        if (node->values != NULL) {
            emit->first_value[i] = (int32_t)n_constants;
            n_constants += node->n_outputs;
        } else if (prepare_is_step(node)) {
            emit->first_value[i] = (int32_t)n_slots;
            n_slots += node->n_outputs;
            plan->n_steps++;
            plan->n_step_inputs += (size_t)node->n_inputs;
        }
        if (n_slots > INT32_MAX / 2 || n_constants > INT32_MAX / 2)
            return error_new(ERROR_RESOURCE_EXHAUSTED, "the graph has too many values");
    }
    plan->n_slots = (int32_t)n_slots;
    emit->n_constants = (int32_t)n_constants;
    return NULL;
}

static Error *allocate(Emit *emit)
{
    Plan *plan = emit->plan;
    emit->steps = arena_calloc(emit->arena, (size_t)plan->n_steps, sizeof(Step));
    emit->made = arena_calloc(emit->arena, (size_t)plan->n_slots, sizeof(int32_t));
    emit->last_use = arena_calloc(emit->arena, (size_t)plan->n_slots, sizeof(int32_t));
    emit->constants = arena_calloc(emit->arena, (size_t)emit->n_constants, sizeof(StoreConstant *));
    if (emit->steps == NULL || emit->made == NULL || emit->last_use == NULL ||
        emit->constants == NULL)
        return error_out_of_memory();
    for (int32_t i = 0; i < plan->n_slots; i++) {
        emit->made[i] = -1;
        emit->last_use[i] = -1;
    }
    plan->steps = emit->steps;
    plan->made = emit->made;
    plan->last_use = emit->last_use;
    plan->constants = emit->constants;
    return NULL;
}

static Error *copy_dtypes(Arena *arena, size_t n, const DType *dtypes, const DType **ret)
{
    *ret = arena_memdup(arena, dtypes, n * sizeof(DType));
    return *ret != NULL ? NULL : error_out_of_memory();
}

static Error *emit_graph(const PlanInput *input, const Graph *graph, Plan **ret_plan);

/* The plans of a step of control flow. */
static Error *emit_control(Emit *emit, const Node *node, Step *step)
{
    const Control *control = node->control;
    StepControl *made = arena_calloc(emit->arena, 1, sizeof *made);
    if (made == NULL)
        return error_out_of_memory();
    made->kind = control->kind;
    made->n_plans = control->n_graphs;
    made->plans = arena_calloc(emit->arena, (size_t)control->n_graphs, sizeof(Plan *));
    if (made->plans == NULL)
        return error_out_of_memory();
    for (int i = 0; i < control->n_graphs; i++)
        TRY(emit_graph(emit->input, &control->graphs[i], &made->plans[i]));
    made->first_frame = emit->plan->n_inner;
    emit->plan->n_inner += made->n_plans;
    if (control->kind == CONTROL_WHILE) {
        made->loop = emit->plan->n_loops++;
        made->is_invariant = arena_memdup(emit->arena, control->is_invariant,
                                          (size_t)node->n_outputs * sizeof(bool));
        if (made->is_invariant == NULL)
            return error_out_of_memory();
    }
    step->control = made;
    return NULL;
}

static Error *emit_step(Emit *emit, const Node *node, int32_t number)
{
    Step *step = &emit->steps[number];
    int32_t *inputs = arena_calloc(emit->arena, (size_t)node->n_inputs, sizeof(int32_t));
    if (inputs == NULL)
        return error_out_of_memory();
    step->op = node->op;
    step->node_name = node->preparation->node_name;
    step->attrs = node->preparation->attrs;
    step->kernel = node->preparation->kernel;
    step->n_inputs = node->n_inputs;
    step->n_outputs = node->n_outputs;
    step->inputs = inputs;
    step->first_output = emit->first_value[node->position];
    TRY(copy_dtypes(emit->arena, (size_t)node->n_outputs, node->output_dtypes,
                    &step->output_dtypes));
    for (int i = 0; i < node->n_inputs; i++) {
        inputs[i] = find_value(emit, node->inputs[i]);
        if (inputs[i] >= 0)
            emit->last_use[inputs[i]] = number;
        else
            emit->constants[~inputs[i]] = node->preparation->constants[i];
    }
    for (int i = 0; i < node->n_outputs; i++) {
        emit->made[step->first_output + i] = number;
        emit->last_use[step->first_output + i] = number;
    }
    return node->control != NULL ? emit_control(emit, node, step) : NULL;
}

static Error *emit_steps(Emit *emit)
{
    int32_t number = 0;
    for (size_t i = 0; i < emit->graph->n_order; i++) {
        const Node *node = emit->graph->order[i];
        if (prepare_is_step(node))
            TRY(error_prefix(emit_step(emit, node, number++), "node '%s' (%s)", node->name,
                             node->op->name));
    }
    return NULL;
}

static Error *emit_feeds(Emit *emit)
{
    const Graph *graph = emit->graph;
    DType *dtypes = arena_calloc(emit->arena, graph->n_feeds, sizeof *dtypes);
    if (dtypes == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < graph->n_feeds; i++)
        dtypes[i] = graph->feeds[i]->output_dtypes[0];
    emit->plan->n_feeds = graph->n_feeds;
    emit->plan->feed_dtypes = dtypes;
    return NULL;
}

static Error *emit_outputs(Emit *emit)
{
    const Graph *graph = emit->graph;
    int32_t *outputs = arena_calloc(emit->arena, graph->n_outputs, sizeof *outputs);
    if (outputs == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < graph->n_outputs; i++) {
        const Constant *constant = endpoint_constant(graph->outputs[i]);
        outputs[i] = find_value(emit, graph->outputs[i]);
        if (constant != NULL)
            TRY(store_constant(emit->input->store, constant, &emit->constants[~outputs[i]]));
        else
            emit->last_use[outputs[i]] = emit->plan->n_steps;
    }
    emit->plan->n_outputs = graph->n_outputs;
    emit->plan->outputs = outputs;
    return NULL;
}

/* Lists for each step the slots whose last user it is. */
static Error *emit_dead(Emit *emit)
{
    const Plan *plan = emit->plan;
    int32_t *dead = arena_calloc(emit->arena, (size_t)plan->n_slots, sizeof *dead);
    if (dead == NULL)
        return error_out_of_memory();
    size_t n_dead = 0;
    for (int32_t i = 0; i < plan->n_slots; i++)
        if (plan->last_use[i] >= 0 && plan->last_use[i] < plan->n_steps)
            emit->steps[plan->last_use[i]].n_dead++;
    for (int32_t i = 0; i < plan->n_steps; i++) {
        emit->steps[i].dead = dead + n_dead;
        n_dead += (size_t)emit->steps[i].n_dead;
        emit->steps[i].n_dead = 0;
    }
    for (int32_t i = 0; i < plan->n_slots; i++) {
        if (plan->last_use[i] < 0 || plan->last_use[i] >= plan->n_steps)
            continue;
        Step *step = &emit->steps[plan->last_use[i]];
        dead[step->dead - dead + step->n_dead++] = i;
    }
    return NULL;
}

/* Recurses for graphs within the graph, whose depth importing bounds. */
static Error *emit_graph(const PlanInput *input, const Graph *graph, Plan **ret_plan)
{
    Arena *arena = store_arena(input->store);
    Plan *plan = arena_calloc(arena, 1, sizeof *plan);
    if (plan == NULL)
        return error_out_of_memory();
    plan->resources = input->resources;
    Emit emit = { .input = input, .graph = graph, .arena = arena, .plan = plan };
    TRY(number_values(&emit));
    TRY(allocate(&emit));
    TRY(emit_steps(&emit));
    TRY(emit_feeds(&emit));
    TRY(emit_outputs(&emit));
    TRY(emit_dead(&emit));
    *ret_plan = plan;
    return NULL;
}

Error *plan_emit(const PlanInput *input, const Graph *graph, Plan **ret_plan)
{
    Plan *plan = NULL;
    TRY(emit_graph(input, graph, &plan));
    plan->life = plan_life_new();
    if (plan->life == NULL)
        return error_out_of_memory();
    *ret_plan = plan;
    return NULL;
}

bool plan_is_pure(const Plan *plan)
{
    for (int32_t i = 0; i < plan->n_steps; i++) {
        const Step *step = &plan->steps[i];
        if ((step->op->flags & (OP_STATEFUL | OP_WRITES)) != 0)
            return false;
        for (int k = 0; step->control != NULL && k < step->control->n_plans; k++)
            if (!plan_is_pure(step->control->plans[k]))
                return false;
    }
    return true;
}
