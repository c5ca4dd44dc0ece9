/* SPDX-License-Identifier: Apache-2.0
 *
 * Flags: forms, failures and the help, over one table.
 */
#include "model/base/flags.h"
#include "tests/support/check.h"

typedef struct Options {
    bool verbose;
    int64_t port;
    double rate;
    const char *model;
    FlagList images;
} Options;

#define ARGUMENTS_MAX 12

static Error *parse(Options *o, const char *const arguments[ARGUMENTS_MAX], bool *help)
{
    *o = (Options){ .port = 8500, .rate = 0.5, .model = "digits" };
    const Flag flags[] = {
        { "verbose", FLAG_BOOL, &o->verbose, NULL, "Say more.", 0, 0 },
        { "port", FLAG_INT, &o->port, "PORT", "Port of the server.", 1, 65535 },
        { "learning_rate", FLAG_DOUBLE, &o->rate, NULL, "Step.", 0, 1 },
        { "model", FLAG_TEXT, &o->model, "NAME", "Model.", 0, 0 },
        { "image", FLAG_FILES, &o->images, NULL, "Images.", 0, 0 },
    };
    char *argv[ARGUMENTS_MAX + 1] = { (char *)"program" };
    int argc = 1;
    for (; argc <= ARGUMENTS_MAX && arguments[argc - 1] != NULL; argc++)
        argv[argc] = (char *)(uintptr_t)arguments[argc - 1];
    return flags_parse(flags, ARRAY_SIZE(flags), argc, argv, help);
}

static void test_forms(void **state _unused_)
{
    static const struct {
        const char *arguments[ARGUMENTS_MAX];
        bool verbose;
        int64_t port;
        double rate;
        const char *model;
        const char *images; /* joined by spaces */
    } cases[] = {
        { { NULL }, false, 8500, 0.5, "digits", "" },
        { { "--port=1", "--verbose", "--learning_rate=1e-3" }, true, 1, 1e-3, "digits", "" },
        { { "--port", "65535", "-model", "m", "-verbose" }, true, 65535, 0.5, "m", "" },
        { { "--verbose=yes", "--noverbose", "--model=" }, false, 8500, 0.5, "", "" },
        { { "--verbose=1", "--verbose=false" }, false, 8500, 0.5, "digits", "" },
        { { "--image", "1", "2", "--port=7", "3", "--image=4" },
          false,
          7,
          0.5,
          "digits",
          "1 2 3 4 " },
        { { "a", "--verbose", "b", "--", "--port", "-" },
          true,
          8500,
          0.5,
          "digits",
          "a b --port - " },
        { { "-", "--model=a=b", "--port=2", "--port=3" }, false, 3, 0.5, "a=b", "- " },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Options o;
        bool help = true;
        assert_ok(parse(&o, cases[i].arguments, &help));
        assert_false(help);
        assert_int_equal(o.verbose, cases[i].verbose);
        assert_int_equal(o.port, cases[i].port);
        assert_true(o.rate == cases[i].rate);
        assert_string_equal(o.model, cases[i].model);
        char images[100] = "";
        for (size_t j = 0; j < o.images.n; j++)
            snprintf(images + strlen(images), sizeof(images) - strlen(images), "%s ",
                     o.images.items[j]);
        assert_string_equal(images, cases[i].images);
        flag_list_done(&o.images);
    }
}

static void test_failures(void **state _unused_)
{
    static const struct {
        const char *arguments[ARGUMENTS_MAX];
        const char *text;
    } cases[] = {
        { { "--prot=1" }, "unknown flag --prot; did you mean --port?" },
        { { "--learning-rate", "1" }, "did you mean --learning_rate?" },
        { { "--zzzzzzzz" }, "unknown flag --zzzzzzzz; --help lists all flags" },
        { { "--port=http" }, "--port: \"http\" is not a whole number" },
        { { "--port=" }, "--port: \"\" is not a whole number" },
        { { "--port=0x10" }, "is not a whole number" },
        { { "--port=99999999999999999999" }, "is not a whole number" },
        { { "--port=0" }, "--port: 0 is out of range; it goes from 1 to 65535" },
        { { "--port", "-1" }, "-1 is out of range" },
        { { "--learning_rate=nan" }, "is not a number" },
        { { "--learning_rate=1.5" }, "1.5 is out of range; it goes from 0 to 1" },
        { { "--verbose=maybe" }, "--verbose: \"maybe\" is neither true nor false" },
        { { "--noverbose=true" }, "--noverbose takes no value" },
        { { "--noport" }, "did you mean --port?" },
        { { "--model" }, "--model needs a value: --model=NAME" },
        { { "--image", "--verbose" }, "--image needs a value" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Options o;
        bool help = false;
        assert_error(parse(&o, cases[i].arguments, &help), ERROR_INVALID_ARGUMENT, cases[i].text);
        assert_false(help);
        flag_list_done(&o.images);
    }
}

static void test_without_a_row_for_files(void **state _unused_)
{
    bool on = false, help;
    const Flag flags[] = { { "on", FLAG_BOOL, &on, NULL, "On.", 0, 0 } };
    char *argv[] = { (char *)"program", (char *)"stray" };
    assert_error(flags_parse(flags, 1, 2, argv, &help), ERROR_INVALID_ARGUMENT,
                 "\"stray\" is not a flag");
}

static void test_help(void **state _unused_)
{
    Options o;
    bool help = false;
    assert_ok(parse(&o, (const char *const[ARGUMENTS_MAX]){ "--port=1", "-h" }, &help));
    assert_true(help);
    assert_int_equal(o.port, 1);

    const char *name = "digits";
    const Flag flags[] = {
        { "verbose", FLAG_BOOL, &o.verbose, NULL, "Say more.", 0, 0 },
        { "port", FLAG_INT, &o.port, "PORT", "Port.", 1, 65535 },
        { "model", FLAG_TEXT, &name, NULL, "Model.", 0, 0 },
        { "image", FLAG_FILES, &o.images, NULL, "Images.", 0, 0 },
    };
    char text[1000] = "";
    FILE *out = fmemopen(text, sizeof(text), "w");
    flags_help(flags, ARRAY_SIZE(flags), "usage: program", out);
    fclose(out);
    assert_string_equal(text, "usage: program\n\n"
                              "  --verbose                       Say more. (default: false)\n"
                              "  --port=PORT                     Port. (default: 1)\n"
                              "  --model=TEXT                    Model. (default: digits)\n"
                              "  --image FILE...                 Images.\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_without_a_row_for_files),
        cmocka_unit_test(test_help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
