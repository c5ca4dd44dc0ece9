/* SPDX-License-Identifier: Apache-2.0
 *
 * Sink: Squeeze(conv) + b is Squeeze(conv + b) where b has channels only and the Squeeze leaves
 * them alone. The two nodes change places: the Squeeze takes that of its user, whose users need not
 * be told.
 */
#include "model/graph/sink.h"

#include "model/graph/rewrite.h"
#include "model/op/activation.h"

/* A Squeeze of rows or columns of a convolution's result, or of what followed one before. */
static bool is_squeezed_image(const Node *node)
{
    size_t n = 0;
    const int64_t *axes = NULL;
    if (!node_is(node, "Squeeze") || node->values != NULL || node->n_controls > 0)
        return false;
    Error *error = attrs_ints(node->attrs, "squeeze_dims", &n, &axes);
    error_free(error); /* the kernel will say so */
    bool is_spatial = error == NULL && n > 0;
    for (size_t i = 0; i < n && is_spatial; i++)
        is_spatial = axes[i] == 1 || axes[i] == 2 || axes[i] == -2 || axes[i] == -3;
    return is_spatial && node->output_dtypes[0] == DT_FLOAT;
}

static bool is_convolution(const Node *node)
{
    return node->values == NULL &&
           (node_is(node, "Conv2D") || node_is(node, "DepthwiseConv2dNative"));
}

/* True when `node` does the same to each position, with constants of channels if any. */
static bool is_pointwise(const Node *node)
{
    static const char *const names[] = { "BiasAdd", "Add", "AddV2", "Sub", "Mul" };
    ActivationKind kind;
    if (node->op == NULL || node->values != NULL || node->n_controls > 0)
        return false;
    if (node->n_inputs == 1 && activation_find(node->op->name, &kind))
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!node_is(node, names[i]))
            continue;
        const Tensor *value = rewrite_constant_input(node, 1);
        return value != NULL && value->shape.rank <= 1;
    }
    return false;
}

static Error *exchange(Graph *graph, Node *squeeze, Node *user)
{
    const Node old = *squeeze;
    Endpoint *inputs =
        arena_memdup(graph->arena, user->inputs, (size_t)user->n_inputs * sizeof *user->inputs);
    Endpoint *result = arena_calloc(graph->arena, 1, sizeof *result);
    if (inputs == NULL || result == NULL)
        return error_out_of_memory();
    inputs[0] = old.inputs[0];
    squeeze->op = user->op;
    squeeze->attrs = user->attrs;
    squeeze->name = user->name;
    squeeze->inputs = inputs;
    squeeze->n_inputs = user->n_inputs;
    *result = (Endpoint){ squeeze, 0 };
    user->op = old.op;
    user->attrs = old.attrs;
    user->name = old.name;
    user->inputs = result;
    user->n_inputs = 1;
    return NULL;
}

/* Lets the Squeeze at `node` sink as deep as it goes. */
static Error *sink(Graph *graph, Node *node)
{
    while (is_squeezed_image(node) && node->n_uses == 1 && node->user != NULL &&
           is_pointwise(node->user) && node->user->inputs[0].node == node) {
        Node *user = node->user;
        TRY(exchange(graph, node, user));
        node = user;
    }
    return NULL;
}

Error *sink_squeezes(Graph *graph)
{
    graph_count_uses(graph);
    for (size_t i = 0; i < graph->n_order; i++) {
        Node *node = graph->order[i];
        if (is_squeezed_image(node) && is_convolution(node->inputs[0].node))
            TRY(sink(graph, node));
    }
    return graph_order(graph);
}
