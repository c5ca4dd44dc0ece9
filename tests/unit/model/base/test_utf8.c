/* SPDX-License-Identifier: Apache-2.0
 *
 * utf8_length: the table of RFC 3629, section 4, at its edges.
 */
#include "model/base/cleanup.h"
#include "model/base/utf8.h"
#include "tests/support/check.h"

static void test_lengths(void **state _unused_)
{
    static const struct {
        const char *bytes;
        size_t max, length;
    } cases[] = {
        { "", 1, 1 },
        { "\x7f", 1, 1 },
        { "\x80", 1, 0 },
        { "\xbf\x80", 2, 0 },
        { "\xc1\xbf", 2, 0 }, /* overlong */
        { "\xc2\x80", 2, 2 },
        { "\xdf\xbf", 2, 2 },
        { "\xc3\xa9", 1, 0 }, /* cut off */
        { "\xc3(", 2, 0 },
        { "\xe0\x9f\xbf", 3, 0 }, /* overlong */
        { "\xe0\xa0\x80", 3, 3 },
        { "\xed\x9f\xbf", 3, 3 },
        { "\xed\xa0\x80", 3, 0 }, /* a surrogate */
        { "\xee\x80\x80", 3, 3 },
        { "\xef\xbf\xbd", 2, 0 },
        { "\xf0\x8f\xbf\xbf", 4, 0 }, /* overlong */
        { "\xf0\x90\x80\x80", 4, 4 },
        { "\xf4\x8f\xbf\xbf", 4, 4 }, /* the last one */
        { "\xf4\x90\x80\x80", 4, 0 },
        { "\xf5\x80\x80\x80", 4, 0 },
        { "\xff", 1, 0 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(utf8_length((const uint8_t *)cases[i].bytes, cases[i].max),
                         cases[i].length);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_lengths) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
