/* SPDX-License-Identifier: Apache-2.0
 *
 * Share: common subexpressions: nodes that compute the same from the same are one.
 */
#ifndef DIGIT_GRAPH_SHARE_H
#define DIGIT_GRAPH_SHARE_H

#include "model/graph/graph.h"

/* Only pure nodes that wait for nothing. Expects and leaves a graph in order. */
Error *share(Graph *graph) _warn_unused_result_;

#endif
