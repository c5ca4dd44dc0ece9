/* SPDX-License-Identifier: Apache-2.0
 *
 * ReLU + max-pool of one NHWC image. The route is a byte per output, so the backward pass needs
 * neither the input nor the output of the forward one.
 */
#include "train/layer_pool.h"

#include <stdbool.h>
#include <string.h>

#include "train/conv_kernel.h"

void pool_forward(const float *z, int size, float *out, size_t out_row, uint8_t *route)
{
    const size_t half = (size_t)size / 2, row = (size_t)size * CONV_FILTERS;
    for (size_t y = 0; y < half; y++) {
        for (size_t x = 0; x < half; x++) {
            const float *above = z + 2 * y * row + 2 * x * CONV_FILTERS;
            const float *below = above + row;
            float *to = out + y * out_row + x * CONV_FILTERS;
            for (size_t c = 0; c < CONV_FILTERS; c++) {
                float best = 0.0f;
                uint8_t from = POOL_NOWHERE;
                const float window[4] = { above[c], above[c + CONV_FILTERS], below[c],
                                          below[c + CONV_FILTERS] };
                for (uint8_t k = 0; k < 4; k++) {
                    bool more = !(window[k] <= best); /* what is no number goes through */
                    from = more ? k : from;
                    best = more ? window[k] : best;
                }
                to[c] = best;
                route[c] = from;
            }
            route += CONV_FILTERS;
        }
    }
}

void pool_backward(const float *d_out, const uint8_t *route, int size, float *d_z)
{
    const size_t half = (size_t)size / 2, row = (size_t)size * CONV_FILTERS;
    /* Where each route leads from the window's first element; nowhere stores its zero there. */
    const size_t offsets[POOL_NOWHERE + 1] = { 0, CONV_FILTERS, row, row + CONV_FILTERS, 0 };
    memset(d_z, 0, (size_t)size * row * sizeof(float));
    for (size_t y = 0; y < half; y++) {
        for (size_t x = 0; x < half; x++) {
            float *window = d_z + 2 * y * row + 2 * x * CONV_FILTERS;
            for (size_t c = 0; c < CONV_FILTERS; c++)
                window[c + offsets[route[c]]] = route[c] == POOL_NOWHERE ? 0.0f : d_out[c];
            d_out += CONV_FILTERS;
            route += CONV_FILTERS;
        }
    }
}
