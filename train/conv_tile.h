/* SPDX-License-Identifier: Apache-2.0
 *
 * The two inner loops of the convolution, written once and included by conv_kernel.c for each
 * instruction set. No include guard: each inclusion makes functions of other names.
 *
 *   TILE(name)      the function's name for this instruction set
 *   TILE_TARGET     the target attribute, or nothing
 *   TILE_LANES      floats in a vector
 *   TILE_VECTORS    vectors of filters that a tile holds in registers
 *   TILE_TAPS       weights (ky, kx, c) of which tile_weights sums the gradient at once
 *
 * A convolution of a padded image is CONV_KERNEL matrix products whose left rows overlap: pixel x
 * of row ky sees the CONV_KERNEL * c floats that begin at (y + ky) * row + x * c, and the weights
 * of row ky are a [CONV_KERNEL * c, CONV_FILTERS] matrix as they lie. So nothing is copied (no
 * im2col); the accumulators stay in registers over the whole depth.
 */

typedef float TILE(Vector) __attribute__((vector_size(TILE_LANES * 4), aligned(4), may_alias));

#define TILE_FILTERS (TILE_LANES * TILE_VECTORS)

/* out[p][f] = sum over ky, j of x[ky * x_row + p * c + j] * weights[ky][j][f], for `pixels` pixels
 * and TILE_FILTERS filters. `pixels` and `c` are constants where it is called: a tile then needs
 * one pointer and fixed offsets in place of a pointer for each pixel, which is twice as fast. */
static inline __attribute__((always_inline)) TILE_TARGET void
TILE(tile_forward)(const float *x, size_t x_row, const float *weights, float *out, const int pixels,
                   const size_t c)
{
    TILE(Vector) sum[14][TILE_VECTORS];
#pragma GCC unroll 14
    for (int p = 0; p < pixels; p++)
#pragma GCC unroll 2
        for (int v = 0; v < TILE_VECTORS; v++)
            sum[p][v] = (TILE(Vector)){ 0 };
    for (size_t ky = 0; ky < CONV_KERNEL; ky++) {
        const float *row = x + ky * x_row;
        for (size_t j = 0; j < CONV_KERNEL * c; j++) {
            TILE(Vector) w[TILE_VECTORS];
#pragma GCC unroll 2
            for (int v = 0; v < TILE_VECTORS; v++)
                w[v] = *(const TILE(Vector) *)(weights + v * TILE_LANES);
#pragma GCC unroll 14
            for (int p = 0; p < pixels; p++)
#pragma GCC unroll 2
                for (int v = 0; v < TILE_VECTORS; v++)
                    sum[p][v] += row[(size_t)p * c + j] * w[v];
            weights += CONV_FILTERS;
        }
    }
#pragma GCC unroll 14
    for (int p = 0; p < pixels; p++)
#pragma GCC unroll 2
        for (int v = 0; v < TILE_VECTORS; v++)
            *(TILE(Vector) *)(out + p * CONV_FILTERS + v * TILE_LANES) = sum[p][v];
}

/* d_weights[j][f] += sum over all pixels of x[pixel * c + j] * d_out[pixel][f], for `taps` taps j
 * (a constant where it is called) and TILE_FILTERS filters. */
static inline __attribute__((always_inline)) TILE_TARGET void
TILE(tile_weights)(const ConvShape *shape, const float *x, const float *d_out, float *d_weights,
                   const int taps)
{
    const size_t size = (size_t)shape->size, c = (size_t)shape->channels;
    TILE(Vector) sum[TILE_TAPS][TILE_VECTORS];
#pragma GCC unroll 10
    for (int j = 0; j < taps; j++)
#pragma GCC unroll 2
        for (int v = 0; v < TILE_VECTORS; v++)
            sum[j][v] = *(TILE(Vector) *)(d_weights + j * CONV_FILTERS + v * TILE_LANES);
    for (size_t y = 0; y < size; y++) {
        const float *x_at = x + y * (size + 2 * CONV_PAD) * c;
        const float *d_at = d_out + y * (size + 2 * CONV_PAD) * CONV_FILTERS;
        for (size_t i = 0; i < size; i++) {
            TILE(Vector) d[TILE_VECTORS];
#pragma GCC unroll 2
            for (int v = 0; v < TILE_VECTORS; v++)
                d[v] = *(const TILE(Vector) *)(d_at + v * TILE_LANES);
#pragma GCC unroll 10
            for (int j = 0; j < taps; j++)
#pragma GCC unroll 2
                for (int v = 0; v < TILE_VECTORS; v++)
                    sum[j][v] += x_at[j] * d[v];
            x_at += c;
            d_at += CONV_FILTERS;
        }
    }
#pragma GCC unroll 10
    for (int j = 0; j < taps; j++)
#pragma GCC unroll 2
        for (int v = 0; v < TILE_VECTORS; v++)
            *(TILE(Vector) *)(d_weights + j * CONV_FILTERS + v * TILE_LANES) = sum[j][v];
}

static inline __attribute__((always_inline)) TILE_TARGET void
TILE(rows_forward)(size_t size, const float *x, const float *weights, float *out, const size_t c)
{
    const size_t x_row = (size + 2 * CONV_PAD) * c;
    for (size_t y = 0; y < size; y++) {
        const float *x_at = x + y * x_row;
        float *out_at = out + y * size * CONV_FILTERS;
        size_t i = 0;
        for (; i + 14 <= size; i += 14)
            TILE(tile_forward)(x_at + i * c, x_row, weights, out_at + i * CONV_FILTERS, 14, c);
        for (; i + 7 <= size; i += 7)
            TILE(tile_forward)(x_at + i * c, x_row, weights, out_at + i * CONV_FILTERS, 7, c);
        for (; i < size; i++)
            TILE(tile_forward)(x_at + i * c, x_row, weights, out_at + i * CONV_FILTERS, 1, c);
    }
}

/* One image: see ConvKernel.forward. */
static TILE_TARGET void TILE(forward)(const ConvShape *shape, const float *x, const float *weights,
                                      float *out)
{
    for (size_t f = 0; f < CONV_FILTERS; f += TILE_FILTERS) {
        if (shape->channels == 1)
            TILE(rows_forward)((size_t)shape->size, x, weights + f, out + f, 1);
        else
            TILE(rows_forward)((size_t)shape->size, x, weights + f, out + f, CONV_FILTERS);
    }
}

/* One image: see ConvKernel.backward_weights. CONV_KERNEL * c is a multiple of 5, of 10 too where
 * c is even. */
static TILE_TARGET void TILE(backward_weights)(const ConvShape *shape, const float *x,
                                               const float *d_out, float *d_weights)
{
    const size_t size = (size_t)shape->size, c = (size_t)shape->channels;
    const size_t depth = CONV_KERNEL * c;
    for (size_t ky = 0; ky < CONV_KERNEL; ky++) {
        const float *x_at = x + ky * (size + 2 * CONV_PAD) * c;
        float *d_at = d_weights + ky * depth * CONV_FILTERS;
        for (size_t f = 0; f < CONV_FILTERS; f += TILE_FILTERS) {
            size_t j = 0;
            for (; j + TILE_TAPS <= depth; j += TILE_TAPS)
                TILE(tile_weights)
            (shape, x_at + j, d_out + f, d_at + j * CONV_FILTERS + f, TILE_TAPS);
            for (; j < depth; j += 5)
                TILE(tile_weights)(shape, x_at + j, d_out + f, d_at + j * CONV_FILTERS + f, 5);
        }
    }
}

#undef TILE_FILTERS
#undef TILE
#undef TILE_TARGET
#undef TILE_LANES
#undef TILE_VECTORS
#undef TILE_TAPS
