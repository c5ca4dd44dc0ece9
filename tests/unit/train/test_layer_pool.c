/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of train/layer_pool.c.
 */
#include "train/layer_pool.h"

#include "tests/support/check.h"
#include "train/conv_kernel.h"

enum { C = CONV_FILTERS };

/* One window; channels beyond the first hold -1 and must stay apart. */
static void test_windows(void **state _unused_)
{
    static const struct {
        float window[4];
        float out;
        uint8_t route;
    } cases[] = {
        { { 1, 2, 3, 4 }, 4, 3 },
        { { 4, 3, 2, 1 }, 4, 0 },
        { { 1, 5, 5, 1 }, 5, 1 }, /* the first of equals */
        { { -1, -2, 7, -3 }, 7, 2 },
        { { -1, -2, -3, -4 }, 0, POOL_NOWHERE },
        { { 0, 0, 0, 0 }, 0, POOL_NOWHERE },
    };
    for (size_t k = 0; k < ARRAY_SIZE(cases); k++) {
        float z[4 * C], out[C], d_z[4 * C], d_out[C];
        uint8_t route[C];
        for (int i = 0; i < 4 * C; i++)
            z[i] = -1.0f;
        for (int i = 0; i < 4; i++)
            z[i * C] = cases[k].window[i];
        pool_forward(z, 2, out, C, route);
        assert_float_equal(out[0], cases[k].out, 0);
        assert_int_equal(route[0], cases[k].route);
        assert_float_equal(out[1], 0, 0);
        assert_int_equal(route[1], POOL_NOWHERE);
        for (int i = 0; i < C; i++)
            d_out[i] = 10.0f + (float)i;
        pool_backward(d_out, route, 2, d_z);
        for (int i = 0; i < 4 * C; i++)
            assert_float_equal(d_z[i], (i == cases[k].route * C ? 10.0f : 0.0f), 0);
    }
}

/* 3x3: the last row and column are dropped, and get no gradient even where memory held some. */
static void test_odd_size(void **state _unused_)
{
    float z[9 * C], out[C], d_z[9 * C], d_out[C];
    uint8_t route[C];
    for (int i = 0; i < 9 * C; i++) {
        z[i] = (float)(i / C + 1);
        d_z[i] = 99.0f;
    }
    pool_forward(z, 3, out, C, route);
    for (int i = 0; i < C; i++) {
        assert_float_equal(out[i], 5, 0);
        assert_int_equal(route[i], 3);
        d_out[i] = 2.0f;
    }
    pool_backward(d_out, route, 3, d_z);
    for (int i = 0; i < 9 * C; i++)
        assert_float_equal(d_z[i], (i / C == 4 ? 2.0f : 0.0f), 0);
}

/* The output may be the inside of a wider image: what lies between the rows is left alone. */
static void test_rows_apart(void **state _unused_)
{
    enum { ROW = 4 * C };
    float z[16 * C], out[2 * ROW];
    uint8_t route[4 * C];
    for (int i = 0; i < 16 * C; i++)
        z[i] = (float)(i / C + 1); /* pixels 1 2 3 4 / 5 6 7 8 / 9 ... 16 */
    for (int i = 0; i < 2 * ROW; i++)
        out[i] = -5.0f;
    pool_forward(z, 4, out, ROW, route);
    static const float want[] = { 6, 8, -5, -5, 14, 16, -5, -5 };
    for (int i = 0; i < 2 * ROW; i++)
        assert_float_equal(out[i], want[i / C], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_odd_size),
        cmocka_unit_test(test_rows_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
