/* SPDX-License-Identifier: Apache-2.0
 *
 * Prepare: the kernels of all plans of a version, in the order that holds the least memory.
 */
#ifndef DIGIT_PLAN_PREPARE_H
#define DIGIT_PLAN_PREPARE_H

#include "model/graph/graph.h"
#include "model/plan/plan.h"

/* What was made for a node, in the store's arena: Node.preparation. */
typedef struct Preparation {
    const char *node_name;
    StoreConstant **constants; /* [n_inputs]; NULL: not constant */
    const Attrs *attrs;        /* the store's copy */
    const void *kernel;        /* NULL for control flow too */
    bool is_done;
} Preparation;

typedef struct PrepareGraph {
    Graph *graph;
    const char *name; /* of the signature, for errors; NULL: nothing is said */
} PrepareGraph;

/* Prepares the kernels of every node that becomes a step, in all graphs and in those within them.
 * A large constant, be it a variable or made of one, is dealt with all at once: all kernels that
 * look at it are prepared, and when none of them needs it any more its memory is given back before
 * the next one's turn. So weights as they were stored and weights as they are packed are in memory
 * together only one by one, whatever number of signatures share them.
 *
 * Errors of kernels name the node, and the signature. */
Error *prepare_kernels(const PlanInput *input, const PrepareGraph *graphs,
                       size_t n) _warn_unused_result_;

/* A node that becomes a step: all but feeds, constants, and those that only order. */
bool prepare_is_step(const Node *node);

#endif
