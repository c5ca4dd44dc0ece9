/* SPDX-License-Identifier: Apache-2.0
 *
 * Copy: a graph once more.
 */
#ifndef DIGIT_GRAPH_COPY_H
#define DIGIT_GRAPH_COPY_H

#include "model/graph/graph.h"

/* A copy of a graph that is in order, in the same arena, with the graphs of its nodes of control
 * flow copied as well; names, attributes and values are shared. Takes from *budget one for each
 * node; RESOURCE_EXHAUSTED when there are not so many. */
Error *graph_copy(const Graph *from, size_t *budget, Graph *ret_graph) _warn_unused_result_;

#endif
