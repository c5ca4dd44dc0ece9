/* SPDX-License-Identifier: Apache-2.0
 *
 * Rng: SplitMix64 streams that are named, not shared. Each use of chance (a layer's weights, an
 * epoch's order, an image's warp) opens the stream of its own name, so the numbers depend on the
 * seed and on what they are for, never on which thread came first or where a run was resumed.
 *
 * Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
 */
#ifndef DIGIT_TRAIN_RNG_H
#define DIGIT_TRAIN_RNG_H

#include <stddef.h>
#include <stdint.h>

typedef enum RngUse { RNG_INIT, RNG_SHUFFLE, RNG_AUGMENT, RNG_DROPOUT } RngUse;

typedef struct Rng {
    uint64_t state;
} Rng;

/* The stream of `seed` for `use` number (a, b): a parameter, an epoch, a step and an image. */
Rng rng_stream(uint64_t seed, RngUse use, uint64_t a, uint64_t b);

uint64_t rng_next(Rng *rng);

/* In [0, 1): 24 random bits, so that each is exactly a float. */
float rng_uniform(Rng *rng);

/* In [low, high). */
float rng_between(Rng *rng, float low, float high);

/* An order of 0..n-1, each equally likely (Fisher-Yates). */
void rng_permutation(Rng *rng, uint32_t *order, size_t n);

#endif
