/* SPDX-License-Identifier: Apache-2.0
 *
 * Error: texts of any length, prefix and suffix, ownership (leaks are LeakSanitizer's to find).
 */
#include "tests/support/check.h"

static void test_new_formats_and_remembers_birthplace(void **state _unused_)
{
    Error *error = error_new(ERROR_NOT_FOUND, "no %s number %d", "thing", 7);
    int line = __LINE__ - 1;
    assert_int_equal(error->code, ERROR_NOT_FOUND);
    assert_string_equal(error->text, "no thing number 7");
    assert_non_null(strstr(error->file, "test_error.c"));
    assert_int_equal(error->line, line);
    assert_null(error_free(error));
}

static void test_long_texts_are_kept_whole_up_to_the_limit(void **state _unused_)
{
    Error *error = error_new(ERROR_INTERNAL, "%*s", 5000, "x");
    assert_int_equal(strlen(error->text), 5000);
    error_free(error);

    error = error_new(ERROR_INTERNAL, "%*s", 1 << 20, "x");
    assert_int_equal(strlen(error->text), 64 << 10);
    error_free(error);
}

static void test_prefix_and_suffix(void **state _unused_)
{
    Error *born = error_new(ERROR_DATA_LOSS, "bad crc");
    int line = born->line;
    Error *error = error_prefix(born, "block %d", 3);
    error = error_prefix(error, "file \"%s\"", "a");
    error = error_suffix(error, " (%d bytes)", 12);
    assert_string_equal(error->text, "file \"a\": block 3: bad crc (12 bytes)");
    assert_int_equal(error->code, ERROR_DATA_LOSS);
    assert_int_equal(error->line, line);
    error_free(error);

    assert_null(error_prefix(NULL, "nothing"));
    assert_null(error_suffix(NULL, "nothing"));
}

static void test_out_of_memory_is_static_and_can_be_prefixed(void **state _unused_)
{
    Error *error = error_out_of_memory();
    assert_true(error->is_static);
    assert_null(error_free(error));

    error = error_prefix(error, "model m");
    assert_false(error->is_static);
    assert_string_equal(error->text, "model m: out of memory");
    assert_int_equal(error->code, ERROR_RESOURCE_EXHAUSTED);
    error_free(error);
    assert_string_equal(error_out_of_memory()->text, "out of memory");
}

static void test_copy_is_independent(void **state _unused_)
{
    Error *error = error_new(ERROR_ABORTED, "text");
    Error *copy = error_copy(error);
    error_free(error);
    assert_string_equal(copy->text, "text");
    assert_int_equal(copy->code, ERROR_ABORTED);
    error_free(copy);
    assert_null(error_copy(NULL));
    assert_null(error_free(NULL));
}

static void test_code_names(void **state _unused_)
{
    assert_string_equal(error_code_name(ERROR_OK), "OK");
    assert_string_equal(error_code_name(ERROR_UNAUTHENTICATED), "UNAUTHENTICATED");
    assert_string_equal(error_code_name((ErrorCode)17), "UNKNOWN");
    assert_string_equal(error_code_name((ErrorCode)-1), "UNKNOWN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_formats_and_remembers_birthplace),
        cmocka_unit_test(test_long_texts_are_kept_whole_up_to_the_limit),
        cmocka_unit_test(test_prefix_and_suffix),
        cmocka_unit_test(test_out_of_memory_is_static_and_can_be_prefixed),
        cmocka_unit_test(test_copy_is_independent),
        cmocka_unit_test(test_code_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
