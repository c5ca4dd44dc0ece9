/* SPDX-License-Identifier: Apache-2.0
 *
 * OpNode: attributes built one by one, random inputs, and one op run on them, for tests that make
 * up their own nodes. Assertions are cmocka's.
 */
#ifndef DIGIT_TESTS_SUPPORT_OP_NODE_H
#define DIGIT_TESTS_SUPPORT_OP_NODE_H

#include <math.h>

#include "tests/support/check.h"
#include "tests/support/op_runner.h"

#define OP_NODE_MAX_ATTRS 12

/* The next number in [0, n) of a fixed sequence. */
static inline int64_t random_below(int64_t n)
{
    static uint32_t seed = 11;
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % n;
}

/* Floats in [-1, 1]. */
static inline Tensor random_tensor(Arena *arena, const Shape *shape)
{
    Tensor t;
    assert_ok(tensor_new(arena, DT_FLOAT, shape, &t));
    for (int64_t i = 0; i < t.n; i++)
        ((float *)t.data)[i] = (float)random_below(2001) / 1000 - 1;
    return t;
}

typedef struct OpNode {
    Arena *arena;
    Attr items[OP_NODE_MAX_ATTRS];
    Attrs attrs;
} OpNode;

static inline Attr *op_node_attr(OpNode *node, const char *name, AttrKind kind, size_t n)
{
    assert_true(node->attrs.n < OP_NODE_MAX_ATTRS);
    Attr *attr = &node->items[node->attrs.n++];
    node->attrs.items = node->items;
    *attr = (Attr){ .name = name, .kind = kind, .n = n };
    return attr;
}

static inline void op_node_text(OpNode *node, const char *name, const char *text)
{
    Bytes *bytes = arena_alloc(node->arena, sizeof(*bytes));
    assert_non_null(bytes);
    *bytes = (Bytes){ (const uint8_t *)text, strlen(text) };
    op_node_attr(node, name, ATTR_TEXT, 1)->texts = bytes;
}

static inline void op_node_ints(OpNode *node, const char *name, size_t n, const int64_t *ints)
{
    int64_t *copy = arena_memdup(node->arena, ints, n * sizeof(*ints));
    assert_non_null(copy);
    op_node_attr(node, name, ATTR_INTS, n)->ints = copy;
}

static inline void op_node_int(OpNode *node, const char *name, int64_t value)
{
    op_node_ints(node, name, 1, &value);
    node->items[node->attrs.n - 1].kind = ATTR_INT;
}

static inline void op_node_float(OpNode *node, const char *name, float value)
{
    float *copy = arena_memdup(node->arena, &value, sizeof(value));
    assert_non_null(copy);
    op_node_attr(node, name, ATTR_FLOAT, 1)->floats = copy;
}

static inline void op_node_bool(OpNode *node, const char *name, bool value)
{
    bool *copy = arena_memdup(node->arena, &value, sizeof(value));
    assert_non_null(copy);
    op_node_attr(node, name, ATTR_BOOL, 1)->bools = copy;
}

static inline OpNode op_node_new(Arena *arena, DType dtype)
{
    OpNode node = { .arena = arena };
    DType *copy = arena_memdup(arena, &dtype, sizeof(dtype));
    assert_non_null(copy);
    op_node_attr(&node, "T", ATTR_TYPE, 1)->types = copy;
    return node;
}

/* Runs an op twice, without and with constant inputs, which must agree; gives the first output, in
 * the node's arena. */
static inline Error *op_node_run(OpNode *node, const char *op, int n, const Tensor *inputs,
                                 Tensor *ret)
{
    Tensor outputs[2];
    node->attrs.items = node->items;
    for (int way = 0; way < 2; way++) {
        _cleanup_(op_runner_freep) OpRunner *runner = NULL;
        OpRunnerOptions options = { .op = op,
                                    .attrs = &node->attrs,
                                    .inputs = inputs,
                                    .n_inputs = n,
                                    .constant_inputs = way == 1 };
        int n_outputs = 0;
        TRY(op_runner_new(&options, &runner));
        TRY(op_runner_run(runner));
        assert_ok(tensor_copy(node->arena, op_runner_outputs(runner, &n_outputs), &outputs[way]));
    }
    assert_true(shape_equal(&outputs[0].shape, &outputs[1].shape));
    for (int64_t i = 0; i < outputs[0].n; i++)
        assert_true(fabsf(((float *)outputs[0].data)[i] - ((float *)outputs[1].data)[i]) <= 2e-5F);
    *ret = outputs[0];
    return NULL;
}

#endif
