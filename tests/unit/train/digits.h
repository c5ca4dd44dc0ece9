/* SPDX-License-Identifier: Apache-2.0
 *
 * A small set that a network can learn in seconds: class k is a bright bar at a height of its own,
 * moved a little and with noise.
 */
#ifndef DIGIT_TESTS_TRAIN_DIGITS_H
#define DIGIT_TESTS_TRAIN_DIGITS_H

#include "tests/support/check.h"
#include "train/dataset.h"
#include "train/net.h"
#include "train/rng.h"

/* n images and labels in `arena`. */
static inline Dataset digits_new(Arena *arena, size_t n, uint64_t seed)
{
    uint8_t *images = arena_calloc(arena, n, NET_PIXELS), *labels = arena_calloc(arena, n, 1);
    assert_true(images != NULL && labels != NULL);
    Rng rng = rng_stream(seed, RNG_AUGMENT, 0, 0);
    for (size_t i = 0; i < n; i++) {
        labels[i] = (uint8_t)(rng_next(&rng) % NET_CLASSES);
        size_t left = (size_t)(rng_next(&rng) % 8);
        for (size_t k = 0; k < NET_PIXELS; k++) {
            size_t y = k / NET_SIZE, x = k % NET_SIZE;
            bool bar = y / 2 == labels[i] + 2u && x >= left && x < left + 20;
            images[i * NET_PIXELS + k] = (uint8_t)((bar ? 200 : 0) + (int)(rng_next(&rng) % 50));
        }
    }
    return (Dataset){ n, images, labels };
}

#endif
