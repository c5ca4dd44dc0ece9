/* SPDX-License-Identifier: Apache-2.0
 *
 * What unit tests share: cmocka in its fixed include order, assertions on Error, the path of a file
 * of tests/data, a directory that is gone after the test.
 */
#ifndef DIGIT_TESTS_SUPPORT_CHECK_H
#define DIGIT_TESTS_SUPPORT_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/base/arena.h"
#include "model/base/error.h"
#include "model/base/file.h"

static inline void check_ok(Error *error, const char *expr, const char *file, int line)
{
    if (error == NULL)
        return;
    print_error("%s\n  failed with %s: %s\n  born at %s:%d\n", expr, error_code_name(error->code),
                error->text, error->file, error->line);
    error_free(error);
    _fail(file, line);
}

static inline void check_error(Error *error, ErrorCode code, const char *text, const char *expr,
                               const char *file, int line)
{
    if (error == NULL) {
        print_error("%s\n  succeeded; expected %s\n", expr, error_code_name(code));
        _fail(file, line);
        return;
    }
    if (error->code != code || strstr(error->text, text) == NULL) {
        print_error("%s\n  failed with %s: %s\n  expected    %s: ...%s...\n", expr,
                    error_code_name(error->code), error->text, error_code_name(code), text);
        error_free(error);
        _fail(file, line);
        return;
    }
    error_free(error);
}

/* The expression, an Error *, is NULL; what it says is printed otherwise. */
#define assert_ok(expr) check_ok((expr), #expr, __FILE__, __LINE__)

/* The expression, an Error *, has this code, and a text with `text` in it. Frees it. */
#define assert_error(expr, code, text)                                                             \
    check_error((expr), (code), (text), #expr, __FILE__, __LINE__)

/* The path of `name` under the tests folder, in `arena`: test_path(arena, "data/a.bin"). */
static inline char *test_path(Arena *arena, const char *name)
{
    const char *tests = getenv("DIGIT_TESTS");
    assert_non_null(tests); /* meson test sets it; by hand: DIGIT_TESTS=tests build/tests/NAME */
    char *path = file_join(arena, tests, name);
    assert_non_null(path);
    return path;
}

/* The bytes of `name` under the tests folder, in `arena`. */
static inline uint8_t *test_read(Arena *arena, const char *name, size_t *ret_size)
{
    uint8_t *data = NULL;
    assert_ok(file_read(arena, test_path(arena, name), SIZE_MAX, &data, ret_size));
    return data;
}

/* Makes an empty directory and writes its path to `path`. */
#define TEST_DIRECTORY_BYTES 256
static inline void test_directory_make(char path[TEST_DIRECTORY_BYTES])
{
    const char *tmp = getenv("TMPDIR");
    snprintf(path, TEST_DIRECTORY_BYTES, "%s/digit-test-XXXXXX", tmp != NULL ? tmp : "/tmp");
    assert_non_null(mkdtemp(path));
}

static inline void test_directory_remove(const char *path)
{
    assert_ok(file_remove_tree(path));
}

#endif
