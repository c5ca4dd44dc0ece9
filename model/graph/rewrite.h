/* SPDX-License-Identifier: Apache-2.0
 *
 * Rewrite: what the passes share that put one node in the place of others.
 */
#ifndef DIGIT_GRAPH_REWRITE_H
#define DIGIT_GRAPH_REWRITE_H

#include "model/graph/graph.h"

/* The value of input i where it is constant, else NULL. */
const Tensor *rewrite_constant_input(const Node *node, int i);

/* True for equal nodes and indices. */
bool endpoints_equal(Endpoint a, Endpoint b);

/* A node that is `value`, whose data is borrowed. */
Error *rewrite_constant(Graph *graph, const char *name, const Tensor *value,
                        Endpoint *ret) _warn_unused_result_;

/* `base` with `n` attributes added, or put in the place of those with the same names. */
Error *rewrite_attrs(Arena *arena, const Attrs *base, size_t n, const Attr *changes,
                     const Attrs **ret_attrs) _warn_unused_result_;

/* Attributes whose values are copied into `arena`. */
Error *rewrite_text(Arena *arena, const char *name, const char *text,
                    Attr *ret_attr) _warn_unused_result_;
Error *rewrite_ints(Arena *arena, const char *name, size_t n, const int64_t *ints,
                    Attr *ret_attr) _warn_unused_result_;
Error *rewrite_float(Arena *arena, const char *name, float value,
                     Attr *ret_attr) _warn_unused_result_;
Error *rewrite_int(Arena *arena, const char *name, int64_t value,
                   Attr *ret_attr) _warn_unused_result_;

/* The node computes `op` of inputs[0..n) from now on, under the name, attributes, controls and
 * users that it has; its outputs but the first are gone. */
Error *rewrite_node(Graph *graph, Node *node, const Op *op, int n,
                    const Endpoint *inputs) _warn_unused_result_;

#endif
