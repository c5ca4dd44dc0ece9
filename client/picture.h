/* SPDX-License-Identifier: Apache-2.0
 *
 * Picture: a decoded PNG. The one door to libpng.
 */
#ifndef DIGIT_CLIENT_PICTURE_H
#define DIGIT_CLIENT_PICTURE_H

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/error.h"

/* The sizes of a picture that is decoded; bigger ones are refused before memory is taken. */
#define PICTURE_MAX_SIDE 16384
#define PICTURE_MAX_PIXELS (32 << 20)

typedef struct Picture {
    size_t width, height;
    uint8_t *pixels; /* [height,width,2]: grey and alpha, 8 bits each, of whatever the PNG has */
} Picture;

/* Decodes the bytes of a PNG into `arena`. INVALID_ARGUMENT when they are none or damaged,
 * RESOURCE_EXHAUSTED when the picture is too big. */
Error *picture_decode(Arena *arena, Bytes png, Picture *ret_picture) _warn_unused_result_;

#endif
