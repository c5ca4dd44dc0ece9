/* SPDX-License-Identifier: Apache-2.0
 *
 * Evaluate: runs one node whose inputs are constant, while a graph is compiled.
 */
#ifndef DIGIT_GRAPH_EVALUATE_H
#define DIGIT_GRAPH_EVALUATE_H

#include "model/graph/graph.h"

/* Runs the node's kernel; its outputs lie in `arena`, or where the constants that they alias are.
 * Gives [n_outputs]. RESOURCE_EXHAUSTED when they are more than `max_bytes`; else what the kernel
 * says. `resources` are for kernels of handles and may be NULL. */
Error *evaluate(const Node *node, Arena *arena, ResourceManager *resources, size_t max_bytes,
                Constant **ret_values) _warn_unused_result_;

#endif
