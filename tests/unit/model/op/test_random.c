/* SPDX-License-Identifier: Apache-2.0
 *
 * Random ops over several runs: what a state of their own does, which the cases of test_ops.c, of
 * one run each, cannot show. Wanted numbers are what three runs of a session of TensorFlow 2.20
 * gave, with tf.raw_ops, seed=1, seed2=2.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "model/op/resource.h"
#include "tests/support/op_runner.h"

#define N_RUNS 3

/* attrs of every op here; those without a seed are for ops without one. */
static Attrs random_attrs(const int64_t seeds[2])
{
    static const DType dtype = DT_FLOAT, shape = DT_INT32, classes = DT_INT64;
    static Attr items[6];
    items[0] = (Attr){ .name = "seed", .kind = ATTR_INT, .n = 1, .ints = &seeds[0] };
    items[1] = (Attr){ .name = "seed2", .kind = ATTR_INT, .n = 1, .ints = &seeds[1] };
    items[2] = (Attr){ .name = "dtype", .kind = ATTR_TYPE, .n = 1, .types = &dtype };
    items[3] = (Attr){ .name = "T", .kind = ATTR_TYPE, .n = 1, .types = &shape };
    items[4] = (Attr){ .name = "Tout", .kind = ATTR_TYPE, .n = 1, .types = &shape };
    items[5] = (Attr){ .name = "output_dtype", .kind = ATTR_TYPE, .n = 1, .types = &classes };
    return (Attrs){ items, ARRAY_SIZE(items) };
}

static const int64_t seeds[] = { 1, 2 };

static OpRunner *make(const char *op, const Attrs *attrs, const Tensor *inputs, int n)
{
    const OpRunnerOptions options = { .op = op, .attrs = attrs, .inputs = inputs, .n_inputs = n };
    OpRunner *runner = NULL;
    Error *error = op_runner_new(&options, &runner);
    assert_null(error);
    return runner;
}

static Tensor run(OpRunner *runner)
{
    int n = 0;
    Error *error = op_runner_run(runner);
    assert_null(error);
    const Tensor *outputs = op_runner_outputs(runner, &n);
    assert_int_equal(n, 1);
    return outputs[0];
}

/* ---- seeds --------------------------------------------------------------------------------- */

static void check_floats(const char *op, const int32_t n, const float *wanted)
{
    const Tensor shape = tensor_view(DT_INT32, &shape_of(1), &n);
    const Attrs attrs = random_attrs(seeds);
    _cleanup_(op_runner_freep) OpRunner *runner = make(op, &attrs, &shape, 1);
    for (int i = 0; i < N_RUNS; i++) {
        Tensor y = run(runner);
        for (int k = 0; k < n; k++)
            assert_true(fabsf(((const float *)y.data)[k] - wanted[i * n + k]) <= 1e-6F);
    }
}

static void test_runs_go_on(_unused_ void **state)
{
    static const float uniform[N_RUNS * 2] = { 0.40639675F, 0.8575996F,  0.6038654F,
                                               0.52610815F, 0.00496614F, 0.6021979F };
    static const float truncated[N_RUNS * 5] = { -1.0467793F,    0.8397046F,      1.2358364F,
                                                 0.3037427F,     0.38869092F,     1.2089236F,
                                                 -1.4851918F,    -0.15793842F,    -0.2694956F,
                                                 0.45330226F,    2.0613827e-04F,  -1.3433217F,
                                                 3.5476384e-01F, -6.0173494e-01F, 4.0580997e-01F };
    check_floats("RandomUniform", 2, uniform);
    check_floats("TruncatedNormal", 5, truncated);
}

static void test_ints_go_on(_unused_ void **state)
{
    static const int32_t wanted[N_RUNS][3] = { { 99, 15, 2 }, { 67, 59, 34 }, { 20, 19, 4 } };
    static const int32_t n = 3, low = 0, high = 100;
    const Tensor inputs[] = { tensor_view(DT_INT32, &shape_of(1), &n),
                              tensor_view(DT_INT32, &shape_of(), &low),
                              tensor_view(DT_INT32, &shape_of(), &high) };
    const Attrs attrs = random_attrs(seeds);
    _cleanup_(op_runner_freep) OpRunner *runner = make("RandomUniformInt", &attrs, inputs, 3);
    for (int i = 0; i < N_RUNS; i++)
        assert_memory_equal(run(runner).data, wanted[i], sizeof(wanted[i]));
}

static void test_shuffles_go_on(_unused_ void **state)
{
    static const int32_t x[] = { 0, 1, 2, 3, 4, 5 };
    static const int32_t wanted[N_RUNS][6] = { { 5, 1, 4, 0, 3, 2 },
                                               { 5, 1, 4, 0, 2, 3 },
                                               { 0, 3, 5, 1, 2, 4 } };
    const Tensor input = tensor_view(DT_INT32, &shape_of(6), x);
    const Attrs attrs = random_attrs(seeds);
    _cleanup_(op_runner_freep) OpRunner *runner = make("RandomShuffle", &attrs, &input, 1);
    for (int i = 0; i < N_RUNS; i++)
        assert_memory_equal(run(runner).data, wanted[i], sizeof(wanted[i]));
}

static void test_classes_go_on(_unused_ void **state)
{
    static const float logits[10] = { 0 };
    static const int32_t n = 3;
    static const int64_t wanted[N_RUNS][6] = { { 1, 2, 1, 1, 4, 4 },
                                               { 1, 2, 1, 2, 2, 0 },
                                               { 2, 0, 0, 1, 3, 3 } };
    static const DType dtype = DT_FLOAT;
    const Tensor inputs[] = { tensor_view(DT_FLOAT, &shape_of(2, 5), logits),
                              tensor_view(DT_INT32, &shape_of(), &n) };
    Attrs attrs = random_attrs(seeds);
    ((Attr *)attrs.items)[3].types = &dtype;
    _cleanup_(op_runner_freep) OpRunner *runner = make("Multinomial", &attrs, inputs, 2);
    for (int i = 0; i < N_RUNS; i++)
        assert_memory_equal(run(runner).data, wanted[i], sizeof(wanted[i]));
}

/* Without seeds every node draws its own numbers, and every run others. */
static void test_without_seeds(_unused_ void **state)
{
    static const int64_t none[2] = { 0, 0 };
    static const int32_t n = 8;
    const Tensor shape = tensor_view(DT_INT32, &shape_of(1), &n);
    const Attrs attrs = random_attrs(none);
    float first[8], second[8];
    _cleanup_(op_runner_freep) OpRunner *one = make("RandomUniform", &attrs, &shape, 1);
    _cleanup_(op_runner_freep) OpRunner *other = make("RandomUniform", &attrs, &shape, 1);
    memcpy(first, run(one).data, sizeof(first));
    memcpy(second, run(one).data, sizeof(second));
    assert_memory_not_equal(first, second, sizeof(first));
    assert_memory_not_equal(first, run(other).data, sizeof(first));
}

/* ---- a generator in a variable ------------------------------------------------------------- */

typedef struct SkipCase {
    int64_t state[3];
    uint64_t delta;
    int64_t after[3];
} SkipCase;

static Error *read_and_skip(Resource *resource, int32_t algorithm, uint64_t delta, int64_t ret[3])
{
    Resource *handle[] = { resource };
    const Tensor inputs[] = { tensor_view(DT_RESOURCE, &shape_of(), handle),
                              tensor_view(DT_INT32, &shape_of(), &algorithm),
                              tensor_view(DT_UINT64, &shape_of(), &delta) };
    const Attrs attrs = { 0 };
    _cleanup_(op_runner_freep) OpRunner *runner = make("RngReadAndSkip", &attrs, inputs, 3);
    TRY(op_runner_run(runner));
    int n = 0;
    memcpy(ret, op_runner_outputs(runner, &n)->data, 3 * sizeof(*ret));
    return NULL;
}

static void test_read_and_skip(_unused_ void **state)
{
    static const SkipCase cases[] = {
        { { -5, -1, 42 }, 3, { 763, 0, 42 } }, /* the carry goes through both words */
        { { 763, 0, 42 }, 1, { 1019, 0, 42 } },
        { { 7, 8, 9 }, 0, { 7, 8, 9 } },
    };
    ResourceManager *resources = resource_manager_new();
    Arena *arena = arena_new(1024, 0);
    Resource *resource = NULL;
    int64_t got[3];
    assert_true(resources != NULL && arena != NULL);
    Error *error = resource_variable(resources, "", "rng", DT_INT64, &resource);
    assert_null(error);
    error = read_and_skip(resource, 1, 1, got);
    assert_non_null(error); /* no value yet */
    assert_int_equal(error->code, ERROR_FAILED_PRECONDITION);
    error_free(error);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const Tensor value = tensor_view(DT_INT64, &shape_of(3), cases[i].state);
        Tensor after;
        error = resource_assign(resource, &value);
        assert_null(error);
        error = read_and_skip(resource, i == 0 ? 1 : 3, cases[i].delta, got);
        assert_null(error);
        assert_memory_equal(got, cases[i].state, sizeof(got));
        error = resource_read(resource, arena, &after);
        assert_null(error);
        assert_memory_equal(after.data, cases[i].after, sizeof(got));
    }
    error = read_and_skip(resource, 2, 1, got);
    assert_non_null(error); /* ThreeFry */
    error_free(error);
    const Tensor small = tensor_view(DT_INT64, &shape_of(2), cases[0].state);
    error = resource_assign(resource, &small);
    assert_null(error);
    error = read_and_skip(resource, 1, 1, got);
    assert_non_null(error);
    assert_int_equal(error->code, ERROR_INVALID_ARGUMENT);
    error_free(error);
    arena_free(arena);
    resource_manager_free(resources);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs_go_on),     cmocka_unit_test(test_ints_go_on),
        cmocka_unit_test(test_shuffles_go_on), cmocka_unit_test(test_classes_go_on),
        cmocka_unit_test(test_without_seeds),  cmocka_unit_test(test_read_and_skip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
