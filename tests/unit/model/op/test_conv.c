/* SPDX-License-Identifier: Apache-2.0
 *
 * The direct convolution, every form of it, against sums in double for random shapes; and bit by
 * bit against itself for an image alone and in a batch, with one thread and with two.
 */
#include "tests/support/check.h"

#include <math.h>

#include "model/op/conv.h"

static uint32_t seed = 3;

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

/* A host that has nothing but scratch. */
static void *scratch(OpContext *context, size_t bytes)
{
    return arena_alloc_aligned(context->host_data, bytes);
}

static const OpHost host = { .scratch = scratch };

typedef struct Case {
    ConvDirect conv;
    float *filter;
    int64_t out_rows, out_columns; /* of y */
    int64_t image;                 /* floats of an image's output */
} Case;

static Case case_random(Arena *arena, const PanelForm *form)
{
    static const int64_t groups_of[] = { 1, 1, 1, 2, 3 };
    Window window = { .stride = { 1 + random_below(3) / 2, 1 + random_below(3) / 2 },
                      .dilation = { 1 + random_below(4) / 3, 1 + random_below(4) / 3 },
                      .padding = (Padding)random_below(3),
                      .before = { random_below(3), random_below(3) },
                      .after = { random_below(3), random_below(3) } };
    Case c = { .conv = { .form = form } };
    ConvShape *s = &c.conv.shape;
    s->groups = groups_of[random_below(5)];
    int64_t group_c = 1 + random_below(5), taps[2] = { 1 + random_below(5), 1 + random_below(5) };
    s->in_c = s->groups * group_c;
    s->out_c = s->groups * (1 + random_below(45));
    s->batch = 1 + random_below(3);
    assert_ok(window_axis(&window, 0, (taps[0] - 1) * window.dilation[0] + 1 + random_below(12),
                          taps[0], &s->rows));
    assert_ok(window_axis(&window, 1, (taps[1] - 1) * window.dilation[1] + 1 + random_below(40),
                          taps[1], &s->columns));
    static const Activation activations[] = { { ACTIVATION_NONE, 0 },
                                              { ACTIVATION_RELU, 0 },
                                              { ACTIVATION_RELU6, 0 },
                                              { ACTIVATION_ELU, 0 } };
    c.conv.activation = activations[random_below(4)];
    c.conv.pools = random_below(2) != 0;
    size_t n = (size_t)s->out_c, k = (size_t)(taps[0] * taps[1] * group_c);
    c.conv.x = random_floats(arena, s->batch * s->rows.in * s->columns.in * s->in_c);
    c.filter = random_floats(arena, (int64_t)(k * n));
    float *panels = arena_alloc(arena, panel_floats(k, n) * sizeof(float));
    float *bias = arena_calloc(arena, conv_bias_floats(n), sizeof(float));
    assert_true(panels != NULL && bias != NULL);
    panel_pack(c.filter, n, false, k, n, panels);
    memcpy(bias, random_floats(arena, s->out_c), n * sizeof(float));
    c.conv.panels = panels;
    c.conv.bias = bias;
    c.out_rows = c.conv.pools ? s->rows.out / 2 : s->rows.out;
    c.out_columns = c.conv.pools ? s->columns.out / 2 : s->columns.out;
    c.image = c.out_rows * c.out_columns * s->out_c;
    c.conv.y = random_floats(arena, s->batch * c.image + 1);
    return c;
}

static float output_at(const Case *c, int64_t image, int64_t row, int64_t column, int64_t channel)
{
    const ConvShape *s = &c->conv.shape;
    const WindowAxis *h = &s->rows, *w = &s->columns;
    int64_t group_c = s->in_c / s->groups, group = channel / (s->out_c / s->groups);
    double sum = c->conv.bias[channel];
    for (int64_t i = 0; i < h->taps; i++) {
        int64_t r = row * h->stride - h->before + i * h->dilation;
        for (int64_t j = 0; j < w->taps; j++) {
            int64_t q = column * w->stride - w->before + j * w->dilation;
            for (int64_t k = 0; k < group_c && r >= 0 && r < h->in && q >= 0 && q < w->in; k++)
                sum += (double)c->conv
                           .x[((image * h->in + r) * w->in + q) * s->in_c + group * group_c + k] *
                       c->filter[((i * w->taps + j) * group_c + k) * s->out_c + channel];
        }
    }
    float v = (float)sum;
    activation_apply(&c->conv.activation, &v, 1, &v);
    return v;
}

static float expected_at(const Case *c, int64_t image, int64_t row, int64_t column, int64_t channel)
{
    if (!c->conv.pools)
        return output_at(c, image, row, column, channel);
    float most = -INFINITY;
    for (int i = 0; i < 4; i++)
        most = fmaxf(most, output_at(c, image, 2 * row + i / 2, 2 * column + i % 2, channel));
    return most;
}

static void check_case(const Case *c)
{
    const float *y = c->conv.y;
    for (int64_t image = 0; image < c->conv.shape.batch; image++) {
        for (int64_t row = 0; row < c->out_rows; row++) {
            for (int64_t column = 0; column < c->out_columns; column++) {
                for (int64_t channel = 0; channel < c->conv.shape.out_c; channel++, y++) {
                    float expected = expected_at(c, image, row, column, channel);
                    if (!(fabsf(*y - expected) <= 2e-5F))
                        fail_msg("%s: image %d row %d column %d channel %d: %g, not %g",
                                 c->conv.form->name, (int)image, (int)row, (int)column,
                                 (int)channel, (double)*y, (double)expected);
                }
            }
        }
    }
}

/* Runs the case again, one image at a time and with two threads: the bits are the same. */
static void check_bits(const Case *c, Arena *arena, Workers *workers)
{
    const ConvShape *s = &c->conv.shape;
    OpContext context = { .host = &host, .host_data = arena };
    Case again = *c;
    again.conv.y = random_floats(arena, s->batch * c->image + 1);
    again.conv.shape.batch = 1;
    for (int64_t image = 0; image < s->batch; image++) {
        ConvDirect one = again.conv;
        one.x += image * s->rows.in * s->columns.in * s->in_c;
        one.y += image * c->image;
        assert_ok(conv_direct_run(&one, &context));
    }
    assert_memory_equal(again.conv.y, c->conv.y, (size_t)(s->batch * c->image) * sizeof(float));
    again.conv.y = random_floats(arena, s->batch * c->image + 1);
    again.conv.shape.batch = s->batch;
    context.workers = workers;
    assert_ok(conv_direct_run(&again.conv, &context));
    assert_memory_equal(again.conv.y, c->conv.y, (size_t)(s->batch * c->image) * sizeof(float));
}

static void direct_matches_sums(void **state)
{
    (void)state;
    Workers *workers = NULL;
    assert_ok(workers_new(2, &workers));
    for (size_t f = 0; panel_form_at(f) != NULL; f++) {
        for (int i = 0; i < 200; i++) {
            _cleanup_(arena_freep) Arena *arena = arena_new(1 << 20, 0);
            assert_non_null(arena);
            Case c = case_random(arena, panel_form_at(f));
            OpContext context = { .host = &host, .host_data = arena };
            float guard = c.conv.y[c.conv.shape.batch * c.image];
            assert_ok(conv_direct_run(&c.conv, &context));
            check_case(&c);
            assert_true(c.conv.y[c.conv.shape.batch * c.image] == guard);
            check_bits(&c, arena, workers);
        }
    }
    workers_free(workers);
}

/* Long rows and tall images, which are split into several items. */
static void large_images_are_split(void **state)
{
    (void)state;
    static const struct {
        int64_t rows, columns, in_c, taps;
        Padding padding;
        bool pools;
    } cases[] = {
        { 3, 301, 2, 1, PADDING_VALID, false }, { 3, 301, 2, 1, PADDING_VALID, true },
        { 2, 250, 3, 3, PADDING_SAME, false },  { 150, 20, 24, 3, PADDING_SAME, true },
        { 151, 21, 24, 3, PADDING_SAME, true }, { 150, 20, 24, 3, PADDING_VALID, false },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(arena_freep) Arena *arena = arena_new(1 << 20, 0);
        assert_non_null(arena);
        Case c;
        do {
            c = case_random(arena, panel_form());
        } while (c.conv.shape.groups != 1 || c.conv.shape.out_c > 20);
        ConvShape *s = &c.conv.shape;
        Window window = { .stride = { 1, 1 }, .dilation = { 1, 1 }, .padding = cases[i].padding };
        assert_ok(window_axis(&window, 0, cases[i].rows, cases[i].taps, &s->rows));
        assert_ok(window_axis(&window, 1, cases[i].columns, cases[i].taps, &s->columns));
        s->in_c = cases[i].in_c;
        s->batch = 1;
        size_t n = (size_t)s->out_c, k = (size_t)(cases[i].taps * cases[i].taps * s->in_c);
        c.conv.pools = cases[i].pools;
        c.conv.x = random_floats(arena, s->rows.in * s->columns.in * s->in_c);
        c.filter = random_floats(arena, (int64_t)(k * n));
        float *panels = arena_alloc(arena, panel_floats(k, n) * sizeof(float));
        assert_non_null(panels);
        panel_pack(c.filter, n, false, k, n, panels);
        c.conv.panels = panels;
        c.out_rows = c.conv.pools ? s->rows.out / 2 : s->rows.out;
        c.out_columns = c.conv.pools ? s->columns.out / 2 : s->columns.out;
        c.image = c.out_rows * c.out_columns * s->out_c;
        c.conv.y = random_floats(arena, c.image);
        OpContext context = { .host = &host, .host_data = arena };
        assert_ok(conv_direct_run(&c.conv, &context));
        check_case(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(direct_matches_sums),
        cmocka_unit_test(large_images_are_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
