/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of train/options.c: the defaults, and what is refused with which words.
 */
#include "train/options.h"

#include "tests/support/check.h"

#define MAX_ARGS 6

static int count(char *const *argv)
{
    int n = 0;
    while (argv[n] != NULL)
        n++;
    return n;
}

static void test_defaults(void **state _unused_)
{
    char *argv[] = { "digit-train", "--data_dir=d", NULL };
    Options options;
    bool help = true;
    assert_ok(options_parse(count(argv), argv, &options, &help));
    assert_false(help);
    assert_string_equal(options.data_dir, "d");
    assert_null(options.model_dir);
    assert_null(options.export_dir);
    assert_int_equal(options.hidden_layers, 2);
    assert_int_equal(options.dense_units, 1024);
    assert_int_equal(options.steps, 0);
    assert_int_equal(options.version, 0);
    assert_float_equal(options.learning_rate, 0.001, 1e-9);
    assert_false(options.augment);
    assert_true(options.threads >= 1);
}

static void test_values(void **state _unused_)
{
    char *argv[] = { "digit-train", "--data_dir", "d", "--augment", "--hidden_layers=4", NULL };
    Options options;
    bool help = false;
    assert_ok(options_parse(count(argv), argv, &options, &help));
    assert_true(options.augment);
    assert_int_equal(options.hidden_layers, 4);
}

static void test_refused(void **state _unused_)
{
    static const struct {
        char *argv[MAX_ARGS];
        const char *text;
    } cases[] = {
        { { "digit-train", NULL }, "--data_dir is missing" },
        { { "digit-train", "--data_dir=d", "--hidden_layers=5", NULL }, "hidden_layers" },
        { { "digit-train", "--data_dir=d", "--hidden_layers=-1", NULL }, "hidden_layers" },
        { { "digit-train", "--data_dir=d", "--dense_units=0", NULL }, "dense_units" },
        { { "digit-train", "--data_dir=d", "--learning_rate=fast", NULL }, "fast" },
        { { "digit-train", "--data_dir=d", "--batch_size=99999999", NULL }, "batch_size" },
        { { "digit-train", "--data_dir=d", "--threads=0", NULL }, "threads" },
        { { "digit-train", "--data_dir=d", "--epoch=3", NULL }, "epochs" },
        { { "digit-train", "--data_dir=d", "extra", NULL }, "extra" },
        { { "digit-train", "--data_dir=", NULL }, "--data_dir is missing" },
    };
    for (size_t k = 0; k < ARRAY_SIZE(cases); k++) {
        Options options;
        bool help = false;
        assert_error(options_parse(count(cases[k].argv), (char **)cases[k].argv, &options, &help),
                     ERROR_INVALID_ARGUMENT, cases[k].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
