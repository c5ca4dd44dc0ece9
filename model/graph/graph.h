/* SPDX-License-Identifier: Apache-2.0
 *
 * Graph: nodes and the edges between them, as a signature needs them: what graph/import.c made of a
 * GraphDef, what the passes of this folder turn it into, and what plan/compile.c reads.
 *
 * A Graph and all that it points to lie in one arena and are thrown away together after compiling.
 * One thread.
 *
 *     data edge      output `index` of a node -> input i of another     Node.inputs
 *     control edge   "run me after that node"                           Node.controls
 *     output         what the signature wants                           Graph.outputs
 *     target         what must run for its effects                      Graph.targets
 */
#ifndef DIGIT_GRAPH_GRAPH_H
#define DIGIT_GRAPH_GRAPH_H

#include "model/base/arena.h"
#include "model/base/error.h"
#include "model/op/attrs.h"
#include "model/op/op.h"
#include "model/op/resource.h"

#define GRAPH_MAX_NODES ((size_t)1 << 20)

typedef struct Node Node;
typedef struct Control Control; /* model/graph/control.h */

typedef struct Endpoint {
    Node *node;
    int index;
} Endpoint;

/* A value that is known before the first run. */
typedef struct Constant {
    Tensor tensor;
    Resource *resource; /* the variable whose memory it is; NULL: the graph's or the GraphDef's */
    const struct AffineScale *scale; /* the value is `tensor` times this (affine.h), and made when a
                                      * kernel needs it; NULL: it is `tensor` as it is */
} Constant;

struct Node {
    const char *name; /* functions' nodes: "call/node", as TensorFlow names them in errors */
    const Op *op;     /* NULL for a feed */
    const Attrs *attrs;
    int feed; /* >= 0: this node is that feed */
    int n_inputs, n_controls, n_outputs;
    Endpoint *inputs;
    Node **controls;
    const DType *output_dtypes;      /* [n_outputs] */
    Constant *values;                /* [n_outputs]: the node is constant; NULL: it is not */
    Control *control;                /* of If, Case and While: the graphs that it runs; else NULL */
    struct Preparation *preparation; /* plan/prepare.h; NULL at first */
    size_t position;                 /* in Graph.order, valid after graph_order */
    int n_uses;       /* data edges out, and outputs; valid after graph_count_uses, as */
    int n_side_uses;  /*   those of them that are not from output 0, */
    Node *user;       /*   and the node at the end of one of the edges */
    uint8_t mark;     /* of the walk that is going on */
    bool is_stateful; /* it, or what it needs, reads or writes state; */
    bool has_effects; /*   writes state, or only checks (Assert): runs even when nobody */
                      /*   uses what it gives. Both valid after graph_order */
};

typedef struct Graph {
    Arena *arena; /* borrowed */
    Node **feeds; /* [n_feeds], reached or not */
    size_t n_feeds;
    Endpoint *outputs; /* [n_outputs] */
    size_t n_outputs;
    Node **targets; /* [n_targets] */
    size_t n_targets, targets_capacity;
    Node *
        *order; /* [n_order]: the nodes that outputs and targets reach, each after what it needs */
    size_t n_order;
    size_t n_made;             /* nodes ever made: the limit counts them */
    bool has_dataflow_control; /* nodes of TF1's control flow, which raise_control takes out */
} Graph;

/* A node without edges; its arrays of `n_inputs` inputs and `n_controls` controls are zeroed and to
 * be filled by the caller. Name and attrs are borrowed. RESOURCE_EXHAUSTED past GRAPH_MAX_NODES. */
Error *graph_add(Graph *graph, const char *name, const Op *op, const Attrs *attrs, int n_inputs,
                 int n_controls, Node **ret_node) _warn_unused_result_;

Error *graph_add_target(Graph *graph, Node *target) _warn_unused_result_;

/* Finds the order, and what is stateful. Stable: the same graph gives the same order. Nodes that
 * nothing needs are not in it. INVALID_ARGUMENT naming a node on a cycle. No recursion: the depth
 * of a graph is a stranger's choice. */
Error *graph_order(Graph *graph) _warn_unused_result_;

/* Sets n_uses, n_side_uses and user of all nodes in the order. */
void graph_count_uses(Graph *graph);

/* The constant that `endpoint` is, or NULL. */
static inline const Constant *endpoint_constant(Endpoint endpoint)
{
    return endpoint.node->values != NULL ? &endpoint.node->values[endpoint.index] : NULL;
}

static inline DType endpoint_dtype(Endpoint endpoint)
{
    return endpoint.node->output_dtypes[endpoint.index];
}

/* True when the node's op is named `name`. */
bool node_is(const Node *node, const char *name);

#endif
