/* SPDX-License-Identifier: Apache-2.0
 *
 * Fold: one pass in order; a node whose inputs are all constant becomes constant. Its controls go:
 * a constant waits for nothing; those that have effects become targets.
 */
#include "model/graph/fold.h"

#include <string.h>

#include "model/graph/control.h"
#include "model/graph/evaluate.h"
#include "model/graph/reference.h"

/* A folded value may be as large as what it was made of, or this; a larger one (a Fill, a Tile) is
 * cheaper to make than to keep. */
#define FOLD_MAX_BYTES ((size_t)4 << 20)

/* What a pass may turn into constants besides pure ops. */
typedef struct Fold {
    Graph *graph;
    ResourceManager *resources;
    const Written *written; /* NULL: no variable is read */
} Fold;

/* A variant belongs to one run: what it holds is changed in place. */
static bool gives_variant(const Node *node)
{
    for (int i = 0; i < node->n_outputs; i++)
        if (node->output_dtypes[i] == DT_VARIANT)
            return true;
    return false;
}

static bool has_constant_inputs(const Node *node)
{
    for (int i = 0; i < node->n_inputs; i++)
        if (endpoint_constant(node->inputs[i]) == NULL)
            return false;
    return true;
}

static bool gives_handle(const Node *node)
{
    return node_is(node, "VarHandleOp") || node_is(node, "HashTable") ||
           node_is(node, "HashTableV2") || node_is(node, "MutableHashTable") ||
           node_is(node, "MutableHashTableV2") || reference_is_variable(node->op);
}

/* The variable whose handle is the node's input 0, or NULL when that is known only at run time. */
static Resource *find_variable(const Node *node)
{
    if (node->n_inputs == 0 || endpoint_dtype(node->inputs[0]) != DT_RESOURCE)
        return NULL;
    const Constant *handle = endpoint_constant(node->inputs[0]);
    return handle != NULL && handle->tensor.n == 1 ? *(Resource **)handle->tensor.data : NULL;
}

static Error *set_values(Fold *fold, Node *node, Constant *values)
{
    for (int i = 0; i < node->n_controls; i++)
        if (node->controls[i]->has_effects)
            TRY(graph_add_target(fold->graph, node->controls[i]));
    node->values = values;
    node->n_inputs = 0;
    node->n_controls = 0;
    return NULL;
}

static Error *fold_read(Fold *fold, Node *node)
{
    Resource *variable = find_variable(node);
    if (variable == NULL || fold->written->is_all ||
        map_has(fold->written->variables, resource_name(variable)))
        return NULL;
    Constant *value = arena_calloc(fold->graph->arena, 1, sizeof *value);
    if (value == NULL)
        return error_out_of_memory();
    TRY(resource_borrow(variable, &value->tensor));
    if (value->tensor.dtype != node->output_dtypes[0])
        return error_new(ERROR_INVALID_ARGUMENT, "variable '%s' is %s and is read as %s",
                         resource_name(variable), dtype_name(value->tensor.dtype),
                         dtype_name(node->output_dtypes[0]));
    value->resource = variable;
    return set_values(fold, node, value);
}

static size_t max_bytes_for(const Node *node)
{
    size_t bytes = 0;
    for (int i = 0; i < node->n_inputs; i++)
        bytes += tensor_bytes(&endpoint_constant(node->inputs[i])->tensor);
    return bytes > FOLD_MAX_BYTES ? bytes : FOLD_MAX_BYTES;
}

static Error *fold_node(Fold *fold, Node *node)
{
    if (node->op == NULL || node->op->run == NULL || node->values != NULL || node->n_outputs == 0 ||
        !has_constant_inputs(node) || gives_variant(node))
        return NULL;
    if (node_is(node, "ReadVariableOp"))
        return fold->written != NULL ? fold_read(fold, node) : NULL;
    if ((node->op->flags & (OP_STATEFUL | OP_WRITES)) != 0 && !gives_handle(node))
        return NULL;
    Constant *values = NULL;
    Error *error =
        evaluate(node, fold->graph->arena, fold->resources, max_bytes_for(node), &values);
    if (error != NULL) {
        error_free(error); /* it stays a step, and says so when it runs */
        return NULL;
    }
    return set_values(fold, node, values);
}

static Error *fold_control(const Fold *fold, Node *node);

static Error *fold_all(Fold *fold)
{
    for (size_t i = 0; i < fold->graph->n_order; i++) {
        Node *node = fold->graph->order[i];
        if (node->control != NULL)
            TRY(error_prefix(fold_control(fold, node), "node '%s' (%s)", node->name,
                             node->op->name));
        TRY(error_prefix(fold_node(fold, node), "node '%s' (%s)", node->name,
                         node->op != NULL ? node->op->name : "feed"));
    }
    return graph_order(fold->graph);
}

/* Folds the graphs of a node, or the one that is always taken, which then takes its place. Graphs
 * within graphs recurse: SCOPE_MAX_DEPTH bounds that. */
static Error *fold_control(const Fold *fold, Node *node)
{
    const Control *control = node->control;
    int chosen = control_chosen(node);
    control_push_constants(node);
    for (int i = 0; i < control->n_graphs; i++) {
        Fold inner = { &control->graphs[i], fold->resources, fold->written };
        if (chosen < 0 || chosen == i)
            TRY(fold_all(&inner));
    }
    if (chosen >= 0)
        control_inline(fold->graph, node, chosen);
    return NULL;
}

Error *fold_constants(Graph *graph, ResourceManager *resources)
{
    return fold_all(&(Fold){ graph, resources, NULL });
}

Error *fold_variables(Graph *graph, ResourceManager *resources, const Written *written)
{
    return fold_all(&(Fold){ graph, resources, written });
}

Error *fold_collect_written(const Graph *graph, Written *written)
{
    for (size_t i = 0; i < graph->n_order; i++) {
        const Node *node = graph->order[i];
        for (int k = 0; node->control != NULL && k < node->control->n_graphs; k++)
            TRY(fold_collect_written(&node->control->graphs[k], written));
        if (node->op == NULL || node->values != NULL || (node->op->flags & OP_WRITES) == 0)
            continue;
        Resource *variable = find_variable(node);
        if (variable == NULL)
            written->is_all = true;
        else
            TRY(map_set(written->variables, resource_name(variable), variable));
    }
    return NULL;
}

static Error *collect_handles(const Constant *value, Map *names)
{
    if (value->tensor.dtype != DT_RESOURCE)
        return NULL;
    for (int64_t i = 0; i < value->tensor.n; i++) {
        Resource *resource = ((Resource **)value->tensor.data)[i];
        if (resource != NULL)
            TRY(map_set(names, resource_name(resource), resource));
    }
    return NULL;
}

Error *fold_collect_reached(const Graph *graph, Map *names)
{
    for (size_t i = 0; i < graph->n_order; i++) {
        const Node *node = graph->order[i];
        for (int k = 0; node->control != NULL && k < node->control->n_graphs; k++)
            TRY(fold_collect_reached(&node->control->graphs[k], names));
        for (int k = 0; node->values != NULL && k < node->n_outputs; k++)
            TRY(collect_handles(&node->values[k], names));
    }
    return NULL;
}
