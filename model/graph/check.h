/* SPDX-License-Identifier: Apache-2.0
 *
 * Check: what a node is given against what its op takes.
 */
#ifndef DIGIT_GRAPH_CHECK_H
#define DIGIT_GRAPH_CHECK_H

#include "model/graph/graph.h"

/* Kernels rely on this: every node of the order has as many inputs as its row says, each of the
 * type that the row and its attributes say. INVALID_ARGUMENT names node and input. */
Error *check_types(const Graph *graph) _warn_unused_result_;

#endif
