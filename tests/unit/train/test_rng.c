/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of train/rng.c.
 */
#include "train/rng.h"

#include "tests/support/check.h"

/* The published test vector of SplitMix64 with state 1234567. */
static void test_known_sequence(void **state _unused_)
{
    static const uint64_t want[] = { 6457827717110365317u, 3203168211198807973u,
                                     9817491932198370423u, 4593380528125082431u,
                                     16408922859458223821u };
    Rng rng = { 1234567 };
    for (size_t i = 0; i < ARRAY_SIZE(want); i++)
        assert_true(rng_next(&rng) == want[i]);
}

/* Each part of a stream's name makes another stream; the same name the same one. */
static void test_streams_are_named(void **state _unused_)
{
    Rng streams[] = {
        rng_stream(1, RNG_INIT, 0, 0),    rng_stream(2, RNG_INIT, 0, 0),
        rng_stream(1, RNG_SHUFFLE, 0, 0), rng_stream(1, RNG_INIT, 1, 0),
        rng_stream(1, RNG_INIT, 0, 1),
    };
    for (size_t i = 0; i < ARRAY_SIZE(streams); i++)
        for (size_t j = 0; j < i; j++)
            assert_true(streams[i].state != streams[j].state);
    Rng again = rng_stream(1, RNG_INIT, 0, 0);
    assert_true(again.state == streams[0].state);
}

static void test_uniform_fills_its_range(void **state _unused_)
{
    enum { N = 100000, BINS = 10 };
    size_t bins[BINS] = { 0 };
    Rng rng = rng_stream(3, RNG_DROPOUT, 0, 0);
    for (int i = 0; i < N; i++) {
        float u = rng_uniform(&rng);
        assert_true(u >= 0.0f && u < 1.0f);
        bins[(int)(u * BINS)]++;
    }
    /* 10,000 +- 95 is one standard deviation; five of them on each side. */
    for (int b = 0; b < BINS; b++)
        assert_in_range(bins[b], N / BINS - 475, N / BINS + 475);
}

static void test_permutation(void **state _unused_)
{
    enum { N = 1000 };
    uint32_t order[N], other[N];
    bool seen[N] = { false };
    Rng rng = rng_stream(1, RNG_SHUFFLE, 0, 0);
    rng_permutation(&rng, order, N);
    rng = rng_stream(1, RNG_SHUFFLE, 1, 0);
    rng_permutation(&rng, other, N);
    assert_memory_not_equal(order, other, sizeof(order));
    size_t fixed = 0;
    for (uint32_t i = 0; i < N; i++) {
        assert_true(order[i] < N && !seen[order[i]]);
        seen[order[i]] = true;
        fixed += order[i] == i;
    }
    assert_true(fixed < 10); /* one is expected */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_sequence),
        cmocka_unit_test(test_streams_are_named),
        cmocka_unit_test(test_uniform_fills_its_range),
        cmocka_unit_test(test_permutation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
