/* SPDX-License-Identifier: Apache-2.0
 *
 * Copy: nodes first, by their positions, then edges. Feeds are not always in the order: those that
 * nothing needs are copied too.
 */
#include "model/graph/copy.h"

#include <string.h>

#include "model/graph/control.h"

static Error *copy_node(Graph *graph, const Node *node, size_t *budget, Node **ret)
{
    if (*budget == 0)
        return error_new(ERROR_RESOURCE_EXHAUSTED,
                         "node '%s': copies of loops within branches are more than %zu nodes",
                         node->name, GRAPH_MAX_NODES);
    --*budget;
    TRY(graph_add(graph, node->name, node->op, node->attrs, node->n_inputs, node->n_controls, ret));
    (*ret)->feed = node->feed;
    (*ret)->n_outputs = node->n_outputs;
    (*ret)->output_dtypes = node->output_dtypes;
    (*ret)->values = node->values;
    return node->control == NULL
               ? NULL
               : control_copy(graph->arena, node->control, budget, &(*ret)->control);
}

static bool is_in_order(const Graph *graph, const Node *node)
{
    return node->position < graph->n_order && graph->order[node->position] == node;
}

static void copy_edges(Node *const *copies, const Node *from, Node *to)
{
    for (int i = 0; i < from->n_inputs; i++)
        to->inputs[i] = (Endpoint){ copies[from->inputs[i].node->position], from->inputs[i].index };
    for (int i = 0; i < from->n_controls; i++)
        to->controls[i] = copies[from->controls[i]->position];
}

Error *graph_copy(const Graph *from, size_t *budget, Graph *ret_graph)
{
    Graph graph = { .arena = from->arena, .n_feeds = from->n_feeds, .n_outputs = from->n_outputs };
    Node **copies = arena_calloc(graph.arena, from->n_order, sizeof *copies);
    graph.feeds = arena_calloc(graph.arena, graph.n_feeds, sizeof *graph.feeds);
    graph.outputs = arena_calloc(graph.arena, graph.n_outputs, sizeof *graph.outputs);
    if (copies == NULL || graph.feeds == NULL || graph.outputs == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < from->n_order; i++)
        TRY(copy_node(&graph, from->order[i], budget, &copies[i]));
    for (size_t i = 0; i < from->n_order; i++)
        copy_edges(copies, from->order[i], copies[i]);
    for (size_t i = 0; i < from->n_feeds; i++) {
        const Node *feed = from->feeds[i];
        if (is_in_order(from, feed))
            graph.feeds[i] = copies[feed->position];
        else
            TRY(copy_node(&graph, feed, budget, &graph.feeds[i]));
    }
    for (size_t i = 0; i < from->n_outputs; i++)
        graph.outputs[i] =
            (Endpoint){ copies[from->outputs[i].node->position], from->outputs[i].index };
    for (size_t i = 0; i < from->n_targets; i++)
        TRY(graph_add_target(&graph, copies[from->targets[i]->position]));
    TRY(graph_order(&graph));
    *ret_graph = graph;
    return NULL;
}
