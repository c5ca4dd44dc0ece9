/* SPDX-License-Identifier: Apache-2.0
 *
 * Simplify: dead edges and nodes. Only state can be ordered: a control edge from a node that
 * neither is nor waits for anything stateful goes, and with it often the node.
 */
#include "model/graph/simplify.h"

#include <string.h>

static bool passes_on(const Node *node)
{
    static const char *const names[] = { "Identity", "IdentityN",       "StopGradient",
                                         "Snapshot", "PreventGradient", "PlaceholderWithDefault" };
    if (node->op == NULL || node->values != NULL || node->n_controls > 0)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(node->op->name, names[i]) == 0)
            return true;
    return false;
}

static void drop_controls(Node *node)
{
    int n = 0;
    for (int i = 0; i < node->n_controls; i++)
        if (node->controls[i]->is_stateful)
            node->controls[n++] = node->controls[i];
    node->n_controls = n;
}

/* Output i of a node that passes on is its input i, which was itself redirected before: the order
 * has it earlier. */
static void redirect(Endpoint *endpoint)
{
    if (passes_on(endpoint->node))
        *endpoint = endpoint->node->inputs[endpoint->index];
}

Error *simplify(Graph *graph)
{
    for (size_t i = 0; i < graph->n_order; i++) {
        Node *node = graph->order[i];
        drop_controls(node);
        for (int k = 0; k < node->n_inputs; k++)
            redirect(&node->inputs[k]);
    }
    for (size_t i = 0; i < graph->n_outputs; i++)
        redirect(&graph->outputs[i]);
    size_t n = 0;
    for (size_t i = 0; i < graph->n_targets; i++)
        if (graph->targets[i]->has_effects)
            graph->targets[n++] = graph->targets[i];
    graph->n_targets = n;
    return graph_order(graph);
}
