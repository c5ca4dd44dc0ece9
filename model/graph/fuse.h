/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuse: chains of ops that one kernel does at once (model/op/fused.h).
 */
#ifndef DIGIT_GRAPH_FUSE_H
#define DIGIT_GRAPH_FUSE_H

#include "model/graph/graph.h"

/* Replaces chains that begin with Conv2D or MatMul. Before: graph_order since the last change. Ends
 * with graph_order. */
Error *fuse(Graph *graph) _warn_unused_result_;

#endif
