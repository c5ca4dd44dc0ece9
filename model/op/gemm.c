/* SPDX-License-Identifier: Apache-2.0
 *
 * Matrix products. Large ones with weights that change are OpenBLAS's; a dense layer whose weights
 * are constant runs on panels (panel.h), which read the weights once for all rows of a batch.
 *
 * OpenBLAS is held to one thread: the threads of this program are its own. Any thread.
 */
#include "model/op/gemm.h"

#include <cblas.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#define GEMM_GRAIN_ROWS 64   /* rows of c that one worker takes at a time */
#define GEMM_SMALL (1 << 19) /* products that are not worth waking another thread for */
#define DENSE_CHUNK_ROWS 112 /* rows that go through a group of panels together */
#define DENSE_BLOCK_K 2048   /* 256 KB of a panel: stays in the second-level cache */

struct Dense {
    size_t k, n;
    const PanelForm *form;
    Activation activation;
    bool is_clamp; /* the activation is done in registers */
    float low, high;
    const float *bias; /* [n padded to whole panels] */
    const float *panels;
};

/* ---- OpenBLAS ------------------------------------------------------------------------------ */

static void limit_threads(void)
{
    openblas_set_num_threads(1);
}

static Error *check_size(size_t size)
{
    if (size > INT_MAX)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "matrix dimension %zu is too large: at most %d is supported", size,
                         INT_MAX);
    return NULL;
}

static void scale(const Gemm *g)
{
    for (size_t i = 0; i < g->m; i++) {
        for (size_t j = 0; j < g->n; j++) {
            float *c = &g->c[i * g->ldc + j];
            *c = g->beta == 0 ? 0 : *c * g->beta;
        }
    }
}

/* OpenBLAS's sgemm takes five times as long as its sgemv when there is one row. */
static void run_vector(const Gemm *g)
{
    if (g->m == 1) {
        blasint step = g->transpose_a ? (blasint)g->lda : 1;
        cblas_sgemv(CblasRowMajor, g->transpose_b ? CblasNoTrans : CblasTrans,
                    (blasint)(g->transpose_b ? g->n : g->k),
                    (blasint)(g->transpose_b ? g->k : g->n), g->alpha, g->b, (blasint)g->ldb, g->a,
                    step, g->beta, g->c, 1);
    } else {
        blasint step = g->transpose_b ? 1 : (blasint)g->ldb;
        cblas_sgemv(CblasRowMajor, g->transpose_a ? CblasTrans : CblasNoTrans,
                    (blasint)(g->transpose_a ? g->k : g->m),
                    (blasint)(g->transpose_a ? g->m : g->k), g->alpha, g->a, (blasint)g->lda, g->b,
                    step, g->beta, g->c, (blasint)g->ldc);
    }
}

static void run_rows(void *context, size_t begin, size_t end, int thread)
{
    const Gemm *g = context;
    (void)thread;
    cblas_sgemm(CblasRowMajor, g->transpose_a ? CblasTrans : CblasNoTrans,
                g->transpose_b ? CblasTrans : CblasNoTrans, (blasint)(end - begin), (blasint)g->n,
                (blasint)g->k, g->alpha, g->a + begin * (g->transpose_a ? 1 : g->lda),
                (blasint)g->lda, g->b, (blasint)g->ldb, g->beta, g->c + begin * g->ldc,
                (blasint)g->ldc);
}

Error *gemm_run(const Gemm *gemm)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, limit_threads);
    Gemm g = *gemm;
    g.lda = g.lda != 0 ? g.lda : (g.transpose_a ? g.m : g.k);
    g.ldb = g.ldb != 0 ? g.ldb : (g.transpose_b ? g.k : g.n);
    g.ldc = g.ldc != 0 ? g.ldc : g.n;
    const size_t sizes[] = { g.m, g.n, g.k, g.lda, g.ldb, g.ldc };
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
        TRY(check_size(sizes[i]));
    if (g.m == 0 || g.n == 0)
        return NULL;
    if (g.k == 0) {
        scale(&g);
    } else if (g.m == 1 || g.n == 1) {
        run_vector(&g);
    } else {
        bool is_small = (double)g.m * (double)g.n * (double)g.k < GEMM_SMALL;
        workers_for(is_small ? NULL : g.workers, g.m, is_small ? g.m : GEMM_GRAIN_ROWS, run_rows,
                    &g);
    }
    return NULL;
}

Error *gemm_run_double(const GemmDouble *g)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, limit_threads);
    TRY(check_size(g->m));
    TRY(check_size(g->n));
    TRY(check_size(g->k));
    if (g->m == 0 || g->n == 0)
        return NULL;
    if (g->k == 0) {
        memset(g->c, 0, g->m * g->n * sizeof(double));
        return NULL;
    }
    cblas_dgemm(CblasRowMajor, g->transpose_a ? CblasTrans : CblasNoTrans,
                g->transpose_b ? CblasTrans : CblasNoTrans, (blasint)g->m, (blasint)g->n,
                (blasint)g->k, 1, g->a, (blasint)(g->transpose_a ? g->m : g->k), g->b,
                (blasint)(g->transpose_b ? g->k : g->n), 0, g->c, (blasint)g->n);
    return NULL;
}

/* ---- dense layer --------------------------------------------------------------------------- */

typedef struct DenseRun {
    const Dense *dense;
    size_t m;
    const float *a;  /* [m,k] */
    float *c;        /* [m,n] */
    size_t n_groups; /* of PANEL_WIDE panels */
    bool adds;       /* to what is in c */
} DenseRun;

/* All k values of `rows` rows through one panel. */
static PanelTile tile_at(const DenseRun *run, size_t row, size_t rows, size_t panel)
{
    const Dense *d = run->dense;
    size_t column = panel * PANEL_COLUMNS;
    size_t columns = d->n - column < PANEL_COLUMNS ? d->n - column : PANEL_COLUMNS;
    return (PanelTile){
        .a = run->a + row * d->k,
        .a_stride = (ptrdiff_t)d->k,
        .n_lines = 1,
        .n_runs = 1,
        .run_length = d->k,
        .rows = (int)rows,
        .columns = (int)columns,
        .weights = d->panels + panel * d->k * PANEL_COLUMNS,
        .start = d->bias + column,
        .low = d->low,
        .high = d->high,
        .store = PANEL_STORE,
        .c = run->c + row * d->n + column,
        .c_stride = (ptrdiff_t)d->n,
    };
}

static void activate(const Dense *d, const PanelTile *tile, size_t columns)
{
    for (int r = 0; r < tile->rows && !d->is_clamp; r++) {
        float *c = tile->c + r * tile->c_stride;
        activation_apply(&d->activation, c, columns, c);
    }
}

/* Rows [row, end) through one panel, in tiles of nearly the same number of rows. Between blocks of k
 * the sums wait in c, which changes no bit of them. */
static void run_panel(const DenseRun *run, size_t row, size_t end, size_t panel)
{
    const Dense *d = run->dense;
    size_t max_rows = (size_t)d->form->max_rows;
    size_t n_tiles = (end - row + max_rows - 1) / max_rows;
    for (size_t k0 = 0; k0 == 0 || k0 < d->k; k0 += DENSE_BLOCK_K) {
        size_t length = d->k - k0 < DENSE_BLOCK_K ? d->k - k0 : DENSE_BLOCK_K;
        bool is_last = k0 + length == d->k;
        for (size_t i = 0; i < n_tiles; i++) {
            size_t first = row + (end - row) * i / n_tiles;
            size_t last = row + (end - row) * (i + 1) / n_tiles;
            PanelTile tile = tile_at(run, first, last - first, panel);
            tile.a += k0;
            tile.weights += k0 * PANEL_COLUMNS;
            tile.run_length = length;
            tile.start = k0 == 0 ? tile.start : NULL;
            tile.low = is_last ? tile.low : -INFINITY;
            tile.high = is_last ? tile.high : INFINITY;
            if (run->adds && k0 == 0)
                panel_add_to_c(&tile);
            d->form->tile(&tile);
            if (is_last)
                activate(d, &tile, (size_t)tile.columns);
        }
    }
}

/* Item i is group i % n_groups of the panels for chunk i / n_groups of the rows. */
static void run_items(void *context, size_t begin, size_t end, int thread)
{
    const DenseRun *run = context;
    const Dense *d = run->dense;
    size_t n_panels = panel_count(d->n);
    (void)thread;
    for (size_t i = begin; i < end; i++) {
        size_t row = i / run->n_groups * DENSE_CHUNK_ROWS;
        size_t row_end = run->m - row < DENSE_CHUNK_ROWS ? run->m : row + DENSE_CHUNK_ROWS;
        size_t panel = i % run->n_groups * PANEL_WIDE;
        size_t panel_end = n_panels - panel < PANEL_WIDE ? n_panels : panel + PANEL_WIDE;
        bool is_whole = panel_end - panel == PANEL_WIDE && panel_end * PANEL_COLUMNS <= d->n;
        if (is_whole && !run->adds && row_end - row <= (size_t)d->form->max_wide_rows) {
            PanelTile tile = tile_at(run, row, row_end - row, panel);
            d->form->wide(&tile, d->k * PANEL_COLUMNS);
            activate(d, &tile, PANEL_WIDE * PANEL_COLUMNS);
            continue;
        }
        for (; panel < panel_end; panel++)
            run_panel(run, row, row_end, panel);
    }
}

Error *dense_new(Arena *arena, const DenseOptions *options, Dense **ret_dense)
{
    size_t k = options->k, n = options->n;
    size_t floats = panel_floats(k, n);
    if (floats == 0)
        return error_out_of_memory();
    Dense *d = arena_calloc(arena, 1, sizeof(*d));
    float *bias = arena_calloc(arena, panel_count(n) * PANEL_COLUMNS, sizeof(float));
    float *panels = arena_alloc_aligned(arena, floats * sizeof(float));
    if (d == NULL || bias == NULL || panels == NULL)
        return error_out_of_memory();
    if (options->bias != NULL)
        memcpy(bias, options->bias, n * sizeof(float));
    panel_pack(options->b, options->transposed ? k : n, options->transposed, k, n, panels);
    *d = (Dense){
        .k = k,
        .n = n,
        .form = options->form != NULL ? options->form : panel_form(),
        .activation = options->activation,
        .low = -INFINITY,
        .high = INFINITY,
        .bias = bias,
        .panels = panels,
    };
    d->is_clamp = activation_bounds(&d->activation, &d->low, &d->high);
    *ret_dense = d;
    return NULL;
}

static void run_dense(DenseRun run, Workers *workers)
{
    const Dense *dense = run.dense;
    size_t m = run.m;
    if (m == 0 || dense->n == 0)
        return;
    if (dense->k == 0) /* a is empty and may be NULL; the tiles want an address, which none reads */
        run.a = dense->bias;
    size_t n_chunks = (m + DENSE_CHUNK_ROWS - 1) / DENSE_CHUNK_ROWS;
    run.n_groups = (panel_count(dense->n) + PANEL_WIDE - 1) / PANEL_WIDE;
    size_t rows = m < DENSE_CHUNK_ROWS ? m : DENSE_CHUNK_ROWS;
    size_t item = rows * PANEL_WIDE * PANEL_COLUMNS * (dense->k + 1);
    size_t grain = item < GEMM_SMALL ? GEMM_SMALL / item : 1;
    workers_for(workers, n_chunks * run.n_groups, grain, run_items, &run);
}

void dense_run(const Dense *dense, size_t m, const float *a, float *c, Workers *workers)
{
    run_dense((DenseRun){ .dense = dense, .m = m, .a = a, .c = c }, workers);
}

void dense_run_linear(const Dense *dense, size_t m, const float *a, float *c, Workers *workers)
{
    Dense linear = *dense;
    linear.activation = (Activation){ .kind = ACTIVATION_NONE };
    linear.is_clamp = activation_bounds(&linear.activation, &linear.low, &linear.high);
    run_dense((DenseRun){ .dense = &linear, .m = m, .a = a, .c = c }, workers);
}

void dense_run_add(const Dense *dense, size_t m, const float *a, float *c, Workers *workers)
{
    run_dense((DenseRun){ .dense = dense, .m = m, .a = a, .c = c, .adds = true }, workers);
}
