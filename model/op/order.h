/* SPDX-License-Identifier: Apache-2.0
 *
 * Order: equality and a total order of slices of a tensor along one axis, and a sort by it that
 * never takes more than n log n steps, whatever a stranger sends: what finds equal elements in
 * Unique and ListDiff. Values compare as numbers where that decides equality (-0 is 0, no NaN is
 * equal to another), strings by their bytes.
 */
#ifndef DIGIT_OP_ORDER_H
#define DIGIT_OP_ORDER_H

#include "model/tensor/tensor.h"

/* The tensor as [outer, n, inner]; slice i is [:, i, :]. */
typedef struct Slices1D {
    const Tensor *tensor;
    int64_t outer, n, inner;
} Slices1D;

/* The slices of `tensor` along an axis; the elements of a tensor as a vector. */
Slices1D slices_along(const Tensor *tensor, int axis);
Slices1D slices_flat(const Tensor *tensor);

/* Negative, zero or positive as slice i of a is before, equal to, or behind slice j of b. Both have
 * slices of the same size and type. A NaN is equal to every NaN here; see slice_has_nan. */
int slices_compare(const Slices1D *a, int64_t i, const Slices1D *b, int64_t j);

/* True when an element of slice i is NaN: it is equal to no slice. */
bool slice_has_nan(const Slices1D *s, int64_t i);

/* Writes the numbers of the slices to order[0..n), sorted; equal ones in ascending order. `spare`
 * has n elements too. */
void slices_sort(const Slices1D *s, int64_t *order, int64_t *spare);

#endif
