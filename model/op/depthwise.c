/* SPDX-License-Identifier: Apache-2.0
 *
 * Depthwise convolution: every input channel makes out_c / in_c output channels of its own. There
 * is no sum over channels, so panels do not fit; vectors run along the channels of a pixel instead,
 * which lie together. One text is compiled for each kind of vector unit. Also the kernel of
 * DepthwiseConv2dNative (channels last; double and int32 in plain loops). Any thread.
 */
#include <string.h>

#include "model/op/conv.h"
#include "model/op/conv_plain.h"
#include "model/op/elementwise.h"
#include "model/op/kernels.h"
#include "model/op/unroll.h"

#define GRAIN 2048 /* values written by one worker at a time */

/* Sixteen channels. The compiler makes of it what the target has: one register, two or four. */
typedef float Lanes __attribute__((vector_size(16 * sizeof(float))));
#define LANES 16

#define MAX_PIXELS 8 /* neighbours whose sums are in registers together */

/* Output pixels side by side: their windows, taps [i0,i1) x [j0,j1) of which lie in the image. */
typedef struct Pixels {
    int64_t at;                        /* of tap 0, 0 of the first in x, which may lie outside */
    int64_t step;                      /* floats from a pixel's window to the next one's */
    int64_t row_stride, column_stride; /* floats from tap to tap */
    int64_t i0, i1, j0, j1;
} Pixels;

#define INLINE static inline __attribute__((always_inline))

/* 16 channels from `channel` on of `n` pixels, where each channel makes one: a weight is read once
 * for all of them. */
INLINE void sum_lanes(const Depthwise *conv, const Pixels *p, int n, int64_t channel, float *y)
{
    const int64_t taps = conv->shape.columns.taps, out_c = conv->shape.out_c;
    Lanes sums[MAX_PIXELS], start = { 0 }, x, f;
    if (conv->bias != NULL)
        memcpy(&start, conv->bias + channel, sizeof(start));
    UNROLL
    for (int k = 0; k < n; k++)
        sums[k] = start;
    for (int64_t i = p->i0; i < p->i1; i++) {
        const float *in = conv->x + p->at + i * p->row_stride + p->j0 * p->column_stride + channel;
        const float *filter = conv->filter + (i * taps + p->j0) * out_c + channel;
        for (int64_t j = p->j0; j < p->j1; j++, in += p->column_stride, filter += out_c) {
            memcpy(&f, filter, sizeof(f));
            UNROLL
            for (int k = 0; k < n; k++) {
                memcpy(&x, in + k * p->step, sizeof(x));
                sums[k] += x * f;
            }
        }
    }
    UNROLL
    for (int k = 0; k < n; k++)
        memcpy(y + k * out_c + channel, &sums[k], sizeof(sums[k]));
}

/* One output channel of one pixel, made of input channel `in`. */
INLINE void sum_one(const Depthwise *conv, const Pixels *p, int64_t in, int64_t channel, float *y)
{
    const int64_t taps = conv->shape.columns.taps, out_c = conv->shape.out_c;
    float sum = conv->bias != NULL ? conv->bias[channel] : 0;
    for (int64_t i = p->i0; i < p->i1; i++) {
        for (int64_t j = p->j0; j < p->j1; j++)
            sum += conv->x[p->at + i * p->row_stride + j * p->column_stride + in] *
                   conv->filter[(i * taps + j) * out_c + channel];
    }
    y[channel] = sum;
}

/* All channels of `n` pixels. What is left of less than 16 is computed with some of those before it
 * again. */
INLINE void sum_pixels(const Depthwise *conv, const Pixels *p, int n, float *y)
{
    const int64_t out_c = conv->shape.out_c, multiplier = out_c / conv->shape.in_c;
    if (multiplier == 1 && out_c >= LANES) {
        for (int64_t channel = 0; channel + LANES <= out_c; channel += LANES)
            sum_lanes(conv, p, n, channel, y);
        if (out_c % LANES != 0)
            sum_lanes(conv, p, n, out_c - LANES, y);
        return;
    }
    Pixels one = *p;
    for (int k = 0; k < n; k++, one.at += p->step, y += out_c) {
        for (int64_t channel = 0; channel < out_c; channel++)
            sum_one(conv, &one, channel / multiplier, channel, y);
    }
}

/* How many pixels from `column` on may be computed together: those whose windows do not leave the
 * image at the sides, else one. */
INLINE int64_t count_together(const WindowAxis *w, int64_t column)
{
    const int64_t first = column * w->stride - w->before;
    const int64_t room = w->in - 1 - (w->taps - 1) * w->dilation - first; /* of the first pixel */
    if (first < 0 || room < 0)
        return 1;
    const int64_t fit = room / w->stride + 1, left = w->out - column;
    const int64_t n = fit < left ? fit : left;
    return n < MAX_PIXELS ? n : MAX_PIXELS;
}

/* Output row `row` of image `image`. */
INLINE void sum_row(const Depthwise *conv, int64_t image, int64_t row)
{
    const ConvShape *s = &conv->shape;
    const WindowAxis *h = &s->rows, *w = &s->columns;
    const int64_t line = w->in * s->in_c;
    float *y = conv->y + (image * h->out + row) * w->out * s->out_c;
    Pixels p = { .step = w->stride * s->in_c,
                 .row_stride = h->dilation * line,
                 .column_stride = w->dilation * s->in_c };
    window_taps(h, row, &p.i0, &p.i1);
    for (int64_t column = 0; column < w->out;) {
        int64_t n = count_together(w, column);
        n = n == MAX_PIXELS ? n : n >= MAX_PIXELS / 2 ? MAX_PIXELS / 2 : n >= 2 ? 2 : 1;
        window_taps(w, column, &p.j0, &p.j1);
        p.at = (image * h->in + row * h->stride - h->before) * line +
               (column * w->stride - w->before) * s->in_c;
        if (n == MAX_PIXELS)
            sum_pixels(conv, &p, MAX_PIXELS, y);
        else if (n == MAX_PIXELS / 2)
            sum_pixels(conv, &p, MAX_PIXELS / 2, y);
        else if (n == 2)
            sum_pixels(conv, &p, 2, y);
        else
            sum_pixels(conv, &p, 1, y);
        column += n;
        y += n * s->out_c;
    }
}

static void sum_row_plain(const Depthwise *conv, int64_t image, int64_t row)
{
    sum_row(conv, image, row);
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) static void sum_row_avx2(const Depthwise *conv, int64_t image,
                                                             int64_t row)
{
    sum_row(conv, image, row);
}

__attribute__((target("avx512f"))) static void sum_row_avx512(const Depthwise *conv, int64_t image,
                                                              int64_t row)
{
    sum_row(conv, image, row);
}
#endif

typedef void SumRow(const Depthwise *conv, int64_t image, int64_t row);

/* The fastest form that this processor runs; all are the same text. */
static SumRow *choose_form(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f"))
        return sum_row_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return sum_row_avx2;
#endif
    return sum_row_plain;
}

typedef struct Rows {
    const Depthwise *conv;
    SumRow *form;
} Rows;

static void run_rows(void *context, size_t begin, size_t end, int thread)
{
    const Rows *rows = context;
    const Depthwise *conv = rows->conv;
    size_t width = (size_t)(conv->shape.columns.out * conv->shape.out_c);
    (void)thread;
    for (size_t i = begin; i < end; i++) {
        float *y = conv->y + i * width;
        rows->form(conv, (int64_t)i / conv->shape.rows.out, (int64_t)i % conv->shape.rows.out);
        if (conv->activation.kind != ACTIVATION_NONE)
            activation_apply(&conv->activation, y, width, y);
    }
}

void depthwise_conv_run(const Depthwise *conv, Workers *workers)
{
    const ConvShape *s = &conv->shape;
    Rows rows = { conv, choose_form() };
    size_t n = (size_t)(s->batch * s->rows.out);
    size_t row = (size_t)s->columns.out * (size_t)s->out_c + 1;
    if (n > 0 && s->columns.out > 0)
        workers_for(workers, n, GRAIN / row + 1, run_rows, &rows);
}

/* ---- op ------------------------------------------------------------------------------------ */

Error *depthwise_prepare(OpPrepare *prepare)
{
    Window *window = arena_calloc(prepare->arena, 1, sizeof(*window));
    if (window == NULL)
        return error_out_of_memory();
    if (!conv_plain_has(prepare->input_dtypes[0]))
        return op_unsupported_type(prepare, prepare->input_dtypes[0]);
    TRY(window_of_convolution(prepare->attrs, window));
    prepare->kernel = window;
    return NULL;
}

Error *depthwise_check(const Shape *x, const Shape *filter, int64_t *ret_out_c)
{
    char text[SHAPE_TEXT_BYTES];
    if (x->rank != 4)
        return error_new(ERROR_INVALID_ARGUMENT, "input must be 4-dimensional%s",
                         shape_text(x, text));
    if (filter->rank != 4)
        return error_new(ERROR_INVALID_ARGUMENT, "filter must be 4-dimensional: %s",
                         shape_text(filter, text));
    if (x->dims[3] != filter->dims[2])
        return error_new(ERROR_INVALID_ARGUMENT,
                         "input depth must be evenly divisible by filter depth: %lld vs %lld",
                         (long long)x->dims[3], (long long)filter->dims[2]);
    for (int i = 0; i < 4; i++) {
        if (filter->dims[i] == 0)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "filter must not have zero elements (i.e. all dimensions must be "
                             "non-zero)");
    }
    if (__builtin_mul_overflow(filter->dims[2], filter->dims[3], ret_out_c))
        return error_new(ERROR_INVALID_ARGUMENT, "filter has too many output channels");
    return NULL;
}

Error *depthwise_run(OpContext *context)
{
    const Window *window = context->kernel;
    const Tensor *x = op_input(context, 0), *filter = op_input(context, 1);
    int64_t out_c = 0;
    TRY(depthwise_check(&x->shape, &filter->shape, &out_c));
    const int64_t *d = x->shape.dims, *f = filter->shape.dims;
    Depthwise conv = { .shape = { .batch = d[0], .in_c = d[3], .out_c = out_c, .groups = d[3] },
                       .x = x->data,
                       .filter = filter->data };
    TRY(window_axis(window, 0, d[1], f[0], &conv.shape.rows));
    TRY(window_axis(window, 1, d[2], f[1], &conv.shape.columns));
    Shape shape = shape_of(d[0], conv.shape.rows.out, conv.shape.columns.out, conv.shape.out_c);
    Tensor *y = NULL;
    TRY(op_output(context, 0, x->dtype, &shape, &y));
    conv.y = y->data;
    if (x->dtype == DT_FLOAT)
        depthwise_conv_run(&conv, context->workers);
    else
        conv_plain_image(&conv.shape, x, filter, y, context->workers);
    return NULL;
}
