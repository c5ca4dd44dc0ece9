/* SPDX-License-Identifier: Apache-2.0
 *
 * The convolution's inner loops, compiled for three kinds of processor from conv_tile.h:
 *
 *   name     vector      registers   tile of pixels x filters   tile of taps x filters
 *   avx512   16 floats   32          14 x 32                    10 x 32
 *   avx2      8 floats   16          14 x 8                     10 x 8
 *   plain     4 floats   16 or 32    14 x 4                     10 x 4   (SSE2, NEON)
 *
 * 28, 14 and 7 pixels a row are multiples of 14 or 7, so that only the 3x3 image of a fourth block
 * falls to single pixels.
 */
#include "train/conv_kernel.h"

#if defined(__x86_64__)
#define TILE(name) avx512_##name
#define TILE_TARGET __attribute__((target("avx512f,fma")))
#define TILE_LANES 16
#define TILE_VECTORS 2
#define TILE_TAPS 10
#include "train/conv_tile.h"

#define TILE(name) avx2_##name
#define TILE_TARGET __attribute__((target("avx2,fma")))
#define TILE_LANES 8
#define TILE_VECTORS 1
#define TILE_TAPS 10
#include "train/conv_tile.h"
#endif

#define TILE(name) plain_##name
#define TILE_TARGET
#define TILE_LANES 4
#define TILE_VECTORS 1
#define TILE_TAPS 10
#include "train/conv_tile.h"

#if defined(__x86_64__)
static bool avx512_supported(void)
{
    return __builtin_cpu_supports("avx512f");
}

static bool avx2_supported(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#endif

static bool plain_supported(void)
{
    return true;
}

static const ConvKernel kernels[] = {
#if defined(__x86_64__)
    { "avx512", avx512_supported, avx512_forward, avx512_backward_weights },
    { "avx2", avx2_supported, avx2_forward, avx2_backward_weights },
#endif
    { "plain", plain_supported, plain_forward, plain_backward_weights },
};

const ConvKernel *conv_kernel_all(size_t *ret_n)
{
    *ret_n = sizeof(kernels) / sizeof(kernels[0]);
    return kernels;
}

const ConvKernel *conv_kernel_best(void)
{
    const ConvKernel *kernel = kernels;
    while (!kernel->supported())
        kernel++;
    return kernel;
}
