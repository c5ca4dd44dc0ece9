/* SPDX-License-Identifier: Apache-2.0
 *
 * Pools of any type: see pool.h.
 *
 * Padding is no value: a mean divides by the number of positions inside the input, a maximum starts
 * from the lowest finite number and takes what compares greater: a window of NaN or of -inf alone
 * gives that lowest number, as with TensorFlow (of half and bfloat16, which are pooled as float, it
 * is -inf). Any thread.
 */
#include "model/op/pool.h"

#include <float.h>
#include <stdint.h>

#include "model/op/typed.h"

#define GRAIN 8192 /* values written by one worker at a time */

#define LOWEST_f32 (-FLT_MAX)
#define LOWEST_f64 (-DBL_MAX)
#define LOWEST_i8 INT8_MIN
#define LOWEST_i16 INT16_MIN
#define LOWEST_i32 INT32_MIN
#define LOWEST_i64 INT64_MIN
#define LOWEST_u8 0
#define LOWEST_u16 0
#define LOWEST_u32 0
#define LOWEST_u64 0

/* One window: its taps [first, end) of each axis, and the position of tap 0. */
typedef struct PoolWindow {
    int64_t first[3], end[3], base[3];
    int64_t n_taken;
} PoolWindow;

static PoolWindow window_at(const Pool *p, int64_t d, int64_t h, int64_t w)
{
    const int64_t at[3] = { d, h, w };
    PoolWindow window = { .n_taken = 1 };
    for (int i = 0; i < 3; i++) {
        window_taps(&p->axes[i], at[i], &window.first[i], &window.end[i]);
        window.base[i] = at[i] * p->axes[i].stride - p->axes[i].before;
        window.n_taken *= window.end[i] - window.first[i];
    }
    return window;
}

/* Calls `take` for each position of the window, with its first channel. */
#define FOR_EACH_POSITION(type, take)                                                              \
    for (int64_t i = window.first[0]; i < window.end[0]; i++) {                                    \
        int64_t plane = (window.base[0] + i * p->axes[0].dilation) * p->axes[1].in;                \
        for (int64_t j = window.first[1]; j < window.end[1]; j++) {                                \
            int64_t row = (plane + window.base[1] + j * p->axes[1].dilation) * p->axes[2].in;      \
            for (int64_t k = window.first[2]; k < window.end[2]; k++) {                            \
                const type *restrict from =                                                        \
                    x + (row + window.base[2] + k * p->axes[2].dilation) * p->channels;            \
                for (int64_t c = 0; c < p->channels; c++)                                          \
                    y[c] = take;                                                                   \
            }                                                                                      \
        }                                                                                          \
    }

#define MAXIMUM(dt, type, suffix)                                                                  \
    static void maximum_##suffix(const Pool *p, PoolWindow window, const void *xs, void *ys)       \
    {                                                                                              \
        const type *x = xs;                                                                        \
        type *restrict y = ys;                                                                     \
        for (int64_t c = 0; c < p->channels; c++)                                                  \
            y[c] = LOWEST_##suffix;                                                                \
        FOR_EACH_POSITION(type, from[c] > y[c] ? from[c] : y[c])                                   \
    }
FOR_EACH_NUMBER(MAXIMUM)

#define MEAN(dt, type, suffix)                                                                     \
    static void mean_##suffix(const Pool *p, PoolWindow window, const void *xs, void *ys)          \
    {                                                                                              \
        const type *x = xs;                                                                        \
        type *restrict y = ys;                                                                     \
        for (int64_t c = 0; c < p->channels; c++)                                                  \
            y[c] = 0;                                                                              \
        FOR_EACH_POSITION(type, y[c] + from[c])                                                    \
        for (int64_t c = 0; window.n_taken > 0 && c < p->channels; c++)                            \
            y[c] /= (type)window.n_taken;                                                          \
    }
FOR_EACH_FLOAT(MEAN)

typedef void PoolLoop(const Pool *p, PoolWindow window, const void *xs, void *ys);

/* NULL when there is none. */
static PoolLoop *find_loop(DType dtype, bool is_mean)
{
#define MAXIMUM_ROW(dt, type, suffix) { dt, false, maximum_##suffix },
#define MEAN_ROW(dt, type, suffix) { dt, true, mean_##suffix },
    static const struct {
        DType dtype;
        bool is_mean;
        PoolLoop *loop;
    } rows[] = { FOR_EACH_NUMBER(MAXIMUM_ROW) FOR_EACH_FLOAT(MEAN_ROW) };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].dtype == dtype && rows[i].is_mean == is_mean)
            return rows[i].loop;
    }
    return NULL;
}

bool pool_has(DType dtype, bool is_mean)
{
    return find_loop(dtype, is_mean) != NULL;
}

typedef struct PoolRows {
    const Pool *pool;
    PoolLoop *loop;
} PoolRows;

/* Rows of the output: (image, depth, row) counted through. */
static void pool_rows(void *context, size_t begin, size_t end, int thread)
{
    const PoolRows *rows = context;
    const Pool *p = rows->pool;
    const WindowAxis *d = &p->axes[0], *h = &p->axes[1], *w = &p->axes[2];
    const size_t pixel = (size_t)p->channels * dtype_size(p->dtype);
    (void)thread;
    for (int64_t i = (int64_t)begin; i < (int64_t)end; i++) {
        int64_t image = i / (d->out * h->out);
        const char *x = (const char *)p->x + (size_t)(image * d->in * h->in * w->in) * pixel;
        char *y = (char *)p->y + (size_t)(i * w->out) * pixel;
        for (int64_t k = 0; k < w->out; k++, y += pixel)
            rows->loop(p, window_at(p, i / h->out % d->out, i % h->out, k), x, y);
    }
}

void pool_run(const Pool *pool, Workers *workers)
{
    PoolRows rows = { pool, find_loop(pool->dtype, pool->is_mean) };
    size_t n_rows = (size_t)(pool->batch * pool->axes[0].out * pool->axes[1].out);
    size_t row = (size_t)pool->axes[2].out * (size_t)pool->channels + 1;
    workers_for(workers, n_rows, GRAIN / row + 1, pool_rows, &rows);
}
