/* SPDX-License-Identifier: Apache-2.0
 *
 * Terms: products and quotients of sizes that are not known.
 */
#include "model/graph/term.h"
#include "tests/support/check.h"

static Term product(Term a, Term b)
{
    Term t;
    assert_true(term_multiply(&a, &b, &t));
    return t;
}

static void test_products_are_sorted(_unused_ void **state)
{
    Term s1 = term_of_symbol(1), s2 = term_of_symbol(2);
    Term a = product(product(s1, s2), product(term_of(6), s1));
    Term b = product(s1, product(term_of(6), product(s2, s1)));
    assert_true(term_equal(&a, &b));
    assert_int_equal(a.factor, 6);
    assert_int_equal(a.n, 3);
    assert_false(term_equal(&s1, &s2));
    assert_false(term_is(&s1, 1));
    Term one = product(term_of(1), term_of(1));
    assert_true(term_is(&one, 1));
}

static void test_nothing_times_anything(_unused_ void **state)
{
    Term zero = product(term_of_symbol(3), term_of(0)), other = term_of(0);
    assert_true(term_equal(&zero, &other));
}

static void test_limits(_unused_ void **state)
{
    Term t = term_of(1), huge = term_of(INT64_MAX), two = term_of(2), s = term_of_symbol(7);
    for (int i = 0; i < TERM_MAX_SYMBOLS; i++)
        t = product(t, s);
    assert_false(term_multiply(&t, &s, &t));
    assert_false(term_multiply(&huge, &two, &t));
}

static void test_quotients(_unused_ void **state)
{
    Term t = product(term_of(12), term_of_symbol(1)), q;
    Term four = term_of(4), five = term_of(5), zero = term_of(0), s = term_of_symbol(1);
    assert_true(term_divide(&t, &four, &q));
    assert_int_equal(q.factor, 3);
    assert_int_equal(q.n, 1);
    assert_false(term_divide(&t, &five, &q));
    assert_false(term_divide(&t, &zero, &q));
    assert_false(term_divide(&t, &s, &q)); /* it may be 0 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products_are_sorted),
        cmocka_unit_test(test_nothing_times_anything),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_quotients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
