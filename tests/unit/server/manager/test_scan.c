/* SPDX-License-Identifier: Apache-2.0
 *
 * Names that are versions, listings of real directories, fingerprints.
 */
#include "server/manager/scan.h"

#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/check.h"

static char directory[TEST_DIRECTORY_BYTES];
static Arena *arena;

static int setup(void **state)
{
    (void)state;
    test_directory_make(directory);
    arena = arena_new(4096, 0);
    return arena == NULL;
}

static int teardown(void **state)
{
    (void)state;
    test_directory_remove(directory);
    arena = arena_free(arena);
    return 0;
}

static const char *in(const char *name)
{
    return file_join(arena, directory, name);
}

static void make(const char *name)
{
    assert_ok(file_make_directories(in(name)));
}

static void write_text(const char *name, const char *text)
{
    assert_ok(file_write(in(name), text, strlen(text)));
}

static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool is_number;
        int64_t number;
    } cases[] = {
        { "1", true, 1 },
        { "0", true, 0 },
        { "00042", true, 42 },
        { "1700000000", true, 1700000000 },
        { "9223372036854775807", true, INT64_MAX },
        { "-9223372036854775808", true, INT64_MIN },
        { "-3", true, -3 },
        { "+3", true, 3 },
        { " 3 ", true, 3 },
        { "9223372036854775808", false, 0 },
        { "", false, 0 },
        { " ", false, 0 },
        { "-", false, 0 },
        { "+-3", false, 0 },
        { "1.0", false, 0 },
        { "v1", false, 0 },
        { "tmp-5", false, 0 },
        { "5-tmp", false, 0 },
        { "0x10", false, 0 },
        { "1e3", false, 0 },
        { "1 2", false, 0 },
        { ".", false, 0 },
        { "..", false, 0 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t number = 0;
        bool is_number = scan_parse_number(cases[i].name, &number);
        if (is_number != cases[i].is_number || number != cases[i].number)
            fail_msg("\"%s\": got %d, %" PRId64, cases[i].name, is_number, number);
    }
}

static void test_listing(void **state)
{
    (void)state;
    make("10");
    make("9");
    make("2");
    make("002");
    make("tmp-11");
    make("1.0");
    write_text("5", "a plain file counts");
    Scan scan = { .base_path = directory };
    scan_run(&scan, arena);
    assert_ok(scan.error);
    static const struct {
        int64_t number;
        const char *name;
    } expected[] = { { 2, "2" }, { 5, "5" }, { 9, "9" }, { 10, "10" } };
    assert_int_equal(scan.n_versions, ARRAY_SIZE(expected));
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        assert_int_equal(scan.versions[i].number, expected[i].number);
        assert_string_equal(scan.versions[i].name, expected[i].name);
        assert_int_equal(scan.versions[i].fingerprint, 0);
    }
    assert_int_equal(scan.n_duplicates, 1);
    assert_string_equal(scan.target.path, directory);
}

static void test_many_versions(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++)
        make(arena_printf(arena, "%d", i));
    Scan scan = { .base_path = directory };
    scan_run(&scan, arena);
    assert_ok(scan.error);
    assert_int_equal(scan.n_versions, 100);
    for (int i = 0; i < 100; i++)
        assert_int_equal(scan.versions[i].number, i);
}

static void test_empty(void **state)
{
    (void)state;
    Scan scan = { .base_path = directory };
    scan_run(&scan, arena);
    assert_ok(scan.error);
    assert_int_equal(scan.n_versions, 0);
}

static void test_errors(void **state)
{
    (void)state;
    Scan missing = { .base_path = in("no/such/path") };
    scan_run(&missing, arena);
    assert_error(missing.error, ERROR_NOT_FOUND, "no/such/path: cannot list the base path");
    assert_string_equal(missing.target.path, directory); /* where it will appear */

    write_text("file", "x");
    Scan file = { .base_path = in("file") };
    scan_run(&file, arena);
    assert_error(file.error, ERROR_FAILED_PRECONDITION, "Not a directory");
}

static void test_relative_base_path(void **state)
{
    (void)state;
    char before[4096];
    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(directory), 0);
    Scan scan = { .base_path = "digits" };
    scan_run(&scan, arena);
    assert_int_equal(chdir(before), 0);
    assert_error(scan.error, ERROR_NOT_FOUND, "digits");
    assert_string_equal(scan.target.path, ".");
}

static uint64_t fingerprint(void)
{
    const int64_t suspects[] = { 7, 1 };
    make("1/variables");
    make("2");
    Scan scan = { .base_path = directory, .suspects = suspects, .n_suspects = 2 };
    scan_run(&scan, arena);
    assert_ok(scan.error);
    assert_int_equal(scan.versions[1].fingerprint, 0); /* nobody asked for 2 */
    assert_int_not_equal(scan.versions[0].fingerprint, 0);
    return scan.versions[0].fingerprint;
}

static void test_fingerprint(void **state)
{
    (void)state;
    uint64_t before = fingerprint();
    assert_int_equal(fingerprint(), before);

    write_text("1/saved_model.pb", "abc");
    uint64_t added = fingerprint();
    assert_int_not_equal(added, before);
    assert_int_equal(fingerprint(), added);

    FILE *file = fopen(in("1/saved_model.pb"), "a");
    assert_non_null(file);
    fputs("d", file);
    fclose(file);
    uint64_t grown = fingerprint();
    assert_int_not_equal(grown, added);

    write_text("1/variables/variables.index", "x");
    uint64_t deeper = fingerprint();
    assert_int_not_equal(deeper, grown);

    assert_int_equal(rename(in("1/variables/variables.index"), in("1/variables/other")), 0);
    uint64_t renamed = fingerprint();
    assert_int_not_equal(renamed, deeper);

    assert_int_equal(unlink(in("1/variables/other")), 0);
    assert_int_not_equal(fingerprint(), renamed);

    assert_int_equal(scan_fingerprint(in("no such")), 0);
}

/* A link to its own parent must not be followed for ever. */
static void test_fingerprint_of_a_circle(void **state)
{
    (void)state;
    make("1");
    assert_int_equal(symlink("..", in("1/up")), 0);
    assert_int_not_equal(scan_fingerprint(directory), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test_setup_teardown(test_listing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_versions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
        cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_relative_base_path, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fingerprint, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fingerprint_of_a_circle, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
