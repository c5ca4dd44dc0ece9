/* SPDX-License-Identifier: Apache-2.0
 *
 * Placing blocks: known layouts, and for random ones what must always hold.
 */
#include "model/plan/place.h"
#include "tests/support/check.h"

static bool overlap(const PlaceBlock *a, const PlaceBlock *b)
{
    return a->from <= b->to && b->from <= a->to && a->bytes > 0 && b->bytes > 0 &&
           a->offset < b->offset + b->bytes && b->offset < a->offset + a->bytes;
}

static void test_chain(_unused_ void **state)
{
    /* Each is needed with its neighbour only: two places are enough. */
    PlaceBlock blocks[] = {
        { 640, 0, 1, 0 }, { 640, 1, 2, 0 }, { 640, 2, 3, 0 }, { 640, 3, 4, 0 }
    };
    size_t bytes = 0;
    assert_ok(place_blocks(blocks, 4, &bytes));
    assert_int_equal(bytes, 1280);
    assert_int_equal(blocks[0].offset, blocks[2].offset);
    assert_int_equal(blocks[1].offset, blocks[3].offset);
}

static void test_best_gap(_unused_ void **state)
{
    /* 3 and 4 are over when 5 comes: of the gaps that they leave it takes the smaller one. */
    PlaceBlock blocks[] = { { 640, 0, 9, 0 }, { 576, 0, 9, 0 }, { 512, 0, 9, 0 }, { 448, 0, 1, 0 },
                            { 384, 0, 9, 0 }, { 128, 2, 3, 0 }, { 64, 2, 3, 0 } };
    size_t bytes = 0;
    assert_ok(place_blocks(blocks, 7, &bytes));
    assert_int_equal(bytes, 640 + 576 + 512 + 448 + 384);
    assert_int_equal(blocks[5].offset, blocks[3].offset);
}

static void test_nothing(_unused_ void **state)
{
    size_t bytes = 1;
    assert_ok(place_blocks(NULL, 0, &bytes));
    assert_int_equal(bytes, 0);
}

static void test_overflow(_unused_ void **state)
{
    PlaceBlock blocks[] = { { SIZE_MAX / 2, 0, 1, 0 }, { SIZE_MAX / 2 + 1, 0, 1, 0 } };
    size_t bytes = 0;
    assert_error(place_blocks(blocks, 2, &bytes), ERROR_RESOURCE_EXHAUSTED, "overflows");
}

static void test_random(_unused_ void **state)
{
    srand(1);
    for (int round = 0; round < 200; round++) {
        PlaceBlock blocks[40];
        size_t n = (size_t)(rand() % 40) + 1, bytes = 0, at_once = 0;
        for (size_t i = 0; i < n; i++) {
            int32_t from = rand() % 30;
            blocks[i] = (PlaceBlock){ (size_t)(rand() % 5000) + 1, from, from + rand() % 5, 0 };
        }
        assert_ok(place_blocks(blocks, n, &bytes));
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(blocks[i].offset % ARENA_ALIGNMENT, 0);
            assert_true(blocks[i].offset + blocks[i].bytes <= bytes);
            for (size_t k = 0; k < i; k++)
                assert_false(overlap(&blocks[i], &blocks[k]));
        }
        for (int32_t step = 0; step < 35; step++) {
            size_t sum = 0;
            for (size_t i = 0; i < n; i++)
                if (blocks[i].from <= step && step <= blocks[i].to)
                    sum += blocks[i].bytes + ARENA_ALIGNMENT;
            at_once = sum > at_once ? sum : at_once;
        }
        assert_true(bytes <= 2 * at_once); /* greedy by size is never far from what is needed */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chain),   cmocka_unit_test(test_best_gap),
        cmocka_unit_test(test_nothing), cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
