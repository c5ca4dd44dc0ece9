/* SPDX-License-Identifier: Apache-2.0
 *
 * Idiom: activations that TensorFlow spells out in several ops.
 */
#ifndef DIGIT_GRAPH_IDIOM_H
#define DIGIT_GRAPH_IDIOM_H

#include "model/graph/graph.h"

/* Makes one node of each (fused.h says what it computes), so that it takes one pass over its
 * tensor, or none behind a convolution. What else uses a part of an idiom keeps that part. Expects
 * and leaves a graph in order. */
Error *idioms(Graph *graph) _warn_unused_result_;

#endif
