/* SPDX-License-Identifier: Apache-2.0
 *
 * ImageProjectiveTransformV2 and V3: each output position (x, y) takes the input at
 *
 *     ((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k),  k = c0 x + c1 y + 1
 *
 * where a row of `transforms` is a0 a1 a2 b0 b1 b2 c0 c1; fill_mode says what lies outside of the
 * input. Sums are made as float and cut to the type, as TensorFlow does. Any thread.
 */
#include <math.h>
#include <string.h>

#include "model/op/elementwise.h"
#include "model/op/kernels.h"
#include "model/op/typed.h"

typedef enum FillMode { FILL_CONSTANT, FILL_REFLECT, FILL_WRAP, FILL_NEAREST } FillMode;

static const char *const fill_modes[] = { "CONSTANT", "REFLECT", "WRAP", "NEAREST" };

typedef struct ProjectKernel {
    bool is_nearest;
    FillMode fill;
} ProjectKernel;

typedef struct Projection {
    const ProjectKernel *kernel;
    int64_t height, width, channels; /* of an image */
    int64_t rows, columns;           /* of the output */
    float fill_value;
} Projection;

/* A text attribute that is one of `names`. */
static Error *read_choice(const Attrs *attrs, const char *name, const char *const *names, int n,
                          int *ret)
{
    const char *text = NULL;
    TRY(attrs_text_or(attrs, name, names[0], &text));
    for (int i = 0; i < n; i++) {
        if (strcmp(text, names[i]) == 0) {
            *ret = i;
            return NULL;
        }
    }
    return error_new(ERROR_INVALID_ARGUMENT, "Invalid %s %s. Supported: %s ... %s", name, text,
                     names[0], names[n - 1]);
}

Error *project_prepare(OpPrepare *prepare)
{
    static const char *const interpolations[] = { "NEAREST", "BILINEAR" };
    ProjectKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    const DType dtype = prepare->input_dtypes[0];
    int interpolation = 0, fill = 0;
    if (kernel == NULL)
        return error_out_of_memory();
    if (dtype != DT_FLOAT && dtype != DT_DOUBLE && !dtype_is_integer(dtype))
        return op_unsupported_type(prepare, dtype);
    TRY(read_choice(prepare->attrs, "interpolation", interpolations, 2, &interpolation));
    TRY(read_choice(prepare->attrs, "fill_mode", fill_modes, ARRAY_SIZE(fill_modes), &fill));
    kernel->is_nearest = interpolation == 0;
    kernel->fill = (FillMode)fill;
    prepare->kernel = kernel;
    return NULL;
}

/* A coordinate outside of [0, n - 1] where fill_mode puts it inside. TensorFlow's arithmetic. */
static float map_coordinate(FillMode fill, float at, int64_t n)
{
    const float size = (float)n, last = (float)(n - 1);
    if (fill == FILL_CONSTANT || (at >= 0 && at <= last))
        return at;
    if (fill == FILL_REFLECT && n > 1) {
        if (at < 0) {
            at = at < -2 * size ? 2 * size * truncf(-at / (2 * size)) + at : at;
            at = at < -size ? at + 2 * size : -at - 1;
        } else {
            at -= 2 * size * truncf(at / (2 * size));
            at = at >= size ? 2 * size - at - 1 : at;
        }
    } else if (fill == FILL_WRAP && n > 1) {
        at = at < 0 ? at + size * (truncf(-at / last) + 1) : at - size * truncf(at / last);
    } else if (fill != FILL_NEAREST) {
        at = 0;
    }
    return at < 0 ? 0 : at > last ? last : at; /* keeps a NaN */
}

/* The position in the input for output position (x, y); false where the transform has none. */
static bool project(const Projection *p, const float *t, int64_t x, int64_t y, float ret[2])
{
    const float fx = (float)x, fy = (float)y, k = t[6] * fx + t[7] * fy + 1;
    if (k == 0)
        return false;
    ret[0] = map_coordinate(p->kernel->fill, (t[3] * fx + t[4] * fy + t[5]) / k, p->height);
    ret[1] = map_coordinate(p->kernel->fill, (t[0] * fx + t[1] * fy + t[2]) / k, p->width);
    /* Far outside is as good as outside, and fits an integer; a NaN is outside. */
    for (int i = 0; i < 2; i++)
        ret[i] = ret[i] > -2 ? fminf(ret[i], 0x1p31F) : -2;
    return true;
}

#define PROJECT(dt, type, suffix)                                                                  \
    static type read_##suffix(const Projection *p, const type *image, int64_t y, int64_t x,        \
                              int64_t c)                                                           \
    {                                                                                              \
        bool is_inside = y >= 0 && y < p->height && x >= 0 && x < p->width;                        \
        return is_inside ? image[(y * p->width + x) * p->channels + c] : (type)p->fill_value;      \
    }                                                                                              \
    static type between_##suffix(const Projection *p, const type *image, const float at[2],        \
                                 int64_t c)                                                        \
    {                                                                                              \
        const int64_t y = (int64_t)floorf(at[0]), x = (int64_t)floorf(at[1]);                      \
        const float down = at[0] - (float)y, across = at[1] - (float)x;                            \
        float rows[2];                                                                             \
        for (int i = 0; i < 2; i++)                                                                \
            rows[i] = (1 - across) * (float)read_##suffix(p, image, y + i, x, c) +                 \
                      across * (float)read_##suffix(p, image, y + i, x + 1, c);                    \
        return (type)((1 - down) * rows[0] + down * rows[1]);                                      \
    }                                                                                              \
    static void project_##suffix(const Projection *p, const void *images, const float *t,          \
                                 void *outs)                                                       \
    {                                                                                              \
        const type *image = images;                                                                \
        type *out = outs;                                                                          \
        for (int64_t i = 0; i < p->rows * p->columns; i++, out += p->channels) {                   \
            float at[2];                                                                           \
            bool is_there = project(p, t, i % p->columns, i / p->columns, at);                     \
            for (int64_t c = 0; c < p->channels; c++)                                              \
                out[c] = !is_there               ? (type)p->fill_value                             \
                         : p->kernel->is_nearest ? read_##suffix(p, image, (int64_t)roundf(at[0]), \
                                                                 (int64_t)roundf(at[1]), c)        \
                                                 : between_##suffix(p, image, at, c);              \
        }                                                                                          \
    }
FOR_EACH_NUMBER(PROJECT)

typedef void ProjectLoop(const Projection *p, const void *images, const float *t, void *outs);

#define PROJECT_ROW(dt, type, suffix) [dt] = project_##suffix,
static ProjectLoop *const loops[DTYPE_MAX + 1] = { FOR_EACH_NUMBER(PROJECT_ROW) };

static Error *check_operands(const OpContext *c)
{
    const Tensor *images = op_input(c, 0), *transforms = op_input(c, 1), *size = op_input(c, 2);
    char text[SHAPE_TEXT_BYTES];
    if (images->shape.rank != 4)
        return error_new(ERROR_INVALID_ARGUMENT, "Input images must have rank 4");
    if (transforms->shape.rank != 2 || transforms->shape.dims[1] != 8 ||
        (transforms->shape.dims[0] != 1 && transforms->shape.dims[0] != images->shape.dims[0]))
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Input transform should be num_images x 8 or 1 x 8, got %s",
                         shape_text(&transforms->shape, text));
    if (size->shape.rank != 1 || size->n != 2)
        return error_new(ERROR_INVALID_ARGUMENT, "output shape must have two elements %s",
                         shape_text(&size->shape, text));
    if (tensor_index_at(size, 0) <= 0 || tensor_index_at(size, 1) <= 0)
        return error_new(ERROR_INVALID_ARGUMENT, "output dimensions must be positive");
    if (c->n_inputs > 3 && op_input(c, 3)->shape.rank != 0)
        return error_new(ERROR_INVALID_ARGUMENT, "fill_value must be a scalar %s",
                         shape_text(&op_input(c, 3)->shape, text));
    return NULL;
}

/* An integer type must be able to hold the fill value: converting another is undefined in C. */
static float fitting(const OpContext *c)
{
    float value = c->n_inputs > 3 ? *(const float *)op_input(c, 3)->data : 0;
    DType dtype = op_input(c, 0)->dtype;
    if (!dtype_is_integer(dtype))
        return value;
    float limit = ldexpf(1, (int)dtype_size(dtype) * 8 - 1);
    return value >= 0 && value < limit ? value : 0;
}

Error *project_run(OpContext *c)
{
    const Tensor *images = op_input(c, 0), *transforms = op_input(c, 1), *size = op_input(c, 2);
    Tensor *out = NULL;
    TRY(check_operands(c));
    const int64_t *d = images->shape.dims;
    Projection p = { .kernel = c->kernel,
                     .height = d[1],
                     .width = d[2],
                     .channels = d[3],
                     .rows = tensor_index_at(size, 0),
                     .columns = tensor_index_at(size, 1),
                     .fill_value = fitting(c) };
    TRY(op_output(c, 0, images->dtype, &shape_of(d[0], p.rows, p.columns, p.channels), &out));
    size_t in_bytes = (size_t)(d[1] * d[2] * d[3]) * dtype_size(images->dtype);
    for (int64_t i = 0; out->n > 0 && i < d[0]; i++) {
        const float *t =
            (const float *)transforms->data + (transforms->shape.dims[0] == 1 ? 0 : 8 * i);
        loops[images->dtype](&p, (const char *)images->data + (size_t)i * in_bytes, t,
                             (char *)out->data + (size_t)i * (tensor_bytes(out) / (size_t)d[0]));
    }
    return NULL;
}
