/* SPDX-License-Identifier: Apache-2.0
 *
 * Files: what is read is what was written; failures name the path.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/check.h"

typedef struct Fixture {
    Arena *arena;
    char directory[TEST_DIRECTORY_BYTES];
} Fixture;

static int setup(void **state)
{
    Fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->arena = arena_new(0, 0);
    test_directory_make(f->directory);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    Fixture *f = *state;
    test_directory_remove(f->directory);
    assert_false(file_exists(f->directory));
    arena_free(f->arena);
    free(f);
    return 0;
}

static int count_entries(const char *path)
{
    DIR *directory = opendir(path);
    assert_non_null(directory);
    int n = 0;
    while (readdir(directory) != NULL)
        n++;
    closedir(directory);
    return n - 2;
}

static void test_write_then_read(void **state)
{
    Fixture *f = *state;
    char *path = file_join(f->arena, f->directory, "a");
    assert_ok(file_write(path, "one", 3));
    assert_ok(file_write(path, "hello\0world", 11));

    uint8_t *data;
    size_t size;
    assert_ok(file_read(f->arena, path, 11, &data, &size));
    assert_int_equal(size, 11);
    assert_memory_equal(data, "hello\0world", 12);
    assert_int_equal(count_entries(f->directory), 1);

    int fd;
    uint64_t file_size;
    assert_ok(file_open(path, &fd, &file_size));
    assert_int_equal(file_size, 11);
    char part[5];
    assert_ok(file_read_range(fd, path, 6, part, 5));
    assert_memory_equal(part, "world", 5);
    assert_error(file_read_range(fd, path, 7, part, 5), ERROR_DATA_LOSS, "1 bytes too early");
    assert_error(file_read_range(fd, path, UINT64_MAX, part, 5), ERROR_DATA_LOSS, path);
    close(fd);
}

static void test_read_failures(void **state)
{
    Fixture *f = *state;
    uint8_t *data;
    size_t size;
    char *path = file_join(f->arena, f->directory, "a");
    assert_error(file_read(f->arena, path, 10, &data, &size), ERROR_NOT_FOUND, path);
    assert_error(file_read(f->arena, f->directory, 10, &data, &size), ERROR_FAILED_PRECONDITION,
                 "a directory");
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_error(file_read(f->arena, path, 10, &data, &size), ERROR_FAILED_PRECONDITION, path);
    unlink(path);

    assert_ok(file_write(path, "12345678901", 11));
    assert_error(file_read(f->arena, path, 10, &data, &size), ERROR_RESOURCE_EXHAUSTED,
                 "the limit is 10");
    _cleanup_(arena_freep) Arena *small = arena_new(0, 4);
    assert_error(file_read(small, path, 11, &data, &size), ERROR_RESOURCE_EXHAUSTED, path);

    char *below = file_join(f->arena, path, "b");
    assert_error(file_read(f->arena, below, 10, &data, &size), ERROR_NOT_FOUND, below);
}

static void test_write_failures_leave_nothing(void **state)
{
    Fixture *f = *state;
    char *missing = file_join(f->arena, f->directory, "no/such");
    assert_error(file_write(missing, "x", 1), ERROR_NOT_FOUND, missing);

    /* A directory is in the way of the rename. */
    char *path = file_join(f->arena, f->directory, "d");
    assert_ok(file_make_directories(path));
    assert_error(file_write(path, "x", 1), ERROR_UNAVAILABLE, path);
    assert_int_equal(count_entries(f->directory), 1);
}

static void test_directories(void **state)
{
    Fixture *f = *state;
    char *deep = file_join(f->arena, f->directory, "a/b//c/");
    assert_ok(file_make_directories(deep));
    assert_ok(file_make_directories(deep));
    assert_true(file_is_directory(deep));
    assert_ok(file_sync_directory(deep));

    char *path = file_join(f->arena, deep, "file");
    assert_ok(file_write(path, "", 0));
    assert_false(file_is_directory(path));
    assert_error(file_make_directories(file_join(f->arena, path, "x")), ERROR_UNAVAILABLE, path);

    /* A link out of the tree is removed, not followed. */
    char *outside = file_join(f->arena, f->directory, "outside");
    assert_ok(file_write(outside, "kept", 4));
    assert_int_equal(symlink(f->directory, file_join(f->arena, deep, "link")), 0);
    assert_ok(file_remove_tree(file_join(f->arena, f->directory, "a")));
    assert_false(file_exists(deep));
    assert_true(file_exists(outside));
    assert_ok(file_remove_tree(deep));
}

static void test_join(void **state)
{
    Fixture *f = *state;
    assert_string_equal(file_join(f->arena, "a", "b"), "a/b");
    assert_string_equal(file_join(f->arena, "a/", "b"), "a/b");
    assert_string_equal(file_join(f->arena, "", "b"), "b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_write_then_read, setup, teardown),
        cmocka_unit_test_setup_teardown(test_read_failures, setup, teardown),
        cmocka_unit_test_setup_teardown(test_write_failures_leave_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_directories, setup, teardown),
        cmocka_unit_test_setup_teardown(test_join, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
