/* SPDX-License-Identifier: Apache-2.0
 *
 * Select and SelectV2: elements of `t` where the condition holds, of `e` elsewhere. Elements of all
 * types are moved by their size; strings are shared, not copied.
 *
 *   Select     t and e have one shape; condition has it too, or is a scalar, or a vector that
 * chooses whole rows of the first dimension SelectV2   all three are broadcast
 */
#include <string.h>

#include "model/op/broadcast.h"
#include "model/op/kernels.h"

/* n elements of `size` bytes; strides are 0 or 1. */
typedef struct SelectRow {
    int64_t n;
    const bool *condition;
    const char *t, *e;
    int64_t strides[3]; /* of condition, t, e */
} SelectRow;

#define SELECT_LOOP(type)                                                                          \
    {                                                                                              \
        const type *t = (const void *)row->t, *e = (const void *)row->e;                           \
        type *z = out;                                                                             \
        if (row->strides[0] != 0 && row->strides[1] != 0 && row->strides[2] != 0) {                \
            for (int64_t i = 0; i < row->n; i++) {                                                 \
                type yes = t[i], no = e[i];                                                        \
                z[i] = row->condition[i] ? yes : no;                                               \
            }                                                                                      \
            return;                                                                                \
        }                                                                                          \
        for (int64_t i = 0; i < row->n; i++) {                                                     \
            bool yes = row->condition[i * row->strides[0]];                                        \
            z[i] = yes ? t[i * row->strides[1]] : e[i * row->strides[2]];                          \
        }                                                                                          \
        return;                                                                                    \
    }

static void select_row(const SelectRow *row, size_t size, void *out)
{
    switch (size) {
    case 1:
        SELECT_LOOP(uint8_t)
    case 2:
        SELECT_LOOP(uint16_t)
    case 4:
        SELECT_LOOP(uint32_t)
    case 8:
        SELECT_LOOP(uint64_t)
    default:
        SELECT_LOOP(Bytes)
    }
}

static Error *select_broadcast(OpContext *c, const Broadcast *b)
{
    const Tensor *condition = op_input(c, 0), *t = op_input(c, 1), *e = op_input(c, 2);
    size_t size = dtype_size(t->dtype);
    Tensor *z = NULL;
    TRY(op_output(c, 0, t->dtype, &b->shape, &z));
    char *out = z->data;
    for (BroadcastWalk w = broadcast_begin(b); !w.done; broadcast_next(b, &w)) {
        SelectRow row = {
            .n = b->row,
            .condition = (const bool *)condition->data + w.offsets[0],
            .t = (const char *)t->data + (size_t)w.offsets[1] * size,
            .e = (const char *)e->data + (size_t)w.offsets[2] * size,
            .strides = { b->row_strides[0], b->row_strides[1], b->row_strides[2] },
        };
        select_row(&row, size, out);
        out += (size_t)b->row * size;
    }
    return NULL;
}

Error *select_prepare(OpPrepare *prepare)
{
    size_t size = dtype_size(prepare->input_dtypes[1]);
    if (size != 1 && size != 2 && size != 4 && size != 8 && prepare->input_dtypes[1] != DT_STRING)
        return error_new(ERROR_UNIMPLEMENTED, "there is no kernel of %s for type %s",
                         prepare->op->name, dtype_name(prepare->input_dtypes[1]));
    return NULL;
}

Error *select_v2_run(OpContext *c)
{
    const Shape *shapes[3] = { &op_input(c, 0)->shape, &op_input(c, 1)->shape,
                               &op_input(c, 2)->shape };
    char text[3][SHAPE_TEXT_BYTES];
    Broadcast b;
    if (!broadcast_init(&b, 3, shapes))
        return error_new(ERROR_INVALID_ARGUMENT,
                         "condition %s, then %s, and else %s must be broadcastable",
                         shape_text(shapes[0], text[0]), shape_text(shapes[1], text[1]),
                         shape_text(shapes[2], text[2]));
    return select_broadcast(c, &b);
}

Error *select_run(OpContext *c)
{
    const Shape *condition = &op_input(c, 0)->shape, *t = &op_input(c, 1)->shape,
                *e = &op_input(c, 2)->shape;
    char text[2][SHAPE_TEXT_BYTES];
    if (!shape_equal(t, e))
        return error_new(ERROR_INVALID_ARGUMENT,
                         "'then' and 'else' must have the same size.  but received: %s vs. %s",
                         shape_text(t, text[0]), shape_text(e, text[1]));
    Shape aligned = *condition;
    if (condition->rank == 1 && t->rank > 1) { /* [N] stands at the first dimension: [N,1,1...] */
        aligned.rank = t->rank;
        for (int d = 1; d < t->rank; d++)
            aligned.dims[d] = 1;
        if (condition->dims[0] != t->dims[0])
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Number of batches of 'then' must match size of 'cond', but saw: "
                             "%lld vs. %lld",
                             (long long)t->dims[0], (long long)condition->dims[0]);
    } else if (condition->rank != 0 && !shape_equal(condition, t)) {
        return error_new(
            ERROR_INVALID_ARGUMENT,
            "The shape of 'cond' must be that of 'then', a scalar or a vector: %s vs. %s",
            shape_text(condition, text[0]), shape_text(t, text[1]));
    }
    Broadcast b;
    if (!broadcast_init(&b, 3, (const Shape *const[]){ &aligned, t, e }))
        return error_new(ERROR_INTERNAL, "Select: shapes were checked but do not fit");
    return select_broadcast(c, &b);
}
