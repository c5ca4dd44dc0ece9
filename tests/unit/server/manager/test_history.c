/* SPDX-License-Identifier: Apache-2.0
 *
 * The history is bounded, keeps the newest, and each number once.
 */
#include "server/manager/history.h"

#include "tests/support/check.h"

static void test_history(void **state)
{
    (void)state;
    History history = { 0 };
    for (int64_t number = 1; number <= HISTORY_MAX + 3; number++)
        history_add(&history, number, number == 10 ? error_new(ERROR_UNKNOWN, "ten") : NULL);
    assert_int_equal(history.n, HISTORY_MAX);
    assert_int_equal(history.ended[0].number, 4);
    assert_int_equal(history.ended[HISTORY_MAX - 1].number, HISTORY_MAX + 3);
    assert_string_equal(history.ended[6].error->text, "ten");

    history_add(&history, 10, error_new(ERROR_UNKNOWN, "ten again"));
    assert_int_equal(history.n, HISTORY_MAX);
    assert_int_equal(history.ended[HISTORY_MAX - 1].number, 10);
    assert_string_equal(history.ended[HISTORY_MAX - 1].error->text, "ten again");
    assert_int_equal(history.ended[6].number, 11);

    history_remove(&history, 4);
    history_remove(&history, 4);
    assert_int_equal(history.n, HISTORY_MAX - 1);
    assert_int_equal(history.ended[0].number, 5);
    history_done(&history);
    assert_int_equal(history.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_history) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
