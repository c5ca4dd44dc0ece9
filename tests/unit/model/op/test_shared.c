/* SPDX-License-Identifier: Apache-2.0
 *
 * Ops whose loops worker threads share: the same bits with any number of them, for tensors large
 * enough to be shared. What the bits should be, test_ops.c knows of small tensors.
 */
#include "tests/support/op_node.h"

typedef struct Case {
    const char *op;
    int n_inputs; /* random tensors of `shapes`, followed by `indices` where there are some */
    Shape shapes[2];
    int n_indices;
    int32_t indices[8];
    int index_columns; /* of a matrix; 0: a vector; -1: a scalar */
} Case;

#define SHAPE(...)                                                                                 \
    {                                                                                              \
        .rank = ARRAY_SIZE(((int64_t[]){ __VA_ARGS__ })), .dims = { __VA_ARGS__ }                  \
    }

static const Case cases[] = {
    { "AddV2", 2, { SHAPE(700, 777), SHAPE(700, 777) }, 0, { 0 }, 0 },
    { "Mul", 2, { SHAPE(1, 700, 777), SHAPE(5, 1, 777) }, 0, { 0 }, 0 },
    { "Sub", 2, { SHAPE(100003, 5), SHAPE(100003, 1) }, 0, { 0 }, 0 },
    { "RealDiv", 2, { SHAPE(3, 200001), SHAPE(3, 1) }, 0, { 0 }, 0 },
    { "Maximum", 2, { SHAPE(777777), SHAPE(1) }, 0, { 0 }, 0 },
    { "Greater", 2, { SHAPE(777777), SHAPE(777777) }, 0, { 0 }, 0 },
    { "Exp", 1, { SHAPE(777777) }, 0, { 0 }, 0 },
    { "Sqrt", 1, { SHAPE(777777) }, 0, { 0 }, 0 },
    { "Relu", 1, { SHAPE(777777) }, 0, { 0 }, 0 },
    { "_Gelu", 1, { SHAPE(777777) }, 0, { 0 }, 0 },
    { "Softmax", 1, { SHAPE(999, 777) }, 0, { 0 }, 0 },
    { "Mean", 1, { SHAPE(40, 30, 30, 37) }, 2, { 1, 2 }, 0 },
    { "Mean", 1, { SHAPE(999, 777) }, 1, { -1 }, 0 },
    { "Sum", 1, { SHAPE(999, 777) }, 1, { 0 }, 0 },
    { "Sum", 1, { SHAPE(50, 99, 3, 77) }, 2, { 1, 3 }, 0 },
    { "Max", 1, { SHAPE(999, 777) }, 1, { -1 }, 0 },
    { "Transpose", 1, { SHAPE(99, 88, 77) }, 3, { 2, 0, 1 }, 0 },
    { "Transpose", 1, { SHAPE(99, 88, 77) }, 3, { 1, 0, 2 }, 0 },
    { "ConcatV2", 2, { SHAPE(999, 77, 9), SHAPE(999, 77, 5) }, 1, { 2 }, -1 },
    { "Pad", 1, { SHAPE(99, 88, 77) }, 6, { 1, 0, 0, 2, 3, 1 }, 2 },
};

static Tensor make_indices(Arena *arena, const Case *c)
{
    Shape shape = { .rank = c->index_columns < 0 ? 0 : 1, .dims = { c->n_indices } };
    if (c->index_columns > 0)
        shape = shape_of(c->n_indices / c->index_columns, c->index_columns);
    Tensor t;
    assert_ok(tensor_new(arena, DT_INT32, &shape, &t));
    memcpy(t.data, c->indices, (size_t)t.n * sizeof(int32_t));
    return t;
}

/* The first output with `n_threads` threads; 0: without workers. In `arena`. */
static Tensor run(Arena *arena, const OpRunnerOptions *options, int n_threads)
{
    _cleanup_(workers_freep) Workers *workers = NULL;
    _cleanup_(op_runner_freep) OpRunner *runner = NULL;
    OpRunnerOptions own = *options;
    if (n_threads > 0)
        assert_ok(workers_new_eager(n_threads, &workers));
    own.workers = workers;
    assert_ok(op_runner_new(&own, &runner));
    assert_ok(op_runner_run(runner));
    int n = 0;
    Tensor out = op_runner_outputs(runner, &n)[0];
    out.data = arena_memdup(arena, out.data, tensor_bytes(&out));
    assert_non_null(out.data);
    return out;
}

static void same_bits(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(arena_freep) Arena *arena = arena_new(1 << 20, 0);
        assert_non_null(arena);
        const Case *c = &cases[i];
        OpNode node = op_node_new(arena, DT_FLOAT);
        Tensor inputs[3];
        int n = 0;
        for (; n < c->n_inputs; n++)
            inputs[n] = random_tensor(arena, &c->shapes[n]);
        if (c->n_indices > 0)
            inputs[n++] = make_indices(arena, c);
        if (strcmp(c->op, "ConcatV2") == 0)
            op_node_int(&node, "N", c->n_inputs);
        node.attrs.items = node.items;
        const OpRunnerOptions options = {
            .op = c->op, .attrs = &node.attrs, .inputs = inputs, .n_inputs = n
        };
        const Tensor want = run(arena, &options, 0);
        for (int n_threads = 1; n_threads <= 3; n_threads++) {
            const Tensor got = run(arena, &options, n_threads);
            assert_true(shape_equal(&got.shape, &want.shape));
            if (memcmp(got.data, want.data, tensor_bytes(&want)) != 0)
                fail_msg("%s, case %zu: %d threads give other bits", c->op, i, n_threads);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(same_bits) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
