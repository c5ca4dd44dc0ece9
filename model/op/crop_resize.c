/* SPDX-License-Identifier: Apache-2.0
 *
 * CropAndResize: boxes of images, each resized to one size. A box is y1, x1, y2, x2 where 1 is the
 * image's last pixel; what lies outside of the image gets a value of its own. Any thread.
 */
#include <math.h>
#include <string.h>

#include "model/op/elementwise.h"
#include "model/op/kernels.h"
#include "model/op/resize.h"

typedef struct CropKernel {
    bool is_nearest;
    float outside;
} CropKernel;

Error *crop_resize_prepare(OpPrepare *prepare)
{
    CropKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    const char *method = NULL;
    const DType dtype = prepare->input_dtypes[0];
    if (kernel == NULL)
        return error_out_of_memory();
    if (!dtype_is_floating(dtype) && !dtype_is_integer(dtype))
        return op_unsupported_type(prepare, dtype);
    TRY(attrs_text_or(prepare->attrs, "method", "bilinear", &method));
    TRY(attrs_float_or(prepare->attrs, "extrapolation_value", 0, &kernel->outside));
    kernel->is_nearest = strcmp(method, "nearest") == 0;
    if (!kernel->is_nearest && strcmp(method, "bilinear") != 0)
        return error_new(ERROR_INVALID_ARGUMENT, "method must be 'bilinear' or 'nearest', not '%s'",
                         method);
    prepare->kernel = kernel;
    return NULL;
}

typedef struct Crops {
    int64_t batch, height, width, channels; /* of the images */
    int64_t n, rows, columns;               /* of the output */
} Crops;

static Error *check_operands(const OpContext *c, Crops *ret)
{
    const Tensor *image = op_input(c, 0), *boxes = op_input(c, 1), *index = op_input(c, 2),
                 *size = op_input(c, 3);
    char text[SHAPE_TEXT_BYTES];
    const int64_t *d = image->shape.dims;
    if (image->shape.rank != 4)
        return error_new(ERROR_INVALID_ARGUMENT, "input image must be 4-D, got %s",
                         shape_text(&image->shape, text));
    if (boxes->shape.rank != 2 || boxes->shape.dims[1] != 4 || index->shape.rank != 1 ||
        index->n != boxes->shape.dims[0])
        return error_new(ERROR_INVALID_ARGUMENT,
                         "boxes must be [num_boxes,4], with one box_ind for each, got %s",
                         shape_text(&boxes->shape, text));
    if (size->shape.rank != 1 || size->n != 2)
        return error_new(ERROR_INVALID_ARGUMENT, "crop_size must have two elements, got %s",
                         shape_text(&size->shape, text));
    *ret = (Crops){
        d[0], d[1], d[2], d[3], index->n, tensor_index_at(size, 0), tensor_index_at(size, 1)
    };
    if (d[1] <= 0 || d[2] <= 0 || ret->rows <= 0 || ret->columns <= 0)
        return error_new(ERROR_INVALID_ARGUMENT, "image and crop dimensions must be positive");
    for (int64_t i = 0; i < index->n; i++) {
        int64_t image_number = tensor_index_at(index, i);
        if (image_number < 0 || image_number >= d[0])
            return error_new(ERROR_OUT_OF_RANGE, "box_index has values outside [0, batch_size)");
    }
    return NULL;
}

/* The position in an axis of `in` pixels of pixel `i` of `out`, for a box from `from` to `to`. */
static float position(float from, float to, int64_t in, int64_t out, int64_t i)
{
    const float last = (float)(in - 1);
    if (out == 1)
        return 0.5F * (from + to) * last;
    return from * last + (float)i * ((to - from) * last / (float)(out - 1));
}

/* All channels at (y, x), which lie in the image. */
static void sample(const Crops *s, const float *image, bool is_nearest, const float at[2],
                   float *out)
{
    if (is_nearest) {
        int64_t pixel = (int64_t)roundf(at[0]) * s->width + (int64_t)roundf(at[1]);
        memcpy(out, image + pixel * s->channels, (size_t)s->channels * sizeof(float));
        return;
    }
    const int64_t top = (int64_t)floorf(at[0]), bottom = (int64_t)ceilf(at[0]);
    const int64_t left = (int64_t)floorf(at[1]), right = (int64_t)ceilf(at[1]);
    const float down = at[0] - (float)top, across = at[1] - (float)left;
    for (int64_t c = 0; c < s->channels; c++) {
        const float *x = image + c;
        const float tl = x[(top * s->width + left) * s->channels];
        const float tr = x[(top * s->width + right) * s->channels];
        const float bl = x[(bottom * s->width + left) * s->channels];
        const float br = x[(bottom * s->width + right) * s->channels];
        const float upper = tl + (tr - tl) * across, lower = bl + (br - bl) * across;
        out[c] = upper + (lower - upper) * down;
    }
}

static void crop(const Crops *s, const CropKernel *kernel, const float *image, const float *box,
                 float *out)
{
    for (int64_t i = 0; i < s->rows * s->columns; i++, out += s->channels) {
        const float at[2] = {
            position(box[0], box[2], s->height, s->rows, i / s->columns),
            position(box[1], box[3], s->width, s->columns, i % s->columns),
        };
        /* Written so that a NaN is outside. */
        bool is_inside = at[0] >= 0 && at[0] <= (float)(s->height - 1) && at[1] >= 0 &&
                         at[1] <= (float)(s->width - 1);
        if (is_inside)
            sample(s, image, kernel->is_nearest, at, out);
        for (int64_t c = 0; !is_inside && c < s->channels; c++)
            out[c] = kernel->outside;
    }
}

Error *crop_resize_run(OpContext *c)
{
    Crops s;
    Tensor *out = NULL;
    const float *images = NULL;
    TRY(check_operands(c, &s));
    TRY(op_output(c, 0, DT_FLOAT, &shape_of(s.n, s.rows, s.columns, s.channels), &out));
    TRY(resize_floats(c, op_input(c, 0), &images));
    for (int64_t i = 0; i < s.n; i++) {
        int64_t number = tensor_index_at(op_input(c, 2), i);
        crop(&s, c->kernel, images + number * s.height * s.width * s.channels,
             (const float *)op_input(c, 1)->data + 4 * i,
             (float *)out->data + i * s.rows * s.columns * s.channels);
    }
    return NULL;
}
