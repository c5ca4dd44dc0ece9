/* SPDX-License-Identifier: Apache-2.0
 *
 * Inference of the v2 protocol on bundles of tests/data/models: which version and signature, and
 * what is refused before a run.
 */
#include "server/service/kserve_infer.h"

#include "tests/support/check.h"

static void test_version(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_latest;
        int64_t version; /* -1: refused */
    } cases[] = {
        { "", true, 0 },
        { "0", false, 0 },
        { "0012", false, 12 },
        { "9223372036854775807", false, INT64_MAX },
        { "9223372036854775808", false, -1 },
        { "99999999999999999999", false, -1 },
        { "-1", false, -1 },
        { " 1", false, -1 },
        { "1x", false, -1 },
        { "stable", false, -1 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        KserveModel model = { bytes_of_text("m"), bytes_of_text(cases[i].text) };
        bool is_latest;
        int64_t version;
        if (cases[i].version < 0) {
            assert_error(kserve_version(&model, &is_latest, &version), ERROR_INVALID_ARGUMENT,
                         "model m: version '");
            continue;
        }
        assert_ok(kserve_version(&model, &is_latest, &version));
        assert_int_equal(is_latest, cases[i].is_latest);
        assert_int_equal(version, cases[i].version);
    }
}

static Model *load(Arena *arena, const char *name)
{
    Model *model = NULL;
    char *path = test_path(arena, arena_printf(arena, "data/models/%s", name));
    assert_ok(model_load(path, NULL, &model));
    return model;
}

static void test_signature(void **state)
{
    (void)state;
    static const struct {
        const char *model, *name, *found;
        const char *text; /* of the error */
    } cases[] = {
        { "cnn", "", "serving_default", NULL },
        { "cnn", "serving_default", "serving_default", NULL },
        { "cnn", "none", NULL, "signature 'none' is none of the model's, which are {" },
        { "counter", "", NULL, "must be one of {after, get, increment" },
        { "counter", "get", "get", NULL },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
        _cleanup_(model_unrefp) Model *model = load(arena, cases[i].model);
        const Signature *signature;
        Error *error =
            kserve_find_signature(model, bytes_of_text(cases[i].name), arena, &signature);
        if (cases[i].text != NULL) {
            assert_error(error, ERROR_FAILED_PRECONDITION, cases[i].text);
            continue;
        }
        assert_ok(error);
        assert_string_equal(signature->name, cases[i].found);
    }
}

/* The network's one input, with a wrong shape, type or name, not at all, and right. */
static void test_run(void **state)
{
    (void)state;
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    _cleanup_(scratch_freep) Scratch *scratch = scratch_new(1);
    _cleanup_(model_unrefp) Model *model = load(arena, "cnn");
    const Signature *signature = model_find_signature(model, bytes_of_text(""));
    assert_int_equal(signature->n_inputs, 1);
    Shape right = signature->inputs[0].shape;
    right.dims[0] = 1;
    Shape flat = shape_of(784);
    Bytes alias = bytes_of_text(signature->inputs[0].alias), unknown = bytes_of_text("none");
    float *zeros = arena_calloc(arena, 1 << 16, sizeof(double));
    NamedTensor good = { alias, tensor_view(DT_FLOAT, &right, zeros) };
    NamedTensor bad_shape = { alias, tensor_view(DT_FLOAT, &flat, zeros) };
    NamedTensor bad_type = { alias, tensor_view(DT_DOUBLE, &right, zeros) };
    NamedTensor bad_name = { unknown, good.tensor };
    const struct {
        NamedTensor inputs[2];
        size_t n;
        const char *text;
    } cases[] = {
        { { good }, 1, NULL },
        { { good, good }, 2, "is there twice" },
        { { bad_shape }, 1, ", got FP32 [784]" },
        { { bad_type }, 1, ", got FP64 [1," },
        { { bad_name }, 1, "model m: input none: signature serving_default has none" },
        { { good }, 0, ", got none" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        NamedTensor *outputs;
        size_t n;
        KserveRequest request = { .model.name = bytes_of_text("m"),
                                  .inputs = (NamedTensor *)(uintptr_t)cases[i].inputs,
                                  .n_inputs = cases[i].n };
        Error *error = kserve_run(model, &request, NULL, scratch, arena, &outputs, &n);
        if (cases[i].text != NULL) {
            assert_error(error, ERROR_INVALID_ARGUMENT, cases[i].text);
            continue;
        }
        assert_ok(error);
        assert_int_equal(n, signature->n_outputs);
        request.n_filter = 1;
        request.output_filter = &unknown;
        assert_error(kserve_run(model, &request, NULL, scratch, arena, &outputs, &n),
                     ERROR_INVALID_ARGUMENT, "model m: output tensor alias not found");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_signature),
        cmocka_unit_test(test_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
