/* SPDX-License-Identifier: Apache-2.0
 *
 * Feed: puts what a run gives from outside into a graph that is being imported.
 */
#ifndef DIGIT_GRAPH_FEED_H
#define DIGIT_GRAPH_FEED_H

#include "model/graph/import.h"
#include "model/graph/scope.h"

/* Makes the node of feed number `position` of the request and lets it stand for its tensor in the
 * scope `main`: before any edge is followed. NOT_FOUND when the tensor is not in the graph;
 * INVALID_ARGUMENT when it is fed twice or is no output of its node. */
Error *feed_add(ScopeTree *tree, Scope *main, Graph *graph, const GraphRequest *request,
                int position) _warn_unused_result_;

#endif
