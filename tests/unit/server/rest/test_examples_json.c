/* SPDX-License-Identifier: Apache-2.0
 *
 * Bodies of :classify and :regress, the replies, and the texts of the contract.
 */
#include "server/rest/examples_json.h"
#include "server/rest/predict_json.h"
#include "tensorflow/core/example/example.pb-c.h"
#include "tests/support/arena_fixture.h"

static Error *read_examples(Arena *arena, const char *body, Bytes **ret_examples, size_t *ret_n)
{
    Json document;
    Bytes name;
    TRY(body_json_open(arena, body, strlen(body), &document, &name));
    return examples_from_json(arena, document, "classify", ret_examples, ret_n);
}

static const Tensorflow__Feature *feature_of(const Tensorflow__Example *example, const char *name)
{
    const Tensorflow__Features *features = example->features;
    for (size_t i = features->n_feature; i-- > 0;)
        if (strcmp(features->feature[i]->key, name) == 0)
            return features->feature[i]->value;
    fail_msg("no feature %s", name);
    return NULL;
}

static void test_examples(void **state)
{
    Bytes *examples;
    size_t n;
    assert_ok(read_examples(*state,
                            "{\"context\": {\"c\": [\"u\", {\"b64\": \"dg==\"}], \"x\": 9.0}, "
                            "\"examples\": [{\"x\": 2.0, \"i\": [1, true, -3], \"e\": []}, {}]}",
                            &examples, &n));
    assert_int_equal(n, 2);
    Tensorflow__Example *example =
        tensorflow__example__unpack(NULL, examples[0].size, examples[0].data);
    assert_non_null(example);
    const Tensorflow__Feature *c = feature_of(example, "c"), *i = feature_of(example, "i");
    assert_int_equal(c->kind_case, TENSORFLOW__FEATURE__KIND_BYTES_LIST);
    assert_int_equal(c->bytes_list->n_value, 2);
    assert_memory_equal(c->bytes_list->value[1].data, "v", 1);
    assert_int_equal(i->int64_list->n_value, 3);
    assert_int_equal(i->int64_list->value[1], 1);
    assert_int_equal(i->int64_list->value[2], -3);
    assert_true(feature_of(example, "x")->float_list->value[0] == 2);
    assert_int_equal(feature_of(example, "e")->kind_case, TENSORFLOW__FEATURE__KIND__NOT_SET);
    tensorflow__example__free_unpacked(example, NULL);
    example = tensorflow__example__unpack(NULL, examples[1].size, examples[1].data);
    assert_non_null(example);
    assert_true(feature_of(example, "x")->float_list->value[0] == 9);
    tensorflow__example__free_unpacked(example, NULL);
}

static const char *const wrong_examples[][2] = {
    { "{}", "When method is classify, key 'examples' is expected and was not found" },
    { "{\"examples\": 1}", "Expecting 'examples' value to be an list/array" },
    { "{\"examples\": []}", "'examples' value is an empty array" },
    { "{\"examples\": [[]]}", "Example must be JSON object but got JSON Array" },
    { "{\"context\": 1, \"examples\": []}", "Example must be JSON object but got JSON Number" },
    { "{\"examples\": [{\"f\": [1, 2.0]}]}",
      "Unexpected element type in feature: f expecting type: int64" },
    { "{\"examples\": [{\"f\": [2.0, \"a\"]}]}",
      "Unexpected element type in feature: f expecting type: float" },
    { "{\"examples\": [{\"f\": [\"a\", 1]}]}",
      "Unexpected element type in feature: f expecting type: bytes" },
    { "{\"examples\": [{\"f\": null}]}", "Feature: f has element with unexpected JSON type: Null" },
    { "{\"examples\": [{\"f\": [[1]]}]}",
      "Feature: f has element with unexpected JSON type: Array" },
    { "{\"examples\": [{\"f\": {\"b65\": \"\"}}]}",
      "Feature: f has element with unexpected JSON type: Object" },
    { "{\"examples\": [{\"f\": 9223372036854775808}]}",
      "Feature: f has uint64_t element. Only int64_t is supported." },
};

static void test_wrong_examples(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(wrong_examples); i++) {
        Bytes *examples;
        size_t n;
        assert_error(read_examples(*state, wrong_examples[i][0], &examples, &n),
                     ERROR_INVALID_ARGUMENT, wrong_examples[i][1]);
    }
}

static void test_results(void **state)
{
    (void)state;
    static const float scores[] = { 0.5f, 0.25f };
    static const Bytes labels[] = { { (const uint8_t *)"a\"", 2 }, { (const uint8_t *)"b", 1 } };
    Buf buf;
    buf_init(&buf, 1000);
    assert_ok(classification_to_json(&(Classification){ 1, 2, labels, scores }, &buf));
    assert_string_equal(buf_text(&buf),
                        "{\n    \"results\": [[[\"a\\\"\", 0.5], [\"b\", 0.25]]\n    ]\n}");
    buf.size = 0;
    assert_ok(classification_to_json(&(Classification){ 2, 1, NULL, scores }, &buf));
    assert_string_equal(buf_text(&buf),
                        "{\n    \"results\": [[[\"\", 0.5]], [[\"\", 0.25]]\n    ]\n}");
    buf.size = 0;
    assert_ok(regression_to_json(&(Regression){ 2, scores }, &buf));
    assert_string_equal(buf_text(&buf), "{\n    \"results\": [0.5, 0.25]\n}");
    assert_error(regression_to_json(&(Regression){ 0 }, &buf), ERROR_INVALID_ARGUMENT,
                 "Cannot convert empty RegressionResults to JSON");
    assert_error(classification_to_json(&(Classification){ 0 }, &buf), ERROR_INVALID_ARGUMENT,
                 "Cannot convert empty ClassificationResults to JSON");
    buf_done(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_wrong_examples),
        cmocka_unit_test(test_results),
    };
    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
