/* SPDX-License-Identifier: Apache-2.0
 *
 * Image: a PNG as the network wants to see it, 28 x 28, light digit on black, 0..1, as the pictures
 * of MNIST were made.
 */
#ifndef DIGIT_CLIENT_IMAGE_H
#define DIGIT_CLIENT_IMAGE_H

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/error.h"

#define IMAGE_SIDE 28
#define IMAGE_PIXELS (IMAGE_SIDE * IMAGE_SIDE)

/* Reads the PNG file `path` into `pixels` [28,28]. INVALID_ARGUMENT when it is no PNG, is damaged,
 * or shows nothing; RESOURCE_EXHAUSTED when it is too big; errors of file_read. */
Error *image_read(const char *path, float pixels[IMAGE_PIXELS]) _warn_unused_result_;

/* The same from a PNG's bytes. Errors do not name the file. */
Error *image_decode(Bytes png, float pixels[IMAGE_PIXELS]) _warn_unused_result_;

#endif
