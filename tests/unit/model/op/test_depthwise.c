/* SPDX-License-Identifier: Apache-2.0
 *
 * The depthwise convolution in each of its forms against sums in double. Includes the source to
 * reach the forms; the op itself is compared with TensorFlow in test_ops.c.
 */
#include "tests/support/check.h"

#include <math.h>

#include "model/op/depthwise.c"

static uint32_t seed = 5;

static int64_t random_below(int64_t n)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % n;
}

static float *random_floats(Arena *arena, int64_t n)
{
    float *values = arena_alloc(arena, (size_t)n * sizeof(float));
    assert_non_null(values);
    for (int64_t i = 0; i < n; i++)
        values[i] = (float)random_below(2001) / 1000 - 1;
    return values;
}

static Depthwise case_random(Arena *arena)
{
    const Window window = { .stride = { 1 + random_below(2), 1 + random_below(2) },
                            .dilation = { 1 + random_below(2), 1 + random_below(2) },
                            .padding = (Padding)random_below(3),
                            .before = { random_below(3), random_below(3) },
                            .after = { random_below(3), random_below(3) } };
    Depthwise conv = { .shape = { .batch = 2, .in_c = 1 + random_below(40) } };
    ConvShape *s = &conv.shape;
    s->groups = s->in_c;
    s->out_c = s->in_c * (1 + random_below(4) / 2);
    int64_t taps[2] = { 1 + random_below(4), 1 + random_below(4) };
    assert_ok(window_axis(&window, 0, 2 * taps[0] + random_below(5), taps[0], &s->rows));
    assert_ok(window_axis(&window, 1, 2 * taps[1] + random_below(9), taps[1], &s->columns));
    conv.x = random_floats(arena, s->batch * s->rows.in * s->columns.in * s->in_c);
    conv.filter = random_floats(arena, taps[0] * taps[1] * s->out_c);
    conv.bias = random_below(2) ? random_floats(arena, s->out_c) : NULL;
    conv.y = random_floats(arena, s->batch * s->rows.out * s->columns.out * s->out_c);
    return conv;
}

static double output_at(const Depthwise *conv, int64_t image, int64_t row, int64_t column,
                        int64_t channel)
{
    const ConvShape *s = &conv->shape;
    const WindowAxis *h = &s->rows, *w = &s->columns;
    double sum = conv->bias != NULL ? conv->bias[channel] : 0;
    for (int64_t i = 0; i < h->taps; i++) {
        int64_t r = row * h->stride - h->before + i * h->dilation;
        for (int64_t j = 0; j < w->taps && r >= 0 && r < h->in; j++) {
            int64_t c = column * w->stride - w->before + j * w->dilation;
            if (c >= 0 && c < w->in)
                sum += (double)conv->x[((image * h->in + r) * w->in + c) * s->in_c +
                                       channel / (s->out_c / s->in_c)] *
                       conv->filter[(i * w->taps + j) * s->out_c + channel];
        }
    }
    return sum;
}

static void check_form(const Depthwise *conv, SumRow *form, const char *name)
{
    const ConvShape *s = &conv->shape;
    const float *y = conv->y;
    for (int64_t i = 0; i < s->batch * s->rows.out; i++)
        form(conv, i / s->rows.out, i % s->rows.out);
    for (int64_t i = 0; i < s->batch * s->rows.out; i++) {
        for (int64_t column = 0; column < s->columns.out; column++) {
            for (int64_t channel = 0; channel < s->out_c; channel++, y++) {
                double want = output_at(conv, i / s->rows.out, i % s->rows.out, column, channel);
                if (!(fabs(*y - want) <= 1e-5))
                    fail_msg("%s: row %d column %d channel %d: %g, not %g", name, (int)i,
                             (int)column, (int)channel, (double)*y, want);
            }
        }
    }
}

static void forms_match_sums(void **state)
{
    (void)state;
    for (int i = 0; i < 300; i++) {
        _cleanup_(arena_freep) Arena *arena = arena_new(1 << 16, 0);
        assert_non_null(arena);
        Depthwise conv = case_random(arena);
        check_form(&conv, sum_row_plain, "plain");
#if defined(__x86_64__)
        if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
            check_form(&conv, sum_row_avx2, "avx2");
        if (__builtin_cpu_supports("avx512f"))
            check_form(&conv, sum_row_avx512, "avx512");
#endif
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_match_sums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
