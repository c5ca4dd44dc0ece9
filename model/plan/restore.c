/* SPDX-License-Identifier: Apache-2.0
 *
 * Restore: bundles say how variables get their values as a graph, and it is nearly always the same:
 *
 *     RestoreV2:i -> Identity* -> Assign, AssignVariableOp
 *
 * Run as it stands, all tensors of the checkpoint would be in memory at once, and then copied; and
 * checkpoints hold much that no signature reads: what an optimizer keeps, everything twice (Keras
 * 3). What else the graph does (tables that are imported) runs afterwards, as any graph. Load time.
 */
#include "model/plan/restore.h"

#include <string.h>

#include "model/bundle/checkpoint_read.h"
#include "model/graph/rewrite.h"

typedef struct Restore {
    Graph *graph;
    const Map *reached; /* NULL: all */
    CheckpointReader *reader;
    Bytes prefix; /* of reader */
} Restore;

/* True for a RestoreV2 whose inputs are known, and are as its kernel wants them. */
static bool is_restore(const Node *node)
{
    if (!node_is(node, "RestoreV2"))
        return false;
    for (int i = 0; i < 3; i++)
        if (rewrite_constant_input(node, i) == NULL)
            return false;
    return rewrite_constant_input(node, 0)->n == 1 &&
           rewrite_constant_input(node, 1)->n == node->n_outputs &&
           rewrite_constant_input(node, 2)->n == node->n_outputs;
}

/* The variable that `node` does nothing but give an output of a RestoreV2 to; NULL when it is
 * something else. */
static Resource *find_variable(const Node *node, Endpoint *ret_from)
{
    bool is_assign = node_is(node, "Assign") || node_is(node, "AssignVariableOp");
    if (!is_assign || node->n_uses > 0)
        return NULL;
    Endpoint from = node->inputs[1];
    while (node_is(from.node, "Identity") && from.node->values == NULL)
        from = from.node->inputs[0];
    const Tensor *handle = rewrite_constant_input(node, 0);
    if (!is_restore(from.node) || handle == NULL || handle->n != 1)
        return NULL;
    *ret_from = from;
    return *(Resource **)handle->data;
}

static const char *text_at(Arena *arena, const Tensor *texts, int i)
{
    Bytes text = ((const Bytes *)texts->data)[i];
    return arena_strndup(arena, (const char *)text.data, text.size);
}

static Error *open_checkpoint(Restore *restore, const Node *node)
{
    const Tensor *prefix = rewrite_constant_input(node, 0);
    Bytes wanted = *(const Bytes *)prefix->data;
    if (restore->reader != NULL && bytes_equal(restore->prefix, wanted))
        return NULL;
    const char *path = text_at(restore->graph->arena, prefix, 0);
    if (path == NULL)
        return error_out_of_memory();
    restore->reader = checkpoint_close(restore->reader);
    TRY(checkpoint_open(path, &restore->reader));
    restore->prefix = wanted;
    return NULL;
}

/* TF1 lets a variable change its shape when it is asked to; the declared one is then nothing but
 * the first. */
static Error *check_shape(const Node *assign, Resource *variable, const char *key,
                          const Tensor *value)
{
    bool validates = true;
    char has_text[SHAPE_TEXT_BYTES], given_text[SHAPE_TEXT_BYTES];
    const Shape has = resource_shape(variable);
    if (node_is(assign, "Assign"))
        TRY(attrs_bool_or(assign->attrs, "validate_shape", true, &validates));
    if (!validates || shape_allows(&has, &value->shape))
        return NULL;
    return error_new(ERROR_INVALID_ARGUMENT,
                     "the checkpoint's '%s' has shape %s, the graph declares %s", key,
                     shape_text(&value->shape, given_text), shape_text(&has, has_text));
}

static Error *read_variable(Restore *restore, const Node *assign, Endpoint from, Resource *variable)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(0, 0);
    Arena *texts = restore->graph->arena;
    const char *key = text_at(texts, rewrite_constant_input(from.node, 1), from.index);
    const char *slice_spec = text_at(texts, rewrite_constant_input(from.node, 2), from.index);
    Tensor value;
    if (arena == NULL || key == NULL || slice_spec == NULL)
        return error_out_of_memory();
    TRY(checkpoint_read(restore->reader, arena, key, slice_spec, &value));
    DType wanted = from.node->output_dtypes[from.index];
    if (value.dtype != wanted)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "tensor_name = %s; expected dtype %s does not equal original dtype %s",
                         key, dtype_name(wanted), dtype_name(value.dtype));
    TRY(check_shape(assign, variable, key, &value));
    return resource_adopt(variable, TAKE(arena), &value);
}

static Error *restore_all(Restore *restore)
{
    const Op *nothing = op_find("NoOp");
    Graph *graph = restore->graph;
    if (nothing == NULL)
        return error_new(ERROR_INTERNAL, "there is no NoOp");
    graph_count_uses(graph);
    for (size_t i = 0; i < graph->n_order; i++) {
        Node *node = graph->order[i];
        Endpoint from = { 0 };
        Resource *variable = find_variable(node, &from);
        if (variable == NULL)
            continue;
        /* Opened for those that are not reached too: a checkpoint that is not whole is found. */
        TRY(open_checkpoint(restore, from.node));
        if (restore->reached == NULL || map_has(restore->reached, resource_name(variable)))
            TRY(error_prefix(read_variable(restore, node, from, variable), "variable '%s'",
                             resource_name(variable)));
        node->op = nothing;
        node->n_inputs = 0;
        node->n_outputs = 0;
    }
    return graph_order(graph);
}

/* ---- what is left -------------------------------------------------------------------------- */

/* The i-th of texts, as a constant of one. */
static Error *pick(Graph *graph, const Node *node, const Tensor *texts, int i, Endpoint *ret)
{
    Tensor one;
    TRY(tensor_new(graph->arena, DT_STRING, &shape_of(1), &one));
    *(Bytes *)one.data = ((const Bytes *)texts->data)[i];
    return rewrite_constant(graph, node->name, &one, ret);
}

/* A RestoreV2 that gives output `from` only. */
static Error *narrow(Graph *graph, Endpoint from, Endpoint *ret)
{
    const Node *whole = from.node;
    Node *node = NULL;
    Attr *attr = arena_calloc(graph->arena, 1, sizeof *attr);
    Attrs *attrs = arena_calloc(graph->arena, 1, sizeof *attrs);
    if (attr == NULL || attrs == NULL)
        return error_out_of_memory();
    const DType *dtype = &whole->output_dtypes[from.index];
    *attr = (Attr){ .name = "dtypes", .kind = ATTR_TYPES, .n = 1, .types = dtype };
    *attrs = (Attrs){ attr, 1 };
    TRY(graph_add(graph, whole->name, whole->op, attrs, 3, whole->n_controls, &node));
    if (whole->n_controls > 0)
        memcpy(node->controls, whole->controls, (size_t)whole->n_controls * sizeof(Node *));
    node->inputs[0] = whole->inputs[0];
    TRY(pick(graph, whole, rewrite_constant_input(whole, 1), from.index, &node->inputs[1]));
    TRY(pick(graph, whole, rewrite_constant_input(whole, 2), from.index, &node->inputs[2]));
    node->n_outputs = 1;
    node->output_dtypes = dtype;
    *ret = (Endpoint){ node, 0 };
    return NULL;
}

static Error *narrow_all(Graph *graph)
{
    for (size_t i = 0; i < graph->n_order; i++) {
        Node *node = graph->order[i];
        for (int k = 0; k < node->n_inputs; k++)
            if (is_restore(node->inputs[k].node) && node->inputs[k].node->n_outputs > 1)
                TRY(narrow(graph, node->inputs[k], &node->inputs[k]));
    }
    return graph_order(graph);
}

Error *restore_variables(Graph *graph, const Map *reached)
{
    Restore restore = { .graph = graph, .reached = reached };
    Error *error = restore_all(&restore);
    checkpoint_close(restore.reader);
    TRY(error);
    return narrow_all(graph);
}
