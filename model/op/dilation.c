/* SPDX-License-Identifier: Apache-2.0
 *
 * Windows that TensorFlow has in forms of their own: Dilation2D (grey-scale dilation: the greatest sum
 * of input and filter, a window for each channel) and MaxPoolWithArgmax. Channels last; padding is no
 * value. Any thread.
 */
#include <float.h>
#include <stdint.h>

#include "model/op/elementwise.h"
#include "model/op/kernels.h"
#include "model/op/typed.h"
#include "model/op/window.h"

#define GRAIN 4096 /* values written by one worker at a time */

/* A call. `filter` is NULL in a pool, `index` in a dilation. */
typedef struct Windows {
    DType dtype;
    int64_t channels;
    WindowAxis rows, columns;
    const void *x,
        *filter; /* [batch, rows.in, columns.in, channels], [rows.taps, columns.taps, channels] */
    void *y;     /* [batch, rows.out, columns.out, channels] */
    bool counts_batch; /* in the index, which else is that in an image */
    DType index_type;
    void *index;
} Windows;

/* The extreme of one channel of one window, and where it is: -1 when nothing compares greater than
 * the lowest number. */
#define EXTREME(dt, type, suffix, lowest)                                                          \
    static int64_t extreme_##suffix(const Windows *w, int64_t pixel, int64_t channel)              \
    {                                                                                              \
        const WindowAxis *h = &w->rows, *v = &w->columns;                                          \
        const int64_t image = pixel / (h->out * v->out) * h->in * v->in;                           \
        const int64_t row = pixel / v->out % h->out * h->stride - h->before;                       \
        const int64_t column = pixel % v->out * v->stride - v->before;                             \
        const type *filter = w->filter;                                                            \
        int64_t at = -1, i0, i1, j0, j1;                                                           \
        type greatest = lowest;                                                                    \
        window_taps(h, pixel / v->out % h->out, &i0, &i1);                                         \
        window_taps(v, pixel % v->out, &j0, &j1);                                                  \
        for (int64_t i = i0; i < i1; i++) {                                                        \
            for (int64_t j = j0; j < j1; j++) {                                                    \
                int64_t k = image + (row + i * h->dilation) * v->in + column + j * v->dilation;    \
                type x = ((const type *)w->x)[k * w->channels + channel];                          \
                if (filter != NULL)                                                                \
                    x = (type)(x + filter[(i * v->taps + j) * w->channels + channel]);             \
                if (x > greatest || (filter == NULL && at < 0)) {                                  \
                    greatest = x;                                                                  \
                    at = (k - (w->counts_batch ? 0 : image)) * w->channels + channel;              \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
        ((type *)w->y)[pixel * w->channels + channel] = greatest;                                  \
        return at;                                                                                 \
    }
EXTREME(DT_FLOAT, float, f32, -FLT_MAX)
EXTREME(DT_DOUBLE, double, f64, -DBL_MAX)
EXTREME(DT_INT8, int8_t, i8, INT8_MIN)
EXTREME(DT_INT16, int16_t, i16, INT16_MIN)
EXTREME(DT_INT32, int32_t, i32, INT32_MIN)
EXTREME(DT_INT64, int64_t, i64, INT64_MIN)
EXTREME(DT_UINT8, uint8_t, u8, 0)
EXTREME(DT_UINT16, uint16_t, u16, 0)
EXTREME(DT_UINT32, uint32_t, u32, 0)
EXTREME(DT_UINT64, uint64_t, u64, 0)

typedef int64_t Extreme(const Windows *w, int64_t pixel, int64_t channel);

#define EXTREME_ROW(dt, type, suffix) [dt] = extreme_##suffix,
static Extreme *const extremes[DTYPE_MAX + 1] = { FOR_EACH_NUMBER(EXTREME_ROW) };

static void run_pixels(void *context, size_t begin, size_t end, int thread)
{
    const Windows *w = context;
    Extreme *extreme = extremes[w->dtype];
    (void)thread;
    for (int64_t pixel = (int64_t)begin; pixel < (int64_t)end; pixel++) {
        for (int64_t c = 0; c < w->channels; c++) {
            int64_t at = extreme(w, pixel, c), i = pixel * w->channels + c;
            if (w->index != NULL && w->index_type == DT_INT32)
                ((int32_t *)w->index)[i] = (int32_t)at;
            else if (w->index != NULL)
                ((int64_t *)w->index)[i] = at;
        }
    }
}

static void run_windows(const OpContext *c, Windows *w, int64_t n)
{
    if (n > 0)
        workers_for(c->workers, (size_t)(n / w->channels), GRAIN / (size_t)w->channels + 1,
                    run_pixels, w);
}

/* ---- Dilation2D ---------------------------------------------------------------------------- */

Error *dilation_prepare(OpPrepare *prepare)
{
    static const WindowNames names = { .strides = "strides",
                                       .padding = "padding",
                                       .dilations = "rates" };
    Window *window = arena_calloc(prepare->arena, 1, sizeof(*window));
    if (window == NULL)
        return error_out_of_memory();
    if (extremes[prepare->input_dtypes[0]] == NULL)
        return op_unsupported_type(prepare, prepare->input_dtypes[0]);
    TRY(window_from_attrs(prepare->attrs, &names, window));
    prepare->kernel = window;
    return NULL;
}

Error *dilation_run(OpContext *c)
{
    const Window *window = c->kernel;
    const Tensor *x = op_input(c, 0), *filter = op_input(c, 1);
    const int64_t *d = x->shape.dims, *f = filter->shape.dims;
    char text[SHAPE_TEXT_BYTES];
    Tensor *y = NULL;
    if (x->shape.rank != 4)
        return error_new(ERROR_INVALID_ARGUMENT, "input must be 4-dimensional: %s",
                         shape_text(&x->shape, text));
    if (filter->shape.rank != 3)
        return error_new(ERROR_INVALID_ARGUMENT, "filter must be 3-dimensional: %s",
                         shape_text(&filter->shape, text));
    if (d[3] != f[2])
        return error_new(ERROR_INVALID_ARGUMENT,
                         "input and filter must have the same depth: %lld vs %lld", (long long)d[3],
                         (long long)f[2]);
    Windows w = { .dtype = x->dtype, .channels = d[3], .x = x->data, .filter = filter->data };
    if (filter->n == 0)
        return error_new(ERROR_INVALID_ARGUMENT, "filter must not have zero elements");
    TRY(window_axis(window, 0, d[1], f[0], &w.rows));
    TRY(window_axis(window, 1, d[2], f[1], &w.columns));
    TRY(op_output(c, 0, x->dtype, &shape_of(d[0], w.rows.out, w.columns.out, d[3]), &y));
    w.y = y->data;
    run_windows(c, &w, y->n);
    return NULL;
}

/* ---- MaxPoolWithArgmax --------------------------------------------------------------------- */

typedef struct ArgmaxKernel {
    Window window;
    bool counts_batch;
    DType index_type;
} ArgmaxKernel;

Error *pool_argmax_prepare(OpPrepare *prepare)
{
    static const WindowNames names = { .size = "ksize",
                                       .strides = "strides",
                                       .padding = "padding" };
    ArgmaxKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    if (extremes[prepare->input_dtypes[0]] == NULL)
        return op_unsupported_type(prepare, prepare->input_dtypes[0]);
    TRY(window_from_attrs(prepare->attrs, &names, &kernel->window));
    TRY(attrs_bool_or(prepare->attrs, "include_batch_in_index", false, &kernel->counts_batch));
    TRY(attrs_type_or(prepare->attrs, "Targmax", DT_INT64, &kernel->index_type));
    if (kernel->index_type != DT_INT32 && kernel->index_type != DT_INT64)
        return op_unsupported_type(prepare, kernel->index_type);
    prepare->kernel = kernel;
    return NULL;
}

Error *pool_argmax_run(OpContext *c)
{
    const ArgmaxKernel *kernel = c->kernel;
    const Tensor *x = op_input(c, 0);
    const int64_t *d = x->shape.dims;
    Tensor *y = NULL, *index = NULL;
    if (x->shape.rank != 4)
        return error_new(ERROR_INVALID_ARGUMENT, "tensor_in must be 4-dimensional");
    Windows w = { .dtype = x->dtype,
                  .channels = d[3],
                  .x = x->data,
                  .counts_batch = kernel->counts_batch,
                  .index_type = kernel->index_type };
    TRY(window_axis(&kernel->window, 0, d[1], kernel->window.size[0], &w.rows));
    TRY(window_axis(&kernel->window, 1, d[2], kernel->window.size[1], &w.columns));
    const Shape shape = shape_of(d[0], w.rows.out, w.columns.out, d[3]);
    TRY(op_output(c, 0, x->dtype, &shape, &y));
    TRY(op_output(c, 1, kernel->index_type, &shape, &index));
    w.y = y->data;
    w.index = index->data;
    run_windows(c, &w, y->n);
    return NULL;
}
