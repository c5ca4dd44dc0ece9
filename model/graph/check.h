/* SPDX-License-Identifier: Apache-2.0
 *
 * Check: what a node is given against what its op takes.
 */
#ifndef DIGIT_GRAPH_CHECK_H
#define DIGIT_GRAPH_CHECK_H

#include "model/graph/graph.h"

/* True for the ops that only the compiler makes, which no bundle may hold: their names begin with an
 * underscore. */
static inline bool check_is_internal(const Op *op)
{
    return op->name[0] == '_';
}

/* Kernels rely on this: every node of the order has as many inputs as its row says, each of the
 * type that the row and its attributes say. INVALID_ARGUMENT names node and input. */
Error *check_types(const Graph *graph) _warn_unused_result_;

#endif
