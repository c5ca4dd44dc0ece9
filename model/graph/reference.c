/* SPDX-License-Identifier: Apache-2.0
 *
 * Reference: three rewrites of edges.
 *
 *     VariableV2 -> Mul               becomes  VariableV2 -> ReadVariableOp -> Mul
 *     VariableV2 -> Assign -> Assign  becomes  VariableV2 -> both, the second after the first
 *     VarHandleOp -> ResourceGather   becomes  VarHandleOp -> ReadVariableOp -> Gather
 *
 * A read that comes in takes the controls of the node that it reads for: TensorFlow looks at the
 * variable when that node runs, which is after them. A read of a variable that nothing writes is
 * folded into a constant, so gathering from it copies no table.
 */
#include "model/graph/reference.h"

#include <string.h>

bool reference_is_variable(const Op *op)
{
    return strcmp(op->name, "VariableV2") == 0 || strcmp(op->name, "Variable") == 0;
}

bool reference_is_gather(const Op *op)
{
    return strcmp(op->name, "ResourceGather") == 0 || strcmp(op->name, "ResourceGatherNd") == 0;
}

static bool is_variable(const Node *node)
{
    return node->op != NULL && node->values == NULL && reference_is_variable(node->op);
}

/* A ReadVariableOp of `handle`; `declares` is the node whose attribute `dtype` says what is read. */
static Error *make_read(Graph *graph, Endpoint handle, const Node *declares, const Node *reader,
                        Node **ret_read)
{
    const char *name = handle.node->name;
    const Op *op = op_find("ReadVariableOp");
    DType *dtype = arena_calloc(graph->arena, 1, sizeof *dtype);
    Attr *attr = arena_calloc(graph->arena, 1, sizeof *attr);
    Attrs *attrs = arena_calloc(graph->arena, 1, sizeof *attrs);
    if (op == NULL)
        return error_new(ERROR_INTERNAL, "there is no ReadVariableOp to read '%s'", name);
    if (dtype == NULL || attr == NULL || attrs == NULL)
        return error_out_of_memory();
    TRY(attrs_type(declares->attrs, "dtype", dtype));
    *attr = (Attr){ .name = "dtype", .kind = ATTR_TYPE, .n = 1, .types = dtype };
    *attrs = (Attrs){ attr, 1 };
    Node *read = NULL;
    int n_controls = reader != NULL ? reader->n_controls : 0;
    TRY(graph_add(graph, name, op, attrs, 1, n_controls, &read));
    read->inputs[0] = handle;
    if (n_controls > 0)
        memcpy(read->controls, reader->controls, (size_t)n_controls * sizeof(Node *));
    read->n_outputs = 1;
    read->output_dtypes = dtype;
    *ret_read = read;
    return NULL;
}

/* Adds one control to a node whose array of them is full. */
static Error *append_control(Graph *graph, Node *node, Node *control)
{
    Node **controls = arena_calloc(graph->arena, (size_t)node->n_controls + 1, sizeof(Node *));
    if (controls == NULL)
        return error_out_of_memory();
    if (node->n_controls > 0)
        memcpy(controls, node->controls, (size_t)node->n_controls * sizeof(Node *));
    controls[node->n_controls++] = control;
    node->controls = controls;
    return NULL;
}

static bool takes_handle(const Node *node, int input)
{
    return input == 0 && (node->op->flags & OP_REF_INPUT) != 0;
}

static Error *rewrite_input(Graph *graph, Node *node, int i)
{
    Node *from = node->inputs[i].node;
    if (takes_handle(node, i)) {
        /* The order has `from` before `node`, so `from` already points at the variable itself. */
        if (from->op != NULL && from->values == NULL && (from->op->flags & OP_REF_INPUT) != 0 &&
            from->n_inputs > 0) {
            node->inputs[i] = from->inputs[0];
            return append_control(graph, node, from);
        }
        return NULL;
    }
    if (!is_variable(from))
        return NULL;
    Node *read = NULL;
    TRY(make_read(graph, node->inputs[i], from, node, &read));
    node->inputs[i] = (Endpoint){ read, 0 };
    return NULL;
}

/* The attributes of a gather from a variable as those of a gather from a tensor, which calls the
 * type that it gathers Tparams. */
static Error *rename_dtype(Graph *graph, const Node *node, const Attrs **ret)
{
    Attr *items = arena_memdup(graph->arena, node->attrs->items, node->attrs->n * sizeof *items);
    Attrs *attrs = arena_calloc(graph->arena, 1, sizeof *attrs);
    if (items == NULL || attrs == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < node->attrs->n; i++)
        if (strcmp(items[i].name, "dtype") == 0)
            items[i].name = "Tparams";
    *attrs = (Attrs){ items, node->attrs->n };
    *ret = attrs;
    return NULL;
}

static Error *rewrite_gather(Graph *graph, Node *node)
{
    if (node->op == NULL || !reference_is_gather(node->op) || node->n_inputs == 0)
        return NULL; /* a gather from nothing is refused with all that lack inputs */
    if (endpoint_dtype(node->inputs[0]) != DT_RESOURCE)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "node '%s' (%s): its input 0 is %s and must be a variable's handle",
                         node->name, node->op->name, dtype_name(endpoint_dtype(node->inputs[0])));
    const Op *op = op_find(node->op->name + strlen("Resource"));
    Node *read = NULL;
    if (op == NULL)
        return error_new(ERROR_INTERNAL, "there is no kernel to gather for '%s'", node->name);
    TRY(make_read(graph, node->inputs[0], node, node, &read));
    TRY(rename_dtype(graph, node, &node->attrs));
    node->inputs[0] = (Endpoint){ read, 0 };
    node->op = op;
    return NULL;
}

Error *reference_read(Graph *graph)
{
    TRY(graph_order(graph));
    for (size_t i = 0; i < graph->n_order; i++) {
        TRY(rewrite_gather(graph, graph->order[i]));
        for (int k = 0; k < graph->order[i]->n_inputs; k++)
            TRY(rewrite_input(graph, graph->order[i], k));
    }
    for (size_t i = 0; i < graph->n_outputs; i++) {
        Node *from = graph->outputs[i].node;
        if (!is_variable(from))
            continue;
        Node *read = NULL;
        TRY(make_read(graph, graph->outputs[i], from, NULL, &read));
        graph->outputs[i] = (Endpoint){ read, 0 };
    }
    return graph_order(graph);
}
