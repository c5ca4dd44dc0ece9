/* SPDX-License-Identifier: Apache-2.0
 *
 * Conv3D, and the transposed convolutions of images and volumes: Conv2DBackpropInput and
 * Conv3DBackpropInputV2, which serve Conv2DTranspose and Conv3DTranspose. float and double (in plain
 * loops where forward), channels last.
 *
 * Forward, the windows of a plane of the result are copied out one beside the other, and their
 * product with the filter is the plane. Transposed, each tap of the filter is a product of its own,
 * whose rows are added to the input positions that the tap touches. Any thread; the order of
 * additions does not depend on the number of threads.
 */
#include <string.h>

#include "model/op/conv_plain.h"
#include "model/op/elementwise.h"
#include "model/op/kernels.h"
#include "model/op/matmul.h"
#include "model/op/typed.h"
#include "model/op/volume.h"

/* A call: x [batch, in..., in_c], filter [taps..., in_c / groups, out_c], y [batch, out..., out_c]. */
typedef struct ConvVolume {
    int64_t batch, in_c, out_c, groups;
    WindowAxis axes[3];
    Workers *workers; /* of the products; may be NULL */
} ConvVolume;

static Error *prepare_volume(OpPrepare *prepare, DType dtype, int n_spatial)
{
    Volume *volume = arena_calloc(prepare->arena, 1, sizeof(*volume));
    if (volume == NULL)
        return error_out_of_memory();
    if (dtype != DT_FLOAT && dtype != DT_DOUBLE)
        return op_unsupported_type(prepare, dtype);
    TRY(volume_from_attrs(prepare->attrs, n_spatial, volume));
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
    int64_t in_c = x_shape->dims[n + 1];
    if (in_c == 0 || in_c % f[n] != 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "input depth must be evenly divisible by filter depth: %lld vs %lld",
                         (long long)in_c, (long long)f[n]);
    if (f[n + 1] % (in_c / f[n]) != 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "output depth must be evenly divisible by number of groups: %lld vs %lld",
                         (long long)f[n + 1], (long long)(in_c / f[n]));
    *ret = (ConvVolume){
        .batch = x_shape->dims[0], .in_c = in_c, .out_c = f[n + 1], .groups = in_c / f[n]
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

/* y [batch, out..., out_c] of one group, a plane at a time. */
static Error *run_planes(OpContext *c, const ConvVolume *v, float *y)
{
    const WindowAxis *d = &v->axes[0], *h = &v->axes[1], *w = &v->axes[2];
    size_t n_row = (size_t)(taps_of(v) * v->in_c), n_rows = (size_t)(h->out * w->out), n = 0;
    if (!checked_mul(n_row, n_rows, &n) || !checked_mul(n, sizeof(float), &n))
        return error_out_of_memory();
    float *rows = op_scratch(c, n);
    if (rows == NULL)
        return error_out_of_memory();
    Gemm g = { .m = n_rows,
               .n = (size_t)v->out_c,
               .k = n_row,
               .alpha = 1,
               .a = rows,
               .b = op_input(c, 1)->data,
               .c = y,
               .workers = c->workers };
    for (int64_t plane = 0; plane < v->batch * d->out; plane++, g.c += n_rows * g.n) {
        const float *image =
            (const float *)op_input(c, 0)->data + plane / d->out * d->in * h->in * w->in * v->in_c;
        for (size_t i = 0; i < n_rows; i++)
            copy_window(
                v, image,
                (const int64_t[]){ plane % d->out, (int64_t)i / w->out, (int64_t)i % w->out },
                rows + i * n_row);
        TRY(gemm_run(&g));
    }
    return NULL;
}

Error *conv3d_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    ConvVolume v;
    TRY(init_call(c->kernel, &x->shape, op_input(c, 1), "input", &v));
    const Shape shape = shape_of(v.batch, v.axes[0].out, v.axes[1].out, v.axes[2].out, v.out_c);
    Tensor *y = NULL;
    TRY(op_output(c, 0, x->dtype, &shape, &y));
    if (y->n == 0)
        return NULL;
    if (x->dtype == DT_FLOAT && v.groups == 1)
        return run_planes(c, &v, y->data);
    const ConvPlain conv = { .dtype = x->dtype,
                             .batch = v.batch,
                             .in_c = v.in_c,
                             .out_c = v.out_c,
                             .groups = v.groups,
                             .axes = { v.axes[0], v.axes[1], v.axes[2] },
                             .x = x->data,
                             .filter = op_input(c, 1)->data,
                             .y = y->data };
    conv_plain_run(&conv, c->workers);
    return NULL;
}

/* ---- transposed ---------------------------------------------------------------------------- */

/* The shape of the result, channels last: input_sizes, all of it in the order of the data format, or
 * the spatial part. */
static Error *read_sizes(const Volume *volume, const Tensor *sizes, const Tensor *filter,
                         const Tensor *y, Shape *ret)
{
    Shape shape;
    char text[SHAPE_TEXT_BYTES];
    int64_t n = 0;
    int n_spatial = volume->n_spatial;
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
    } else if (volume->channels_first) {
        int64_t channels = shape.dims[1];
        memmove(&shape.dims[1], &shape.dims[2], (size_t)n_spatial * sizeof(shape.dims[0]));
        shape.dims[n_spatial + 1] = channels;
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
#define ADD_TAP(dtype, type, suffix)                                                               \
    static void add_tap_##suffix(const ConvVolume *v, const int64_t tap[3], const type *rows,      \
                                 type *x)                                                          \
    {                                                                                              \
        const WindowAxis *d = &v->axes[0], *h = &v->axes[1], *w = &v->axes[2];                     \
        int64_t at[3];                                                                             \
        for (int64_t o = 0; o < d->out * h->out * w->out; o++, rows += v->in_c) {                  \
            if (!input_position(d, o / (h->out * w->out), tap[0], &at[0]) ||                       \
                !input_position(h, o / w->out % h->out, tap[1], &at[1]) ||                         \
                !input_position(w, o % w->out, tap[2], &at[2]))                                    \
                continue;                                                                          \
            type *to = x + ((at[0] * h->in + at[1]) * w->in + at[2]) * v->in_c;                    \
            for (int64_t c = 0; c < v->in_c; c++)                                                  \
                to[c] += rows[c];                                                                  \
        }                                                                                          \
    }
FOR_EACH_FLOAT(ADD_TAP)

/* x += what y [out..., out_c] gives; `rows` [out..., in_c] is working memory. */
static Error *transpose_image(const ConvVolume *v, const Tensor *filter, const void *y, void *rows,
                              void *x)
{
    const WindowAxis *d = &v->axes[0], *h = &v->axes[1], *w = &v->axes[2];
    const Gemm g = { .m = (size_t)(d->out * h->out * w->out),
                     .n = (size_t)v->in_c,
                     .k = (size_t)v->out_c,
                     .transpose_b = true,
                     .workers = v->workers };
    const size_t tap_bytes = g.n * g.k * dtype_size(filter->dtype);
    for (int64_t tap = 0; tap < taps_of(v); tap++) {
        const int64_t at[3] = { tap / (h->taps * w->taps), tap / w->taps % h->taps, tap % w->taps };
        TRY(matrix_product(&g, filter->dtype, y,
                           (const char *)filter->data + (size_t)tap * tap_bytes, rows));
        if (filter->dtype == DT_FLOAT)
            add_tap_f32(v, at, rows, x);
        else
            add_tap_f64(v, at, rows, x);
    }
    return NULL;
}

Error *conv_transpose_run(OpContext *c)
{
    const Volume *volume = c->kernel;
    const Tensor *filter = op_input(c, 1), *y = op_input(c, 2);
    Shape shape;
    ConvVolume v;
    TRY(read_sizes(volume, op_input(c, 0), filter, y, &shape));
    TRY(init_call(volume, &shape, filter, "input_sizes", &v));
    TRY(check_gradient(&v, y, volume->n_spatial));
    v.workers = c->workers;
    if (v.groups != 1)
        return error_new(ERROR_UNIMPLEMENTED, "%s of %lld groups is not supported: of one it is",
                         c->op->name, (long long)v.groups);
    Tensor *x = NULL;
    TRY(op_output(c, 0, y->dtype, &shape, &x));
    if (x->n == 0)
        return NULL;
    memset(x->data, 0, tensor_bytes(x));
    if (y->n == 0)
        return NULL;
    size_t n = 0; /* of elements of y's type, [out..., in_c] */
    size_t x_bytes = tensor_bytes(x) / (size_t)v.batch, y_bytes = tensor_bytes(y) / (size_t)v.batch;
    if (!checked_mul(y_bytes / (size_t)v.out_c, (size_t)v.in_c, &n))
        return error_out_of_memory();
    char *rows = op_scratch(c, n);
    if (rows == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < (size_t)v.batch; i++)
        TRY(transpose_image(&v, filter, (const char *)y->data + i * y_bytes, rows,
                            (char *)x->data + i * x_bytes));
    return NULL;
}
