/* SPDX-License-Identifier: Apache-2.0
 *
 * Print: for people, for one and for several; as JSON, whatever the file is called.
 */
#include <math.h>

#include "client/print.h"
#include "tests/support/check.h"

static const float probabilities[] = { 0.25f, 0.75f };

static void assert_prints(const Result *result, const PrintForm *form, const char *expected)
{
    char text[500] = "";
    FILE *out = fmemopen(text, sizeof(text), "w");
    assert_non_null(out);
    print_result(result, form, out);
    fclose(out);
    assert_string_equal(text, expected);
}

static void test_for_people(void **state _unused_)
{
    const Result result = { "a.png", NULL, 4, 2, probabilities };
    assert_prints(&result, &(PrintForm){ .is_alone = true }, "4\n");
    assert_prints(&result, &(PrintForm){ .is_alone = false }, "a.png: 4\n");
    assert_prints(&result, &(PrintForm){ .is_alone = true, .is_verbose = true },
                  "4\n  0   25.0000 %\n  1   75.0000 %\n");
    const Result bare = { "a.png", NULL, 7, 0, NULL };
    assert_prints(&bare, &(PrintForm){ .is_verbose = true }, "a.png: 7\n");
}

static void test_json(void **state _unused_)
{
    const PrintForm form = { .is_json = true, .is_alone = true };
    const Result result = { "a.png", NULL, 1, 2, probabilities };
    assert_prints(&result, &form,
                  "{\"image\":\"a.png\",\"digit\":1,\"probabilities\":[0.25,0.75]}\n");
    const Result bare = { "\"\\\n\xff\xc3\xa9\xed\xa0\x80\xf0\x9f\x98\x80\xc3", NULL, 1, 0, NULL };
    assert_prints(&bare, &form,
                  "{\"image\":\"\\\"\\\\\\u000a\\ufffd\xc3\xa9\\ufffd\\ufffd\\ufffd"
                  "\xf0\x9f\x98\x80\\ufffd\",\"digit\":1}\n");
    const float odd[] = { NAN, INFINITY, 1e-30f };
    const Result nan = { "a", NULL, 1, 3, odd };
    assert_prints(&nan, &form,
                  "{\"image\":\"a\",\"digit\":1,\"probabilities\":[null,null,1e-30]}\n");
}

static void test_failures(void **state _unused_)
{
    Error *error = error_new(ERROR_NOT_FOUND, "no \"such\" thing");
    const Result result = { "a.png", error, 0, 0, NULL };
    assert_prints(&result, &(PrintForm){ .is_alone = true }, "");
    assert_prints(&result, &(PrintForm){ .is_json = true },
                  "{\"image\":\"a.png\",\"error\":\"no \\\"such\\\" thing\"}\n");
    error_free(error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_for_people),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
