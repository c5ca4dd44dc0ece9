/* SPDX-License-Identifier: Apache-2.0
 *
 * The panel tile for AVX2 and FMA: 6 rows x 2 vectors of 8 sums fill 12 of the 16 registers. A
 * panel is gone through in halves of 16 columns. See panel_avx512.c, which is the same at twice the
 * width. Any thread, on a processor that has AVX2 and FMA.
 */
#include "model/op/panel.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include "model/op/unroll.h"

#define MAX_ROWS 6
#define LANES 8
#define HALF (2 * LANES)

#define TARGET __attribute__((target("avx2,fma")))
#define INLINE TARGET static inline __attribute__((always_inline))

/* A half of a panel's columns. */
typedef struct Half {
    int column, columns; /* first of the panel; number of them, 1..16 */
    __m256i mask[2];     /* the columns of each vector that exist */
} Half;

INLINE __m256i column_mask(int columns)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(columns),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

INLINE void start(const PanelTile *tile, const Half *half, int rows, int vectors,
                  __m256 sums[MAX_ROWS][2])
{
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int v = 0; v < vectors; v++) {
            int column = half->column + v * LANES;
            sums[r][v] =
                tile->start != NULL
                    ? _mm256_loadu_ps(tile->start + column)
                    : _mm256_maskload_ps(tile->c + r * tile->c_stride + column, half->mask[v]);
        }
    }
}

/* One run: sums += a w. */
INLINE const float *multiply(const PanelTile *tile, const float *a, const float *w, int rows,
                             int vectors, __m256 sums[MAX_ROWS][2])
{
    const ptrdiff_t stride = tile->a_stride * (ptrdiff_t)sizeof(float), stride3 = 3 * stride;
    const char *base0 = (const char *)a, *base5 = base0 + 5 * stride, *base10 = base0;
    for (size_t k = tile->run_length; k > 0; k--) {
        OPAQUE_BASES(base0, base5, base10);
        __m256 w0 = _mm256_loadu_ps(w), w1 = w0;
        if (vectors > 1)
            w1 = _mm256_loadu_ps(w + LANES);
        UNROLL
        for (int r = 0; r < rows; r++) {
            __m256 x = _mm256_broadcast_ss(ROW_ADDRESS(r, base0, base5, base10, stride, stride3));
            sums[r][0] = _mm256_fmadd_ps(x, w0, sums[r][0]);
            if (vectors > 1)
                sums[r][1] = _mm256_fmadd_ps(x, w1, sums[r][1]);
        }
        base0 += sizeof(float);
        base5 += sizeof(float);
        w += PANEL_COLUMNS;
    }
    return w;
}

/* What the tile says is read before the first value is written: to the compiler, a float that is
 * stored might be a field of the tile. */
INLINE void store(const PanelTile *tile, const Half *half, int rows, int vectors,
                  __m256 sums[MAX_ROWS][2])
{
    const __m256 low = _mm256_set1_ps(tile->low), high = _mm256_set1_ps(tile->high);
    const __m256i masks[2] = { half->mask[0], half->mask[1] };
    const PanelStore how = tile->store;
    const ptrdiff_t stride = tile->c_stride;
    float *c = tile->c + half->column;
    if (how == PANEL_STORE) {
        /* The second operand is the result where one is NaN. */
        UNROLL
        for (int r = 0; r < rows; r++, c += stride) {
            UNROLL
            for (int v = 0; v < vectors; v++)
                _mm256_maskstore_ps(c + v * LANES, masks[v],
                                    _mm256_min_ps(high, _mm256_max_ps(low, sums[r][v])));
        }
        return;
    }
    UNROLL
    for (int r = 0; r + 1 < rows; r += 2, c += stride) {
        UNROLL
        for (int v = 0; v < vectors; v++) {
            __m256 most = _mm256_max_ps(sums[r][v], _mm256_max_ps(sums[r + 1][v], low));
            most = _mm256_min_ps(most, high);
            if (how == PANEL_POOL_NEXT)
                most = _mm256_max_ps(most, _mm256_maskload_ps(c + v * LANES, masks[v]));
            _mm256_maskstore_ps(c + v * LANES, masks[v], most);
        }
    }
}

INLINE void run_tile(const PanelTile *tile, const Half *half, int rows, int vectors)
{
    __m256 sums[MAX_ROWS][2];
    start(tile, half, rows, vectors, sums);
    const float *w = tile->weights + half->column;
    for (int line = 0; line < tile->n_lines; line++) {
        const float *a = tile->a + line * tile->line_stride;
        for (int run = 0; run < tile->n_runs; run++, a += tile->run_stride)
            w = multiply(tile, a, w, rows, vectors, sums);
    }
    store(tile, half, rows, vectors, sums);
}

#define DEFINE_TILES(rows)                                                                         \
    TARGET static void tile_##rows##x1(const PanelTile *tile, const Half *half)                    \
    {                                                                                              \
        run_tile(tile, half, rows, 1);                                                             \
    }                                                                                              \
    TARGET static void tile_##rows##x2(const PanelTile *tile, const Half *half)                    \
    {                                                                                              \
        run_tile(tile, half, rows, 2);                                                             \
    }
#define FOR_EACH_ROWS(X) X(1) X(2) X(3) X(4) X(5) X(6)
FOR_EACH_ROWS(DEFINE_TILES)

TARGET static void avx2_tile(const PanelTile *tile)
{
#define ROW_OF_TILES(rows) { tile_##rows##x1, tile_##rows##x2 },
    static void (*const tiles[MAX_ROWS][2])(const PanelTile *,
                                            const Half *) = { FOR_EACH_ROWS(ROW_OF_TILES) };
    for (int column = 0; column < tile->columns; column += HALF) {
        int columns = tile->columns - column < HALF ? tile->columns - column : HALF;
        const Half half = { column,
                            columns,
                            { column_mask(columns), column_mask(columns - LANES) } };
        tiles[tile->rows - 1][columns > LANES](tile, &half);
    }
}

/* ---- one row ------------------------------------------------------------------------------- */

#define VECTORS 8 /* two panels: as many independent sums as keep two multipliers busy */

TARGET static void avx2_wide(const PanelTile *tile, size_t panel_stride)
{
    const __m256 low = _mm256_set1_ps(tile->low), high = _mm256_set1_ps(tile->high);
    for (int panel = 0; panel < PANEL_WIDE; panel += 2) {
        const float *w = tile->weights + (size_t)panel * panel_stride, *a = tile->a;
        const float *from = tile->start + panel * PANEL_COLUMNS;
        float *c = tile->c + panel * PANEL_COLUMNS;
        __m256 sums[VECTORS];
        UNROLL
        for (int v = 0; v < VECTORS; v++)
            sums[v] = _mm256_loadu_ps(from + v * LANES);
        for (size_t k = 0; k < tile->run_length; k++, w += PANEL_COLUMNS) {
            const __m256 x = _mm256_broadcast_ss(a + k);
            UNROLL
            for (int v = 0; v < VECTORS; v++) {
                size_t at = (size_t)(v / 4) * panel_stride + (size_t)(v % 4 * LANES);
                sums[v] = _mm256_fmadd_ps(x, _mm256_loadu_ps(w + at), sums[v]);
            }
        }
        UNROLL
        for (int v = 0; v < VECTORS; v++)
            _mm256_storeu_ps(c + v * LANES, _mm256_min_ps(high, _mm256_max_ps(low, sums[v])));
    }
}

static bool avx2_is_supported(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

const PanelForm panel_avx2 = {
    .name = "avx2",
    .max_rows = MAX_ROWS,
    .max_wide_rows = 1,
    .is_supported = avx2_is_supported,
    .tile = avx2_tile,
    .wide = avx2_wide,
};

#endif
