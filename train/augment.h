/* SPDX-License-Identifier: Apache-2.0
 *
 * Augmentation: a small random affine warp of a digit, so that the network learns the shapes that
 * pens make and not only those in the set: turned by up to 12 degrees, slanted by up to 0.15,
 * scaled by 0.85 to 1.15 in each direction, moved by up to 2 pixels.
 */
#ifndef DIGIT_TRAIN_AUGMENT_H
#define DIGIT_TRAIN_AUGMENT_H

#include <stdint.h>

#include "train/rng.h"

/* Pixel (x, y) of the result, counted from the centre of the image, comes from
 * (xx x + xy y + dx, yx x + yy y + dy) of the original. */
typedef struct Warp {
    float xx, xy, dx;
    float yx, yy, dy;
} Warp;

Warp warp_random(Rng *rng);

/* image [28,28] in 0..1 = pixels [28,28] grey under the warp, bilinear; zero from outside. */
void warp_image(const Warp *warp, const uint8_t *pixels, float *image);

#endif
