/* SPDX-License-Identifier: Apache-2.0
 *
 * Broadcast: see broadcast.h. Pure arithmetic on shapes; touches no elements.
 */
#include <assert.h>

#include "model/op/broadcast.h"

/* The result's dimensions. */
static bool join_shapes(Broadcast *b, const Shape *const *shapes)
{
    Shape *out = &b->shape;
    out->rank = 0;
    for (int k = 0; k < b->n_operands; k++) {
        if (shapes[k]->rank > out->rank)
            out->rank = shapes[k]->rank;
    }
    for (int d = 0; d < out->rank; d++) {
        int64_t dim = 1;
        for (int k = 0; k < b->n_operands; k++) {
            int own = d - (out->rank - shapes[k]->rank);
            int64_t size = own < 0 ? 1 : shapes[k]->dims[own];
            if (size != 1 && dim != 1 && size != dim)
                return false;
            if (size != 1)
                dim = size;
        }
        out->dims[d] = dim;
    }
    return true;
}

/* How far operand k moves when dimension d of the result grows by one. */
static void operand_strides(const Broadcast *b, const Shape *shape, int64_t strides[SHAPE_MAX_RANK])
{
    int64_t stride = 1;
    for (int d = b->shape.rank - 1; d >= 0; d--) {
        int own = d - (b->shape.rank - shape->rank);
        int64_t size = own < 0 ? 1 : shape->dims[own];
        strides[d] = size == 1 ? 0 : stride;
        stride *= size;
    }
}

/* Appends dimension d, or joins it to the last one when every operand walks both as one. */
static void append_dim(Broadcast *b, int64_t dim, const int64_t *strides)
{
    int last = b->rank - 1;
    bool joins = b->rank > 0;
    for (int k = 0; joins && k < b->n_operands; k++)
        joins = b->strides[k][last] == strides[k] * dim;
    if (!joins)
        last = b->rank++;
    b->dims[last] = joins ? b->dims[last] * dim : dim;
    for (int k = 0; k < b->n_operands; k++)
        b->strides[k][last] = strides[k];
}

bool broadcast_init(Broadcast *b, int n_operands, const Shape *const *shapes)
{
    assert(n_operands <= BROADCAST_MAX_OPERANDS);
    *b = (Broadcast){ .n_operands = n_operands, .row = 1 };
    if (!join_shapes(b, shapes))
        return false;
    int64_t strides[BROADCAST_MAX_OPERANDS][SHAPE_MAX_RANK];
    for (int k = 0; k < n_operands; k++)
        operand_strides(b, shapes[k], strides[k]);
    for (int d = 0; d < b->shape.rank; d++) {
        if (b->shape.dims[d] == 1)
            continue;
        int64_t column[BROADCAST_MAX_OPERANDS];
        for (int k = 0; k < n_operands; k++)
            column[k] = strides[k][d];
        append_dim(b, b->shape.dims[d], column);
    }
    if (b->rank > 0) { /* the last dimension becomes the rows */
        b->rank--;
        b->row = b->dims[b->rank];
        for (int k = 0; k < n_operands; k++)
            b->row_strides[k] = b->strides[k][b->rank];
    }
    return true;
}

int64_t broadcast_rows(const Broadcast *b)
{
    int64_t n = 1;
    for (int d = 0; d < b->rank; d++)
        n *= b->dims[d];
    return n;
}

BroadcastWalk broadcast_at(const Broadcast *b, int64_t row)
{
    BroadcastWalk walk = { .done = b->row == 0 || row >= broadcast_rows(b) };
    for (int d = b->rank - 1; d >= 0 && !walk.done; d--) {
        walk.index[d] = row % b->dims[d];
        row /= b->dims[d];
        for (int k = 0; k < b->n_operands; k++)
            walk.offsets[k] += walk.index[d] * b->strides[k][d];
    }
    return walk;
}

BroadcastWalk broadcast_begin(const Broadcast *b)
{
    BroadcastWalk walk = { .done = b->row == 0 };
    for (int d = 0; d < b->rank; d++)
        walk.done |= b->dims[d] == 0;
    return walk;
}

void broadcast_next(const Broadcast *b, BroadcastWalk *walk)
{
    for (int d = b->rank - 1; d >= 0; d--) {
        for (int k = 0; k < b->n_operands; k++)
            walk->offsets[k] += b->strides[k][d];
        if (++walk->index[d] < b->dims[d])
            return;
        for (int k = 0; k < b->n_operands; k++)
            walk->offsets[k] -= b->strides[k][d] * b->dims[d];
        walk->index[d] = 0;
    }
    walk->done = true;
}
