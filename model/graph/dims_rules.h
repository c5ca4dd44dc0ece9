/* SPDX-License-Identifier: Apache-2.0
 *
 * Rules of dims_shape.c's table that have files of their own, and what rules share.
 */
#ifndef DIGIT_GRAPH_DIMS_RULES_H
#define DIGIT_GRAPH_DIMS_RULES_H

#include "model/graph/dims.h"

/* The output has so many dimensions, each a symbol of its own. */
void facts_set_rank(DimsFacts *f, int rank);
void facts_set_dims(DimsFacts *f, int rank, const Term *dims);

/* What numpy's rule makes of two shapes; nothing is said when one of them is not known. */
void facts_broadcast(DimsFacts *f, const DimsInfo *a, const DimsInfo *b);

/* The dimensions of `rank` that a constant input names; false when it is not one, or names others.
 */
bool facts_axes(const Node *node, int i, int rank, int *ret_n, int axes[SHAPE_MAX_RANK]);

/* dims_image.c */
DimsRule rule_convolution;
DimsRule rule_fused_convolution;
DimsRule rule_pool;
DimsRule rule_volume;
DimsRule rule_image_gradient;
DimsRule rule_pad;

/* dims_move.c */
DimsRule rule_transpose;
DimsRule rule_reshape;
DimsRule rule_reshape_by_dims;
DimsRule rule_expand_dims;
DimsRule rule_squeeze;
DimsRule rule_reduce;
DimsRule rule_concat;
DimsRule rule_gather;

#endif
