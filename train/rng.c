/* SPDX-License-Identifier: Apache-2.0
 *
 * SplitMix64: a counter with a fixed odd increment, and a bijective mixer over it. It is no
 * generator for secrets; for initial weights, orders and warps it is more than good enough, and
 * its whole state is one number.
 */
#include "train/rng.h"

#define GOLDEN_GAMMA 0x9e3779b97f4a7c15u

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

Rng rng_stream(uint64_t seed, RngUse use, uint64_t a, uint64_t b)
{
    uint64_t state = mix(seed + GOLDEN_GAMMA);
    state = mix(state + (uint64_t)use + GOLDEN_GAMMA);
    state = mix(state + a + GOLDEN_GAMMA);
    state = mix(state + b + GOLDEN_GAMMA);
    return (Rng){ state };
}

uint64_t rng_next(Rng *rng)
{
    rng->state += GOLDEN_GAMMA;
    return mix(rng->state);
}

float rng_uniform(Rng *rng)
{
    return (float)(rng_next(rng) >> 40) * 0x1p-24f;
}

float rng_between(Rng *rng, float low, float high)
{
    return low + (high - low) * rng_uniform(rng);
}

void rng_permutation(Rng *rng, uint32_t *order, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        /* The high half of a 64x64-bit product: below i + 1 without a division, and with a bias of
         * less than n / 2^64. */
        size_t j = (size_t)(((unsigned __int128)rng_next(rng) * (i + 1)) >> 64);
        order[i] = order[j];
        order[j] = (uint32_t)i;
    }
}
