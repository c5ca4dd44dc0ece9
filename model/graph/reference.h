/* SPDX-License-Identifier: Apache-2.0
 *
 * Reference: TF1's reference variables, where one edge carries both the variable and its value.
 */
#ifndef DIGIT_GRAPH_REFERENCE_H
#define DIGIT_GRAPH_REFERENCE_H

#include "model/graph/graph.h"

/* True for the rows of VariableV2 and Variable. */
bool reference_is_variable(const Op *op);

/* Gives handles to the kernels that want handles, and puts a ReadVariableOp before all others, so
 * that from here on there are no references (op.h). Orders the graph. */
Error *reference_read(Graph *graph) _warn_unused_result_;

#endif
