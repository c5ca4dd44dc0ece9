/* SPDX-License-Identifier: Apache-2.0
 *
 * Panel tiles: every form that this processor runs against sums in double, for random shapes, with
 * guards around what a tile may write.
 */
#include "tests/support/check.h"

#include <math.h>

#include "model/op/panel.h"

#define GUARD 12345.0F
#define MAX_A 4096
#define MAX_C ((PANEL_MAX_ROWS + 2) * 40)

typedef struct Case {
    PanelTile tile;
    float a[MAX_A];
    float weights[256 * PANEL_COLUMNS + PANEL_SLACK];
    float start[PANEL_COLUMNS];
    float c[MAX_C], expected[MAX_C];
} Case;

static uint32_t seed = 1;

static int random_below(int n)
{
    seed = seed * 1664525 + 1013904223;
    return (int)((seed >> 8) % (uint32_t)n);
}

static void fill(float *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        values[i] = (float)random_below(2001) / 1000 - 1;
}

static float sum(const Case *t, int row, int column)
{
    const PanelTile *p = &t->tile;
    double total = p->start != NULL ? t->start[column] : t->c[row * p->c_stride + column];
    int k = 0;
    for (int line = 0; line < p->n_lines; line++) {
        for (int run = 0; run < p->n_runs; run++) {
            for (int i = 0; i < (int)p->run_length; i++, k++)
                total +=
                    (double)
                        p->a[row * p->a_stride + line * p->line_stride + run * p->run_stride + i] *
                    p->weights[k * PANEL_COLUMNS + column];
        }
    }
    return (float)total;
}

static void expect(Case *t)
{
    const PanelTile *p = &t->tile;
    memcpy(t->expected, t->c, sizeof(t->c));
    int step = p->store == PANEL_STORE ? 1 : 2;
    for (int row = 0; row < p->rows; row += step) {
        for (int column = 0; column < p->columns; column++) {
            float v = sum(t, row, column);
            float *out = &t->expected[row / step * p->c_stride + column];
            if (step == 2)
                v = fmaxf(v, sum(t, row + 1, column));
            v = fminf(fmaxf(v, p->low), p->high);
            *out = p->store == PANEL_POOL_NEXT ? fmaxf(v, *out) : v;
        }
    }
}

static void randomize(Case *t, const PanelForm *form)
{
    fill(t->a, MAX_A);
    fill(t->weights, ARRAY_SIZE(t->weights));
    fill(t->start, PANEL_COLUMNS);
    for (size_t i = 0; i < MAX_C; i++)
        t->c[i] = GUARD;
    PanelTile *p = &t->tile;
    *p = (PanelTile){ .a = t->a,
                      .a_stride = 1 + random_below(40),
                      .line_stride = random_below(300),
                      .run_stride = random_below(50),
                      .n_lines = random_below(4),
                      .n_runs = 1 + random_below(3),
                      .run_length = (size_t)random_below(20),
                      .columns = 1 + random_below(PANEL_COLUMNS),
                      .weights = t->weights,
                      .low = random_below(2) ? -INFINITY : -0.5F,
                      .high = random_below(2) ? INFINITY : 1.5F,
                      .store = random_below(3),
                      .c = t->c,
                      .c_stride = 33 + random_below(7) };
    p->rows = p->store == PANEL_STORE ? 1 + random_below(form->max_rows)
                                      : 2 + 2 * random_below(form->max_rows / 2);
    if (p->store != PANEL_POOL_FIRST && random_below(2)) {
        for (int row = 0; row < p->rows; row++)
            fill(t->c + row * p->c_stride, (size_t)p->columns);
    }
    if (p->store == PANEL_STORE && t->c[0] != GUARD)
        p->start = NULL;
    else
        p->start = t->start;
}

static void tiles_match_sums(void **state)
{
    (void)state;
    Case *t = malloc(sizeof(*t));
    assert_non_null(t);
    for (size_t f = 0; panel_form_at(f) != NULL; f++) {
        for (int i = 0; i < 3000; i++) {
            randomize(t, panel_form_at(f));
            expect(t);
            panel_form_at(f)->tile(&t->tile);
            for (size_t j = 0; j < MAX_C; j++) {
                if (!(fabsf(t->c[j] - t->expected[j]) <= 1e-5F * (1 + fabsf(t->expected[j]))))
                    fail_msg("%s, case %d: value %zu is %g, not %g", panel_form_at(f)->name, i, j,
                             (double)t->c[j], (double)t->expected[j]);
            }
        }
    }
    free(t);
}

/* A NaN or infinity in a row reaches all sums of that row, and no other's; clamping keeps NaN. */
static void nan_and_infinity_propagate(void **state)
{
    (void)state;
    Case *t = malloc(sizeof(*t));
    assert_non_null(t);
    for (size_t f = 0; panel_form_at(f) != NULL; f++) {
        const PanelForm *form = panel_form_at(f);
        for (int rows = 1; rows <= form->max_rows; rows++) {
            randomize(t, form);
            for (size_t i = 0; i < ARRAY_SIZE(t->weights); i++)
                t->weights[i] = 0.5F;
            t->tile = (PanelTile){ .a = t->a,
                                   .a_stride = 5,
                                   .n_lines = 1,
                                   .n_runs = 1,
                                   .run_length = 5,
                                   .rows = rows,
                                   .columns = 32,
                                   .weights = t->weights,
                                   .start = t->start,
                                   .low = -1,
                                   .high = 1e9F,
                                   .c = t->c,
                                   .c_stride = 32 };
            t->a[0] = NAN;
            if (rows > 1)
                t->a[5 * rows - 1] = -INFINITY;
            form->tile(&t->tile);
            for (int j = 0; j < 32; j++) {
                assert_true(isnan(t->c[j]));
                if (rows > 1)
                    assert_true(t->c[(rows - 1) * 32 + j] == -1);
                if (rows > 2)
                    assert_true(isfinite(t->c[32 + j]));
            }
        }
    }
    free(t);
}

/* The same row gives the same bits in a tile of any number of rows, and through `wide`. */
static void rows_do_not_depend_on_each_other(void **state)
{
    (void)state;
    enum { K = 100, WIDE = PANEL_WIDE * PANEL_COLUMNS };
    static float a[PANEL_MAX_ROWS * K], panels[PANEL_WIDE * K * PANEL_COLUMNS + PANEL_SLACK];
    static float start[WIDE], alone[PANEL_MAX_ROWS][WIDE], c[PANEL_MAX_ROWS][WIDE];
    fill(a, ARRAY_SIZE(a));
    fill(panels, ARRAY_SIZE(panels));
    fill(start, WIDE);
    for (size_t f = 0; panel_form_at(f) != NULL; f++) {
        const PanelForm *form = panel_form_at(f);
        PanelTile tile = { .a_stride = K,
                           .n_lines = 1,
                           .n_runs = 1,
                           .run_length = K,
                           .rows = 1,
                           .columns = PANEL_COLUMNS,
                           .low = -1,
                           .high = 3,
                           .c_stride = WIDE };
        for (int panel = 0; panel < PANEL_WIDE; panel++) {
            tile.weights = panels + panel * K * PANEL_COLUMNS;
            tile.start = start + panel * PANEL_COLUMNS;
            for (tile.rows = 1, tile.a = a; tile.a < a + form->max_rows * K; tile.a += K) {
                tile.c = &alone[(tile.a - a) / K][panel * PANEL_COLUMNS];
                form->tile(&tile);
            }
        }
        tile.a = a;
        for (tile.rows = 1; tile.rows <= form->max_rows; tile.rows++) {
            for (int panel = 0; panel < PANEL_WIDE; panel++) {
                tile.weights = panels + panel * K * PANEL_COLUMNS;
                tile.start = start + panel * PANEL_COLUMNS;
                tile.c = &c[0][panel * PANEL_COLUMNS];
                form->tile(&tile);
            }
            assert_memory_equal(c, alone, (size_t)tile.rows * sizeof(c[0]));
            if (tile.rows > form->max_wide_rows)
                continue;
            memset(c, 0, sizeof(c));
            tile.weights = panels;
            tile.start = start;
            tile.c = c[0];
            form->wide(&tile, K * PANEL_COLUMNS);
            assert_memory_equal(c, alone, (size_t)tile.rows * sizeof(c[0]));
        }
    }
}

static void packing_pads_with_zeros(void **state)
{
    (void)state;
    enum { K = 3, N = 35 };
    float b[K * N], transposed[N * K];
    for (int k = 0; k < K; k++) {
        for (int n = 0; n < N; n++)
            b[k * N + n] = transposed[n * K + k] = (float)(k * 100 + n + 1);
    }
    size_t floats = panel_floats(K, N);
    assert_int_equal(floats, 2 * K * PANEL_COLUMNS + PANEL_SLACK);
    float *panels = malloc(floats * sizeof(float)), *again = malloc(floats * sizeof(float));
    assert_non_null(panels);
    assert_non_null(again);
    panel_pack(b, N, false, K, N, panels);
    panel_pack(transposed, K, true, K, N, again);
    assert_memory_equal(panels, again, floats * sizeof(float));
    for (size_t i = 0; i < floats; i++) {
        size_t panel = i / (K * PANEL_COLUMNS), n = panel * PANEL_COLUMNS + i % PANEL_COLUMNS;
        size_t k = i / PANEL_COLUMNS % K;
        bool is_value = panel < 2 && n < N;
        assert_true(panels[i] == (is_value ? b[k * N + n] : 0));
    }
    free(panels);
    free(again);
    assert_int_equal(panel_floats(SIZE_MAX / 64, 64), 0);
    assert_int_equal(panel_floats(1, SIZE_MAX / 4), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiles_match_sums),
        cmocka_unit_test(nan_and_infinity_propagate),
        cmocka_unit_test(rows_do_not_depend_on_each_other),
        cmocka_unit_test(packing_pads_with_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
