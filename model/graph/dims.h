/* SPDX-License-Identifier: Apache-2.0
 *
 * Dims: what is known of shapes before anything has run, for any request: no signature's shape is
 * believed, because TensorFlow does not hold requests to it. A convolution's output has four
 * dimensions, the last of them its filter's; what Dense does to [s1, s2, 768] ends as [s1, s2, 3072].
 * That holds of a run in which the nodes before succeed: in another one nobody sees the rest.
 */
#ifndef DIGIT_GRAPH_DIMS_H
#define DIGIT_GRAPH_DIMS_H

#include "model/graph/graph.h"
#include "model/graph/term.h"

#define DIMS_UNKNOWN (-1)
#define DIMS_MAX_VALUES 16

/* What is known of one tensor. */
typedef struct DimsInfo {
    int rank;           /* DIMS_UNKNOWN: nor are the dims */
    int n_values;       /* of a vector or scalar of integers; DIMS_UNKNOWN */
    bool is_assumed;    /* the rank, because a Transpose behind it would fail else */
    const Term *dims;   /* [rank] */
    const Term *values; /* [n_values] */
} DimsInfo;

typedef struct Dims {
    Graph *graph;
    DimsInfo *infos; /* [graph->n_order] of output 0 of each node */
    int32_t n_symbols;
} Dims;

/* Nothing is known yet but what Transposes insist on: those become targets of the graph, so that
 * they run, and fail, whatever becomes of their users. Valid as long as the graph's order. */
Error *dims_init(Graph *graph, Dims *ret_dims) _warn_unused_result_;

/* Learns what there is to know of a node in the order, when all that it needs has been learned. */
Error *dims_learn(Dims *dims, const Node *node) _warn_unused_result_;

/* Both for all nodes. */
Error *dims_infer(Graph *graph, Dims *ret_dims) _warn_unused_result_;

/* What is known of an endpoint. */
Error *dims_of(const Dims *dims, Endpoint endpoint, DimsInfo *ret_info) _warn_unused_result_;

/* Both ranks are known and the dims are equal. */
bool dims_equal(const DimsInfo *a, const DimsInfo *b);

/* The product of dims[begin..end). False when it cannot be told. */
bool dims_product_of(const Term *dims, int begin, int end, Term *ret_product);

/* ---- dims_shape.c, dims_value.c: what each op does ------------------------------------------ */

/* What is being learned of one node. */
typedef struct DimsFacts {
    Dims *dims;
    const Node *node;
    int rank;
    int n_values;
    Term shape[SHAPE_MAX_RANK];
    Term values[DIMS_MAX_VALUES];
} DimsFacts;

typedef Error *DimsRule(DimsFacts *facts);

/* The rule for the shape of an op's output 0, and for the numbers in it; NULL: there is none. */
DimsRule *dims_shape_rule(const Op *op);
DimsRule *dims_value_rule(const Op *op);

Term dims_new_symbol(Dims *dims);
/* Input i of the node. */
Error *dims_input(const DimsFacts *facts, int i, DimsInfo *ret_info) _warn_unused_result_;

#endif
