/* SPDX-License-Identifier: Apache-2.0
 *
 * Simplify: takes out of a graph what changes nothing.
 */
#ifndef DIGIT_GRAPH_SIMPLIFY_H
#define DIGIT_GRAPH_SIMPLIFY_H

#include "model/graph/graph.h"

/* Drops control edges that order nothing, targets without effects, and nodes that only pass a
 * value on. Before: graph_order since the last change. Ends with graph_order. */
Error *simplify(Graph *graph) _warn_unused_result_;

#endif
