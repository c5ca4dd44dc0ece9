/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of train/adam.c against the paper's formula in doubles, and of its independence of threads.
 */
#include "train/adam.h"

#include "tests/unit/train/vectors.h"

enum { N = 50000, STEPS = 7 }; /* more than three of adam.c's pieces */

static void run(float *values, Workers *workers)
{
    float *m = calloc(N, sizeof(float)), *v = calloc(N, sizeof(float));
    assert_true(m != NULL && v != NULL);
    for (long step = 0; step < STEPS; step++) {
        float *gradients = vector_new(N, 100 + (uint64_t)step);
        AdamVectors vectors = { N, values, gradients, m, v };
        adam_step(&vectors, step, 0.01, workers);
        free(gradients);
    }
    free(m);
    free(v);
}

static void test_against_plain(void **state _unused_)
{
    float *values = vector_new(N, 1);
    double *want = calloc(N, sizeof(double)), *m = calloc(N, sizeof(double));
    double *v = calloc(N, sizeof(double));
    assert_true(want != NULL && m != NULL && v != NULL);
    for (int i = 0; i < N; i++)
        want[i] = (double)values[i];
    for (int t = 1; t <= STEPS; t++) {
        float *gradients = vector_new(N, 99 + (uint64_t)t);
        double rate = 0.01 * sqrt(1 - pow(0.999, t)) / (1 - pow(0.9, t));
        for (int i = 0; i < N; i++) {
            double g = (double)gradients[i];
            m[i] = 0.9 * m[i] + 0.1 * g;
            v[i] = 0.999 * v[i] + 0.001 * g * g;
            want[i] -= rate * m[i] / (sqrt(v[i]) + 1e-8);
        }
        free(gradients);
    }
    run(values, NULL);
    check_vector("value", values, want, N, 1e-6);
    free(values);
    free(want);
    free(m);
    free(v);
}

/* A gradient of zero from the first step on moves nothing, and makes no number that is none. */
static void test_zero_gradient(void **state _unused_)
{
    float value = 2.0f, gradient = 0.0f, m = 0.0f, v = 0.0f;
    AdamVectors vectors = { 1, &value, &gradient, &m, &v };
    adam_step(&vectors, 0, 0.01, NULL);
    assert_float_equal(value, 2.0f, 0);
}

static void test_threads_change_nothing(void **state _unused_)
{
    float *one = vector_new(N, 1), *three = vector_new(N, 1);
    _cleanup_(workers_freep) Workers *workers = NULL;
    assert_ok(workers_new(3, &workers));
    run(one, NULL);
    run(three, workers);
    assert_memory_equal(one, three, N * sizeof(float));
    free(one);
    free(three);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_plain),
        cmocka_unit_test(test_zero_gradient),
        cmocka_unit_test(test_threads_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
