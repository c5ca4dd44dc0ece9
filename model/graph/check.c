/* SPDX-License-Identifier: Apache-2.0
 *
 * Check: number and types of the inputs of every node.
 */
#include "model/graph/check.h"

static Error *check_node(const Node *node, Arena *arena)
{
    DType *dtypes = arena_calloc(arena, (size_t)node->n_inputs, sizeof *dtypes);
    if (dtypes == NULL)
        return error_out_of_memory();
    for (int i = 0; i < node->n_inputs; i++)
        dtypes[i] = endpoint_dtype(node->inputs[i]);
    return op_check_inputs(node->op, node->attrs, arena, node->n_inputs, dtypes);
}

Error *check_types(const Graph *graph)
{
    for (size_t i = 0; i < graph->n_order; i++) {
        const Node *node = graph->order[i];
        if (node->op != NULL)
            TRY(error_prefix(check_node(node, graph->arena), "node '%s' (%s)", node->name,
                             node->op->name));
    }
    return NULL;
}
