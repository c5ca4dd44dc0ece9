/* SPDX-License-Identifier: Apache-2.0
 *
 * Picture: libpng reads from memory and converts; what a stranger's file could make it do is looked
 * at before: the size of the picture and the lengths of the chunks.
 *
 *   PNG    8 bytes of signature, then chunks, the first of which is IHDR, the last IEND
 *   chunk  length (4 bytes, big-endian), type (4), so many bytes, CRC-32 of type and bytes (4)
 *   IHDR   width (4), height (4), bit depth, colour type, compression, filter, interlacing (1 each)
 *
 * W3C, "Portable Network Graphics (PNG) Specification", third edition.
 */
#include "client/picture.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#define PNG_HEAD_BYTES 33 /* the signature and IHDR */
#define CHUNK_MAX_BYTES (8 << 20)
#define CHUNKS_MAX 1000

/* What libpng's callbacks work on. */
typedef struct Decoder {
    Bytes rest;     /* bytes not yet read */
    char text[128]; /* what is wrong */
} Decoder;

static void on_png_error(png_structp png, png_const_charp text)
{
    Decoder *decoder = png_get_error_ptr(png);
    snprintf(decoder->text, sizeof(decoder->text), "%s", text);
    png_longjmp(png, 1);
}

static void on_png_warning(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static void read_png_bytes(png_structp png, png_bytep to, size_t bytes)
{
    Decoder *decoder = png_get_io_ptr(png);
    if (bytes > decoder->rest.size)
        png_error(png, "it ends too early");
    memcpy(to, decoder->rest.data, bytes);
    decoder->rest.data += bytes;
    decoder->rest.size -= bytes;
}

/* Called under setjmp: every failure leaves by png_error. Everything becomes grey and alpha of 8
 * bits each: what the memory at `pixels` is for. */
static void read_picture(png_structp png, png_infop info, const Picture *picture)
{
    png_read_info(png, info);
    png_set_scale_16(png);
    png_set_expand(png); /* palette to RGB, fewer bits to 8, a transparent colour to alpha */
    png_set_rgb_to_gray_fixed(png, PNG_ERROR_ACTION_NONE, PNG_RGB_TO_GRAY_DEFAULT,
                              PNG_RGB_TO_GRAY_DEFAULT);
    png_set_add_alpha(png, 0xff, PNG_FILLER_AFTER);
    int n_passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);

    size_t row_bytes = 2 * picture->width;
    if (png_get_rowbytes(png, info) != row_bytes ||
        png_get_image_height(png, info) != picture->height)
        png_error(png, "its pixels cannot be converted to grey");
    for (int pass = 0; pass < n_passes; pass++)
        for (size_t y = 0; y < picture->height; y++)
            png_read_row(png, picture->pixels + y * row_bytes, NULL);
    png_read_end(png, NULL);
}

/* Each chunk says how long it is, and libpng believes it when it allocates. */
static Error *check_chunks(Bytes png)
{
    for (size_t at = 8; at < png.size;) {
        const uint8_t *chunk = png.data + at; /* length, type, data, checksum */
        size_t left = png.size - at;
        size_t size = left >= 12 ? png_get_uint_32(chunk) : left;
        if (left < 12 || size > left - 12)
            return error_new(ERROR_INVALID_ARGUMENT, "it is a damaged PNG file: it is cut off");
        if (memcmp(chunk + 4, "IEND", 4) == 0)
            break;
        at += 12 + size;
    }
    return NULL;
}

/* Width and height, from the first chunk, before anything is allocated for them. */
static Error *read_size(Bytes png, Picture *picture)
{
    const uint8_t *data = png.data;
    if (png.size < 8 || png_sig_cmp(data, 0, 8) != 0)
        return error_new(ERROR_INVALID_ARGUMENT, "it is not a PNG file");
    if (png.size < PNG_HEAD_BYTES || memcmp(data + 12, "IHDR", 4) != 0)
        return error_new(ERROR_INVALID_ARGUMENT, "it is a damaged PNG file: it has no header");
    size_t width = png_get_uint_32(data + 16), height = png_get_uint_32(data + 20);
    if (width == 0 || height == 0)
        return error_new(ERROR_INVALID_ARGUMENT, "it is a damaged PNG file: it has no pixels");
    if (width > PICTURE_MAX_SIDE || height > PICTURE_MAX_SIDE ||
        width * height > PICTURE_MAX_PIXELS)
        return error_new(ERROR_RESOURCE_EXHAUSTED,
                         "its %zu x %zu pixels are too many; at most %d are read, %d a side", width,
                         height, PICTURE_MAX_PIXELS, PICTURE_MAX_SIDE);
    picture->width = width;
    picture->height = height;
    return NULL;
}

Error *picture_decode(Arena *arena, Bytes bytes, Picture *ret_picture)
{
    Picture picture;
    TRY(read_size(bytes, &picture));
    TRY(check_chunks(bytes));
    picture.pixels = arena_calloc(arena, picture.width * picture.height, 2);
    if (picture.pixels == NULL)
        return error_out_of_memory();

    Decoder decoder = { .rest = bytes };
    png_structp png =
        png_create_read_struct(PNG_LIBPNG_VER_STRING, &decoder, on_png_error, on_png_warning);
    png_infop info = png != NULL ? png_create_info_struct(png) : NULL;
    if (info == NULL) {
        png_destroy_read_struct(&png, NULL, NULL);
        return error_out_of_memory();
    }
    png_set_user_limits(png, PICTURE_MAX_SIDE, PICTURE_MAX_SIDE);
    png_set_chunk_malloc_max(png, CHUNK_MAX_BYTES);
    png_set_chunk_cache_max(png, CHUNKS_MAX);
    png_set_read_fn(png, &decoder, read_png_bytes);
    volatile bool is_read = false;
    if (setjmp(png_jmpbuf(png)) == 0) {
        read_picture(png, info, &picture);
        is_read = true;
    }
    png_destroy_read_struct(&png, &info, NULL);
    if (!is_read)
        return error_new(ERROR_INVALID_ARGUMENT, "it is a damaged PNG file: %s", decoder.text);
    *ret_picture = picture;
    return NULL;
}
