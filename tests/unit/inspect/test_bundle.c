/* SPDX-License-Identifier: Apache-2.0
 *
 * Bundle: which version a path means, what is in it, and bundles that Digit cannot serve.
 */
#include <unistd.h>

#include "inspect/bundle.h"
#include "tests/support/check.h"

typedef struct Fixture {
    Arena *arena;
    Bundle bundle;
} Fixture;

static int setup(void **state)
{
    Fixture *fixture = calloc(1, sizeof *fixture);
    if (fixture == NULL)
        return -1;
    fixture->arena = arena_new(1 << 16, 0);
    *state = fixture;
    return fixture->arena == NULL;
}

static int teardown(void **state)
{
    Fixture *fixture = *state;
    arena_free(fixture->arena);
    free(fixture);
    return 0;
}

static size_t count_nodes(const Bundle *bundle, const char *op)
{
    for (size_t i = 0; i < bundle->n_ops; i++)
        if (strcmp(bundle->ops[i].name, op) == 0)
            return bundle->ops[i].n_nodes;
    return 0;
}

static void test_version(void **state)
{
    Fixture *f = *state;
    assert_ok(bundle_read(f->arena, test_path(f->arena, "data/models/cnn"), "serve", &f->bundle));
    assert_true(f->bundle.n_signatures > 0);
    assert_int_equal(f->bundle.n_unsupported, 0);
    assert_true(count_nodes(&f->bundle, "Conv2D") > 0);
    assert_int_equal(count_nodes(&f->bundle, "PartitionedCall"), 0);
}

/* The highest number, not the last name; what is no number is no version. */
static void test_base_path(void **state)
{
    Fixture *f = *state;
    static const char *const names[] = { "9", "10", "tmp11", "12x", "-13" };
    char directory[] = "/tmp/digit-test-XXXXXX";
    assert_non_null(mkdtemp(directory));
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *path = file_join(f->arena, directory, names[i]);
        const char *to = strcmp(names[i], "10") == 0 ? "data/models/cnn" : "data/bundles";
        _cleanup_(freep) char *real = realpath(test_path(f->arena, to), NULL);
        assert_non_null(real);
        assert_int_equal(symlink(real, path), 0);
    }
    Error *error = bundle_read(f->arena, directory, "serve", &f->bundle);
    assert_ok(file_remove_tree(directory));
    assert_ok(error);
    assert_string_equal(f->bundle.directory + strlen(directory), "/10");
    assert_true(f->bundle.n_signatures > 0);
}

static void test_find(void **state)
{
    Fixture *f = *state;
    size_t number = 99;
    assert_ok(bundle_read(f->arena, test_path(f->arena, "../models/digits"), "serve", &f->bundle));
    assert_ok(bundle_find(&f->bundle, "", &number));
    assert_string_equal(f->bundle.signatures[number].name, "serving_default");
    assert_ok(bundle_find(&f->bundle, "predict", &number));
    assert_string_equal(f->bundle.signatures[number].name, "predict");
    assert_error(bundle_find(&f->bundle, "guess", &number), ERROR_NOT_FOUND,
                 "no signature 'guess'; the bundle has classify, predict, serving_default");
    const Bundle first = { .signatures = f->bundle.signatures, .n_signatures = 1 };
    assert_ok(bundle_find(&first, "", &number));
    assert_int_equal(number, 0);
    const Bundle none = { .n_signatures = 0 };
    assert_error(bundle_find(&none, "", &number), ERROR_NOT_FOUND, "no signature");
}

static void test_errors(void **state)
{
    Fixture *f = *state;
    assert_error(bundle_read(f->arena, "/nowhere", "serve", &f->bundle), ERROR_NOT_FOUND,
                 "/nowhere");
    assert_error(bundle_read(f->arena, test_path(f->arena, "data/models/cnn"), "train", &f->bundle),
                 ERROR_NOT_FOUND, "train");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_version, setup, teardown),
        cmocka_unit_test_setup_teardown(test_base_path, setup, teardown),
        cmocka_unit_test_setup_teardown(test_find, setup, teardown),
        cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
