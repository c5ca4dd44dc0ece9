/* SPDX-License-Identifier: Apache-2.0
 *
 * Conv3D, and the transposed convolutions of images and volumes: Conv2DBackpropInput and
 * Conv3DBackpropInputV2, which serve Conv2DTranspose and Conv3DTranspose. float, channels last.
 *
 * Forward, the windows of a plane of the result are copied out one beside the other, and their
 * product with the filter is the plane. Transposed, each tap of the filter is a product of its own,
 * whose rows are added to the input positions that the tap touches. Any thread; the order of
 * additions does not depend on the number of threads.
 */
#include <string.h>

#include "model/op/gemm.h"
#include "model/op/kernels.h"
#include "model/op/volume.h"

/* A call: x [batch, in..., in_c], filter [taps..., in_c, out_c], y [batch, out..., out_c]. */
typedef struct ConvVolume {
    int64_t batch, in_c, out_c;
    WindowAxis axes[3];
    const float *filter;
} ConvVolume;

static Error *prepare_volume(OpPrepare *prepare, DType dtype, int n_spatial)
{
    Volume *volume = arena_calloc(prepare->arena, 1, sizeof(*volume));
    if (volume == NULL)
        return error_out_of_memory();
    if (dtype != DT_FLOAT)
        return error_new(ERROR_UNIMPLEMENTED, "%s of type %s is not supported: float is",
                         prepare->op->name, dtype_name(dtype));
    TRY(volume_from_attrs(prepare->attrs, n_spatial, volume));
    if (volume->channels_first)
        return error_new(ERROR_UNIMPLEMENTED,
                         "%s with channels before the spatial dimensions is not supported: behind "
                         "them is",
                         prepare->op->name);
    prepare->kernel = volume;
    return NULL;
}

Error *conv3d_prepare(OpPrepare *prepare)
{
    return prepare_volume(prepare, prepare->input_dtypes[0], 3);
}

Error *conv2d_transpose_prepare(OpPrepare *prepare)
{
    return prepare_volume(prepare, prepare->input_dtypes[1], 2);
}

Error *conv3d_transpose_prepare(OpPrepare *prepare)
{
    return prepare_volume(prepare, prepare->input_dtypes[1], 3);
}

/* The position in x of tap `tap` of window `out`; false when it lies in the padding. */
static bool input_position(const WindowAxis *axis, int64_t out, int64_t tap, int64_t *ret)
{
    *ret = out * axis->stride - axis->before + tap * axis->dilation;
    return *ret >= 0 && *ret < axis->in;
}

static int64_t taps_of(const ConvVolume *v)
{
    return v->axes[0].taps * v->axes[1].taps * v->axes[2].taps;
}

/* Checks operands and makes the call of them; `x_shape` is the shape of x, `name` its name. */
static Error *init_call(const Volume *volume, const Shape *x_shape, const Tensor *filter,
                        const char *name, ConvVolume *ret)
{
    int n = volume->n_spatial;
    char text[SHAPE_TEXT_BYTES];
    if (x_shape->rank != n + 2)
        return error_new(ERROR_INVALID_ARGUMENT, "%s must be %d-dimensional: %s", name, n + 2,
                         shape_text(x_shape, text));
    if (filter->shape.rank != n + 2)
        return error_new(ERROR_INVALID_ARGUMENT, "filter must be %d-dimensional: %s", n + 2,
                         shape_text(&filter->shape, text));
    if (filter->n == 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "filter must not have zero elements (i.e. all dimensions must be "
                         "non-zero)");
    const int64_t *f = filter->shape.dims;
    if (x_shape->dims[n + 1] != f[n])
        return error_new(ERROR_INVALID_ARGUMENT,
                         "input and filter must have the same depth: %lld vs %lld",
                         (long long)x_shape->dims[n + 1], (long long)f[n]);
    *ret = (ConvVolume){
        .batch = x_shape->dims[0], .in_c = f[n], .out_c = f[n + 1], .filter = filter->data
    };
    return volume_axes(volume, &x_shape->dims[1], f, ret->axes);
}

/* ---- Conv3D -------------------------------------------------------------------------------- */

/* The window of one position of the result as a row [taps..., in_c], zeros in the padding. */
static void copy_window(const ConvVolume *v, const float *x, const int64_t at[3], float *row)
{
    const WindowAxis *d = &v->axes[0], *h = &v->axes[1], *w = &v->axes[2];
    size_t bytes = (size_t)v->in_c * sizeof(float);
    int64_t z, y, c;
    for (int64_t i = 0; i < d->taps; i++) {
        bool in_depth = input_position(d, at[0], i, &z);
        for (int64_t j = 0; j < h->taps; j++) {
            bool in_rows = in_depth && input_position(h, at[1], j, &y);
            for (int64_t k = 0; k < w->taps; k++, row += v->in_c) {
                if (in_rows && input_position(w, at[2], k, &c))
                    memcpy(row, x + ((z * h->in + y) * w->in + c) * v->in_c, bytes);
                else
                    memset(row, 0, bytes);
            }
        }
    }
}

Error *conv3d_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    ConvVolume v;
    TRY(init_call(c->kernel, &x->shape, op_input(c, 1), "input", &v));
    const WindowAxis *d = &v.axes[0], *h = &v.axes[1], *w = &v.axes[2];
    const Shape shape = shape_of(v.batch, d->out, h->out, w->out, v.out_c);
    Tensor *y = NULL;
    TRY(op_output(c, 0, DT_FLOAT, &shape, &y));
    if (y->n == 0)
        return NULL;
    size_t n_row = (size_t)(taps_of(&v) * v.in_c), n_rows = (size_t)(h->out * w->out), n = 0;
    if (!checked_mul(n_row, n_rows, &n) || !checked_mul(n, sizeof(float), &n))
        return error_out_of_memory();
    float *rows = op_scratch(c, n);
    if (rows == NULL)
        return error_out_of_memory();
    Gemm g = { .m = n_rows,
               .n = (size_t)v.out_c,
               .k = n_row,
               .alpha = 1,
               .a = rows,
               .b = v.filter,
               .c = y->data,
               .workers = c->workers };
    for (int64_t plane = 0; plane < v.batch * d->out; plane++, g.c += n_rows * g.n) {
        const float *image =
            (const float *)x->data + plane / d->out * d->in * h->in * w->in * v.in_c;
        for (size_t i = 0; i < n_rows; i++)
            copy_window(
                &v, image,
                (const int64_t[]){ plane % d->out, (int64_t)i / w->out, (int64_t)i % w->out },
                rows + i * n_row);
        TRY(gemm_run(&g));
    }
    return NULL;
}

/* ---- transposed ---------------------------------------------------------------------------- */

/* The shape of the result: input_sizes, all of it or the spatial part. */
static Error *read_sizes(const Tensor *sizes, const Tensor *filter, const Tensor *y, int n_spatial,
                         Shape *ret)
{
    Shape shape;
    char text[SHAPE_TEXT_BYTES];
    int64_t n = 0;
    TRY(tensor_to_shape(sizes, &shape));
    if (sizes->shape.rank != 1 || (shape.rank != n_spatial && shape.rank != n_spatial + 2))
        return error_new(ERROR_INVALID_ARGUMENT,
                         "input_sizes must be a vector of %d or %d sizes, got shape %s", n_spatial,
                         n_spatial + 2, shape_text(&sizes->shape, text));
    if (shape.rank == n_spatial && filter->shape.rank == n_spatial + 2 && y->shape.rank > 0) {
        memmove(&shape.dims[1], &shape.dims[0], (size_t)n_spatial * sizeof(shape.dims[0]));
        shape.dims[0] = y->shape.dims[0];
        shape.dims[n_spatial + 1] = filter->shape.dims[n_spatial];
        shape.rank += 2;
    }
    TRY(shape_count(&shape, &n));
    *ret = shape;
    return NULL;
}

static Error *check_gradient(const ConvVolume *v, const Tensor *y, int n_spatial)
{
    Shape wanted = { .rank = n_spatial + 2 };
    char text[SHAPE_TEXT_BYTES], wanted_text[SHAPE_TEXT_BYTES];
    wanted.dims[0] = v->batch;
    for (int i = 0; i < n_spatial; i++)
        wanted.dims[1 + i] = v->axes[3 - n_spatial + i].out;
    wanted.dims[n_spatial + 1] = v->out_c;
    if (!shape_equal(&wanted, &y->shape))
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Size of out_backprop doesn't match computed: actual = %s, computed = %s",
                         shape_text(&y->shape, text), shape_text(&wanted, wanted_text));
    return NULL;
}

/* Adds rows [out..., in_c] to the positions of an image that tap (i, j, k) touches. */
static void add_tap(const ConvVolume *v, const int64_t tap[3], const float *rows, float *x)
{
    const WindowAxis *d = &v->axes[0], *h = &v->axes[1], *w = &v->axes[2];
    int64_t at[3];
    for (int64_t o = 0; o < d->out * h->out * w->out; o++, rows += v->in_c) {
        if (!input_position(d, o / (h->out * w->out), tap[0], &at[0]) ||
            !input_position(h, o / w->out % h->out, tap[1], &at[1]) ||
            !input_position(w, o % w->out, tap[2], &at[2]))
            continue;
        float *to = x + ((at[0] * h->in + at[1]) * w->in + at[2]) * v->in_c;
        for (int64_t c = 0; c < v->in_c; c++)
            to[c] += rows[c];
    }
}

static Error *transpose_image(const ConvVolume *v, Gemm *g, float *rows, float *x)
{
    const WindowAxis *h = &v->axes[1], *w = &v->axes[2];
    for (int64_t tap = 0; tap < taps_of(v); tap++) {
        g->b = v->filter + tap * v->in_c * v->out_c;
        TRY(gemm_run(g));
        add_tap(
            v,
            (const int64_t[]){ tap / (h->taps * w->taps), tap / w->taps % h->taps, tap % w->taps },
            rows, x);
    }
    return NULL;
}

Error *conv_transpose_run(OpContext *c)
{
    const Volume *volume = c->kernel;
    const Tensor *filter = op_input(c, 1), *y = op_input(c, 2);
    Shape shape;
    ConvVolume v;
    TRY(read_sizes(op_input(c, 0), filter, y, volume->n_spatial, &shape));
    TRY(init_call(volume, &shape, filter, "input_sizes", &v));
    TRY(check_gradient(&v, y, volume->n_spatial));
    Tensor *x = NULL;
    TRY(op_output(c, 0, DT_FLOAT, &shape, &x));
    if (x->n == 0)
        return NULL;
    memset(x->data, 0, tensor_bytes(x));
    size_t n_out = (size_t)(v.axes[0].out * v.axes[1].out * v.axes[2].out), n = 0;
    size_t n_in = (size_t)x->n / (size_t)v.batch;
    if (!checked_mul(n_out, (size_t)v.in_c * sizeof(float), &n))
        return error_out_of_memory();
    float *rows = op_scratch(c, n);
    if (rows == NULL)
        return error_out_of_memory();
    Gemm g = { .m = n_out,
               .n = (size_t)v.in_c,
               .k = (size_t)v.out_c,
               .transpose_b = true,
               .alpha = 1,
               .a = y->data,
               .c = rows,
               .workers = c->workers };
    for (int64_t i = 0; n_out > 0 && i < v.batch; i++, g.a += g.m * g.k)
        TRY(transpose_image(&v, &g, rows, (float *)x->data + (size_t)i * n_in));
    return NULL;
}
