/* SPDX-License-Identifier: Apache-2.0
 *
 * Reference: edges that carry both a variable and its value: TF1's reference variables, and gathers
 * that take a handle.
 */
#ifndef DIGIT_GRAPH_REFERENCE_H
#define DIGIT_GRAPH_REFERENCE_H

#include "model/graph/graph.h"

/* True for the rows of VariableV2 and Variable. */
bool reference_is_variable(const Op *op);

/* True for the rows of ResourceGather and ResourceGatherNd. */
bool reference_is_gather(const Op *op);

/* Gives handles to the kernels that want handles, and puts a ReadVariableOp before all others, so
 * that from here on there are no references (op.h), nor ResourceGather and ResourceGatherNd. Orders
 * the graph. INVALID_ARGUMENT names a gather that is given no handle. */
Error *reference_read(Graph *graph) _warn_unused_result_;

#endif
