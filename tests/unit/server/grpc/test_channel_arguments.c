/* SPDX-License-Identifier: Apache-2.0
 *
 * --grpc_channel_arguments: what becomes of each text.
 */
#include "server/grpc/channel_arguments.h"

#include "tests/support/check.h"

#define MAX 4

/* `said`: all arguments, integers as #N, after the one that is there, "own=#1". NULL: an error. */
static const struct {
    const char *text, *said;
} cases[] = {
    { "", "own=#1 " },
    { "a=2", "own=#1 a=#2 " },
    { "a=-2,b=x", "own=#1 a=#-2 b=x " },
    { ",,a=2,", "own=#1 a=#2 " },
    { "own=7", "own=#7 " },
    { "a=1,a=2,own=x", "own=x a=#2 " },
    { "a=", "own=#1 a= " },
    { "a=b=c", "own=#1 a=b=c " },
    { "a=2147483647,b=2147483648", "own=#1 a=#2147483647 b=2147483648 " },
    { "a=-2147483648,b=99999999999999999999", "own=#1 a=#-2147483648 b=99999999999999999999 " },
    { "a=1x", "own=#1 a=1x " },
    { "a=1,b=2,c=3", "own=#1 a=#1 b=#2 c=#3 " },
    { "a=1,b=2,c=3,d=4", NULL },
    { "a", NULL },
    { "=1", NULL },
    { "a=1,b", NULL },
};

static void test_texts(void **state)
{
    (void)state;
    _cleanup_(arena_freep) Arena *arena = arena_new(256, 0);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char own[] = "own";
        grpc_arg args[MAX] = { { .type = GRPC_ARG_INTEGER, .key = own, .value.integer = 1 } };
        size_t n;
        Error *error = channel_arguments_parse(arena, cases[i].text, args, 1, MAX, &n);
        if (cases[i].said == NULL) {
            assert_error(error, ERROR_INVALID_ARGUMENT, "--grpc_channel_arguments: ");
            continue;
        }
        assert_ok(error);
        char said[256] = "";
        for (size_t j = 0, at = 0; j < n; j++)
            at += (size_t)(args[j].type == GRPC_ARG_INTEGER
                               ? snprintf(said + at, sizeof(said) - at, "%s=#%d ", args[j].key,
                                          args[j].value.integer)
                               : snprintf(said + at, sizeof(said) - at, "%s=%s ", args[j].key,
                                          args[j].value.string));
        assert_string_equal(said, cases[i].said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
