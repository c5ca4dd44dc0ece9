/* SPDX-License-Identifier: Apache-2.0
 *
 * Normalize: layer normalisations that are spelled out.
 */
#ifndef DIGIT_GRAPH_NORMALIZE_H
#define DIGIT_GRAPH_NORMALIZE_H

#include "model/graph/graph.h"

/* Turns each into one _LayerNorm (model/op/fused.h). Before: graph_order since the last change, and
 * reshapes. Ends with graph_order. */
Error *normalize(Graph *graph) _warn_unused_result_;

#endif
