/* SPDX-License-Identifier: Apache-2.0
 *
 * MaxPool, MaxPoolV2 (whose window is an input) and AvgPool of floats over rows and columns.
 *
 * Padding is no value: a mean divides by the number of positions inside the input, a maximum starts
 * from the lowest finite float and takes what compares greater: a window of NaN or of -inf alone
 * gives that lowest float, as with TensorFlow. Any thread.
 */
#include "model/op/pool.h"

#include <float.h>
#include <string.h>

#include "model/op/kernels.h"

#define GRAIN 8192 /* values written by one worker at a time */

static void start_pixel(const Pool *p, float *y)
{
    for (int64_t c = 0; c < p->channels; c++)
        y[c] = p->is_mean ? 0 : -FLT_MAX;
}

static void take_pixel(const Pool *p, const float *restrict x, float *restrict y)
{
    if (p->is_mean) {
        for (int64_t c = 0; c < p->channels; c++)
            y[c] += x[c];
    } else {
        for (int64_t c = 0; c < p->channels; c++)
            y[c] = x[c] > y[c] ? x[c] : y[c];
    }
}

/* Output row `row` of image `image`. */
static void pool_row(const Pool *p, int64_t image, int64_t row)
{
    const WindowAxis *h = &p->rows, *w = &p->columns;
    const float *x = p->x + image * h->in * w->in * p->channels;
    float *y = p->y + (image * h->out + row) * w->out * p->channels;
    int64_t i0, i1, j0, j1;
    window_taps(h, row, &i0, &i1);
    for (int64_t column = 0; column < w->out; column++, y += p->channels) {
        window_taps(w, column, &j0, &j1);
        start_pixel(p, y);
        for (int64_t i = i0; i < i1; i++) {
            int64_t in_row = row * h->stride - h->before + i * h->dilation;
            for (int64_t j = j0; j < j1; j++) {
                int64_t in_column = column * w->stride - w->before + j * w->dilation;
                take_pixel(p, x + (in_row * w->in + in_column) * p->channels, y);
            }
        }
        int64_t taken = (i1 - i0) * (j1 - j0);
        for (int64_t c = 0; p->is_mean && taken > 0 && c < p->channels; c++)
            y[c] /= (float)taken;
    }
}

static void pool_rows(void *context, size_t begin, size_t end, int thread)
{
    const Pool *p = context;
    (void)thread;
    for (size_t i = begin; i < end; i++)
        pool_row(p, (int64_t)i / p->rows.out, (int64_t)i % p->rows.out);
}

void pool_run(const Pool *pool, Workers *workers)
{
    size_t n_rows = (size_t)pool->batch * (size_t)pool->rows.out;
    size_t row = (size_t)pool->columns.out * (size_t)pool->channels + 1;
    workers_for(workers, n_rows, GRAIN / row + 1, pool_rows, (void *)(uintptr_t)pool);
}

/* ---- ops ----------------------------------------------------------------------------------- */

static Error *prepare_window(OpPrepare *prepare, const WindowNames *names)
{
    Window *window = arena_calloc(prepare->arena, 1, sizeof(*window));
    if (window == NULL)
        return error_out_of_memory();
    if (prepare->input_dtypes[0] != DT_FLOAT)
        return error_new(ERROR_UNIMPLEMENTED, "%s of type %s is not supported: float is",
                         prepare->op->name, dtype_name(prepare->input_dtypes[0]));
    TRY(window_from_attrs(prepare->attrs, names, window));
    prepare->kernel = window;
    return NULL;
}

Error *max_pool_prepare(OpPrepare *prepare)
{
    return prepare_window(prepare, &(WindowNames){ .size = "ksize",
                                                   .strides = "strides",
                                                   .padding = "padding",
                                                   .explicit_paddings = "explicit_paddings" });
}

Error *avg_pool_prepare(OpPrepare *prepare)
{
    return prepare_window(
        prepare, &(WindowNames){ .size = "ksize", .strides = "strides", .padding = "padding" });
}

Error *max_pool_v2_prepare(OpPrepare *prepare)
{
    return prepare_window(prepare, &(WindowNames){ .padding = "padding" });
}

static Error *run(OpContext *context, const Window *window, bool is_mean)
{
    const Tensor *x = op_input(context, 0);
    if (x->shape.rank != 4)
        return error_new(ERROR_INVALID_ARGUMENT, "Input must be 4 or 5-dimensional");
    const int64_t *d = x->shape.dims;
    int h = window->channels_first ? 2 : 1;
    Pool pool = { .batch = window->channels_first ? d[0] * d[1] : d[0],
                  .channels = window->channels_first ? 1 : d[3],
                  .is_mean = is_mean,
                  .x = x->data };
    TRY(window_axis(window, 0, d[h], window->size[0], &pool.rows));
    TRY(window_axis(window, 1, d[h + 1], window->size[1], &pool.columns));
    Shape shape = x->shape;
    shape.dims[h] = pool.rows.out;
    shape.dims[h + 1] = pool.columns.out;
    Tensor *y = NULL;
    TRY(op_output(context, 0, x->dtype, &shape, &y));
    pool.y = y->data;
    if (y->n > 0)
        pool_run(&pool, context->workers);
    return NULL;
}

Error *max_pool_run(OpContext *context)
{
    return run(context, context->kernel, false);
}

Error *avg_pool_run(OpContext *context)
{
    return run(context, context->kernel, true);
}

Error *max_pool_v2_run(OpContext *context)
{
    static const char *const names[] = { "ksize", "strides" };
    Window window = *(const Window *)context->kernel;
    for (int i = 0; i < 2; i++) {
        const Tensor *t = op_input(context, i + 1);
        if (t->shape.rank != 1 || t->n != 4)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Sliding window %s field must specify 4 dimensions", names[i]);
        int64_t numbers[4];
        for (int j = 0; j < 4; j++)
            numbers[j] = tensor_index_at(t, j);
        TRY(window_spatial(&window, names[i], numbers, i == 0 ? window.size : window.stride));
    }
    return run(context, &window, false);
}
