/* SPDX-License-Identifier: Apache-2.0
 *
 * Raise: loops from the inside out, each round all those that have no other within; then the
 * branches of what is left, and of each graph that came of it.
 */
#include "model/graph/raise.h"

#include <string.h>

#include "model/graph/branch.h"
#include "model/graph/check.h"
#include "model/graph/loop.h"
#include "model/graph/reference.h"
#include "model/graph/region.h"
#include "model/graph/scope.h"

static const struct {
    const char *name;
    RaiseKind kind;
} rows[] = {
    { "Enter", RAISE_ENTER },        { "Exit", RAISE_EXIT },
    { "LoopCond", RAISE_LOOP_COND }, { "Merge", RAISE_MERGE },
    { "NextIteration", RAISE_NEXT }, { "RefEnter", RAISE_ENTER },
    { "RefMerge", RAISE_MERGE },     { "RefNextIteration", RAISE_NEXT },
    { "RefSwitch", RAISE_SWITCH },   { "Switch", RAISE_SWITCH },
};

static RaiseKind find_kind(const Node *node)
{
    if (node->op == NULL || (node->op->flags & OP_STRUCTURE) == 0)
        return RAISE_NONE;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (strcmp(node->op->name, rows[i].name) == 0)
            return rows[i].kind;
    return RAISE_NONE;
}

bool raise_is(const Op *op)
{
    return find_kind(&(Node){ .op = op }) != RAISE_NONE;
}

/* ---- nodes --------------------------------------------------------------------------------- */

static void meet(Graph *graph, Node *node)
{
    if (node->mark != 0)
        return;
    node->mark = 1;
    node->position = graph->n_order;
    graph->order[graph->n_order++] = node;
}

/* Makes Graph.order all nodes that outputs and targets reach, in any order. */
static Error *collect(Graph *graph)
{
    for (size_t i = 0; i < graph->n_order; i++)
        graph->order[i]->mark = 0;
    graph->order = arena_calloc(graph->arena, graph->n_made, sizeof(Node *));
    graph->n_order = 0;
    if (graph->order == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < graph->n_outputs; i++)
        meet(graph, graph->outputs[i].node);
    for (size_t i = 0; i < graph->n_targets; i++)
        meet(graph, graph->targets[i]);
    for (size_t i = 0; i < graph->n_order; i++) {
        const Node *node = graph->order[i];
        for (int k = 0; k < node->n_inputs; k++)
            meet(graph, node->inputs[k].node);
        for (int k = 0; k < node->n_controls; k++)
            meet(graph, node->controls[k]);
    }
    for (size_t i = 0; i < graph->n_order; i++)
        graph->order[i]->mark = 0;
    return NULL;
}

/* Number and types of the inputs: nobody has looked at them yet. */
static Error *check_inputs(const Node *node, Arena *arena)
{
    int n = 0;
    const DType *dtypes = NULL;
    TRY(op_input_types(node->op, node->attrs, arena, &n, &dtypes));
    if (n != node->n_inputs)
        return error_new(ERROR_INVALID_ARGUMENT, "it has %d inputs, but must have %d",
                         node->n_inputs, n);
    for (int i = 0; i < n; i++) {
        Endpoint input = node->inputs[i];
        /* A reference has the type of its variable here, but for the variable's own node. */
        bool is_reference = dtypes[i] == DT_RESOURCE && node->op->name[0] == 'R';
        DType wanted = is_reference ? node->output_dtypes[0] : dtypes[i];
        bool is_variable = input.node->op != NULL && reference_is_variable(input.node->op);
        if (endpoint_dtype(input) != wanted && !is_variable)
            return error_new(ERROR_INVALID_ARGUMENT, "input %d is %s, but must be %s", i,
                             dtype_name(endpoint_dtype(input)), dtype_name(wanted));
    }
    return NULL;
}

/* Numbers the nodes and gives each a mark. */
static Error *make_marks(Raise *raise)
{
    Graph *graph = raise->graph;
    raise->marks = arena_calloc(graph->arena, graph->n_order, sizeof *raise->marks);
    raise->n_made = 0;
    raise->epoch = 0;
    if (raise->marks == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < graph->n_order; i++) {
        const Node *node = graph->order[i];
        raise->marks[i].kind = find_kind(node);
        if (raise->marks[i].kind != RAISE_NONE)
            TRY(error_prefix(check_inputs(node, graph->arena), "node '%s' (%s)", node->name,
                             node->op->name));
    }
    return NULL;
}

static bool has_kind(const Raise *raise, RaiseKind kind, const Node **ret)
{
    for (size_t i = 0; i < raise->graph->n_order; i++) {
        *ret = raise->graph->order[i];
        if (raise->marks[i].kind == kind)
            return true;
    }
    return false;
}

/* ---- edges --------------------------------------------------------------------------------- */

static Error *redirect(const Raise *raise, const char *user, Endpoint *endpoint)
{
    const RaiseMark *mark = raise_mark(raise, endpoint->node);
    if (mark->becomes.node == NULL)
        return NULL;
    if (endpoint->index > 0 && mark->becomes_1.node == NULL)
        return error_new(ERROR_INVALID_ARGUMENT, "node '%s' takes output %d of '%s' (%s)", user,
                         endpoint->index, endpoint->node->name, endpoint->node->op->name);
    *endpoint = endpoint->index > 0 ? mark->becomes_1 : mark->becomes;
    return NULL;
}

static Error *redirect_node(const Raise *raise, Node *node)
{
    for (int i = 0; i < node->n_inputs; i++)
        TRY(redirect(raise, node->name, &node->inputs[i]));
    for (int i = 0; i < node->n_controls; i++) {
        const RaiseMark *mark = raise_mark(raise, node->controls[i]);
        if (mark->becomes.node != NULL)
            node->controls[i] = mark->becomes.node;
    }
    return NULL;
}

/* Edges from what has been replaced now come from what replaced it. */
static Error *redirect_all(const Raise *raise)
{
    Graph *graph = raise->graph;
    for (size_t i = 0; i < raise->n_made; i++)
        TRY(redirect_node(raise, raise->made[i]));
    for (size_t i = 0; i < graph->n_order; i++)
        TRY(redirect_node(raise, graph->order[i]));
    for (size_t i = 0; i < graph->n_outputs; i++)
        TRY(redirect(raise, "(an output)", &graph->outputs[i]));
    for (size_t i = 0; i < graph->n_targets; i++)
        if (raise_mark(raise, graph->targets[i])->becomes.node != NULL)
            graph->targets[i] = raise_mark(raise, graph->targets[i])->becomes.node;
    return NULL;
}

/* ---- graphs -------------------------------------------------------------------------------- */

static Error *misplaced(const Node *node)
{
    return error_new(ERROR_INVALID_ARGUMENT,
                     "node '%s' (%s): what it gives is not there in every run, and no Merge puts "
                     "something else in its place: not as tf.cond and tf.while_loop build graphs",
                     node->name, node->op->name);
}

static Error *raise_loops(Raise *raise)
{
    const Node *node = NULL;
    TRY(collect(raise->graph));
    TRY(make_marks(raise));
    for (int i = 0; has_kind(raise, RAISE_ENTER, &node); i++) {
        if (i == SCOPE_MAX_DEPTH)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "node '%s' (%s): loops lie more than %d deep in each other",
                             node->name, node->op->name, SCOPE_MAX_DEPTH);
        TRY(loops_raise(raise));
        TRY(redirect_all(raise));
        TRY(collect(raise->graph));
        TRY(make_marks(raise));
    }
    return NULL;
}

static Error *raise_branches(Raise *raise)
{
    const Node *node = NULL;
    if (has_kind(raise, RAISE_MERGE, &node)) {
        TRY(graph_order(raise->graph)); /* which numbers the nodes anew */
        TRY(make_marks(raise));
        TRY(branches_raise(raise));
        TRY(redirect_all(raise));
        TRY(collect(raise->graph));
        TRY(make_marks(raise));
    }
    for (RaiseKind kind = RAISE_SWITCH; kind <= RAISE_LOOP_COND; kind++)
        if (has_kind(raise, kind, &node))
            return misplaced(node);
    return NULL;
}

Error *raise_inner(const Raise *outer, Graph *graph)
{
    Raise raise = { .graph = graph, .budget = outer->budget, .depth = outer->depth + 1 };
    if (raise.depth > SCOPE_MAX_DEPTH)
        return error_new(ERROR_INVALID_ARGUMENT, "TF1's control flow is nested more than %d deep",
                         SCOPE_MAX_DEPTH);
    TRY(collect(graph));
    TRY(make_marks(&raise));
    TRY(raise_branches(&raise));
    TRY(reference_read(graph));
    TRY(check_types(graph));
    return control_skip_invariants(graph);
}

Error *raise_control(Graph *graph)
{
    size_t budget = GRAPH_MAX_NODES;
    Raise raise = { .graph = graph, .budget = &budget };
    if (!graph->has_dataflow_control)
        return NULL;
    TRY(raise_loops(&raise));
    return raise_branches(&raise);
}
