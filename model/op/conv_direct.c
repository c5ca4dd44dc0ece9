/* SPDX-License-Identifier: Apache-2.0
 *
 * The direct convolution: no im2col. The window of an output pixel lies in the NHWC image as one
 * contiguous run for each row of the filter, and the window of the next pixel a few floats further
 * on: the rows of a panel tile (panel.h) are neighbouring pixels, read where they are.
 *
 *     image row r    |p p|c c c|c c c|c c c|p p|     p: padding, c: channels of a pixel
 *     pixel 0, tap row i  ------------>               run of columns.taps * in_c floats
 *     pixel 1, tap row i        ------------>
 *
 * Rows of the filter that fall on padding above or below are skipped. Where a window leaves the
 * image at its sides, a band of rows is first copied with its padding into scratch, which stays in
 * the cache. An item of work is some rows and columns of one image, for all output channels. Any
 * thread.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "model/op/conv.h"

#define BAND_FLOATS 32768  /* of the input rows of an item: an eighth of a second-level cache */
#define GRAIN_PRODUCTS 5e5 /* of one thread at a time: some microseconds, as waking it costs */
#define BLOCK_COLUMNS 112  /* output columns of one item, when no row is copied */

typedef struct Job {
    const ConvDirect *conv;
    int64_t rows, columns; /* outputs of the convolution that are wanted: even when it pools */
    int64_t band_rows, n_bands;
    int64_t block_columns, n_blocks;
    size_t k; /* taps * in_c / groups */
    float low, high;
    bool is_clamp;
    bool copies;
    int64_t columns_in; /* of an input row; padding included where rows are copied */
    int64_t pitch;      /* floats of such a row */
    float *scratch;     /* [threads, scratch_floats] */
    size_t scratch_floats;
} Job;

/* One item: outputs [row, row_end) x [column, column_end) of an image, and where its input lies: */
typedef struct Item {
    int64_t image, row, row_end, column, column_end;
    const float *source; /* input row first_row, column -before where copied, else column 0 */
    int64_t first_row;
} Item;

/* Output channels [channel, channel + columns) of one group, which lie in one panel. */
typedef struct Piece {
    int64_t group, channel;
    int columns;
} Piece;

static int64_t min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- input --------------------------------------------------------------------------------- */

static int64_t reach(const WindowAxis *axis)
{
    return (axis->taps - 1) * axis->dilation + 1;
}

/* Copies the input rows that the item's windows touch, each with its padding, and notes where. */
static void copy_band(const Job *job, float *scratch, Item *item)
{
    const ConvShape *s = &job->conv->shape;
    const WindowAxis *h = &s->rows, *w = &s->columns;
    int64_t first = item->row * h->stride - h->before;
    int64_t end = min64((item->row_end - 1) * h->stride - h->before + reach(h), h->in);
    first = first > 0 ? first : 0;
    size_t before = (size_t)(min64(w->before, job->columns_in) * s->in_c);
    size_t row = (size_t)job->pitch;
    size_t inside = (size_t)(w->in * s->in_c);
    inside = inside < row - before ? inside : row - before;
    for (int64_t r = first; r < end; r++) {
        const float *in = job->conv->x + (item->image * h->in + r) * w->in * s->in_c;
        float *out = scratch + (size_t)(r - first) * row;
        memset(out, 0, before * sizeof(float));
        memcpy(out + before, in, inside * sizeof(float));
        memset(out + before + inside, 0, (row - before - inside) * sizeof(float));
    }
    item->source = scratch;
    item->first_row = first;
}

/* ---- output -------------------------------------------------------------------------------- */

/* A tile of output row `row`, for one piece of the channels; which columns, run_row says. */
static PanelTile row_tile(const Job *job, const Item *item, const Piece *piece, int64_t row)
{
    const ConvDirect *conv = job->conv;
    const ConvShape *s = &conv->shape;
    const WindowAxis *h = &s->rows, *w = &s->columns;
    int64_t group_c = s->in_c / s->groups, taps = 0, taps_end = 0;
    bool is_one_run = w->dilation == 1 && s->groups == 1;
    window_taps(h, row, &taps, &taps_end);
    int64_t in_row = row * h->stride - h->before + taps * h->dilation - item->first_row;
    int64_t y_row =
        conv->pools ? (item->image * job->rows + row) / 2 : item->image * job->rows + row;
    int64_t y_columns = conv->pools ? job->columns / 2 : job->columns;
    size_t panel = (size_t)piece->channel / PANEL_COLUMNS;
    return (PanelTile){
        .a = item->source + in_row * job->pitch + piece->group * group_c,
        .a_stride = w->stride * s->in_c,
        .line_stride = h->dilation * job->pitch,
        .run_stride = w->dilation * s->in_c,
        .n_lines = (int)(taps_end - taps),
        .n_runs = is_one_run ? 1 : (int)w->taps,
        .run_length = (size_t)(is_one_run ? w->taps * group_c : group_c),
        .columns = piece->columns,
        .weights = conv->panels + panel * job->k * PANEL_COLUMNS +
                   (size_t)(taps * w->taps * group_c) * PANEL_COLUMNS +
                   piece->channel % PANEL_COLUMNS,
        .start = conv->bias + piece->channel,
        .low = job->low,
        .high = job->high,
        .store = !conv->pools   ? PANEL_STORE
                 : row % 2 == 0 ? PANEL_POOL_FIRST
                                : PANEL_POOL_NEXT,
        .c = conv->y + y_row * y_columns * s->out_c + piece->channel,
        .c_stride = s->out_c,
    };
}

static void activate(const Job *job, const PanelTile *tile, int rows)
{
    for (int r = 0; r < rows; r++) {
        float *c = tile->c + r * tile->c_stride;
        activation_apply(&job->conv->activation, c, (size_t)tile->columns, c);
    }
}

/* The item's columns of output row `row`, for one piece, in tiles of nearly the same width. */
static void run_row(const Job *job, const Item *item, const Piece *piece, int64_t row)
{
    PanelTile tile = row_tile(job, item, piece, row);
    const float *start = tile.start;
    int64_t unit = job->conv->pools ? 2 : 1;
    int64_t units = (item->column_end - item->column) / unit;
    int64_t max_units = job->conv->form->max_rows / unit;
    int64_t n_tiles = (units + max_units - 1) / max_units;
    tile.a += item->column * tile.a_stride;
    tile.c += item->column / unit * tile.c_stride;
    for (int64_t i = 0; i < n_tiles; i++) {
        int64_t n = units / n_tiles + (i < units % n_tiles);
        tile.rows = (int)(n * unit);
        if (job->conv->adds)
            panel_add_to_c(&tile);
        job->conv->form->tile(&tile);
        tile.start = start;
        if (!job->is_clamp && tile.store != PANEL_POOL_FIRST)
            activate(job, &tile, (int)n);
        tile.a += tile.rows * tile.a_stride;
        tile.c += n * tile.c_stride;
    }
}

static void run_items(void *context, size_t begin, size_t end, int thread)
{
    const Job *job = context;
    const ConvShape *s = &job->conv->shape;
    int64_t group_out = s->out_c / s->groups;
    for (size_t i = begin; i < end; i++) {
        int64_t block = (int64_t)i % job->n_blocks, band = (int64_t)i / job->n_blocks;
        Item item = {
            .image = band / job->n_bands,
            .row = band % job->n_bands * job->band_rows,
            .column = block * job->block_columns,
        };
        item.row_end = min64(item.row + job->band_rows, job->rows);
        item.column_end = min64(item.column + job->block_columns, job->columns);
        item.source = job->conv->x + item.image * s->rows.in * job->pitch;
        if (job->copies)
            copy_band(job, job->scratch + (size_t)thread * job->scratch_floats, &item);
        for (int64_t channel = 0; channel < s->out_c;) {
            int64_t group = channel / group_out;
            int64_t piece_end =
                min64((group + 1) * group_out, (channel / PANEL_COLUMNS + 1) * PANEL_COLUMNS);
            const Piece piece = { group, channel, (int)(piece_end - channel) };
            for (int64_t row = item.row; row < item.row_end; row++)
                run_row(job, &item, &piece, row);
            channel = piece_end;
        }
    }
}

/* ---- job ----------------------------------------------------------------------------------- */

/* Splits the outputs into items: bands whose input fits BAND_FLOATS, and at least two items a
 * thread where there are rows enough. */
static void split(Job *job, int n_threads)
{
    const ConvShape *s = &job->conv->shape;
    int64_t unit = job->conv->pools ? 2 : 1;
    int64_t rows = BAND_FLOATS / job->pitch / s->rows.stride;
    if (n_threads > 1 && s->batch < 2 * n_threads)
        rows = min64(rows, job->rows * s->batch / (2 * n_threads));
    rows = rows / unit * unit;
    job->band_rows = rows > unit ? rows : unit;
    job->n_bands = (job->rows + job->band_rows - 1) / job->band_rows;
    job->block_columns = job->copies ? job->columns : min64(BLOCK_COLUMNS, job->columns);
    job->n_blocks = (job->columns + job->block_columns - 1) / job->block_columns;
}

/* Scratch for the copied bands of all threads. */
static Error *get_scratch(Job *job, OpContext *context, int n_threads)
{
    const WindowAxis *h = &job->conv->shape.rows;
    size_t floats = (size_t)min64((job->band_rows - 1) * h->stride + reach(h), h->in), bytes = 0;
    if (__builtin_mul_overflow(floats, (size_t)job->pitch, &floats) ||
        __builtin_mul_overflow(floats, sizeof(float) * (size_t)n_threads, &bytes))
        return error_out_of_memory();
    job->scratch_floats = floats;
    job->scratch = op_scratch(context, bytes);
    return job->scratch != NULL ? NULL : error_out_of_memory();
}

/* A 1x1 window with stride 1 knows no rows: all pixels of the batch make one long row. */
static void flatten(ConvShape *s)
{
    WindowAxis *h = &s->rows, *w = &s->columns;
    if (h->taps != 1 || w->taps != 1 || h->stride != 1 || w->stride != 1 || h->out != h->in ||
        w->out != w->in)
        return;
    w->in = w->out = s->batch * h->in * w->in;
    h->in = h->out = s->batch = 1;
}

size_t conv_bias_floats(size_t out_c)
{
    return panel_count(out_c) * PANEL_COLUMNS + PANEL_COLUMNS;
}

Error *conv_direct_run(const ConvDirect *conv, OpContext *context)
{
    ConvDirect flat = *conv;
    const ConvShape *s = &flat.shape;
    const WindowAxis *w = &s->columns;
    if (!conv->pools)
        flatten(&flat.shape);
    int n_threads = workers_count(context->workers);
    Job job = { .conv = &flat,
                .rows = conv->pools ? s->rows.out / 2 * 2 : s->rows.out,
                .columns = conv->pools ? w->out / 2 * 2 : w->out,
                .k = (size_t)(s->rows.taps * w->taps * (s->in_c / s->groups)),
                .low = -INFINITY,
                .high = INFINITY };
    if (s->batch == 0 || job.rows == 0 || job.columns == 0 || s->out_c == 0)
        return NULL;
    job.is_clamp = activation_bounds(&conv->activation, &job.low, &job.high);
    if (conv->pools && job.low < -FLT_MAX)
        job.low = -FLT_MAX;
    int64_t reached = (w->out - 1) * w->stride + reach(w);
    job.copies = w->before > 0 || reached > w->in;
    job.columns_in = job.copies ? reached : w->in;
    if (__builtin_mul_overflow(job.columns_in, s->in_c, &job.pitch))
        return error_out_of_memory();
    split(&job, n_threads);
    if (job.copies)
        TRY(get_scratch(&job, context, n_threads));
    size_t n = (size_t)(s->batch * job.n_bands * job.n_blocks);
    double products =
        (double)job.band_rows * (double)job.block_columns * (double)job.k * (double)s->out_c;
    workers_for(context->workers, n, (size_t)(GRAIN_PRODUCTS / products) + 1, run_items, &job);
    return NULL;
}
