/* SPDX-License-Identifier: Apache-2.0
 *
 * Loading and warming up the bundles of tests/data/models: none is refused, none is hurt.
 */
#include "server/manager/loader.h"

#include "tests/support/check.h"

static void test_warm_up(void **state)
{
    (void)state;
    static const char *const names[] = { "assets", "cnn", "counter", "heads", "keras", "module" };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        _cleanup_(arena_freep) Arena *arena = arena_new(1024, 0);
        char *directory = test_path(arena, arena_printf(arena, "data/models/%s", names[i]));
        Model *model = NULL;
        assert_ok(loader_of_bundles.load(directory, NULL, &model));
        size_t bytes = model_memory_bytes(model);
        loader_warm_up_on_zeros(model);
        assert_int_equal(model_memory_bytes(model), bytes);
        assert_null(loader_of_bundles.unload(model));
    }
}

static float value_of(const Model *model, const char *signature_name)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(1024, 0);
    _cleanup_(scratch_freep) Scratch *scratch = scratch_new(1);
    NamedTensor *outputs;
    size_t n;
    assert_ok(signature_run(model, model_find_signature(model, bytes_of_text(signature_name)), NULL,
                            0, NULL, 0, NULL, scratch, arena, &outputs, &n));
    return *(const float *)outputs[0].tensor.data;
}

/* Had the warm-up run every signature, the counter would have been counted. */
static void test_warm_up_leaves_state_alone(void **state)
{
    (void)state;
    _cleanup_(arena_freep) Arena *arena = arena_new(1024, 0);
    Model *model = NULL;
    assert_ok(loader_of_bundles.load(test_path(arena, "data/models/counter"), NULL, &model));
    float counted = value_of(model, "increment");
    assert_true(counted > 0);
    loader_warm_up_on_zeros(model);
    assert_float_equal(value_of(model, "get"), counted, 0);
    loader_of_bundles.unload(model);
}

static void test_pure(void **state)
{
    (void)state;
    static const struct {
        const char *model;
        const char *signature;
        bool is_pure;
    } cases[] = {
        { "cnn", "serving_default", true },
        { "counter", "increment", false },
        { "counter", "reset", false },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(arena_freep) Arena *arena = arena_new(1024, 0);
        char *directory = test_path(arena, arena_printf(arena, "data/models/%s", cases[i].model));
        _cleanup_(model_unrefp) Model *model = NULL;
        assert_ok(model_load(directory, NULL, &model));
        const Signature *signature = model_find_signature(model, bytes_of_text(cases[i].signature));
        assert_non_null(signature);
        assert_int_equal(signature_is_pure(signature), cases[i].is_pure);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_warm_up),
        cmocka_unit_test(test_warm_up_leaves_state_alone),
        cmocka_unit_test(test_pure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
