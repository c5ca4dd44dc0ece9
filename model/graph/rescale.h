/* SPDX-License-Identifier: Apache-2.0
 *
 * Rescale: affine steps without a convolution in front.
 */
#ifndef DIGIT_GRAPH_RESCALE_H
#define DIGIT_GRAPH_RESCALE_H

#include "model/graph/graph.h"

/* Makes one _FusedScale (model/op/fused.h) of each chain of batch normalisation, bias, arithmetic
 * with constants, and activation. After fuse, which wants them first. Before: graph_order since the
 * last change. Ends with graph_order. */
Error *rescale(Graph *graph) _warn_unused_result_;

#endif
