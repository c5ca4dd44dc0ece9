/* SPDX-License-Identifier: Apache-2.0
 *
 * Share: one pass in order over a hash table of the nodes met so far. Inputs have been redirected
 * when a node is looked up, so whole expressions collapse from their leaves on. Inputs that are
 * constants are equal when their values are: exporters write each axis and shape anew.
 */
#include "model/graph/share.h"

#define MAX_COMPARED_BYTES 256 /* of a constant: larger ones are the same only as the same memory */
#define MAX_PROBES 64          /* a graph made of nodes that collide shall not take forever */

typedef struct Table {
    Node **slots; /* open addressing, linear probing */
    size_t mask;  /* number of slots - 1; at least half of them stay empty */
    Node **first; /* [n_order] of each node, by position: what stands for it */
} Table;

static bool may_share(const Node *node)
{
    return node->op != NULL && node->op->run != NULL &&
           (node->op->flags & ~(unsigned)OP_ADAPTED) == OP_PURE && node->values == NULL &&
           node->control == NULL && node->n_controls == 0 && node->n_inputs > 0 &&
           node->n_outputs > 0;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    return (hash ^ value) * 0x9e3779b97f4a7c15U;
}

/* Constants count only as such: equal ones may be different nodes. */
static size_t hash_node(const Node *node)
{
    uint64_t hash = mix(1, (uintptr_t)node->op);
    for (int i = 0; i < node->n_inputs; i++) {
        const Endpoint *in = &node->inputs[i];
        bool is_constant = in->node->values != NULL;
        hash = mix(hash ^ hash >> 29, is_constant ? 0 : (uintptr_t)in->node + (uintptr_t)in->index);
    }
    return (size_t)(hash ^ hash >> 32);
}

static bool inputs_equal(Endpoint a, Endpoint b)
{
    if (a.node == b.node && a.index == b.index)
        return true;
    const Constant *x = endpoint_constant(a), *y = endpoint_constant(b);
    if (x == NULL || y == NULL || x->resource != NULL || y->resource != NULL)
        return false;
    return tensor_bytes(&x->tensor) <= MAX_COMPARED_BYTES && tensor_equal(&x->tensor, &y->tensor);
}

static bool nodes_equal(const Node *a, const Node *b)
{
    if (a->op != b->op || a->n_inputs != b->n_inputs || a->n_outputs != b->n_outputs ||
        !attrs_equal(a->attrs, b->attrs))
        return false;
    for (int i = 0; i < a->n_outputs; i++)
        if (a->output_dtypes[i] != b->output_dtypes[i])
            return false;
    for (int i = 0; i < a->n_inputs; i++)
        if (!inputs_equal(a->inputs[i], b->inputs[i]))
            return false;
    return true;
}

/* The node like this one that came first; itself when there is none. */
static Node *find_or_add(const Table *table, Node *node)
{
    size_t i = hash_node(node) & table->mask;
    for (int n = 0; n < MAX_PROBES; n++, i = (i + 1) & table->mask) {
        if (table->slots[i] == NULL) {
            table->slots[i] = node;
            return node;
        }
        if (nodes_equal(table->slots[i], node))
            return table->slots[i];
    }
    return node;
}

static void redirect(const Table *table, Endpoint *endpoint)
{
    endpoint->node = table->first[endpoint->node->position];
}

Error *share(Graph *graph)
{
    size_t n_slots = 16;
    while (n_slots < 2 * graph->n_order)
        n_slots *= 2;
    Table table = { .mask = n_slots - 1 };
    table.slots = arena_calloc(graph->arena, n_slots, sizeof(Node *));
    table.first = arena_calloc(graph->arena, graph->n_order, sizeof(Node *));
    if (table.slots == NULL || table.first == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < graph->n_order; i++) {
        Node *node = graph->order[i];
        for (int k = 0; k < node->n_inputs; k++)
            redirect(&table, &node->inputs[k]);
        table.first[i] = may_share(node) ? find_or_add(&table, node) : node;
    }
    for (size_t i = 0; i < graph->n_outputs; i++)
        redirect(&table, &graph->outputs[i]);
    return graph_order(graph);
}
