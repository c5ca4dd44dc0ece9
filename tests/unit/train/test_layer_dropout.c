/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of train/layer_dropout.c.
 */
#include "train/layer_dropout.h"

#include <math.h>

#include "tests/support/check.h"

static void test_relu_alone(void **state _unused_)
{
    float x[] = { -1.0f, 0.0f, 2.0f }, d[] = { 5.0f, 6.0f, 7.0f };
    dropout_forward(x, 3, 0.0f, NULL);
    assert_float_equal(x[0], 0, 0);
    assert_float_equal(x[1], 0, 0);
    assert_float_equal(x[2], 2, 0);
    dropout_backward(x, d, 3, 0.0f);
    assert_float_equal(d[0], 0, 0);
    assert_float_equal(d[1], 0, 0);
    assert_float_equal(d[2], 7, 0);
}

/* The share that is dropped, the scale of the rest, and the same mask backward. */
static void test_share_and_scale(void **state _unused_)
{
    enum { N = 100000 };
    float *x = calloc(N, sizeof(float)), *d = calloc(N, sizeof(float));
    assert_true(x != NULL && d != NULL);
    for (int i = 0; i < N; i++)
        x[i] = d[i] = 3.0f;
    Rng rng = rng_stream(1, RNG_DROPOUT, 0, 0);
    dropout_forward(x, N, 0.4f, &rng);
    dropout_backward(x, d, N, 0.4f);
    int dropped = 0;
    for (int i = 0; i < N; i++) {
        assert_true(x[i] == 0.0f || fabsf(x[i] - 5.0f) < 1e-5f); /* 3 / 0.6 */
        assert_true(d[i] == x[i]);
        dropped += x[i] == 0.0f;
    }
    assert_in_range(dropped, 40000 - 775, 40000 + 775); /* five standard deviations */
    free(x);
    free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_relu_alone),
        cmocka_unit_test(test_share_and_scale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
