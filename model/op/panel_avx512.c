/* SPDX-License-Identifier: Apache-2.0
 *
 * The panel tile for AVX-512: 14 rows x 2 vectors of 16 sums fill 28 of the 32 registers; two hold
 * the weights, one the broadcast value. Per k that is 2 loads of weights and 14 broadcasts from
 * memory for 28 multiply-adds, so the multipliers, not the loads, are the limit.
 *
 * One function is compiled for each number of rows and vectors, all from the same text. Any
 * thread, on a processor that has AVX-512F.
 */
#include "model/op/panel.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include "model/op/unroll.h"

#define MAX_ROWS 14
#define MAX_WIDE_ROWS 3
#define LANES 16

#define TARGET __attribute__((target("avx512f")))
#define INLINE TARGET static inline __attribute__((always_inline))

/* The columns of vector `v` that exist. */
INLINE __mmask16 column_mask(const PanelTile *tile, int v)
{
    int columns = tile->columns - v * LANES;
    return columns >= LANES ? 0xffff : (__mmask16)((1U << (columns > 0 ? columns : 0)) - 1);
}

INLINE void start(const PanelTile *tile, int rows, int vectors, __m512 sums[MAX_ROWS][2])
{
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int v = 0; v < vectors; v++)
            sums[r][v] = tile->start != NULL
                             ? _mm512_loadu_ps(tile->start + v * LANES)
                             : _mm512_maskz_loadu_ps(column_mask(tile, v),
                                                     tile->c + r * tile->c_stride + v * LANES);
    }
}

/* One run: sums += a w. */
INLINE const float *multiply(const PanelTile *tile, const float *a, const float *w, int rows,
                             int vectors, __m512 sums[MAX_ROWS][2])
{
    const ptrdiff_t stride = tile->a_stride * (ptrdiff_t)sizeof(float), stride3 = 3 * stride;
    const char *base0 = (const char *)a, *base5 = base0 + 5 * stride, *base10 = base5 + 5 * stride;
    for (size_t k = tile->run_length; k > 0; k--) {
        OPAQUE_BASES(base0, base5, base10);
        __m512 w0 = _mm512_loadu_ps(w), w1 = w0;
        if (vectors > 1)
            w1 = _mm512_loadu_ps(w + LANES);
        UNROLL
        for (int r = 0; r < rows; r++) {
            __m512 x = _mm512_set1_ps(*ROW_ADDRESS(r, base0, base5, base10, stride, stride3));
            sums[r][0] = _mm512_fmadd_ps(x, w0, sums[r][0]);
            if (vectors > 1)
                sums[r][1] = _mm512_fmadd_ps(x, w1, sums[r][1]);
        }
        base0 += sizeof(float);
        base5 += sizeof(float);
        base10 += sizeof(float);
        w += PANEL_COLUMNS;
    }
    return w;
}

/* What the tile says is read before the first value is written: to the compiler, a float that is
 * stored might be a field of the tile. */
INLINE void store(const PanelTile *tile, int rows, int vectors, __m512 sums[MAX_ROWS][2])
{
    const __m512 low = _mm512_set1_ps(tile->low), high = _mm512_set1_ps(tile->high);
    const __mmask16 masks[2] = { column_mask(tile, 0), column_mask(tile, 1) };
    const PanelStore how = tile->store;
    const ptrdiff_t stride = tile->c_stride;
    float *c = tile->c;
    if (how == PANEL_STORE) {
        /* The second operand is the result where one is NaN. */
        UNROLL
        for (int r = 0; r < rows; r++, c += stride) {
            UNROLL
            for (int v = 0; v < vectors; v++)
                _mm512_mask_storeu_ps(c + v * LANES, masks[v],
                                      _mm512_min_ps(high, _mm512_max_ps(low, sums[r][v])));
        }
        return;
    }
    UNROLL
    for (int r = 0; r + 1 < rows; r += 2, c += stride) {
        UNROLL
        for (int v = 0; v < vectors; v++) {
            __m512 most = _mm512_max_ps(sums[r][v], _mm512_max_ps(sums[r + 1][v], low));
            most = _mm512_min_ps(most, high);
            if (how == PANEL_POOL_NEXT)
                most = _mm512_max_ps(most, _mm512_maskz_loadu_ps(masks[v], c + v * LANES));
            _mm512_mask_storeu_ps(c + v * LANES, masks[v], most);
        }
    }
}

INLINE void run_tile(const PanelTile *tile, int rows, int vectors)
{
    __m512 sums[MAX_ROWS][2];
    start(tile, rows, vectors, sums);
    const float *w = tile->weights;
    for (int line = 0; line < tile->n_lines; line++) {
        const float *a = tile->a + line * tile->line_stride;
        for (int run = 0; run < tile->n_runs; run++, a += tile->run_stride)
            w = multiply(tile, a, w, rows, vectors, sums);
    }
    store(tile, rows, vectors, sums);
}

#define DEFINE_TILES(rows)                                                                         \
    TARGET static void tile_##rows##x1(const PanelTile *tile)                                      \
    {                                                                                              \
        run_tile(tile, rows, 1);                                                                   \
    }                                                                                              \
    TARGET static void tile_##rows##x2(const PanelTile *tile)                                      \
    {                                                                                              \
        run_tile(tile, rows, 2);                                                                   \
    }
#define FOR_EACH_ROWS(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
FOR_EACH_ROWS(DEFINE_TILES)

static void avx512_tile(const PanelTile *tile)
{
#define ROW_OF_TILES(rows) { tile_##rows##x1, tile_##rows##x2 },
    static void (*const tiles[MAX_ROWS][2])(const PanelTile *) = { FOR_EACH_ROWS(ROW_OF_TILES) };
    tiles[tile->rows - 1][tile->columns > LANES](tile);
}

/* ---- few rows ------------------------------------------------------------------------------ */

INLINE void run_wide(const PanelTile *tile, size_t panel_stride, int rows)
{
    __m512 sums[MAX_WIDE_ROWS][2 * PANEL_WIDE];
    const __m512 low = _mm512_set1_ps(tile->low), high = _mm512_set1_ps(tile->high);
    UNROLL
    for (int v = 0; v < 2 * PANEL_WIDE; v++) {
        UNROLL
        for (int r = 0; r < rows; r++)
            sums[r][v] = _mm512_loadu_ps(tile->start + v * LANES);
    }
    const float *w = tile->weights, *a = tile->a;
    for (size_t k = 0; k < tile->run_length; k++, w += PANEL_COLUMNS) {
        UNROLL
        for (int v = 0; v < 2 * PANEL_WIDE; v++) {
            __m512 weights = _mm512_loadu_ps(w + (size_t)(v / 2) * panel_stride + v % 2 * LANES);
            UNROLL
            for (int r = 0; r < rows; r++)
                sums[r][v] = _mm512_fmadd_ps(_mm512_set1_ps(a[r * tile->a_stride + (ptrdiff_t)k]),
                                             weights, sums[r][v]);
        }
    }
    UNROLL
    for (int v = 0; v < 2 * PANEL_WIDE; v++) {
        UNROLL
        for (int r = 0; r < rows; r++)
            _mm512_storeu_ps(tile->c + r * tile->c_stride + v * LANES,
                             _mm512_min_ps(high, _mm512_max_ps(low, sums[r][v])));
    }
}

TARGET static void avx512_wide(const PanelTile *tile, size_t panel_stride)
{
    if (tile->rows == 1)
        run_wide(tile, panel_stride, 1);
    else if (tile->rows == 2)
        run_wide(tile, panel_stride, 2);
    else
        run_wide(tile, panel_stride, 3);
}

static bool avx512_is_supported(void)
{
    return __builtin_cpu_supports("avx512f") != 0;
}

const PanelForm panel_avx512 = {
    .name = "avx512",
    .max_rows = MAX_ROWS,
    .max_wide_rows = MAX_WIDE_ROWS,
    .is_supported = avx512_is_supported,
    .tile = avx512_tile,
    .wide = avx512_wide,
};

#endif
