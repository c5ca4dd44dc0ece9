/* SPDX-License-Identifier: Apache-2.0
 *
 * Padding: puts a Pad of zeros into the convolution or maximum that reads it.
 */
#ifndef DIGIT_GRAPH_PADDING_H
#define DIGIT_GRAPH_PADDING_H

#include "model/graph/graph.h"

/* Gives convolutions and pools whose input is padded the padding as an attribute, so that the
 * padded image is never made. Before: graph_order since the last change. Ends with graph_order. */
Error *padding(Graph *graph) _warn_unused_result_;

#endif
