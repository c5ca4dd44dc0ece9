/* SPDX-License-Identifier: Apache-2.0
 *
 * Depthwise convolution: every input channel makes out_c / in_c output channels of its own. There
 * is no sum over channels, so panels do not fit; this walks the channels of a pixel instead. Also
 * the kernel of DepthwiseConv2dNative (float, NHWC). Any thread.
 */
#include <string.h>

#include "model/op/conv.h"
#include "model/op/fused.h"
#include "model/op/kernels.h"

#define GRAIN 2048 /* values written by one worker at a time */

/* y[c * m + j] += x[c] * f[c * m + j] */
static void add_tap(const ConvShape *s, const float *restrict x, const float *restrict f,
                    float *restrict y)
{
    int64_t multiplier = s->out_c / s->in_c;
    if (multiplier == 1) {
        for (int64_t c = 0; c < s->in_c; c++)
            y[c] += x[c] * f[c];
        return;
    }
    for (int64_t c = 0; c < s->in_c; c++) {
        for (int64_t j = 0; j < multiplier; j++)
            y[c * multiplier + j] += x[c] * f[c * multiplier + j];
    }
}

/* Output row `row` of image `image`. */
static void run_row(const Depthwise *conv, int64_t image, int64_t row)
{
    const ConvShape *s = &conv->shape;
    const WindowAxis *h = &s->rows, *w = &s->columns;
    float *y = conv->y + (image * h->out + row) * w->out * s->out_c;
    int64_t i0, i1, j0, j1;
    window_taps(h, row, &i0, &i1);
    for (int64_t column = 0; column < w->out; column++) {
        float *pixel = y + column * s->out_c;
        window_taps(w, column, &j0, &j1);
        memset(pixel, 0, (size_t)s->out_c * sizeof(float));
        for (int64_t i = i0; i < i1; i++) {
            int64_t in_row = image * h->in + row * h->stride - h->before + i * h->dilation;
            for (int64_t j = j0; j < j1; j++) {
                int64_t in_column = column * w->stride - w->before + j * w->dilation;
                add_tap(s, conv->x + (in_row * w->in + in_column) * s->in_c,
                        conv->filter + (i * w->taps + j) * s->out_c, pixel);
            }
        }
    }
    fused_epilogue(&conv->activation, conv->bias, (size_t)w->out, (size_t)s->out_c, y);
}

static void run_rows(void *context, size_t begin, size_t end, int thread)
{
    const Depthwise *conv = context;
    (void)thread;
    for (size_t i = begin; i < end; i++)
        run_row(conv, (int64_t)i / conv->shape.rows.out, (int64_t)i % conv->shape.rows.out);
}

void depthwise_conv_run(const Depthwise *conv, Workers *workers)
{
    const ConvShape *s = &conv->shape;
    size_t n = (size_t)(s->batch * s->rows.out);
    size_t row = (size_t)s->columns.out * (size_t)s->out_c + 1;
    if (n > 0 && s->columns.out > 0)
        workers_for(workers, n, GRAIN / row + 1, run_rows, (void *)(uintptr_t)conv);
}

/* ---- op ------------------------------------------------------------------------------------ */

Error *depthwise_prepare(OpPrepare *prepare)
{
    Window *window = arena_calloc(prepare->arena, 1, sizeof(*window));
    if (window == NULL)
        return error_out_of_memory();
    if (prepare->input_dtypes[0] != DT_FLOAT)
        return error_new(ERROR_UNIMPLEMENTED, "%s of type %s is not supported: float is",
                         prepare->op->name, dtype_name(prepare->input_dtypes[0]));
    TRY(window_from_attrs(prepare->attrs,
                          &(WindowNames){ .strides = "strides",
                                          .padding = "padding",
                                          .dilations = "dilations",
                                          .explicit_paddings = "explicit_paddings" },
                          window));
    if (window->channels_first)
        return error_new(ERROR_UNIMPLEMENTED, "%s with data_format NCHW is not supported: NHWC is",
                         prepare->op->name);
    prepare->kernel = window;
    return NULL;
}

static Error *check_shapes(const Shape *x, const Shape *filter)
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
    return NULL;
}

Error *depthwise_run(OpContext *context)
{
    const Window *window = context->kernel;
    const Tensor *x = op_input(context, 0), *filter = op_input(context, 1);
    TRY(check_shapes(&x->shape, &filter->shape));
    const int64_t *d = x->shape.dims, *f = filter->shape.dims;
    Depthwise conv = { .shape = { .batch = d[0], .in_c = d[3], .groups = d[3] },
                       .x = x->data,
                       .filter = filter->data };
    if (__builtin_mul_overflow(f[2], f[3], &conv.shape.out_c))
        return error_new(ERROR_INVALID_ARGUMENT, "filter has too many output channels");
    TRY(window_axis(window, 0, d[1], f[0], &conv.shape.rows));
    TRY(window_axis(window, 1, d[2], f[1], &conv.shape.columns));
    Shape shape = shape_of(d[0], conv.shape.rows.out, conv.shape.columns.out, conv.shape.out_c);
    Tensor *y = NULL;
    TRY(op_output(context, 0, DT_FLOAT, &shape, &y));
    conv.y = y->data;
    depthwise_conv_run(&conv, context->workers);
    return NULL;
}
