/* SPDX-License-Identifier: Apache-2.0
 *
 * PNG to samples: the door to libpng for models. (The client has a door of its own, client/picture.c:
 * it wants grey and alpha, and may call malloc.)
 */
#ifndef DIGIT_OP_PNG_DECODE_H
#define DIGIT_OP_PNG_DECODE_H

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/error.h"

#define PNG_DECODE_MAX_BYTES ((size_t)256 << 20) /* of samples: a small file can be huge inside */

typedef struct PngDecoder PngDecoder;

typedef struct PngLayout {
    int64_t height, width;
    int channels;
    bool is_16_bit;
} PngLayout;

/* Reads the header. channels: 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA, 0 as in the file. All memory
 * that libpng asks for is taken from `arena`; `bytes` are borrowed until png_decode. INVALID_ARGUMENT
 * when it is no PNG, or one with more samples than the limit. */
Error *png_decoder_new(Arena *arena, Bytes bytes, int channels, bool is_16_bit,
                       PngDecoder **ret_decoder) _warn_unused_result_;

PngLayout png_decoder_layout(const PngDecoder *decoder);

/* Writes height * width * channels samples of 8 or 16 bits, in the machine's order. May be called
 * once. INVALID_ARGUMENT when the file is damaged or cut off. */
Error *png_decode(PngDecoder *decoder, void *samples) _warn_unused_result_;

#endif
