/* SPDX-License-Identifier: Apache-2.0
 *
 * Tasks for the tests of server/batch: one float input `x`, which is made in the task's arena.
 */
#ifndef DIGIT_TESTS_BATCH_FIXTURE_H
#define DIGIT_TESTS_BATCH_FIXTURE_H

#include "server/batch/assembly.h"
#include "tests/support/check.h"

/* An input whose element number i is `first` + i. */
static inline NamedTensor make_input(Arena *arena, const char *name, Shape shape, float first)
{
    NamedTensor input = { .name = bytes_of_text(name) };
    assert_ok(tensor_new(arena, DT_FLOAT, &shape, &input.tensor));
    for (int64_t i = 0; i < input.tensor.n; i++)
        ((float *)input.tensor.data)[i] = first + (float)i;
    return input;
}

static inline void make_task(Arena *arena, const BatchParams *params, Shape shape, float first,
                             BatchTask *ret_task)
{
    NamedTensor *inputs = arena_calloc(arena, 1, sizeof(*inputs));
    assert_non_null(inputs);
    *inputs = make_input(arena, "x", shape, first);
    *ret_task = (BatchTask){
        .params = params, .inputs = inputs, .n_inputs = 1, .is_repeatable = true, .arena = arena
    };
}

static inline void assert_floats(const Tensor *tensor, const float *expected, size_t n)
{
    assert_int_equal(tensor->n, n);
    for (size_t i = 0; i < n; i++)
        assert_float_equal(((const float *)tensor->data)[i], expected[i], 0);
}

#endif
