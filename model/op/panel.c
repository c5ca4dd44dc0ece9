/* SPDX-License-Identifier: Apache-2.0
 *
 * Packing of weights into panels, the choice of a form, and the portable form, which the others are
 * tested against. Any thread.
 */
#include "model/op/panel.h"

#include <stdint.h>
#include <string.h>

#define PLAIN_ROWS 4
#define PLAIN_COLUMNS 16

static const PanelForm *const forms[] = {
    &panel_plain,
#if defined(__x86_64__)
    &panel_avx2,
    &panel_avx512,
#endif
};

/* sums[r][j] += a[r][k] * weights[k][j] over one run. */
static void plain_run(const PanelTile *tile, const float *a, const float *weights,
                      float sums[PLAIN_ROWS][PLAIN_COLUMNS])
{
    for (size_t k = 0; k < tile->run_length; k++, weights += PANEL_COLUMNS) {
        for (int r = 0; r < tile->rows; r++) {
            float x = a[r * tile->a_stride + (ptrdiff_t)k];
            for (int j = 0; j < PLAIN_COLUMNS; j++)
                sums[r][j] += x * weights[j];
        }
    }
}

static float clamp(const PanelTile *tile, float v)
{
    v = v < tile->low ? tile->low : v;
    return v > tile->high ? tile->high : v;
}

/* The larger of two sums; a NaN is left out. `low` comes first: it is what is left of two NaNs. */
static float larger(const PanelTile *tile, float v, float w)
{
    float most = tile->low;
    most = v > most ? v : most;
    return w > most ? w : most;
}

static void plain_store(const PanelTile *tile, int column, int columns,
                        float sums[PLAIN_ROWS][PLAIN_COLUMNS])
{
    float *c = tile->c + column;
    if (tile->store == PANEL_STORE) {
        for (int r = 0; r < tile->rows; r++, c += tile->c_stride)
            for (int j = 0; j < columns; j++)
                c[j] = clamp(tile, sums[r][j]);
        return;
    }
    for (int r = 0; r < tile->rows; r += 2, c += tile->c_stride) {
        for (int j = 0; j < columns; j++) {
            float most = larger(tile, sums[r][j], sums[r + 1][j]);
            most = most > tile->high ? tile->high : most;
            c[j] = tile->store == PANEL_POOL_NEXT && c[j] > most ? c[j] : most;
        }
    }
}

static void plain_tile(const PanelTile *tile)
{
    for (int column = 0; column < tile->columns; column += PLAIN_COLUMNS) {
        float sums[PLAIN_ROWS][PLAIN_COLUMNS] = { 0 };
        int columns = tile->columns - column;
        columns = columns < PLAIN_COLUMNS ? columns : PLAIN_COLUMNS;
        for (int r = 0; r < tile->rows; r++) {
            const float *start = tile->start != NULL ? tile->start : tile->c + r * tile->c_stride;
            memcpy(sums[r], start + column, (size_t)columns * sizeof(float));
        }
        const float *weights = tile->weights + column;
        for (int line = 0; line < tile->n_lines; line++) {
            for (int run = 0; run < tile->n_runs; run++) {
                plain_run(tile, tile->a + line * tile->line_stride + run * tile->run_stride,
                          weights, sums);
                weights += tile->run_length * PANEL_COLUMNS;
            }
        }
        plain_store(tile, column, columns, sums);
    }
}

static bool plain_is_supported(void)
{
    return true;
}

const PanelForm panel_plain = {
    .name = "plain",
    .max_rows = PLAIN_ROWS,
    .is_supported = plain_is_supported,
    .tile = plain_tile,
};

const PanelForm *panel_form_at(size_t i)
{
    for (size_t f = 0; f < sizeof(forms) / sizeof(forms[0]); f++) {
        if (forms[f]->is_supported() && i-- == 0)
            return forms[f];
    }
    return NULL;
}

const PanelForm *panel_form(void)
{
    size_t f = sizeof(forms) / sizeof(forms[0]) - 1;
    while (!forms[f]->is_supported())
        f--;
    return forms[f];
}

size_t panel_count(size_t n)
{
    return n / PANEL_COLUMNS + (n % PANEL_COLUMNS != 0);
}

size_t panel_floats(size_t k, size_t n)
{
    size_t floats;
    if (__builtin_mul_overflow(panel_count(n) * PANEL_COLUMNS, k, &floats) ||
        floats > (size_t)PTRDIFF_MAX / sizeof(float) - PANEL_SLACK)
        return 0;
    return floats + PANEL_SLACK;
}

void panel_pack(const float *b, size_t ldb, bool transposed, size_t k, size_t n, float *panels)
{
    float *out = panels;
    for (size_t column = 0; column < n; column += PANEL_COLUMNS) {
        size_t columns = n - column < PANEL_COLUMNS ? n - column : PANEL_COLUMNS;
        for (size_t i = 0; i < k; i++, out += PANEL_COLUMNS) {
            const float *in = transposed ? b + column * ldb + i : b + i * ldb + column;
            for (size_t j = 0; j < columns; j++)
                out[j] = in[transposed ? j * ldb : j];
            memset(out + columns, 0, (PANEL_COLUMNS - columns) * sizeof(float));
        }
    }
    memset(out, 0, PANEL_SLACK * sizeof(float));
}

void panel_add_to_c(PanelTile *tile)
{
    for (int r = 0; r < tile->rows; r++) {
        float *c = tile->c + r * tile->c_stride;
        for (int j = 0; j < tile->columns; j++)
            c[j] += tile->start[j];
    }
    tile->start = NULL;
}
