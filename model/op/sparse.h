/* SPDX-License-Identifier: Apache-2.0
 *
 * Sparse: a sparse tensor as TensorFlow's ops pass it, in three inputs:
 *
 *   indices  [n, rank] int64   where the elements are
 *   values   [n]               the elements
 *   shape    [rank]    int64   of the dense tensor
 *
 * Everything in it may be a stranger's. sparse_open checks that the three fit together; that the
 * indices lie inside of the shape and ascend is sparse_check_bounds's and sparse_is_sorted's to say.
 */
#ifndef DIGIT_OP_SPARSE_H
#define DIGIT_OP_SPARSE_H

#include "model/op/op.h"

typedef struct Sparse {
    int64_t n;
    int rank;
    const int64_t *indices; /* [n, rank] */
    const Tensor *values;   /* [n] */
    const int64_t *dims;    /* [rank], none negative */
} Sparse;

/* The sparse tensor of three inputs. Borrows them. INVALID_ARGUMENT when their shapes do not fit or
 * there are more dimensions than a tensor has. */
Error *sparse_open(const Tensor *indices, const Tensor *values, const Tensor *shape,
                   Sparse *ret) _warn_unused_result_;

/* INVALID_ARGUMENT for an index outside of the shape. */
Error *sparse_check_bounds(const Sparse *sparse) _warn_unused_result_;

/* Rows a and b of indices: negative, 0, positive as a comes before, is, or comes behind b. */
static inline int sparse_compare(const int64_t *a, const int64_t *b, int rank)
{
    for (int d = 0; d < rank; d++) {
        if (a[d] != b[d])
            return a[d] < b[d] ? -1 : 1;
    }
    return 0;
}

/* order[0..n): the numbers of the elements in ascending order of their indices; those of equal ones
 * ascend. Takes n log n steps at most, and no memory. */
void sparse_sort(const int64_t *indices, int64_t n, int rank, int64_t *order);

/* Copies element `from[i]` to `to[k]`, whatever the type. Strings keep pointing to their bytes. */
void sparse_copy_value(const Tensor *from, int64_t i, Tensor *to, int64_t k);

#endif
