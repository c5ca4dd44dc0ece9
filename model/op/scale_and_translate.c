/* SPDX-License-Identifier: Apache-2.0
 *
 * ScaleAndTranslate: resizing with a kernel that is stretched when the image shrinks (antialias), as
 * tf.image.resize(antialias=True) and the lanczos filters of Keras do it. Each axis has for each
 * output pixel a span of inputs and their weights, which sum to one; columns first, then rows
 * (core/kernels/image/scale_and_translate_op.cc).
 */
#include <float.h>
#include <math.h>

#include "model/op/kernels.h"
#include "model/op/resize.h"

#define PI_F 3.14159265358979F

typedef struct SamplingKernel {
    const char *name;
    float radius;
    float (*weight)(float x, float radius); /* x is not negative */
} SamplingKernel;

typedef struct ScaleKernel {
    const SamplingKernel *kernel;
    bool antialias;
} ScaleKernel;

/* Inputs begin .. begin + n of an output pixel; their weights lie at weights[pixel * stride]. */
typedef struct Span {
    int64_t begin, n;
} Span;

typedef struct Spans {
    Span *spans;    /* [out] */
    float *weights; /* [out, stride] */
    int64_t stride;
} Spans;

typedef struct Axis {
    int64_t in, out;
    float scale, translation;
} Axis;

/* ---- kernels ------------------------------------------------------------------------------- */

static float lanczos(float x, float radius)
{
    if (x > radius)
        return 0;
    if (x <= 1e-3F)
        return 1;
    return radius * sinf(PI_F * x) * sinf(PI_F * x / radius) / (PI_F * PI_F * x * x);
}

static float gaussian(float x, float radius)
{
    const float sigma = radius / 3;
    return x >= radius ? 0 : expf(-x * x / (2 * sigma * sigma));
}

static float box(float x, _unused_ float radius)
{
    return x < 0.5F ? 1 : x > 0.5F ? 0 : 0.5F;
}

static float triangle(float x, _unused_ float radius)
{
    return x < 1 ? 1 - x : 0;
}

static float keys_cubic(float x, _unused_ float radius)
{
    if (x >= 2)
        return 0;
    return x >= 1 ? ((-0.5F * x + 2.5F) * x - 4) * x + 2 : (1.5F * x - 2.5F) * x * x + 1;
}

static float mitchell_cubic(float x, _unused_ float radius)
{
    if (x >= 2)
        return 0;
    return x >= 1 ? ((-7.0F / 18 * x + 2) * x - 10.0F / 3) * x + 16.0F / 9
                  : (7.0F / 6 * x - 2) * x * x + 8.0F / 9;
}

static const SamplingKernel kernels[] = {
    { "lanczos1", 1, lanczos },
    { "lanczos3", 3, lanczos },
    { "lanczos5", 5, lanczos },
    { "gaussian", 1.5F, gaussian },
    { "box", 1, box },
    { "triangle", 1, triangle },
    { "keyscubic", 2, keys_cubic },
    { "mitchellcubic", 2, mitchell_cubic },
};

Error *scale_and_translate_prepare(OpPrepare *prepare)
{
    ScaleKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    const char *name = NULL;
    TRY(attrs_text_or(prepare->attrs, "kernel_type", "lanczos3", &name));
    TRY(attrs_bool_or(prepare->attrs, "antialias", true, &kernel->antialias));
    for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
        if (strcmp(kernels[i].name, name) == 0)
            kernel->kernel = &kernels[i];
    }
    if (kernel->kernel == NULL)
        return error_new(ERROR_INVALID_ARGUMENT, "Unrecognized kernel type: %s", name);
    DType dtype = prepare->input_dtypes[0];
    if (!dtype_is_floating(dtype) && !dtype_is_integer(dtype))
        return error_new(ERROR_UNIMPLEMENTED, "there is no kernel of %s for type %s",
                         prepare->op->name, dtype_name(dtype));
    prepare->kernel = kernel;
    return NULL;
}

/* ---- spans --------------------------------------------------------------------------------- */

static int64_t clamp(float v, int64_t limit)
{
    return v > 0 ? (v < (float)limit ? (int64_t)v : limit) : 0;
}

static void span_of(const ScaleKernel *kernel, const Axis *axis, int64_t i, Span *span,
                    float *weights)
{
    float inverse = 1 / axis->scale, stretch = kernel->antialias ? fmaxf(inverse, 1) : 1;
    float center = ((float)i + 0.5F) * inverse - inverse * axis->translation;
    float reach = kernel->kernel->radius * stretch, sum = 0;
    *span = (Span){ 0, 0 };
    if (!(center >= 0 && center <= (float)axis->in))
        return;
    int64_t begin = clamp(ceilf(center - reach - 0.5F), axis->in - 1);
    int64_t end = clamp(floorf(center + reach - 0.5F), axis->in - 1) + 1;
    *span = (Span){ begin, end - begin };
    for (int64_t k = 0; k < span->n; k++) {
        float distance = fabsf((float)(begin + k) + 0.5F - center) / stretch;
        weights[k] = kernel->kernel->weight(distance, kernel->kernel->radius);
        sum += weights[k];
    }
    for (int64_t k = 0; k < span->n && fabsf(sum) >= 1000 * FLT_MIN; k++)
        weights[k] /= sum;
}

static Error *spans_new(OpContext *c, const Axis *axis, Spans *ret)
{
    const ScaleKernel *kernel = c->kernel;
    float stretch = kernel->antialias ? fmaxf(1 / axis->scale, 1) : 1;
    float widest = 2 * ceilf(kernel->kernel->radius * stretch) + 1;
    ret->stride = widest < (float)axis->in ? (int64_t)widest : axis->in;
    size_t n = 0;
    if (!checked_mul((size_t)axis->out, (size_t)ret->stride * sizeof(float), &n))
        return error_out_of_memory();
    ret->spans = op_scratch(c, (size_t)axis->out * sizeof(Span));
    ret->weights = op_scratch(c, n);
    if (ret->spans == NULL || ret->weights == NULL)
        return error_out_of_memory();
    for (int64_t i = 0; i < axis->out; i++)
        span_of(kernel, axis, i, &ret->spans[i], ret->weights + i * ret->stride);
    return NULL;
}

/* ---- run ----------------------------------------------------------------------------------- */

static Error *read_pair(const OpContext *c, int input, const char *name, float ret[2])
{
    const Tensor *t = op_input(c, input);
    if (t->n != 2)
        return error_new(ERROR_INVALID_ARGUMENT, "%s must have two elements, not %lld", name,
                         (long long)t->n);
    memcpy(ret, t->data, 2 * sizeof(float));
    return NULL;
}

/* One output row: its span of input rows into `row`, then along it. */
static void write_row(const ResizeFrame *f, const float *image, const Span *down,
                      const float *down_weights, const Spans *along, float *row, float *to)
{
    int64_t in_row = f->in_width * f->channels;
    memset(row, 0, (size_t)in_row * sizeof(float));
    for (int64_t k = 0; k < down->n; k++) {
        const float *from = image + (down->begin + k) * in_row;
        for (int64_t i = 0; i < in_row; i++)
            row[i] += down_weights[k] * from[i];
    }
    for (int64_t w = 0; w < f->width; w++, to += f->channels) {
        const float *weights = along->weights + w * along->stride;
        const float *from = row + along->spans[w].begin * f->channels;
        for (int64_t ch = 0; ch < f->channels; ch++) {
            float sum = 0;
            for (int64_t k = 0; k < along->spans[w].n; k++)
                sum += weights[k] * from[k * f->channels + ch];
            to[ch] = sum;
        }
    }
}

Error *scale_and_translate_run(OpContext *c)
{
    ResizeFrame f;
    float scale[2], translation[2];
    TRY(resize_frame(c, &f));
    TRY(read_pair(c, 2, "scale", scale));
    TRY(read_pair(c, 3, "translation", translation));
    if (!(scale[0] > 0 && scale[1] > 0 && isfinite(scale[0]) && isfinite(scale[1])))
        return error_new(ERROR_INVALID_ARGUMENT, "Scale must be greater than zero.");
    Tensor *output = NULL;
    TRY(op_output(c, 0, DT_FLOAT, &f.shape, &output));
    if (output->n == 0)
        return NULL;
    Spans down, along;
    const float *x = NULL;
    TRY(spans_new(c, &(Axis){ f.in_height, f.height, scale[0], translation[0] }, &down));
    TRY(spans_new(c, &(Axis){ f.in_width, f.width, scale[1], translation[1] }, &along));
    TRY(resize_floats(c, op_input(c, 0), &x));
    int64_t in_row = f.in_width * f.channels;
    float *row = op_scratch(c, (size_t)in_row * sizeof(float)), *to = output->data;
    if (row == NULL)
        return error_out_of_memory();
    for (int64_t r = 0; r < f.n * f.height; r++, to += f.width * f.channels)
        write_row(&f, x + r / f.height * f.in_height * in_row, &down.spans[r % f.height],
                  down.weights + r % f.height * down.stride, &along, row, to);
    return NULL;
}
