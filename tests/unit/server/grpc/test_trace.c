/* SPDX-License-Identifier: Apache-2.0
 *
 * traceparent: the examples of the specification, and what it says is to be ignored.
 */
#include "server/grpc/trace.h"

#include "tests/support/check.h"

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"
#define ZEROS "0000000000000000"

static const struct {
    const char *text;
    bool is_valid, is_sampled;
} cases[] = {
    { "00-" TRACE "-" PARENT "-01", true, true },
    { "00-" TRACE "-" PARENT "-00", true, false },
    { "00-" TRACE "-" PARENT "-02", true, false },
    { "00-" TRACE "-" PARENT "-ff", true, true },
    { "cc-" TRACE "-" PARENT "-01", true, true },
    { "cc-" TRACE "-" PARENT "-01-what-the-future-will-be-like", true, true },
    { "cc-" TRACE "-" PARENT "-01.what", false, false },
    { "00-" TRACE "-" PARENT "-01-what", false, false },
    { "00-" TRACE "-" PARENT "-01-", false, false },
    { "ff-" TRACE "-" PARENT "-01", false, false },
    { "00-" ZEROS ZEROS "-" PARENT "-01", false, false },
    { "00-" TRACE "-" ZEROS "-01", false, false },
    { "00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01", false, false },
    { "00-4bf92f3577b34da6a3ce929d0e0e473-" PARENT "-01", false, false },
    { "00-" TRACE "-" PARENT "-0", false, false },
    { "00-" TRACE "-" PARENT "-", false, false },
    { "00-" TRACE "-" PARENT, false, false },
    { "0g-" TRACE "-" PARENT "-01", false, false },
    { "00_" TRACE "-" PARENT "-01", false, false },
    { "00-" TRACE "_" PARENT "-01", false, false },
    { "", false, false },
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        /* A block of its exact size: the sanitizer sees a byte too far. */
        size_t size = strlen(cases[i].text);
        uint8_t *text = malloc(size + 1);
        assert_non_null(text);
        memcpy(text, cases[i].text, size);
        Trace trace;
        assert_int_equal(trace_parse((Bytes){ text, size }, &trace), cases[i].is_valid);
        free(text);
        if (cases[i].is_valid) {
            assert_string_equal(trace.trace_id, TRACE);
            assert_string_equal(trace.parent_id, PARENT);
            assert_int_equal(trace.is_sampled, cases[i].is_sampled);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
