/* SPDX-License-Identifier: Apache-2.0
 *
 * ExtractImagePatches and ExtractVolumePatches: every window of an image or a volume as the channels
 * of one position, zeros where it leaves the input. Elements of all types are moved by their size.
 * Any thread.
 */
#include <string.h>

#include "model/op/elementwise.h"
#include "model/op/kernels.h"
#include "model/op/volume.h"

#define GRAIN 8192 /* elements written by one worker at a time */

/* One number for each dimension, from the attribute `name`. */
static Error *set_field(const Attrs *attrs, const char *name, VolumeField field, Volume *volume)
{
    size_t n = 0;
    const int64_t *numbers = NULL;
    TRY(attrs_ints(attrs, name, &n, &numbers));
    if (n != (size_t)volume->n_spatial + 2)
        return error_new(ERROR_INVALID_ARGUMENT, "%s must have %d numbers, but has %zu", name,
                         volume->n_spatial + 2, n);
    return volume_set(volume, field, name, numbers);
}

static Error *prepare_patches(OpPrepare *prepare, int n_spatial)
{
    Volume *volume = arena_calloc(prepare->arena, 1, sizeof(*volume));
    if (volume == NULL)
        return error_out_of_memory();
    if (!dtype_is_plain(prepare->input_dtypes[0]))
        return op_unsupported_type(prepare, prepare->input_dtypes[0]);
    TRY(volume_from_attrs(prepare->attrs, n_spatial, volume));
    TRY(set_field(prepare->attrs, "ksizes", VOLUME_SIZE, volume));
    if (n_spatial == 2)
        TRY(set_field(prepare->attrs, "rates", VOLUME_DILATION, volume));
    prepare->kernel = volume;
    return NULL;
}

Error *image_patches_prepare(OpPrepare *prepare)
{
    return prepare_patches(prepare, 2);
}

Error *volume_patches_prepare(OpPrepare *prepare)
{
    return prepare_patches(prepare, 3);
}

typedef struct Patches {
    WindowAxis axes[3];
    size_t pixel; /* bytes of the channels of one position of x */
    const char *x;
    char *y;
} Patches;

/* One position of the output, at `at` of an image x. */
static void copy_patch(const Patches *p, const char *x, const int64_t at[3], char *y)
{
    const WindowAxis *a = p->axes;
    int64_t base[3];
    for (int i = 0; i < 3; i++)
        base[i] = at[i] * a[i].stride - a[i].before;
    for (int64_t tap = 0; tap < a[0].taps * a[1].taps * a[2].taps; tap++, y += p->pixel) {
        const int64_t d = base[0] + tap / (a[1].taps * a[2].taps) * a[0].dilation;
        const int64_t h = base[1] + tap / a[2].taps % a[1].taps * a[1].dilation;
        const int64_t w = base[2] + tap % a[2].taps * a[2].dilation;
        bool is_inside = d >= 0 && d < a[0].in && h >= 0 && h < a[1].in && w >= 0 && w < a[2].in;
        if (is_inside)
            memcpy(y, x + (size_t)((d * a[1].in + h) * a[2].in + w) * p->pixel, p->pixel);
        else
            memset(y, 0, p->pixel);
    }
}

/* Positions of the output: (image, depth, row, column) counted through. */
static void copy_patches(void *context, size_t begin, size_t end, int thread)
{
    const Patches *p = context;
    const WindowAxis *d = &p->axes[0], *h = &p->axes[1], *w = &p->axes[2];
    const size_t patch = (size_t)(d->taps * h->taps * w->taps) * p->pixel;
    (void)thread;
    for (int64_t i = (int64_t)begin; i < (int64_t)end; i++) {
        int64_t image = i / (d->out * h->out * w->out) * d->in * h->in * w->in;
        const int64_t at[3] = { i / (h->out * w->out) % d->out, i / w->out % h->out, i % w->out };
        copy_patch(p, p->x + (size_t)image * p->pixel, at, p->y + (size_t)i * patch);
    }
}

Error *patches_run(OpContext *c)
{
    const Volume *volume = c->kernel;
    const Tensor *x = op_input(c, 0);
    const int n = volume->n_spatial;
    char text[SHAPE_TEXT_BYTES];
    Shape shape = x->shape;
    Tensor *y = NULL;
    int64_t taps[3] = { 1, 1, 1 };
    if (shape.rank != n + 2)
        return error_new(ERROR_INVALID_ARGUMENT, "input must be %d-dimensional%s", n + 2,
                         shape_text(&shape, text));
    Patches p = { .pixel = (size_t)shape.dims[n + 1] * dtype_size(x->dtype), .x = x->data };
    for (int i = 0; i < n; i++)
        taps[i] = volume->axes[3 - n + i].size[0];
    TRY(volume_axes(volume, &x->shape.dims[1], taps, p.axes));
    for (int i = 0; i < n; i++) {
        shape.dims[1 + i] = p.axes[3 - n + i].out;
        if (__builtin_mul_overflow(shape.dims[n + 1], taps[i], &shape.dims[n + 1]))
            return error_new(ERROR_INVALID_ARGUMENT, "patches have too many channels");
    }
    TRY(op_output(c, 0, x->dtype, &shape, &y));
    if (y->n == 0)
        return NULL;
    p.y = y->data;
    workers_for(c->workers, (size_t)(y->n / shape.dims[n + 1]),
                GRAIN / (size_t)shape.dims[n + 1] + 1, copy_patches, &p);
    return NULL;
}
