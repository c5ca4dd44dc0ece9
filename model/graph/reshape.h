/* SPDX-License-Identifier: Apache-2.0
 *
 * Reshape: steps that only say how the same elements are looked at.
 */
#ifndef DIGIT_GRAPH_RESHAPE_H
#define DIGIT_GRAPH_RESHAPE_H

#include "model/graph/graph.h"

/* Drops what changes nothing, joins transpositions, and computes shapes while compiling. Before:
 * graph_order since the last change. Ends with graph_order. */
Error *reshapes(Graph *graph) _warn_unused_result_;

#endif
