/* SPDX-License-Identifier: Apache-2.0
 *
 * ConvPlain: see conv_plain.h. For each position of the output, each tap and each input channel, a
 * row of the filter is added to the channels of the output; that innermost loop is vectorised by the
 * compiler. Any thread.
 */
#include "model/op/conv_plain.h"

#include <string.h>

#define GRAIN 2048 /* values written by one worker at a time */

/* The elements at one tap of one window: x [in_c], filter [in_c / groups, out_c], y [out_c].
 * Integers wrap round, as TensorFlow's do: unsigned arithmetic gives the same bits. */
#define ADD_TAP(name, type)                                                                        \
    static void name(const ConvPlain *p, int64_t x_at, int64_t filter_at, void *ys)                \
    {                                                                                              \
        const int64_t in_n = p->in_c / p->groups, out_n = p->out_c / p->groups;                    \
        const type *x = (const type *)p->x + x_at;                                                 \
        for (int64_t group = 0; group < p->groups; group++) {                                      \
            type *restrict y = (type *)ys + group * out_n;                                         \
            for (int64_t c = 0; c < in_n; c++) {                                                   \
                const type *restrict filter =                                                      \
                    (const type *)p->filter + filter_at + c * p->out_c + group * out_n;            \
                const type v = x[group * in_n + c];                                                \
                for (int64_t o = 0; o < out_n; o++)                                                \
                    y[o] += v * filter[o];                                                         \
            }                                                                                      \
        }                                                                                          \
    }
ADD_TAP(add_tap_float, float)
ADD_TAP(add_tap_double, double)
ADD_TAP(add_tap_int32, uint32_t)

typedef void AddTap(const ConvPlain *p, int64_t x_at, int64_t filter_at, void *ys);

/* NULL when there is none. */
static AddTap *find_add_tap(DType dtype)
{
    switch (dtype) {
    case DT_FLOAT:
        return add_tap_float;
    case DT_DOUBLE:
        return add_tap_double;
    case DT_INT32:
        return add_tap_int32;
    default:
        return NULL;
    }
}

bool conv_plain_has(DType dtype)
{
    return find_add_tap(dtype) != NULL;
}

/* The output channels `y` at position `at` of an image whose elements begin at `image`. */
static void run_position(const ConvPlain *p, int64_t image, const int64_t at[3], void *y)
{
    AddTap *add_tap = find_add_tap(p->dtype);
    const WindowAxis *d = &p->axes[0], *h = &p->axes[1], *w = &p->axes[2];
    const int64_t filter_n = p->in_c / p->groups * p->out_c;
    int64_t first[3], end[3], base[3];
    for (int i = 0; i < 3; i++) {
        window_taps(&p->axes[i], at[i], &first[i], &end[i]);
        base[i] = at[i] * p->axes[i].stride - p->axes[i].before;
    }
    memset(y, 0, (size_t)p->out_c * dtype_size(p->dtype));
    for (int64_t i = first[0]; i < end[0]; i++) {
        for (int64_t j = first[1]; j < end[1]; j++) {
            int64_t row = (base[0] + i * d->dilation) * h->in + base[1] + j * h->dilation;
            for (int64_t k = first[2]; k < end[2]; k++)
                add_tap(p, image + (row * w->in + base[2] + k * w->dilation) * p->in_c,
                        ((i * h->taps + j) * w->taps + k) * filter_n, y);
        }
    }
}

/* Rows of the output: (image, depth, row) counted through. */
static void run_rows(void *context, size_t begin, size_t end, int thread)
{
    const ConvPlain *p = context;
    const WindowAxis *d = &p->axes[0], *h = &p->axes[1], *w = &p->axes[2];
    const size_t pixel = (size_t)p->out_c * dtype_size(p->dtype);
    (void)thread;
    for (int64_t i = (int64_t)begin; i < (int64_t)end; i++) {
        int64_t image = i / (d->out * h->out) * d->in * h->in * w->in * p->in_c;
        char *y = (char *)p->y + (size_t)(i * w->out) * pixel;
        for (int64_t k = 0; k < w->out; k++, y += pixel)
            run_position(p, image, (const int64_t[]){ i / h->out % d->out, i % h->out, k }, y);
    }
}

void conv_plain_run(const ConvPlain *conv, Workers *workers)
{
    size_t n_rows = (size_t)(conv->batch * conv->axes[0].out * conv->axes[1].out);
    size_t row = (size_t)conv->axes[2].out * (size_t)conv->out_c + 1;
    workers_for(workers, n_rows, GRAIN / row + 1, run_rows, (void *)(uintptr_t)conv);
}

void conv_plain_image(const ConvShape *shape, const Tensor *x, const Tensor *filter, Tensor *y,
                      Workers *workers)
{
    const ConvPlain conv = { .dtype = x->dtype,
                             .batch = shape->batch,
                             .in_c = shape->in_c,
                             .out_c = shape->out_c,
                             .groups = shape->groups,
                             .axes = { window_flat_axis, shape->rows, shape->columns },
                             .x = x->data,
                             .filter = filter->data,
                             .y = y->data };
    conv_plain_run(&conv, workers);
}
