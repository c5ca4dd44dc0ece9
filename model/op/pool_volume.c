/* SPDX-License-Identifier: Apache-2.0
 *
 * MaxPool3D and AvgPool3D of floats over depth, rows and columns. Padding is no value, as in
 * pool.c. Any thread.
 */
#include <float.h>
#include <string.h>

#include "model/op/kernels.h"
#include "model/op/volume.h"

#define GRAIN 8192 /* values written by one worker at a time */

/* A call. Channels first is the same with batch N * C and one channel. */
typedef struct PoolVolume {
    int64_t channels;
    WindowAxis axes[3];
    bool is_mean;
    const float *x;
    float *y;
} PoolVolume;

Error *pool3d_prepare(OpPrepare *prepare)
{
    Volume *volume = arena_calloc(prepare->arena, 1, sizeof(*volume));
    if (volume == NULL)
        return error_out_of_memory();
    if (prepare->input_dtypes[0] != DT_FLOAT)
        return error_new(ERROR_UNIMPLEMENTED, "%s of type %s is not supported: float is",
                         prepare->op->name, dtype_name(prepare->input_dtypes[0]));
    TRY(volume_from_attrs(prepare->attrs, 3, volume));
    prepare->kernel = volume;
    return NULL;
}

static void take_row(const PoolVolume *p, const float *restrict x, float *restrict y)
{
    for (int64_t c = 0; c < p->channels; c++)
        y[c] = p->is_mean ? y[c] + x[c] : x[c] > y[c] ? x[c] : y[c];
}

/* The window at output position (d, h, w) of image x. */
static void pool_window(const PoolVolume *p, const float *x, const int64_t at[3], float *y)
{
    int64_t first[3], end[3], base[3], taken = 1;
    for (int i = 0; i < 3; i++) {
        window_taps(&p->axes[i], at[i], &first[i], &end[i]);
        base[i] = at[i] * p->axes[i].stride - p->axes[i].before;
        taken *= end[i] - first[i];
    }
    for (int64_t c = 0; c < p->channels; c++)
        y[c] = p->is_mean ? 0 : -FLT_MAX;
    for (int64_t i = first[0]; i < end[0]; i++) {
        for (int64_t j = first[1]; j < end[1]; j++) {
            int64_t row = (base[0] + i) * p->axes[1].in + base[1] + j;
            for (int64_t k = first[2]; k < end[2]; k++)
                take_row(p, x + (row * p->axes[2].in + base[2] + k) * p->channels, y);
        }
    }
    for (int64_t c = 0; p->is_mean && taken > 0 && c < p->channels; c++)
        y[c] /= (float)taken;
}

/* Output rows: (image, depth, row) counted through. */
static void pool_rows(void *context, size_t begin, size_t end, int thread)
{
    const PoolVolume *p = context;
    const WindowAxis *d = &p->axes[0], *h = &p->axes[1], *w = &p->axes[2];
    (void)thread;
    for (int64_t i = (int64_t)begin; i < (int64_t)end; i++) {
        const float *x = p->x + i / (d->out * h->out) * d->in * h->in * w->in * p->channels;
        for (int64_t k = 0; k < w->out; k++)
            pool_window(p, x, (const int64_t[]){ i / h->out % d->out, i % h->out, k },
                        p->y + (i * w->out + k) * p->channels);
    }
}

static Error *run(OpContext *c, bool is_mean)
{
    const Volume *volume = c->kernel;
    const Tensor *x = op_input(c, 0);
    char text[SHAPE_TEXT_BYTES];
    if (x->shape.rank != 5)
        return error_new(ERROR_INVALID_ARGUMENT, "tensor_in must be 5-dimensional, got %s",
                         shape_text(&x->shape, text));
    const int64_t *dims = x->shape.dims;
    int first = volume->channels_first ? 2 : 1;
    int64_t taps[3], batch = volume->channels_first ? dims[0] * dims[1] : dims[0];
    PoolVolume p = { .channels = volume->channels_first ? 1 : dims[4],
                     .is_mean = is_mean,
                     .x = x->data };
    for (int i = 0; i < 3; i++)
        taps[i] = volume->axes[i].size[0];
    TRY(volume_axes(volume, &dims[first], taps, p.axes));
    Shape shape = x->shape;
    for (int i = 0; i < 3; i++)
        shape.dims[first + i] = p.axes[i].out;
    Tensor *y = NULL;
    TRY(op_output(c, 0, DT_FLOAT, &shape, &y));
    if (y->n == 0)
        return NULL;
    p.y = y->data;
    size_t n_rows = (size_t)(batch * p.axes[0].out * p.axes[1].out);
    workers_for(c->workers, n_rows, GRAIN / ((size_t)y->n / n_rows) + 1, pool_rows, &p);
    return NULL;
}

Error *max_pool3d_run(OpContext *c)
{
    return run(c, false);
}

Error *avg_pool3d_run(OpContext *c)
{
    return run(c, true);
}
