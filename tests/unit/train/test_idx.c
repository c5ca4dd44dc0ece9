/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of train/idx.c: plain and gzip files, and what is wrong with others.
 */
#include "train/idx.h"

#include <zlib.h>

#include "tests/support/check.h"

#define HEAD3 0, 0, 8, 3
#define BE32(n) 0, 0, 0, (n)

static const uint8_t images[] = { HEAD3, BE32(2), BE32(1), BE32(3), 1, 2, 3, 4, 5, 6 };

/* The gzip form of `data`, in `arena`. */
static Bytes gzip(Arena *arena, const uint8_t *data, size_t size)
{
    size_t capacity = compressBound(size) + 64;
    uint8_t *out = arena_alloc(arena, capacity);
    z_stream stream = { .next_in = (Bytef *)(uintptr_t)data,
                        .avail_in = (uInt)size,
                        .next_out = out,
                        .avail_out = (uInt)capacity };
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    deflateEnd(&stream);
    return (Bytes){ out, capacity - stream.avail_out };
}

static void check_images(const Idx *idx)
{
    assert_int_equal(idx->rank, 3);
    assert_int_equal(idx->dims[0], 2);
    assert_int_equal(idx->dims[1], 1);
    assert_int_equal(idx->dims[2], 3);
    assert_memory_equal(idx->data, images + 16, 6);
}

static void test_plain_and_gzip(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    Idx idx;
    assert_ok(idx_decode(arena, (Bytes){ images, sizeof(images) }, 3, &idx));
    check_images(&idx);
    assert_ok(idx_decode(arena, gzip(arena, images, sizeof(images)), 3, &idx));
    check_images(&idx);
}

/* Each case is tried as it is and in gzip's form. */
static void test_bad_contents(void **state _unused_)
{
    static const struct {
        const char *text; /* of the error */
        ErrorCode code;
        size_t size;
        uint8_t bytes[20];
    } cases[] = {
        { "should be 00 00 08 03", ERROR_INVALID_ARGUMENT, 17, { 0, 0, 8, 1, BE32(1) } },
        { "begins 00 00 0d 03", ERROR_INVALID_ARGUMENT, 17, { 0, 0, 13, 3, BE32(1) } },
        { "begins 01 00 08 03", ERROR_INVALID_ARGUMENT, 17, { 1, 0, 8, 3, BE32(1) } },
        { "left over", ERROR_INVALID_ARGUMENT, 18, { HEAD3, BE32(1), BE32(1), BE32(1), 5, 6 } },
        { "left over", ERROR_INVALID_ARGUMENT, 17, { HEAD3, BE32(1), BE32(0), BE32(1), 5 } },
        { "limit",
          ERROR_RESOURCE_EXHAUSTED,
          17,
          { HEAD3, 255, 255, 255, 255, BE32(28), BE32(28) } },
        { "limit",
          ERROR_RESOURCE_EXHAUSTED,
          17,
          { HEAD3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255 } },
    };
    for (size_t k = 0; k < ARRAY_SIZE(cases); k++) {
        _cleanup_(arena_freep) Arena *arena = arena_new(4096, 1 << 20);
        Bytes plain = { cases[k].bytes, cases[k].size };
        Idx idx;
        assert_error(idx_decode(arena, plain, 3, &idx), cases[k].code, cases[k].text);
        assert_error(idx_decode(arena, gzip(arena, plain.data, plain.size), 3, &idx), cases[k].code,
                     cases[k].text);
    }
}

/* Every prefix of both forms is refused, none is read past its end (the sanitizer sees). */
static void test_truncated(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    Bytes forms[] = { { images, sizeof(images) }, gzip(arena, images, sizeof(images)) };
    for (size_t k = 0; k < ARRAY_SIZE(forms); k++)
        for (size_t size = 0; size < forms[k].size; size++) {
            uint8_t *copy = malloc(size + 1); /* exactly as long: +1 only so that 0 is no case */
            assert_non_null(copy);
            memcpy(copy, forms[k].data, size);
            Idx idx;
            Error *error = idx_decode(arena, (Bytes){ copy, size }, 3, &idx);
            assert_non_null(error);
            assert_true(error->code == ERROR_DATA_LOSS || error->code == ERROR_INVALID_ARGUMENT);
            error_free(error);
            free(copy);
        }
}

static void test_corrupt_gzip(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    Bytes zipped = gzip(arena, images, sizeof(images));
    uint8_t *copy = arena_memdup(arena, zipped.data, zipped.size);
    Idx idx;
    copy[zipped.size - 8] ^= 1; /* the crc */
    assert_error(idx_decode(arena, (Bytes){ copy, zipped.size }, 3, &idx), ERROR_DATA_LOSS,
                 "incorrect data check");
    copy[zipped.size - 8] ^= 1;
    uint8_t *longer = arena_alloc(arena, zipped.size + 1);
    memcpy(longer, copy, zipped.size);
    longer[zipped.size] = 0;
    assert_error(idx_decode(arena, (Bytes){ longer, zipped.size + 1 }, 3, &idx),
                 ERROR_INVALID_ARGUMENT, "left over");
}

/* A small file that promises 400 MB is refused before the memory is asked for. */
static void test_promise_is_bounded(void **state _unused_)
{
    static const uint8_t head[] = { HEAD3, 0, 8, 0, 0, BE32(28), BE32(28) };
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    Idx idx;
    assert_error(idx_decode(arena, (Bytes){ head, sizeof(head) }, 3, &idx), ERROR_DATA_LOSS,
                 "its header promises 411041792 bytes");
    assert_error(idx_decode(arena, gzip(arena, head, sizeof(head)), 3, &idx), ERROR_DATA_LOSS,
                 "its header promises 411041792 bytes");
    assert_true(arena_held(arena) < 1 << 20);
}

static void test_read_names_the_path(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    char directory[TEST_DIRECTORY_BYTES];
    test_directory_make(directory);
    const char *path = file_join(arena, directory, "images");
    Idx idx;
    assert_error(idx_read(arena, path, 3, &idx), ERROR_NOT_FOUND, path);
    assert_ok(file_write(path, images, sizeof(images)));
    assert_ok(idx_read(arena, path, 3, &idx));
    check_images(&idx);
    assert_error(idx_read(arena, path, 1, &idx), ERROR_INVALID_ARGUMENT, path);
    test_directory_remove(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_and_gzip),     cmocka_unit_test(test_bad_contents),
        cmocka_unit_test(test_truncated),          cmocka_unit_test(test_corrupt_gzip),
        cmocka_unit_test(test_promise_is_bounded), cmocka_unit_test(test_read_names_the_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
