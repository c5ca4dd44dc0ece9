/* SPDX-License-Identifier: Apache-2.0
 *
 * Graph: making nodes, and the order in which they can run.
 *
 * The order is the postorder of a depth-first walk from the outputs and targets: a node comes right
 * after the last thing that it needs, which keeps values short-lived. A node met again while it is
 * still open lies on a cycle.
 */
#include "model/graph/graph.h"

#include <assert.h>
#include <string.h>

#include "model/graph/control.h"

/* Marks of the walk. */
enum { NODE_NEW, NODE_OPEN, NODE_DONE };

/* A node on the path from the root, and the next of its edges to follow. */
typedef struct Visit {
    Node *node;
    int next;
} Visit;

typedef struct Walk {
    Visit *stack;
    size_t depth, capacity;
    Graph *graph;
} Walk;

Error *graph_add(Graph *graph, const char *name, const Op *op, const Attrs *attrs, int n_inputs,
                 int n_controls, Node **ret_node)
{
    if (graph->n_made >= GRAPH_MAX_NODES)
        return error_new(
            ERROR_RESOURCE_EXHAUSTED,
            "node '%s': the graph needs more than %zu nodes once its functions are inlined", name,
            GRAPH_MAX_NODES);
    Node *node = arena_calloc(graph->arena, 1, sizeof *node);
    if (node == NULL)
        return error_out_of_memory();
    node->inputs = arena_calloc(graph->arena, (size_t)n_inputs, sizeof *node->inputs);
    node->controls = arena_calloc(graph->arena, (size_t)n_controls, sizeof *node->controls);
    if (node->inputs == NULL || node->controls == NULL)
        return error_out_of_memory();
    node->name = name;
    node->op = op;
    node->attrs = attrs;
    node->feed = -1;
    node->n_inputs = n_inputs;
    node->n_controls = n_controls;
    graph->n_made++;
    *ret_node = node;
    return NULL;
}

Error *graph_add_target(Graph *graph, Node *target)
{
    if (graph->n_targets == graph->targets_capacity) {
        size_t capacity = graph->targets_capacity == 0 ? 8 : graph->targets_capacity * 2;
        Node **targets = arena_calloc(graph->arena, capacity, sizeof(Node *));
        if (targets == NULL)
            return error_out_of_memory();
        if (graph->n_targets > 0)
            memcpy(targets, graph->targets, graph->n_targets * sizeof(Node *));
        graph->targets = targets;
        graph->targets_capacity = capacity;
    }
    graph->targets[graph->n_targets++] = target;
    return NULL;
}

bool node_is(const Node *node, const char *name)
{
    return node->op != NULL && strcmp(node->op->name, name) == 0;
}

/* ---- order --------------------------------------------------------------------------------- */

static Error *walk_open(Walk *walk, Node *node)
{
    if (node->mark == NODE_DONE)
        return NULL;
    if (node->mark == NODE_OPEN) {
        const Node *from = walk->stack[walk->depth - 1].node;
        return error_new(ERROR_INVALID_ARGUMENT,
                         "the graph has a cycle: node '%s' needs '%s', which needs it", from->name,
                         node->name);
    }
    assert(walk->depth < walk->capacity);
    node->mark = NODE_OPEN;
    walk->stack[walk->depth++] = (Visit){ node, 0 };
    return NULL;
}

/* All that `node` needs is in the order: it is next. */
static void walk_close(Walk *walk, Node *node)
{
    bool is_constant = node->values != NULL;
    unsigned flags = node->op != NULL && !is_constant ? node->op->flags : 0;
    node->has_effects =
        (flags & OP_WRITES) != 0 || ((flags & OP_STATEFUL) != 0 && node->n_outputs == 0);
    node->is_stateful = node->has_effects || (flags & OP_STATEFUL) != 0;
    if (node->control != NULL)
        control_mark_state(node);
    for (int i = 0; i < node->n_inputs + node->n_controls; i++) {
        const Node *needed =
            i < node->n_inputs ? node->inputs[i].node : node->controls[i - node->n_inputs];
        node->has_effects |= needed->has_effects;
        node->is_stateful |= needed->is_stateful;
    }
    node->mark = NODE_DONE;
    node->position = walk->graph->n_order;
    walk->graph->order[walk->graph->n_order++] = node;
    walk->depth--;
}

static Error *walk_from(Walk *walk, Node *root)
{
    TRY(walk_open(walk, root));
    while (walk->depth > 0) {
        Visit *visit = &walk->stack[walk->depth - 1];
        Node *node = visit->node;
        int i = visit->next++;
        if (i < node->n_inputs)
            TRY(walk_open(walk, node->inputs[i].node));
        else if (i < node->n_inputs + node->n_controls)
            TRY(walk_open(walk, node->controls[i - node->n_inputs]));
        else
            walk_close(walk, node);
    }
    return NULL;
}

Error *graph_order(Graph *graph)
{
    /* Every node that can be met was made by graph_add, so n_made bounds stack and order. */
    Walk walk = { .graph = graph, .capacity = graph->n_made };
    walk.stack = arena_calloc(graph->arena, graph->n_made, sizeof(Visit));
    Node **order = arena_calloc(graph->arena, graph->n_made, sizeof(Node *));
    if (walk.stack == NULL || order == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < graph->n_order; i++)
        graph->order[i]->mark = NODE_NEW;
    graph->order = order;
    graph->n_order = 0;
    for (size_t i = 0; i < graph->n_outputs; i++)
        TRY(walk_from(&walk, graph->outputs[i].node));
    for (size_t i = 0; i < graph->n_targets; i++)
        TRY(walk_from(&walk, graph->targets[i]));
    return NULL;
}

static void count_use(Endpoint endpoint, Node *user)
{
    endpoint.node->n_uses++;
    endpoint.node->n_side_uses += endpoint.index > 0;
    if (user != NULL)
        endpoint.node->user = user;
}

void graph_count_uses(Graph *graph)
{
    for (size_t i = 0; i < graph->n_order; i++) {
        graph->order[i]->n_uses = graph->order[i]->n_side_uses = 0;
        graph->order[i]->user = NULL;
    }
    for (size_t i = 0; i < graph->n_order; i++)
        for (int k = 0; k < graph->order[i]->n_inputs; k++)
            count_use(graph->order[i]->inputs[k], graph->order[i]);
    for (size_t i = 0; i < graph->n_outputs; i++)
        count_use(graph->outputs[i], NULL);
}
