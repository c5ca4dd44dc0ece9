/* SPDX-License-Identifier: Apache-2.0
 *
 * Flatten: products of tensors that have more than two dimensions with a matrix.
 */
#ifndef DIGIT_GRAPH_FLATTEN_H
#define DIGIT_GRAPH_FLATTEN_H

#include "model/graph/graph.h"

/* Makes one _FusedMatMul of what Dense does to more than two dimensions. Before: graph_order since
 * the last change. Ends with graph_order. */
Error *flatten_products(Graph *graph) _warn_unused_result_;

#endif
