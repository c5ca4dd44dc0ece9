/* SPDX-License-Identifier: Apache-2.0
 *
 * BMP to samples: uncompressed pictures of 8, 24 or 32 bits a pixel, as TensorFlow reads them (8 bits
 * are grey, whatever the palette says).
 */
#ifndef DIGIT_OP_BMP_DECODE_H
#define DIGIT_OP_BMP_DECODE_H

#include "model/base/bytes.h"
#include "model/base/error.h"

typedef struct Bmp {
    int64_t height, width;
    int channels;
    bool is_top_down;
    const uint8_t *rows; /* borrowed from the file's bytes; the first stored row */
    size_t row_bytes;    /* from one stored row to the next */
} Bmp;

/* Reads the header. channels: 1, 3 or 4, or 0 for what the file has. INVALID_ARGUMENT when the file is
 * no such picture, is cut off, or has another number of channels. */
Error *bmp_open(Bytes bytes, int channels, Bmp *ret_bmp) _warn_unused_result_;

/* Writes height * width * channels samples of 8 bits. */
void bmp_read(const Bmp *bmp, uint8_t *samples);

#endif
