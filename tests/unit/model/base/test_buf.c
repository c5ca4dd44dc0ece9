/* SPDX-License-Identifier: Apache-2.0
 *
 * Buf: growth, the maximum, text.
 */
#include "model/base/buf.h"
#include "tests/support/check.h"

static void test_append_grows(void **state _unused_)
{
    Buf buf;
    buf_init(&buf, 1 << 20);
    for (uint32_t i = 0; i < 10000; i++)
        assert_ok(buf_append(&buf, &i, sizeof(i)));
    assert_int_equal(buf.size, 40000);
    for (uint32_t i = 0; i < 10000; i++)
        assert_memory_equal(buf.data + 4 * i, &i, 4);
    buf_done(&buf);
    assert_int_equal(buf.size, 0);
    assert_ok(buf_append_text(&buf, "again"));
    assert_string_equal(buf_text(&buf), "again");
    buf_done(&buf);
}

static void test_maximum_is_kept_and_nothing_is_appended_past_it(void **state _unused_)
{
    Buf buf;
    buf_init(&buf, 10);
    assert_ok(buf_append_text(&buf, "12345678"));
    assert_error(buf_append_text(&buf, "abc"), ERROR_RESOURCE_EXHAUSTED, "the limit is 10");
    assert_error(buf_reserve(&buf, SIZE_MAX), ERROR_RESOURCE_EXHAUSTED, "the limit is 10");
    assert_error(buf_printf(&buf, "%d", 123), ERROR_RESOURCE_EXHAUSTED, "the limit is 10");
    assert_string_equal(buf_text(&buf), "12345678");
    assert_ok(buf_append_text(&buf, "90"));
    assert_string_equal(buf_text(&buf), "1234567890");
    buf_done(&buf);
}

static void test_printf_and_text(void **state _unused_)
{
    Buf buf;
    buf_init(&buf, SIZE_MAX);
    assert_string_equal(buf_text(&buf), "");
    assert_ok(buf_printf(&buf, "%s=%d", "a", 1));
    assert_ok(buf_printf(&buf, "%s", ""));
    assert_ok(buf_printf(&buf, ",%05d", 42));
    assert_string_equal(buf_text(&buf), "a=1,00042");
    assert_int_equal(buf.size, 9);
    buf_done(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_append_grows),
        cmocka_unit_test(test_maximum_is_kept_and_nothing_is_appended_past_it),
        cmocka_unit_test(test_printf_and_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
