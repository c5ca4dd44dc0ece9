/* SPDX-License-Identifier: Apache-2.0
 *
 * Map and Bytes: lookups against what was set; varints and checked arithmetic at their edges.
 */
#include "model/base/bytes.h"
#include "model/base/map.h"
#include "tests/support/check.h"

#define N_KEYS 5000

static void test_sets_and_finds_many(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 16, 0);
    _cleanup_(map_freep) Map *map = map_new();
    for (uintptr_t i = 0; i < N_KEYS; i++)
        assert_ok(map_set(map, arena_printf(arena, "key %d", (int)i), (void *)(i + 1)));
    assert_int_equal(map_size(map), N_KEYS);
    for (uintptr_t i = 0; i < N_KEYS; i++) {
        const char *key = arena_printf(arena, "key %d", (int)i);
        assert_ptr_equal(map_find(map, key), i + 1);
        assert_string_equal(map_key_at(map, i), key);
        assert_ptr_equal(map_value_at(map, i), i + 1);
    }
    assert_null(map_find(map, "key"));
    assert_false(map_has(map, "key 5000"));
    assert_ptr_equal(map_find_n(map, "key 12345", 6), 13);
}

static void test_replaces_and_holds_null(void **state _unused_)
{
    int one, two;
    _cleanup_(map_freep) Map *map = map_new();
    assert_null(map_find(map, "a"));
    assert_ok(map_set(map, "a", &one));
    assert_ok(map_set(map, "", NULL));
    assert_ok(map_set(map, "a", &two));
    assert_int_equal(map_size(map), 2);
    assert_ptr_equal(map_find(map, "a"), &two);
    assert_true(map_has(map, ""));
    assert_null(map_find(map, ""));
    assert_null(map_free(NULL));
}

static void test_varints(void **state _unused_)
{
    static const uint64_t values[] = { 0, 1, 127, 128, 300, UINT32_MAX, 1ull << 63, UINT64_MAX };
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        uint8_t bytes[VARINT_MAX_BYTES];
        size_t n = varint_write(bytes, values[i]);
        assert_int_equal(n, varint_size(values[i]));
        const uint8_t *at = bytes;
        uint64_t v;
        assert_false(varint_read(&at, bytes + n - 1, &v));
        assert_ptr_equal(at, bytes);
        assert_true(varint_read(&at, bytes + n, &v));
        assert_ptr_equal(at, bytes + n);
        assert_true(v == values[i]);
    }
    uint8_t endless[11];
    memset(endless, 0x80, sizeof(endless));
    const uint8_t *at = endless;
    uint64_t v;
    assert_false(varint_read(&at, endless + sizeof(endless), &v));
}

static void test_checked_arithmetic_and_loads(void **state _unused_)
{
    size_t r;
    assert_false(checked_add(SIZE_MAX, 1, &r));
    assert_false(checked_mul(SIZE_MAX / 2, 3, &r));
    assert_true(checked_mul(SIZE_MAX / 2, 2, &r));
    uint8_t bytes[8];
    store_le64(bytes, 0x0123456789abcdef);
    assert_int_equal(bytes[0], 0xef);
    assert_true(load_le64(bytes) == 0x0123456789abcdef);
    assert_int_equal(load_le32(bytes + 4), 0x01234567);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sets_and_finds_many),
        cmocka_unit_test(test_replaces_and_holds_null),
        cmocka_unit_test(test_varints),
        cmocka_unit_test(test_checked_arithmetic_and_loads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
