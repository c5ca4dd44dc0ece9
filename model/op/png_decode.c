/* SPDX-License-Identifier: Apache-2.0
 *
 * PNG to samples; see png_decode.h. The conversions are those that TensorFlow asks of libpng
 * (core/lib/png/png_io.cc), in the same order, so the samples are the same.
 *
 * libpng reports errors by longjmp: between setjmp and the last call of libpng no variable changes
 * that is read after the jump.
 */
#include "model/op/png_decode.h"

#include <setjmp.h>
#include <stdbool.h>

#include <png.h>

#define MAX_SIDE (1 << 24)
#define MESSAGE_BYTES 120

struct PngDecoder {
    Arena *arena;
    png_structp png;
    png_infop info;
    Bytes rest; /* of the file */
    PngLayout layout;
    bool widens; /* 8-bit samples of the file become 16-bit ones */
    char message[MESSAGE_BYTES];
};

/* ---- what libpng calls --------------------------------------------------------------------- */

static png_voidp allocate(png_structp png, png_alloc_size_t bytes)
{
    return arena_alloc(png_get_mem_ptr(png), bytes);
}

static void forget(_unused_ png_structp png, _unused_ png_voidp memory)
{
}

__attribute__((noreturn)) static void on_error(png_structp png, png_const_charp message)
{
    PngDecoder *decoder = png_get_error_ptr(png);
    snprintf(decoder->message, MESSAGE_BYTES, "%s", message);
    png_longjmp(png, 1);
}

static void on_warning(_unused_ png_structp png, _unused_ png_const_charp message)
{
}

static void read_bytes(png_structp png, png_bytep to, size_t n)
{
    PngDecoder *decoder = png_get_io_ptr(png);
    if (n > decoder->rest.size)
        png_error(png, "the file is cut off");
    memcpy(to, decoder->rest.data, n);
    decoder->rest = (Bytes){ decoder->rest.data + n, decoder->rest.size - n };
}

/* ---- header -------------------------------------------------------------------------------- */

static int own_channels(const PngDecoder *decoder, int color_type)
{
    if (color_type != PNG_COLOR_TYPE_PALETTE)
        return png_get_channels(decoder->png, decoder->info);
    return png_get_valid(decoder->png, decoder->info, PNG_INFO_tRNS) != 0 ? 4 : 3;
}

/* Asks libpng for the wanted channels and depth. */
static void set_conversions(PngDecoder *decoder, int color_type, int depth)
{
    png_structp png = decoder->png;
    bool is_grey = (color_type & PNG_COLOR_MASK_COLOR) == 0;
    bool has_alpha = (color_type & PNG_COLOR_MASK_ALPHA) != 0;
    bool has_transparency = png_get_valid(png, decoder->info, PNG_INFO_tRNS) != 0;
    int channels = decoder->layout.channels;
    if (channels % 2 == 0) { /* alpha is wanted */
        if (has_transparency)
            png_set_tRNS_to_alpha(png);
        else if (!has_alpha)
            png_set_add_alpha(png, (1u << depth) - 1, PNG_FILLER_AFTER);
    } else {
        png_set_strip_alpha(png);
    }
    if (!decoder->layout.is_16_bit && depth > 8)
        png_set_strip_16(png);
    png_set_packing(png);
    if (color_type == PNG_COLOR_TYPE_PALETTE)
        png_set_palette_to_rgb(png);
    if (is_grey && depth < 8)
        png_set_expand_gray_1_2_4_to_8(png);
    if (channels < 3 && !is_grey)
        png_set_rgb_to_gray(png, PNG_ERROR_ACTION_NONE, 0.299, 0.587);
    else if (channels >= 3 && is_grey)
        png_set_gray_to_rgb(png);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (decoder->layout.is_16_bit && depth > 8)
        png_set_swap(png);
#endif
    decoder->widens = decoder->layout.is_16_bit && depth <= 8;
    png_set_interlace_handling(png);
    png_read_update_info(png, decoder->info);
}

/* False after an error of libpng's. */
static bool read_header(PngDecoder *decoder)
{
    png_uint_32 width = 0, height = 0;
    int depth = 0, color_type = 0;
    if (setjmp(png_jmpbuf(decoder->png)) != 0)
        return false;
    png_set_user_limits(decoder->png, MAX_SIDE, MAX_SIDE);
    png_set_chunk_malloc_max(decoder->png, 1 << 20);
    png_set_chunk_cache_max(decoder->png, 128);
    png_set_read_fn(decoder->png, decoder, read_bytes);
    png_read_info(decoder->png, decoder->info);
    png_get_IHDR(decoder->png, decoder->info, &width, &height, &depth, &color_type, NULL, NULL,
                 NULL);
    if (decoder->layout.channels == 0)
        decoder->layout.channels = own_channels(decoder, color_type);
    decoder->layout.width = (int64_t)width;
    decoder->layout.height = (int64_t)height;
    uint64_t sample = decoder->layout.is_16_bit ? 2 : 1;
    if ((uint64_t)width * height * (uint64_t)decoder->layout.channels * sample >
        PNG_DECODE_MAX_BYTES)
        png_error(decoder->png, "the image has more samples than the limit of 256 MiB");
    set_conversions(decoder, color_type, depth);
    return true;
}

static Error *bad_png(const PngDecoder *decoder)
{
    return error_new(ERROR_INVALID_ARGUMENT, "Invalid PNG: %s", decoder->message);
}

Error *png_decoder_new(Arena *arena, Bytes bytes, int channels, bool is_16_bit,
                       PngDecoder **ret_decoder)
{
    PngDecoder *decoder = arena_calloc(arena, 1, sizeof(*decoder));
    if (decoder == NULL)
        return error_out_of_memory();
    *decoder = (PngDecoder){ .arena = arena,
                             .rest = bytes,
                             .layout = { .channels = channels, .is_16_bit = is_16_bit } };
    decoder->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, decoder, on_error, on_warning,
                                            arena, allocate, forget);
    if (decoder->png != NULL)
        decoder->info = png_create_info_struct(decoder->png);
    if (decoder->info == NULL)
        return error_out_of_memory();
    if (!read_header(decoder))
        return bad_png(decoder);
    *ret_decoder = decoder;
    return NULL;
}

PngLayout png_decoder_layout(const PngDecoder *decoder)
{
    return decoder->layout;
}

/* ---- samples ------------------------------------------------------------------------------- */

static bool read_rows(PngDecoder *decoder, png_bytep *rows)
{
    if (setjmp(png_jmpbuf(decoder->png)) != 0)
        return false;
    png_read_image(decoder->png, rows);
    return true;
}

/* 8-bit samples at the front of the memory to 16-bit ones: v becomes v * 257. From the last one on,
 * so that none is overwritten before it is read. */
static void widen(uint8_t *samples, size_t n)
{
    for (size_t i = n; i-- > 0;) {
        uint16_t wide = (uint16_t)(samples[i] * 257u);
        memcpy(samples + 2 * i, &wide, 2);
    }
}

Error *png_decode(PngDecoder *decoder, void *samples)
{
    const PngLayout *layout = &decoder->layout;
    size_t row_samples = (size_t)layout->width * (size_t)layout->channels;
    size_t row_bytes = row_samples * (layout->is_16_bit && !decoder->widens ? 2 : 1);
    size_t height = (size_t)layout->height;
    if (png_get_rowbytes(decoder->png, decoder->info) != row_bytes)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Invalid PNG: its rows have %zu bytes, but %zu were expected",
                         (size_t)png_get_rowbytes(decoder->png, decoder->info), row_bytes);
    png_bytep *rows = arena_calloc(decoder->arena, height, sizeof(*rows));
    if (rows == NULL)
        return error_out_of_memory();
    for (size_t y = 0; y < height; y++)
        rows[y] = (png_bytep)samples + y * row_bytes;
    if (!read_rows(decoder, rows))
        return bad_png(decoder);
    if (decoder->widens)
        widen(samples, row_samples * height);
    return NULL;
}
