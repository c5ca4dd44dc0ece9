/* SPDX-License-Identifier: Apache-2.0
 *
 * ResizeBilinear, ResizeNearestNeighbor, ResizeBicubic, ResizeArea: images [N,H,W,C] to another
 * height and width, in the three conventions of where pixels lie (core/util/image_resizer_state.h):
 *
 *   attributes           output pixel i is taken from input position
 *   none                 i * in / out
 *   align_corners        i * (in - 1) / (out - 1)
 *   half_pixel_centers   (i + 0.5) * in / out - 0.5
 *
 * Each axis becomes a table of taps: for each output pixel at most four inputs and their weights
 * (bilinear two, bicubic four), or a range (area). Elements are computed as float.
 */
#include <math.h>

#include "model/op/elementwise.h"
#include "model/op/kernels.h"
#include "model/op/resize.h"
#include "model/op/typed.h"

#define N_TAPS 4

typedef struct ResizeKernel {
    bool align_corners, half_pixel;
} ResizeKernel;

/* What one output pixel takes from one axis. */
typedef struct Taps {
    int64_t index[N_TAPS];
    float weight[N_TAPS];
} Taps;

Error *resize_prepare(OpPrepare *prepare)
{
    ResizeKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    TRY(attrs_bool_or(prepare->attrs, "align_corners", false, &kernel->align_corners));
    TRY(attrs_bool_or(prepare->attrs, "half_pixel_centers", false, &kernel->half_pixel));
    if (kernel->align_corners && kernel->half_pixel)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "If half_pixel_centers is True, align_corners must be False.");
    DType dtype = prepare->input_dtypes[0];
    if (!dtype_is_floating(dtype) && !dtype_is_integer(dtype))
        return error_new(ERROR_UNIMPLEMENTED, "there is no kernel of %s for type %s",
                         prepare->op->name, dtype_name(dtype));
    prepare->kernel = kernel;
    return NULL;
}

/* ---- shapes -------------------------------------------------------------------------------- */

Error *resize_frame(const OpContext *c, ResizeFrame *ret)
{
    const Tensor *images = op_input(c, 0), *size = op_input(c, 1);
    char text[SHAPE_TEXT_BYTES];
    if (images->shape.rank != 4)
        return error_new(ERROR_INVALID_ARGUMENT, "input must be 4-dimensional%s",
                         shape_text(&images->shape, text));
    if (size->shape.rank != 1 || size->n != 2)
        return error_new(ERROR_INVALID_ARGUMENT, "shape_t must have two elements%s",
                         shape_text(&size->shape, text));
    const int64_t *dims = images->shape.dims;
    *ret = (ResizeFrame){ .n = dims[0],
                          .in_height = dims[1],
                          .in_width = dims[2],
                          .channels = dims[3],
                          .height = tensor_index_at(size, 0),
                          .width = tensor_index_at(size, 1) };
    if (ret->height <= 0 || ret->width <= 0)
        return error_new(ERROR_INVALID_ARGUMENT, "output dimensions must be positive");
    if (ret->channels == 0)
        return error_new(ERROR_INVALID_ARGUMENT, "image must have at least one channel");
    if (ret->in_height == 0 || ret->in_width == 0)
        return error_new(ERROR_INVALID_ARGUMENT, "input image must be of non-zero size");
    ret->shape = shape_of(ret->n, ret->height, ret->width, ret->channels);
    return NULL;
}

#define WIDEN(dt, type, suffix)                                                                    \
    case dt:                                                                                       \
        for (int64_t i = 0; i < t->n; i++)                                                         \
            floats[i] = (float)((const type *)t->data)[i];                                         \
        break;

Error *resize_floats(OpContext *c, const Tensor *t, const float **ret)
{
    if (t->dtype == DT_FLOAT || dtype_is_short_float(t->dtype))
        return shorts_as_floats(c, t, ret);
    float *floats = op_scratch(c, (size_t)t->n * sizeof(float));
    if (floats == NULL)
        return error_out_of_memory();
    switch (t->dtype) {
        FOR_EACH_NUMBER(WIDEN)
    default:
        break;
    }
    *ret = floats;
    return NULL;
}

/* Input pixels for each output pixel. */
static float scale_of(const ResizeKernel *kernel, int64_t in, int64_t out)
{
    return kernel->align_corners && out > 1 ? (float)(in - 1) / (float)(out - 1)
                                            : (float)in / (float)out;
}

static int64_t bound(int64_t i, int64_t limit)
{
    return i < 0 ? 0 : i >= limit ? limit - 1 : i;
}

/* ---- taps ---------------------------------------------------------------------------------- */

static float position(const ResizeKernel *kernel, int64_t i, float scale)
{
    return kernel->half_pixel ? ((float)i + 0.5F) * scale - 0.5F : (float)i * scale;
}

static Taps linear_taps(const ResizeKernel *kernel, int64_t i, float scale, int64_t limit)
{
    float at = position(kernel, i, scale), low = floorf(at);
    Taps taps = { .index = { bound((int64_t)low, limit), bound((int64_t)ceilf(at), limit) } };
    taps.weight[1] = at - low;
    taps.weight[0] = 1 - taps.weight[1];
    return taps;
}

#define CUBIC_STEPS 1024 /* TensorFlow looks the cubic up at steps of this fraction of a pixel */

/* Keys, "Cubic convolution interpolation for digital image processing", 1981: a is -0.5 there. */
static float cubic(float a, int step, bool is_outer)
{
    float x = (float)step / CUBIC_STEPS;
    if (!is_outer)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    x += 1;
    return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
}

/* With half pixels, taps outside of the image count nothing; without, the border is repeated. */
static Taps cubic_taps(const ResizeKernel *kernel, int64_t i, float scale, int64_t limit)
{
    float a = kernel->half_pixel ? -0.5F : -0.75F, at = position(kernel, i, scale), sum = 0;
    int64_t low = (int64_t)floorf(at);
    int step = (int)lrintf((at - floorf(at)) * CUBIC_STEPS);
    Taps taps = { .weight = { cubic(a, step, true), cubic(a, step, false),
                              cubic(a, CUBIC_STEPS - step, false),
                              cubic(a, CUBIC_STEPS - step, true) } };
    for (int k = 0; k < N_TAPS; k++) {
        taps.index[k] = bound(low - 1 + k, limit);
        if (kernel->half_pixel && taps.index[k] != low - 1 + k)
            taps.weight[k] = 0;
        sum += taps.weight[k];
    }
    for (int k = 0; kernel->half_pixel && k < N_TAPS; k++)
        taps.weight[k] /= sum;
    return taps;
}

typedef Taps MakeTaps(const ResizeKernel *kernel, int64_t i, float scale, int64_t limit);

static Error *axis_taps(OpContext *c, MakeTaps *make, int64_t in, int64_t out, const Taps **ret)
{
    Taps *taps = op_scratch(c, (size_t)out * sizeof(*taps));
    if (taps == NULL)
        return error_out_of_memory();
    float scale = scale_of(c->kernel, in, out);
    for (int64_t i = 0; i < out; i++)
        taps[i] = make(c->kernel, i, scale, in);
    *ret = taps;
    return NULL;
}

/* First down the columns into one row of the input's width, then along it. */
static Error *resample(OpContext *c, MakeTaps *make, int n_taps)
{
    ResizeFrame f;
    TRY(resize_frame(c, &f));
    Tensor *output = NULL;
    TRY(op_output(c, 0, DT_FLOAT, &f.shape, &output));
    if (output->n == 0)
        return NULL;
    const Taps *rows = NULL, *columns = NULL;
    const float *x = NULL;
    TRY(axis_taps(c, make, f.in_height, f.height, &rows));
    TRY(axis_taps(c, make, f.in_width, f.width, &columns));
    TRY(resize_floats(c, op_input(c, 0), &x));
    int64_t in_row = f.in_width * f.channels;
    float *row = op_scratch(c, (size_t)in_row * sizeof(float)), *to = output->data;
    if (row == NULL)
        return error_out_of_memory();
    for (int64_t r = 0; r < f.n * f.height; r++) {
        const float *image = x + r / f.height * f.in_height * in_row;
        const Taps *down = &rows[r % f.height];
        memset(row, 0, (size_t)in_row * sizeof(float));
        for (int k = 0; k < n_taps; k++) {
            const float *from = image + down->index[k] * in_row;
            for (int64_t i = 0; i < in_row; i++)
                row[i] += down->weight[k] * from[i];
        }
        for (int64_t w = 0; w < f.width; w++, to += f.channels) {
            for (int64_t ch = 0; ch < f.channels; ch++) {
                float sum = 0;
                for (int k = 0; k < n_taps; k++)
                    sum += columns[w].weight[k] * row[columns[w].index[k] * f.channels + ch];
                to[ch] = sum;
            }
        }
    }
    return NULL;
}

Error *resize_bilinear_run(OpContext *c)
{
    return resample(c, linear_taps, 2);
}

Error *resize_bicubic_run(OpContext *c)
{
    return resample(c, cubic_taps, N_TAPS);
}

/* ---- nearest ------------------------------------------------------------------------------- */

static int64_t nearest(const ResizeKernel *kernel, int64_t i, float scale, int64_t limit)
{
    float at = kernel->half_pixel      ? floorf(((float)i + 0.5F) * scale)
               : kernel->align_corners ? roundf((float)i * scale)
                                       : floorf((float)i * scale);
    return bound((int64_t)at, limit);
}

Error *resize_nearest_run(OpContext *c)
{
    ResizeFrame f;
    TRY(resize_frame(c, &f));
    const Tensor *images = op_input(c, 0);
    Tensor *output = NULL;
    TRY(op_output(c, 0, images->dtype, &f.shape, &output));
    float down = scale_of(c->kernel, f.in_height, f.height);
    float along = scale_of(c->kernel, f.in_width, f.width);
    size_t pixel = (size_t)f.channels * dtype_size(images->dtype);
    char *to = output->data;
    for (int64_t r = 0; output->n > 0 && r < f.n * f.height; r++) {
        int64_t row =
            r / f.height * f.in_height + nearest(c->kernel, r % f.height, down, f.in_height);
        const char *from = (const char *)images->data + (size_t)(row * f.in_width) * pixel;
        for (int64_t w = 0; w < f.width; w++, to += pixel)
            memcpy(to, from + (size_t)nearest(c->kernel, w, along, f.in_width) * pixel, pixel);
    }
    return NULL;
}

/* ---- area ---------------------------------------------------------------------------------- */

/* How much of input pixel `i` lies in [from, to). */
static float overlap(int64_t i, float from, float to, float scale)
{
    float begin = (float)i, end = (float)(i + 1);
    if (begin < from)
        return end > to ? scale : end - from;
    return end > to ? to - begin : 1;
}

/* The mean over the rectangle that an output pixel covers. */
static void area_pixel(const ResizeFrame *f, const float *image, const float rect[4],
                       const float scale[2], float *to)
{
    for (int64_t ch = 0; ch < f->channels; ch++)
        to[ch] = 0;
    for (int64_t y = (int64_t)floorf(rect[0]); y < (int64_t)ceilf(rect[1]); y++) {
        float down = overlap(y, rect[0], rect[1], scale[0]);
        const float *row = image + bound(y, f->in_height) * f->in_width * f->channels;
        for (int64_t x = (int64_t)floorf(rect[2]); x < (int64_t)ceilf(rect[3]); x++) {
            float weight = down * overlap(x, rect[2], rect[3], scale[1]);
            const float *from = row + bound(x, f->in_width) * f->channels;
            for (int64_t ch = 0; ch < f->channels; ch++)
                to[ch] += from[ch] * weight;
        }
    }
    for (int64_t ch = 0; ch < f->channels; ch++)
        to[ch] /= scale[0] * scale[1];
}

Error *resize_area_run(OpContext *c)
{
    ResizeFrame f;
    TRY(resize_frame(c, &f));
    Tensor *output = NULL;
    TRY(op_output(c, 0, DT_FLOAT, &f.shape, &output));
    /* One pixel between aligned corners has the scale 0: it is the mean of all. */
    float scale[2] = { scale_of(c->kernel, f.in_height, f.height),
                       scale_of(c->kernel, f.in_width, f.width) };
    bool is_single[2] = { scale[0] == 0, scale[1] == 0 };
    scale[0] = is_single[0] ? 1 : scale[0];
    scale[1] = is_single[1] ? 1 : scale[1];
    const float *x = NULL;
    TRY(resize_floats(c, op_input(c, 0), &x));
    float *to = output->data;
    for (int64_t r = 0; output->n > 0 && r < f.n * f.height; r++) {
        const float *image = x + r / f.height * f.in_height * f.in_width * f.channels;
        float y = is_single[0] ? 0 : (float)(r % f.height);
        for (int64_t w = 0; w < f.width; w++, to += f.channels) {
            float column = is_single[1] ? 0 : (float)w;
            const float rect[4] = { y * scale[0], (y + 1) * scale[0], column * scale[1],
                                    (column + 1) * scale[1] };
            area_pixel(&f, image, rect, scale, to);
        }
    }
    return NULL;
}
