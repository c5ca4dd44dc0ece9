/* SPDX-License-Identifier: Apache-2.0
 *
 * DecodeImage, DecodePng, DecodeJpeg and DecodeBmp: a scalar of encoded bytes to pixels
 * [height, width, channels]. As in TensorFlow, the contents say the format, not the op's name (but for
 * DecodeBmp). PNG and BMP are decoded; JPEG, GIF and WebP are named in the error. Any thread.
 */
#include <string.h>

#include "model/op/bmp_decode.h"
#include "model/op/kernels.h"
#include "model/op/png_decode.h"

typedef struct DecodeKernel {
    int channels;
    DType dtype;
} DecodeKernel;

typedef struct Magic {
    const char *format;
    const char *bytes;
    size_t size;
} Magic;

static const Magic other_formats[] = {
    { "JPEG", "\xff\xd8\xff", 3 },
    { "GIF", "GIF8", 4 },
    { "WebP", "RIFF", 4 },
};

static const Magic png = { "PNG", "\x89PNG\r\n\x1a\n", 8 };
static const Magic bmp_magic = { "BMP", "BM", 2 };

Error *decode_image_prepare(OpPrepare *prepare)
{
    DecodeKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    int64_t channels = 0;
    TRY(attrs_int_or(prepare->attrs, "channels", 0, &channels));
    TRY(attrs_type_or(prepare->attrs, "dtype", DT_UINT8, &kernel->dtype));
    if (channels != 0 && channels != 1 && channels != 3 && channels != 4)
        return error_new(ERROR_INVALID_ARGUMENT, "`channels` must be 0, 1, 3 or 4 but got %lld",
                         (long long)channels);
    bool is_float = kernel->dtype == DT_FLOAT && strcmp(prepare->op->name, "DecodeImage") == 0;
    if (kernel->dtype != DT_UINT8 && kernel->dtype != DT_UINT16 && !is_float)
        return error_new(ERROR_UNIMPLEMENTED, "%s gives uint8 or uint16, not %s", prepare->op->name,
                         dtype_name(kernel->dtype));
    kernel->channels = (int)channels;
    prepare->kernel = kernel;
    return NULL;
}

static bool has_magic(Bytes bytes, const Magic *magic)
{
    return bytes.size >= magic->size && memcmp(bytes.data, magic->bytes, magic->size) == 0;
}

static Error *unknown_format(Bytes bytes)
{
    for (size_t i = 0; i < ARRAY_SIZE(other_formats); i++) {
        if (has_magic(bytes, &other_formats[i]))
            return error_new(ERROR_UNIMPLEMENTED, "the image is a %s; only PNG and BMP are decoded",
                             other_formats[i].format);
    }
    return error_new(ERROR_INVALID_ARGUMENT,
                     "Unknown image file format. One of JPEG, PNG, GIF, BMP required.");
}

/* DecodeImage as float is what tf.image.convert_image_dtype makes: the largest sample is 1. */
static void scale(const void *samples, int bits, Tensor *out)
{
    float *to = out->data;
    for (int64_t i = 0; i < out->n; i++)
        to[i] = bits == 8 ? (float)((const uint8_t *)samples)[i] * (1 / 255.0F)
                          : (float)((const uint16_t *)samples)[i] * (1 / 65535.0F);
}

static Error *decode_png(OpContext *c, Bytes bytes)
{
    const DecodeKernel *kernel = c->kernel;
    PngDecoder *decoder = NULL;
    TRY(png_decoder_new(c->arena, bytes, kernel->channels, kernel->dtype != DT_UINT8, &decoder));
    PngLayout layout = png_decoder_layout(decoder);
    Tensor *output = NULL;
    TRY(op_output(c, 0, kernel->dtype, &shape_of(layout.height, layout.width, layout.channels),
                  &output));
    if (kernel->dtype != DT_FLOAT)
        return png_decode(decoder, output->data);
    uint16_t *samples = op_scratch(c, (size_t)output->n * sizeof(*samples));
    if (samples == NULL)
        return error_out_of_memory();
    TRY(png_decode(decoder, samples));
    scale(samples, 16, output);
    return NULL;
}

static Error *decode_bmp(OpContext *c, Bytes bytes)
{
    const DecodeKernel *kernel = c->kernel;
    Bmp bmp;
    Tensor *output = NULL;
    if (kernel->channels == 1)
        return error_new(ERROR_INVALID_ARGUMENT, "`channels` must be 0, 3 or 4 for BMP, but got 1");
    TRY(bmp_open(bytes, kernel->channels, &bmp));
    TRY(op_output(c, 0, kernel->dtype, &shape_of(bmp.height, bmp.width, bmp.channels), &output));
    if (kernel->dtype == DT_UINT8) {
        bmp_read(&bmp, output->data);
        return NULL;
    }
    uint8_t *samples = op_scratch(c, (size_t)output->n);
    if (samples == NULL)
        return error_out_of_memory();
    bmp_read(&bmp, samples);
    if (kernel->dtype == DT_FLOAT)
        scale(samples, 8, output);
    for (int64_t i = 0; kernel->dtype == DT_UINT16 && i < output->n; i++)
        ((uint16_t *)output->data)[i] = (uint16_t)(samples[i] << 8);
    return NULL;
}

Error *decode_image_run(OpContext *c)
{
    const Tensor *contents = op_input(c, 0);
    char text[SHAPE_TEXT_BYTES];
    if (contents->shape.rank != 0)
        return error_new(ERROR_INVALID_ARGUMENT, "`contents` must be scalar but got shape%s",
                         shape_text(&contents->shape, text));
    Bytes bytes = *(const Bytes *)contents->data;
    if (has_magic(bytes, &bmp_magic))
        return decode_bmp(c, bytes);
    if (has_magic(bytes, &png))
        return decode_png(c, bytes);
    return unknown_format(bytes);
}
