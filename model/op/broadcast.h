/* SPDX-License-Identifier: Apache-2.0
 *
 * Broadcast: the walk over tensors of different shapes that numpy's rule makes one: shapes are
 * aligned at their last dimension, and a dimension of 1 (or none) is repeated.
 *
 * Dimensions that all operands walk in one go are joined, so the usual cases (same shape, a scalar,
 * a vector along the last dimension) become one or a few long rows:
 *
 *     for (BroadcastWalk w = broadcast_begin(&b); !w.done; broadcast_next(&b, &w))
 *         row(b.row, x + w.offsets[0], b.row_strides[0], ...);
 */
#ifndef DIGIT_OP_BROADCAST_H
#define DIGIT_OP_BROADCAST_H

#include "model/tensor/tensor.h"

#define BROADCAST_MAX_OPERANDS 3

typedef struct Broadcast {
    Shape shape; /* of the result */
    int n_operands;
    int64_t row;                                 /* elements of a row of the result */
    int64_t row_strides[BROADCAST_MAX_OPERANDS]; /* 1, or 0 where the operand stands still */
    int rank;                                    /* of what is around the rows, joined */
    int64_t dims[SHAPE_MAX_RANK];
    int64_t strides[BROADCAST_MAX_OPERANDS][SHAPE_MAX_RANK]; /* in elements */
} Broadcast;

typedef struct BroadcastWalk {
    bool done;
    int64_t index[SHAPE_MAX_RANK];
    int64_t offsets[BROADCAST_MAX_OPERANDS]; /* of the row's first element in each operand */
} BroadcastWalk;

/* Initialises the caller's storage. False when the shapes do not fit together. */
bool broadcast_init(Broadcast *b, int n_operands, const Shape *const *shapes);

/* The number of rows, and the walk from row number `row` on. */
int64_t broadcast_rows(const Broadcast *b);
BroadcastWalk broadcast_at(const Broadcast *b, int64_t row);

/* The first row; done at once when the result is empty. */
BroadcastWalk broadcast_begin(const Broadcast *b);
void broadcast_next(const Broadcast *b, BroadcastWalk *walk);

#endif
