/* SPDX-License-Identifier: Apache-2.0
 *
 * Affine warps by looking back from each pixel of the result, with bilinear interpolation.
 */
#include "train/augment.h"

#include <math.h>

#include "train/net.h"

#define MAX_TURN 0.21f /* radians: 12 degrees */
#define MAX_SLANT 0.15f
#define MAX_SCALE 0.15f
#define MAX_SHIFT 2.0f /* pixels */

Warp warp_random(Rng *rng)
{
    float turn = rng_between(rng, -MAX_TURN, MAX_TURN);
    float slant = rng_between(rng, -MAX_SLANT, MAX_SLANT);
    float scale_x = rng_between(rng, 1.0f - MAX_SCALE, 1.0f + MAX_SCALE);
    float scale_y = rng_between(rng, 1.0f - MAX_SCALE, 1.0f + MAX_SCALE);
    float c = cosf(turn), s = sinf(turn);
    /* rotation * slant * scale */
    Warp warp = { .xx = c * scale_x,
                  .xy = (c * slant - s) * scale_y,
                  .yx = s * scale_x,
                  .yy = (s * slant + c) * scale_y };
    warp.dx = rng_between(rng, -MAX_SHIFT, MAX_SHIFT);
    warp.dy = rng_between(rng, -MAX_SHIFT, MAX_SHIFT);
    return warp;
}

static float pixel_at(const uint8_t *pixels, int x, int y)
{
    bool inside = x >= 0 && x < NET_SIZE && y >= 0 && y < NET_SIZE;
    return inside ? (float)pixels[y * NET_SIZE + x] * (1.0f / 255.0f) : 0.0f;
}

void warp_image(const Warp *warp, const uint8_t *pixels, float *image)
{
    const float centre = (NET_SIZE - 1) / 2.0f;
    for (int y = 0; y < NET_SIZE; y++) {
        for (int x = 0; x < NET_SIZE; x++) {
            float u = (float)x - centre, v = (float)y - centre;
            float from_x = warp->xx * u + warp->xy * v + warp->dx + centre;
            float from_y = warp->yx * u + warp->yy * v + warp->dy + centre;
            float floor_x = floorf(from_x), floor_y = floorf(from_y);
            float a = from_x - floor_x, b = from_y - floor_y;
            int i = (int)floor_x, j = (int)floor_y;
            float above = pixel_at(pixels, i, j) * (1 - a) + pixel_at(pixels, i + 1, j) * a;
            float below = pixel_at(pixels, i, j + 1) * (1 - a) + pixel_at(pixels, i + 1, j + 1) * a;
            image[y * NET_SIZE + x] = above * (1 - b) + below * b;
        }
    }
}
