/* SPDX-License-Identifier: Apache-2.0
 *
 * DecodePng and DecodeImage: a scalar of encoded bytes to pixels [height, width, channels]. Of the
 * formats that TensorFlow decodes, PNG is here; the others are named in the error.
 */
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
    { "BMP", "BM", 2 },
    { "WebP", "RIFF", 4 },
};

static const Magic png = { "PNG", "\x89PNG\r\n\x1a\n", 8 };

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
    if (kernel->dtype != DT_UINT8 && kernel->dtype != DT_UINT16)
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

static Error *check_format(Bytes bytes)
{
    if (has_magic(bytes, &png))
        return NULL;
    for (size_t i = 0; i < ARRAY_SIZE(other_formats); i++) {
        if (has_magic(bytes, &other_formats[i]))
            return error_new(ERROR_UNIMPLEMENTED, "the image is a %s; only PNG is decoded",
                             other_formats[i].format);
    }
    return error_new(ERROR_INVALID_ARGUMENT,
                     "Unknown image file format. One of JPEG, PNG, GIF, BMP required.");
}

Error *decode_image_run(OpContext *c)
{
    const DecodeKernel *kernel = c->kernel;
    const Tensor *contents = op_input(c, 0);
    char text[SHAPE_TEXT_BYTES];
    if (contents->shape.rank != 0)
        return error_new(ERROR_INVALID_ARGUMENT, "`contents` must be scalar but got shape%s",
                         shape_text(&contents->shape, text));
    Bytes bytes = *(const Bytes *)contents->data;
    TRY(check_format(bytes));
    PngDecoder *decoder = NULL;
    TRY(png_decoder_new(c->arena, bytes, kernel->channels, kernel->dtype == DT_UINT16, &decoder));
    PngLayout layout = png_decoder_layout(decoder);
    Tensor *output = NULL;
    TRY(op_output(c, 0, kernel->dtype, &shape_of(layout.height, layout.width, layout.channels),
                  &output));
    return png_decode(decoder, output->data);
}
