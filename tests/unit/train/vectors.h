/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of the trainer's arithmetic share: vectors of known numbers, and a comparison with
 * a double-precision reference that says which element is off.
 */
#ifndef DIGIT_TESTS_TRAIN_VECTORS_H
#define DIGIT_TESTS_TRAIN_VECTORS_H

#include <math.h>

#include "tests/support/check.h"
#include "train/rng.h"

/* n floats in [-1, 1), the same for the same `id`; `id` differs from vector to vector. */
static inline float *vector_new(size_t n, uint64_t id)
{
    float *vector = calloc(n, sizeof(float));
    assert_non_null(vector);
    Rng rng = rng_stream(7, RNG_INIT, id, 0);
    for (size_t i = 0; i < n; i++)
        vector[i] = rng_between(&rng, -1.0f, 1.0f);
    return vector;
}

/* A square image [size,size,channels] inside its zero border of two pixels. */
static inline float *vector_padded(const float *image, size_t size, size_t channels)
{
    float *padded = calloc((size + 4) * (size + 4) * channels, sizeof(float));
    assert_non_null(padded);
    for (size_t y = 0; y < size; y++)
        memcpy(padded + ((y + 2) * (size + 4) + 2) * channels, image + y * size * channels,
               size * channels * sizeof(float));
    return padded;
}

/* |got - want| <= tolerance * (1 + |want|) for all n. */
static inline void check_vector(const char *what, const float *got, const double *want, size_t n,
                                double tolerance)
{
    for (size_t i = 0; i < n; i++) {
        if (fabs((double)got[i] - want[i]) <= tolerance * (1.0 + fabs(want[i])))
            continue;
        print_error("%s[%zu] is %.9g; expected %.9g\n", what, i, (double)got[i], want[i]);
        fail();
    }
}

#endif
