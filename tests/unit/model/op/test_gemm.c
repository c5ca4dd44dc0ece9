/* SPDX-License-Identifier: Apache-2.0
 *
 * Matrix products against sums in double, and the dense layer in every form: against the same, and
 * bit by bit against itself with other batch sizes and numbers of threads.
 */
#include "tests/support/check.h"

#include <math.h>

#include "model/op/gemm.h"

static uint32_t seed = 7;

static size_t random_below(size_t n)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % n;
}

static float *random_floats(size_t n)
{
    float *values = malloc((n + 1) * sizeof(float));
    assert_non_null(values);
    for (size_t i = 0; i < n; i++)
        values[i] = (float)random_below(2001) / 1000 - 1;
    return values;
}

static double product_at(const Gemm *g, size_t i, size_t j)
{
    double sum = 0;
    for (size_t k = 0; k < g->k; k++)
        sum += (double)g->a[g->transpose_a ? k * g->lda + i : i * g->lda + k] *
               g->b[g->transpose_b ? j * g->ldb + k : k * g->ldb + j];
    return sum;
}

static void check_gemm(Gemm g, size_t slack)
{
    g.lda = (g.transpose_a ? g.m : g.k) + slack;
    g.ldb = (g.transpose_b ? g.k : g.n) + slack;
    g.ldc = g.n + slack;
    float *a = random_floats((g.transpose_a ? g.k : g.m) * g.lda);
    float *b = random_floats((g.transpose_b ? g.n : g.k) * g.ldb);
    float *c = random_floats(g.m * g.ldc), *before = malloc((g.m * g.ldc + 1) * sizeof(float));
    assert_non_null(before);
    memcpy(before, c, g.m * g.ldc * sizeof(float));
    g.a = a;
    g.b = b;
    g.c = c;
    assert_ok(gemm_run(&g));
    for (size_t i = 0; i < g.m; i++) {
        for (size_t j = 0; j < g.ldc; j++) {
            double expected = before[i * g.ldc + j];
            if (j < g.n)
                expected = g.alpha * product_at(&g, i, j) + (g.beta == 0 ? 0 : g.beta * expected);
            assert_true(fabs(c[i * g.ldc + j] - expected) <= 1e-5 * (1 + sqrt((double)g.k)));
        }
    }
    free(a);
    free(b);
    free(c);
    free(before);
}

static void gemm_matches_sums(void **state)
{
    (void)state;
    static const size_t sizes[] = { 0, 1, 2, 5, 33, 130 };
    Workers *workers = NULL;
    assert_ok(workers_new(2, &workers));
    for (size_t i = 0; i < 400; i++) {
        Gemm g = { .m = sizes[random_below(6)],
                   .n = sizes[random_below(6)],
                   .k = sizes[random_below(6)],
                   .transpose_a = random_below(2) != 0,
                   .transpose_b = random_below(2) != 0,
                   .alpha = random_below(2) ? 1 : 0.5F,
                   .beta = (float)random_below(3) / 2,
                   .workers = random_below(2) ? workers : NULL };
        check_gemm(g, random_below(3));
    }
    workers_free(workers);
}

static void beta_zero_reads_no_c(void **state)
{
    (void)state;
    static const size_t shapes[][3] = { { 1, 4, 3 }, { 4, 1, 3 }, { 3, 4, 5 }, { 2, 2, 0 } };
    float a[16] = { 1 }, b[20] = { 1 }, c[16];
    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
        Gemm g = { .m = shapes[i][0],
                   .n = shapes[i][1],
                   .k = shapes[i][2],
                   .alpha = 1,
                   .a = a,
                   .b = b,
                   .c = c };
        for (size_t j = 0; j < ARRAY_SIZE(c); j++)
            c[j] = NAN;
        assert_ok(gemm_run(&g));
        for (size_t j = 0; j < g.m * g.n; j++)
            assert_true(c[j] == (j == 0 && g.k > 0 ? 1 : 0));
    }
}

static void sizes_over_int_are_refused(void **state)
{
    (void)state;
    const size_t huge = (size_t)INT32_MAX + 1;
    Gemm g = { .m = huge, .n = 1, .k = 1 };
    assert_error(gemm_run(&g), ERROR_INVALID_ARGUMENT, "2147483648");
    GemmDouble d = { .m = 1, .n = huge, .k = 1 };
    assert_error(gemm_run_double(&d), ERROR_INVALID_ARGUMENT, "2147483648");
}

static void double_matches_sums(void **state)
{
    (void)state;
    double a[6] = { 1, 2, 3, 4, 5, 6 }, b[6] = { 1, -1, 2, 0.5, 3, 1 }, c[4];
    GemmDouble g = { .m = 2, .n = 2, .k = 3, .a = a, .b = b, .c = c };
    assert_ok(gemm_run_double(&g));
    assert_true(c[0] == 14 && c[1] == 3 && c[2] == 32 && c[3] == 4.5);
    g.transpose_a = g.transpose_b = true;
    assert_ok(gemm_run_double(&g));
    assert_true(c[0] == 1 * 1 + 3 * -1 + 5 * 2 && c[1] == 0.5 + 9 + 5);
    g.k = 0;
    assert_ok(gemm_run_double(&g));
    assert_true(c[0] == 0 && c[3] == 0);
}

typedef struct Layer {
    size_t m;
    DenseOptions options;
    float *a, *b, *bias, *c;
} Layer;

static void layer_free(Layer *layer)
{
    free(layer->a);
    free(layer->b);
    free(layer->bias);
    free(layer->c);
}

static Layer layer_random(const PanelForm *form)
{
    static const size_t ms[] = { 0, 1, 2, 3, 4, 8, 13, 15, 32, 113, 230 };
    static const size_t ks[] = { 0, 1, 3, 64, 100, 2047, 2049, 5000 };
    static const size_t ns[] = { 1, 10, 16, 17, 32, 33, 100, 128, 129, 160 };
    static const Activation activations[] = { { ACTIVATION_NONE, 0 },
                                              { ACTIVATION_RELU, 0 },
                                              { ACTIVATION_RELU6, 0 },
                                              { ACTIVATION_LEAKY_RELU, 0.3F },
                                              { ACTIVATION_TANH, 0 } };
    Layer l = { .m = ms[random_below(ARRAY_SIZE(ms))] };
    l.options = (DenseOptions){ .k = ks[random_below(ARRAY_SIZE(ks))],
                                .n = ns[random_below(ARRAY_SIZE(ns))],
                                .transposed = random_below(2) != 0,
                                .activation = activations[random_below(ARRAY_SIZE(activations))],
                                .form = form };
    l.m = l.options.k > 2000 && l.m > 32 ? 15 : l.m;
    l.a = random_floats(l.m * l.options.k);
    l.options.b = l.b = random_floats(l.options.k * l.options.n);
    l.options.bias = l.bias = random_below(3) ? random_floats(l.options.n) : NULL;
    l.c = random_floats(l.m * l.options.n);
    return l;
}

static void check_layer(const Layer *l)
{
    const DenseOptions *o = &l->options;
    Gemm g = { .m = l->m,
               .n = o->n,
               .k = o->k,
               .transpose_b = o->transposed,
               .a = l->a,
               .b = l->b,
               .lda = o->k,
               .ldb = o->transposed ? o->k : o->n };
    for (size_t i = 0; i < l->m; i++) {
        for (size_t j = 0; j < o->n; j++) {
            float v = (float)(product_at(&g, i, j) + (l->bias != NULL ? l->bias[j] : 0));
            activation_apply(&o->activation, &v, 1, &v);
            if (!(fabsf(l->c[i * o->n + j] - v) <= 5e-6F * (1 + sqrtf((float)o->k))))
                fail_msg("%s: [%zu,%zu,%zu] at %zu,%zu: %g, not %g", o->form->name, l->m, o->k,
                         o->n, i, j, (double)l->c[i * o->n + j], (double)v);
        }
    }
}

static void dense_matches_sums(void **state)
{
    (void)state;
    Workers *workers = NULL;
    assert_ok(workers_new(2, &workers));
    for (size_t f = 0; panel_form_at(f) != NULL; f++) {
        for (int i = 0; i < 60; i++) {
            _cleanup_(arena_freep) Arena *arena = arena_new(0, 0);
            Layer l = layer_random(panel_form_at(f));
            Dense *dense = NULL;
            assert_non_null(arena);
            assert_ok(dense_new(arena, &l.options, &dense));
            dense_run(dense, l.m, l.a, l.c, NULL);
            check_layer(&l);
            float *again = random_floats(l.m * l.options.n);
            dense_run(dense, l.m, l.a, again, workers);
            assert_memory_equal(l.c, again, l.m * l.options.n * sizeof(float));
            for (size_t row = 0; row < l.m; row++)
                dense_run(dense, 1, l.a + row * l.options.k, again + row * l.options.n, NULL);
            assert_memory_equal(l.c, again, l.m * l.options.n * sizeof(float));
            free(again);
            layer_free(&l);
        }
    }
    workers_free(workers);
}

static void dense_refuses_what_does_not_fit(void **state)
{
    (void)state;
    _cleanup_(arena_freep) Arena *arena = arena_new(0, 1 << 20);
    Dense *dense = NULL;
    float b = 0;
    DenseOptions options = { .k = SIZE_MAX / 8, .n = 100, .b = &b };
    assert_error(dense_new(arena, &options, &dense), ERROR_RESOURCE_EXHAUSTED, "memory");
    options.k = 1 << 20;
    assert_error(dense_new(arena, &options, &dense), ERROR_RESOURCE_EXHAUSTED, "memory");
    assert_null(dense);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gemm_matches_sums),
        cmocka_unit_test(beta_zero_reads_no_c),
        cmocka_unit_test(sizes_over_int_are_refused),
        cmocka_unit_test(double_matches_sums),
        cmocka_unit_test(dense_matches_sums),
        cmocka_unit_test(dense_refuses_what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
