/* SPDX-License-Identifier: Apache-2.0
 *
 * Arena: alignment, limits, and that a warm arena asks the system for nothing.
 */
#include "tests/support/check.h"

static bool is_aligned(const void *p, size_t to)
{
    return (uintptr_t)p % to == 0;
}

static void test_pieces_are_aligned_and_apart(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(1024, 0);
    uint8_t *pieces[64];
    for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
        bool is_wide = i % 3 == 0;
        pieces[i] = is_wide ? arena_alloc_aligned(arena, i) : arena_alloc(arena, i);
        assert_non_null(pieces[i]);
        assert_true(is_aligned(pieces[i], is_wide ? ARENA_ALIGNMENT : 16));
        memset(pieces[i], (int)i, i);
    }
    for (size_t i = 0; i < ARRAY_SIZE(pieces); i++)
        for (size_t j = 0; j < i; j++)
            assert_int_equal(pieces[i][j], i);
}

static void test_limit_that_changes(void **state _unused_)
{
    Arena *arena = arena_new(256, 0);
    assert_non_null(arena_alloc(arena, 5000));
    arena_limit(arena, arena_held(arena) + 1000);
    assert_null(arena_alloc(arena, 2000));
    assert_non_null(arena_alloc(arena, 500));
    arena_limit(arena, 0);
    assert_non_null(arena_alloc(arena, 2000));
    arena_free(arena);
}

static void test_limit(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 10000);
    assert_non_null(arena_alloc(arena, 4000));
    assert_null(arena_alloc(arena, 10000));
    assert_non_null(arena_alloc(arena, 5000));
    assert_true(arena_held(arena) <= 10000);
    assert_null(arena_alloc(arena, 4000));
    arena_reset(arena, SIZE_MAX);
    assert_true(arena_held(arena) <= 10000);
    assert_non_null(arena_alloc(arena, 9000));
}

static void test_absurd_sizes_fail(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    assert_null(arena_alloc(arena, SIZE_MAX));
    assert_null(arena_alloc(arena, SIZE_MAX - 15));
    assert_null(arena_alloc_aligned(arena, PTRDIFF_MAX));
    assert_null(arena_calloc(arena, SIZE_MAX / 2, 3));
    assert_null(arena_strndup(arena, "x", SIZE_MAX));
    assert_non_null(arena_alloc(arena, 0));
}

/* One cycle of a workload whose pieces do not fit into the first block. */
static void run_cycle(Arena *arena)
{
    for (size_t i = 0; i < 50; i++) {
        assert_non_null(arena_alloc(arena, 37 * i));
        assert_non_null(arena_alloc_aligned(arena, 5000 * (i % 7)));
    }
}

static void test_warm_arena_asks_for_nothing(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    run_cycle(arena);
    size_t used = arena_used(arena);
    assert_true(used > 5000 * 50);
    arena_reset(arena, SIZE_MAX);
    assert_int_equal(arena_used(arena), 0);
    assert_int_equal(arena_high_water(arena), used);

    size_t held = arena_held(arena);
    for (int i = 0; i < 3; i++) {
        run_cycle(arena);
        assert_int_equal(arena_used(arena), used);
        assert_int_equal(arena_held(arena), held);
        arena_reset(arena, SIZE_MAX);
        assert_int_equal(arena_held(arena), held);
    }
}

static void test_reset_keeps_at_most_what_it_may(void **state _unused_)
{
    static const size_t keeps[] = { 0, 1000, 4096, 10000, 1 << 20 };
    for (size_t i = 0; i < ARRAY_SIZE(keeps); i++) {
        _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
        run_cycle(arena);
        arena_reset(arena, keeps[i]);
        assert_true(arena_held(arena) <= keeps[i]);
        run_cycle(arena);
    }
}

static void test_a_big_piece_does_not_waste_the_block_in_use(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    assert_non_null(arena_alloc(arena, 16));
    assert_non_null(arena_alloc(arena, 1 << 20));
    size_t held = arena_held(arena);
    assert_non_null(arena_alloc(arena, 2000));
    assert_int_equal(arena_held(arena), held);
}

static void test_copies(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(0, 0);
    assert_string_equal(arena_strdup(arena, "text"), "text");
    assert_string_equal(arena_strndup(arena, "text", 2), "te");
    assert_string_equal(arena_printf(arena, "%d-%s", 42, "x"), "42-x");
    assert_memory_equal(arena_memdup(arena, "a\0b", 3), "a\0b", 3);
    assert_non_null(arena_memdup(arena, NULL, 0));
    const int *zeros = arena_calloc(arena, 10, sizeof(int));
    for (int i = 0; i < 10; i++)
        assert_int_equal(zeros[i], 0);
    assert_null(arena_free(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_are_aligned_and_apart),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_limit_that_changes),
        cmocka_unit_test(test_absurd_sizes_fail),
        cmocka_unit_test(test_warm_arena_asks_for_nothing),
        cmocka_unit_test(test_reset_keeps_at_most_what_it_may),
        cmocka_unit_test(test_a_big_piece_does_not_waste_the_block_in_use),
        cmocka_unit_test(test_copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
