/* SPDX-License-Identifier: Apache-2.0
 *
 * Sink: moves a Squeeze behind what does not mind.
 */
#ifndef DIGIT_GRAPH_SINK_H
#define DIGIT_GRAPH_SINK_H

#include "model/graph/graph.h"

/* Lets bias, activation and their like follow a convolution at once, where a Squeeze stands between
 * them: a Conv1D is a Conv2D of images one row high. Before: graph_order since the last change. Ends
 * with graph_order. */
Error *sink_squeezes(Graph *graph) _warn_unused_result_;

#endif
