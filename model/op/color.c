/* SPDX-License-Identifier: Apache-2.0
 *
 * Colours: RGBToHSV, HSVToRGB, AdjustHue, AdjustSaturation and AdjustContrastv2, on the last axis of
 * images. Hue, saturation and value lie in [0,1]; a hue h is the corner 6 h of the hexagon red,
 * yellow, green, cyan, blue, magenta. Computed in the elements' own type, float or double. Any thread.
 */
#include <math.h>
#include <string.h>
#include <tgmath.h>

#include "model/op/elementwise.h"
#include "model/op/kernels.h"
#include "model/op/typed.h"

/* One pixel; `amount` is what the op adds to or multiplies with. */
#define PIXEL(dt, type, suffix)                                                                    \
    static void to_hsv_##suffix(const type *rgb, type *hsv)                                        \
    {                                                                                              \
        const type r = rgb[0], g = rgb[1], b = rgb[2];                                             \
        const type value = fmax(r, fmax(g, b)), range = value - fmin(r, fmin(g, b));               \
        type hue = 0;                                                                              \
        if (range > 0)                                                                             \
            hue = (r == value ? (g - b) / range                                                    \
                              : (g == value ? (b - r) / range + 2 : (r - g) / range + 4)) /        \
                  6;                                                                               \
        hsv[0] = hue < 0 ? hue + 1 : hue;                                                          \
        hsv[1] = value > 0 ? range / value : 0;                                                    \
        hsv[2] = value;                                                                            \
    }                                                                                              \
    static type clip_##suffix(type x)                                                              \
    {                                                                                              \
        return x < 0 ? 0 : (x > 1 ? 1 : x);                                                        \
    }                                                                                              \
    /* rgb = low + (high - low) * how much of each colour the hue has. */                          \
    static void paint_##suffix(type hue, type low, type high, type *rgb)                           \
    {                                                                                              \
        const type corner = hue * 6;                                                               \
        const type parts[3] = { clip_##suffix(fabs(corner - 3) - 1),                               \
                                clip_##suffix(2 - fabs(corner - 2)),                               \
                                clip_##suffix(2 - fabs(corner - 4)) };                             \
        for (int i = 0; i < 3; i++)                                                                \
            rgb[i] = low + (high - low) * parts[i];                                                \
    }                                                                                              \
    static void hsv_of_rgb_##suffix(const type *in, type amount, type *out)                        \
    {                                                                                              \
        (void)amount;                                                                              \
        to_hsv_##suffix(in, out);                                                                  \
    }                                                                                              \
    static void rgb_of_hsv_##suffix(const type *in, type amount, type *out)                        \
    {                                                                                              \
        (void)amount;                                                                              \
        paint_##suffix(in[0], (1 - in[1]) * in[2], in[2], out);                                    \
    }                                                                                              \
    static void hue_##suffix(const type *in, type delta, type *out)                                \
    {                                                                                              \
        const type low = fmin(in[0], fmin(in[1], in[2]));                                          \
        type hsv[3];                                                                               \
        to_hsv_##suffix(in, hsv);                                                                  \
        hsv[0] += delta;                                                                           \
        paint_##suffix(hsv[0] - floor(hsv[0]), low, hsv[2], out);                                  \
    }                                                                                              \
    static void saturation_##suffix(const type *in, type scale, type *out)                         \
    {                                                                                              \
        type hsv[3];                                                                               \
        to_hsv_##suffix(in, hsv);                                                                  \
        paint_##suffix(hsv[0], (1 - clip_##suffix(hsv[1] * scale)) * hsv[2], hsv[2], out);         \
    }                                                                                              \
    static void pixels_##suffix(ColorChange change, int64_t n, const void *ins, float amount,      \
                                void *outs)                                                        \
    {                                                                                              \
        static void (*const changes[])(const type *, type,                                         \
                                       type *) = { hsv_of_rgb_##suffix, rgb_of_hsv_##suffix,       \
                                                   hue_##suffix, saturation_##suffix };            \
        const type *in = ins;                                                                      \
        type *out = outs;                                                                          \
        for (int64_t i = 0; i < n; i++)                                                            \
            changes[change](in + 3 * i, (type)amount, out + 3 * i);                                \
    }                                                                                              \
    /* Each channel of each image: away from its mean, or toward it. */                            \
    static void contrast_##suffix(int64_t pixels, int64_t channels, const void *ins, float factor, \
                                  void *outs)                                                      \
    {                                                                                              \
        const type *in = ins;                                                                      \
        type *out = outs;                                                                          \
        for (int64_t c = 0; c < channels; c++) {                                                   \
            double mean = 0;                                                                       \
            for (int64_t i = c; i < pixels * channels; i += channels)                              \
                mean += (double)in[i];                                                             \
            const type m = (type)(mean / (double)pixels);                                          \
            for (int64_t i = c; i < pixels * channels; i += channels)                              \
                out[i] = (in[i] - m) * (type)factor + m;                                           \
        }                                                                                          \
    }

typedef enum ColorChange { RGB_TO_HSV, HSV_TO_RGB, CHANGE_HUE, CHANGE_SATURATION } ColorChange;

FOR_EACH_FLOAT(PIXEL)

Error *color_prepare(OpPrepare *prepare)
{
    DType dtype = prepare->input_dtypes[0];
    if (dtype != DT_FLOAT && dtype != DT_DOUBLE)
        return op_unsupported_type(prepare, dtype);
    return NULL;
}

/* Input 1, where there is one. */
static Error *read_amount(const OpContext *c, const char *name, float *ret)
{
    char text[SHAPE_TEXT_BYTES];
    const Tensor *t = op_input(c, 1);
    if (t->shape.rank != 0)
        return error_new(ERROR_INVALID_ARGUMENT, "%s must be scalar: %s", name,
                         shape_text(&t->shape, text));
    *ret = *(const float *)t->data;
    return NULL;
}

static Error *check_rank(const Shape *shape, int least)
{
    char text[SHAPE_TEXT_BYTES];
    if (shape->rank >= least)
        return NULL;
    return error_new(ERROR_INVALID_ARGUMENT, "input must be at least %d-D, got shape%s", least,
                     shape_text(shape, text));
}

static Error *run(OpContext *c, ColorChange change, int least_rank, const char *amount_name)
{
    const Tensor *in = op_input(c, 0);
    Tensor *out = NULL;
    float amount = 0;
    TRY(check_rank(&in->shape, least_rank));
    if (amount_name != NULL)
        TRY(read_amount(c, amount_name, &amount));
    int64_t channels = in->shape.dims[in->shape.rank - 1];
    if (channels != 3)
        return error_new(amount_name == NULL ? ERROR_FAILED_PRECONDITION : ERROR_INVALID_ARGUMENT,
                         "input must have 3 channels but instead has %lld channels.",
                         (long long)channels);
    TRY(op_output(c, 0, in->dtype, &in->shape, &out));
    if (in->dtype == DT_FLOAT)
        pixels_f32(change, in->n / 3, in->data, amount, out->data);
    else
        pixels_f64(change, in->n / 3, in->data, amount, out->data);
    return NULL;
}

Error *rgb_to_hsv_run(OpContext *c)
{
    return run(c, RGB_TO_HSV, 1, NULL);
}

Error *hsv_to_rgb_run(OpContext *c)
{
    return run(c, HSV_TO_RGB, 1, NULL);
}

Error *adjust_hue_run(OpContext *c)
{
    return run(c, CHANGE_HUE, 3, "delta");
}

Error *adjust_saturation_run(OpContext *c)
{
    return run(c, CHANGE_SATURATION, 3, "scale");
}

Error *adjust_contrast_run(OpContext *c)
{
    const Tensor *in = op_input(c, 0);
    Tensor *out = NULL;
    float factor = 0;
    TRY(check_rank(&in->shape, 3));
    TRY(read_amount(c, "contrast_factor", &factor));
    TRY(op_output(c, 0, in->dtype, &in->shape, &out));
    if (in->n == 0)
        return NULL;
    const int64_t *last = &in->shape.dims[in->shape.rank - 3];
    int64_t pixels = last[0] * last[1], n = pixels * last[2];
    size_t bytes = (size_t)n * dtype_size(in->dtype);
    for (size_t at = 0; at < tensor_bytes(in); at += bytes) {
        if (in->dtype == DT_FLOAT)
            contrast_f32(pixels, last[2], (const char *)in->data + at, factor,
                         (char *)out->data + at);
        else
            contrast_f64(pixels, last[2], (const char *)in->data + at, factor,
                         (char *)out->data + at);
    }
    return NULL;
}
