/* SPDX-License-Identifier: Apache-2.0
 *
 * Regex: searches that would take exponential time end as errors, in little time and memory. What
 * patterns match is compared with TensorFlow's answers in test_ops.c.
 */
#include "model/op/regex.h"
#include "tests/support/check.h"

#define TEXT_BYTES 40

static const struct {
    const char *pattern;
    bool ends; /* within REGEX_MAX_STEPS, on many 'a' and one '!' */
} cases[] = {
    { "(a+)+$", false },       { "(a|aa)+$", false },
    { "([a-z]+)*\\d", false }, { "(a*)*b", true }, /* PCRE2 sees that there is no b */
    { "a+$", true },           { "a*!", true },
};

static void test_backtracking(_unused_ void **state)
{
    char text[TEXT_BYTES + 1];
    memset(text, 'a', TEXT_BYTES);
    text[TEXT_BYTES] = '!';
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(arena_freep) Arena *arena = arena_new(4096, (size_t)64 << 20);
        const Regex *regex = NULL;
        RegexMatch *match = NULL;
        bool found = false;
        assert_non_null(arena);
        assert_ok(regex_new(arena, bytes_of_text(cases[i].pattern), &regex));
        assert_ok(regex_match_new(regex, arena, &match));
        Error *error = regex_search(match, (Bytes){ (uint8_t *)text, sizeof text }, 0, &found);
        if ((error == NULL) != cases[i].ends)
            print_error("pattern: %s\n", cases[i].pattern);
        if (cases[i].ends)
            assert_ok(error);
        else
            assert_error(error, ERROR_RESOURCE_EXHAUSTED,
                         "takes too many steps on a string of 41 bytes");
        /* The match is as good as before for a text that ends. */
        assert_ok(regex_search(match, bytes_of_text("aa"), 0, &found));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_backtracking) };
    return cmocka_run_group_tests_name("regex", tests, NULL, NULL);
}
