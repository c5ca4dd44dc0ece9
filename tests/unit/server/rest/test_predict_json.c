/* SPDX-License-Identifier: Apache-2.0
 *
 * Bodies of :predict, the replies, and the texts of the contract.
 */
#include "server/rest/predict_json.h"
#include "server/rest/tensor_json.h"
#include "tests/support/arena_fixture.h"

/* ---- signatures ------------------------------------------------------------------------------ */

static const SignatureTensor one[] = { { .alias = "x", .dtype = DT_FLOAT } };
static const SignatureTensor two[] = { { .alias = "a", .dtype = DT_INT32 },
                                       { .alias = "s", .dtype = DT_STRING } };
static const Signature floats = { .name = "f", .inputs = one, .n_inputs = 1 };
static const Signature pair = { .name = "p", .inputs = two, .n_inputs = 2 };
static const Signature nothing = { .name = "n" };

/* A signature of one input of that type. */
static Signature of_type(SignatureTensor *input, DType dtype)
{
    *input = (SignatureTensor){ .alias = "x", .dtype = dtype };
    return (Signature){ .name = "t", .inputs = input, .n_inputs = 1 };
}

static Error *read_body(Arena *arena, const char *body, const Signature *signature,
                        NamedTensor **ret_inputs)
{
    PredictJson request;
    size_t n;
    TRY(predict_json_open(arena, body, strlen(body), &request));
    return predict_json_inputs(arena, &request, signature, ret_inputs, &n);
}

static void assert_tensor(const Tensor *tensor, DType dtype, Shape shape)
{
    char got[SHAPE_TEXT_BYTES], expected[SHAPE_TEXT_BYTES];
    assert_int_equal(tensor->dtype, dtype);
    assert_string_equal(shape_text(&tensor->shape, got), shape_text(&shape, expected));
}

/* ---- requests -------------------------------------------------------------------------------- */

static void test_rows(void **state)
{
    static const float expected[] = { 1, 2.5f, -3, 4, 5, 6 };
    NamedTensor *inputs;
    assert_ok(
        read_body(*state, "{\"instances\": [[1, 2.5], [-3, 4], [5.0, 6]]}", &floats, &inputs));
    assert_tensor(&inputs[0].tensor, DT_FLOAT, shape_of(3, 2));
    assert_memory_equal(inputs[0].tensor.data, expected, sizeof(expected));
    assert_ok(read_body(*state, "{\"instances\": [{\"x\": 1}, {\"x\": 2.5}]}", &floats, &inputs));
    assert_tensor(&inputs[0].tensor, DT_FLOAT, shape_of(2));
    assert_memory_equal(inputs[0].tensor.data, expected, 2 * sizeof(float));
    assert_ok(read_body(*state, "{\"instances\": [[], []]}", &floats, &inputs));
    assert_tensor(&inputs[0].tensor, DT_FLOAT, shape_of(2, 0));
}

static void test_rows_of_several_inputs(void **state)
{
    NamedTensor *inputs;
    assert_ok(read_body(*state,
                        "{\"instances\": [{\"a\": [1, 2], \"s\": \"x\\ny\"}, "
                        "{\"s\": {\"b64\": \"AP8=\"}, \"a\": [3, 4]}]}",
                        &pair, &inputs));
    static const int32_t expected[] = { 1, 2, 3, 4 };
    assert_tensor(&inputs[0].tensor, DT_INT32, shape_of(2, 2));
    assert_memory_equal(inputs[0].tensor.data, expected, sizeof(expected));
    assert_tensor(&inputs[1].tensor, DT_STRING, shape_of(2));
    const Bytes *strings = inputs[1].tensor.data;
    assert_int_equal(strings[0].size, 3);
    assert_memory_equal(strings[0].data, "x\ny", 3);
    assert_int_equal(strings[1].size, 2);
    assert_memory_equal(strings[1].data, "\0\xff", 2);
}

static void test_columns(void **state)
{
    static const float expected[] = { 1, 2, 3, 4 };
    NamedTensor *inputs;
    assert_ok(read_body(*state, "{\"inputs\": [[[1, 2]], [[3, 4]]]}", &floats, &inputs));
    assert_tensor(&inputs[0].tensor, DT_FLOAT, shape_of(2, 1, 2));
    assert_memory_equal(inputs[0].tensor.data, expected, sizeof(expected));
    assert_ok(read_body(*state, "{\"inputs\": 1}", &floats, &inputs));
    assert_tensor(&inputs[0].tensor, DT_FLOAT, shape_of());
    assert_ok(read_body(*state, "{\"inputs\": {\"a\": [7], \"more\": {}, \"s\": [[\"q\"]]}}", &pair,
                        &inputs));
    assert_tensor(&inputs[0].tensor, DT_INT32, shape_of(1));
    assert_tensor(&inputs[1].tensor, DT_STRING, shape_of(1, 1));
}

static const struct {
    DType dtype;
    const char *body, *reply; /* the tensor, written again */
} types[] = {
    { DT_FLOAT, "[1, 0.1, NaN, -Infinity]", "[1.0, 0.1, NaN, -Infinity]" },
    { DT_DOUBLE, "[1, 0.1, 1e300]", "[1.0, 0.1, 1e+300]" },
    { DT_INT8, "[-128, 127]", "[-128, 127]" },
    { DT_UINT8, "[0, 255]", "[0, 255]" },
    { DT_INT16, "[-32768, 32767]", "[-32768, 32767]" },
    { DT_INT32, "[-2147483648, 2147483647]", "[-2147483648, 2147483647]" },
    { DT_UINT32, "[4294967295]", "[4294967295]" },
    { DT_INT64, "[-9223372036854775808]", "[-9223372036854775808]" },
    { DT_UINT64, "[18446744073709551615]", "[18446744073709551615]" },
    { DT_BOOL, "[[true], [false]]", "[[true], [false]]" },
    { DT_STRING, "[\"a\", {\"b64\": \"YQ\"}]", "[\"a\", \"a\"]" },
};

static void test_types(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        Json json;
        Tensor tensor;
        Buf buf;
        int64_t at = 0;
        buf_init(&buf, 1000);
        assert_ok(json_check(*state, types[i].body, strlen(types[i].body), &json));
        assert_ok(tensor_from_json(*state, json, types[i].dtype, &tensor));
        assert_ok(tensor_to_json(&tensor, 0, false, &at, &buf));
        assert_string_equal(buf_text(&buf), types[i].reply);
        buf_done(&buf);
    }
}

static const struct {
    DType dtype;
    const char *body, *text;
} wrong_values[] = {
    { DT_INT32, "2.0", "JSON Value: 2.0 Type: Number is not of expected type: int32" },
    { DT_INT32, "2147483648", "is not of expected type: int32" },
    { DT_UINT8, "256", "is not of expected type: uint8" },
    { DT_UINT64, "-1", "is not of expected type: uint64" },
    { DT_BOOL, "1", "JSON Value: 1 Type: Number is not of expected type: bool" },
    { DT_FLOAT, "\"1\"", "JSON Value: \"1\" Type: String is not of expected type: float" },
    { DT_FLOAT, "null", "JSON Value: null Type: Null is not of expected type: float" },
    { DT_FLOAT, "{\"b64\": \"YQ==\"}", "Type: Object is not of expected type: float" },
    { DT_STRING, "1", "JSON Value: 1 Type: Number is not of expected type: string" },
    { DT_STRING, "{\"b64\": \"*\"}", "Unable to base64 decode" },
    { DT_STRING, "[[\"a\"], {\"b64\": \"YQ==\"}]",
      "found at incorrect level: 2 in the JSON DOM. "
      "Expected at level: 2" },
    { DT_FLOAT, "[1, [2]]", "Encountered list at unexpected level: 1 expected < 1" },
    { DT_FLOAT, "[[1, 2], [3]]",
      "Encountered list at unexpected size: 1 at level: 1 expected size: 2" },
    { DT_FLOAT, "[[1, 2], [3, 4, 5]]",
      "Encountered list at unexpected size: 3 at level: 1 expected size: 2" },
    { DT_FLOAT, "[[1], 2]",
      "JSON Value: 2 found at incorrect level: 2 in the JSON DOM. Expected "
      "at level: 2" },
    { DT_FLOAT, "[[[[[[[[[1]]]]]]]]]", "a tensor may have 8 dimensions" },
};

static void test_wrong_values(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(wrong_values); i++) {
        SignatureTensor input;
        NamedTensor *inputs;
        Signature signature = of_type(&input, wrong_values[i].dtype);
        char body[200];
        snprintf(body, sizeof(body), "{\"inputs\": %s}", wrong_values[i].body);
        assert_error(read_body(*state, body, &signature, &inputs), ERROR_INVALID_ARGUMENT,
                     wrong_values[i].text);
    }
}

static void test_types_without_json(void **state)
{
    SignatureTensor input;
    NamedTensor *inputs;
    Signature half = of_type(&input, DT_HALF);
    assert_error(read_body(*state, "{\"inputs\": [1.5]}", &half, &inputs), ERROR_UNIMPLEMENTED,
                 "Conversion of JSON Value: 1.5 to type: half");
    assert_error(read_body(*state, "{\"instances\": [1.5]}", &half, &inputs),
                 ERROR_INVALID_ARGUMENT,
                 "Failed to process element: 0 of 'instances' list. Error: UNIMPLEMENTED: "
                 "Conversion of JSON Value: 1.5 to type: half");
    Buf buf;
    int64_t at = 0;
    uint16_t bits = 0;
    Tensor tensor = tensor_view(DT_HALF, &shape_of(), &bits);
    buf_init(&buf, 100);
    assert_error(tensor_to_json(&tensor, 0, false, &at, &buf), ERROR_INVALID_ARGUMENT,
                 "Failed to write JSON value for tensor type: half");
    buf_done(&buf);
}

/* A promise of a trillion elements in a few bytes claims no memory for them. */
static void test_promises_are_not_believed(void **state)
{
    (void)state;
    enum { N = 20000 };
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 1 << 20);
    Buf buf;
    NamedTensor *inputs;
    buf_init(&buf, 1 << 20);
    assert_ok(buf_append_text(&buf, "{\"inputs\": [[0"));
    for (int i = 1; i < N; i++)
        assert_ok(buf_append_text(&buf, ",0"));
    assert_ok(buf_append_text(&buf, "]"));
    for (int i = 1; i < N; i++)
        assert_ok(buf_append_text(&buf, ",[]"));
    assert_ok(buf_append_text(&buf, "]}"));
    assert_error(read_body(arena, buf_text(&buf), &floats, &inputs), ERROR_INVALID_ARGUMENT,
                 "Encountered list at unexpected size: 0 at level: 1 expected size: 20000");
    buf_done(&buf);
}

static const struct {
    const Signature *signature;
    const char *body, *text;
} wrong_bodies[] = {
    { &floats, "", "JSON Parse error: The document is empty" },
    { &floats, "[1]", "JSON Value: [\n    1\n] Is not object" },
    { &floats, "{\"signature_name\": 1}",
      "not formatted correctly. 'signature_name' key must be a string value." },
    { &floats, "{}", "Missing 'inputs' or 'instances' key" },
    { &nothing, "{\"inputs\": 1}", "Failed to get input map for signature: DEFAULT" },
    { &nothing, "{\"inputs\": 1, \"signature_name\": \"s\"}",
      "Failed to get input map for signature: s" },
    { &floats, "{\"inputs\": 1, \"instances\": [1]}",
      "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist " },
    { &floats, "{\"instances\": 1}", "Expecting 'instances' to be an list/array" },
    { &floats, "{\"instances\": []}", "No values in 'instances' array" },
    { &pair, "{\"instances\": [1]}",
      "instances is a plain list, but expecting list of objects as multiple input tensors required "
      "as per tensorinfo_map" },
    { &pair, "{\"inputs\": [1]}",
      "inputs is a plain value/list, but expecting an object as multiple input tensors required as "
      "per tensorinfo_map" },
    { &pair, "{\"instances\": [{\"a\": 1, \"s\": \"\"}, 1]}",
      "Expecting object but got list at item 1 of input list" },
    { &floats, "{\"instances\": [1, {\"x\": 1}]}",
      "Expecting value/list but got object at item 1 of input list" },
    { &floats, "{\"instances\": [1, \"a\"]}",
      "Failed to process element: 1 of 'instances' list. Error: INVALID_ARGUMENT: JSON Value: "
      "\"a\" "
      "Type: String is not of expected type: float" },
    { &pair, "{\"instances\": [{\"a\": 1.5, \"s\": \"\"}]}",
      "Failed to process element: 0 key: a of 'instances' list. Error: INVALID_ARGUMENT: JSON "
      "Value: 1.5 Type: Number" },
    { &pair, "{\"instances\": [{\"a\": 1}]}", "keys must be equal to: a,s" },
    { &pair, "{\"instances\": [{\"a\": 1, \"a\": 2}]}", "keys must be equal to: a,s" },
    { &pair, "{\"instances\": [{\"b\": 1}]}",
      "Failed to process element: 0 key: b of 'instances' list. Error: INVALID_ARGUMENT: JSON "
      "object: does not have named input: b" },
    { &pair, "{\"inputs\": {\"a\": 1}}", "Missing named input: s in 'inputs' object." },
    { &floats, "{\"instances\": [[1, 2], [3]]}", "Expecting tensor size: 2 but got: 1" },
    { &floats, "{\"instances\": [[[1], [2]], [[3, 4]]]}", "Expecting shape [2,1] but got: [1,2]" },
    { &floats, "{\"instances\": [[1, 2], [[3], 4]]}",
      "Failed to process element: 1 of 'instances' list. Error: INVALID_ARGUMENT: JSON Value: 4 "
      "found at incorrect level: 2" },
};

static void test_wrong_bodies(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(wrong_bodies); i++) {
        NamedTensor *inputs;
        assert_error(read_body(*state, wrong_bodies[i].body, wrong_bodies[i].signature, &inputs),
                     ERROR_INVALID_ARGUMENT, wrong_bodies[i].text);
    }
}

/* ---- replies --------------------------------------------------------------------------------- */

static const PredictJson row_form = { .instances = "[]" };
static const PredictJson column_form = { .inputs = "[]" };

static void assert_reply(const PredictJson *request, const NamedTensor *outputs, size_t n,
                         const char *expected)
{
    Buf buf;
    buf_init(&buf, 1000);
    assert_ok(predict_json_reply(request, outputs, n, &buf));
    assert_string_equal(buf_text(&buf), expected);
    buf_done(&buf);
}

static void test_replies(void **state)
{
    (void)state;
    static const float values[] = { 3, 3.5f, 4, 0.1f };
    static const Bytes strings[] = { { (const uint8_t *)"a", 1 }, { (const uint8_t *)"\xff", 1 } };
    NamedTensor outputs[] = {
        { bytes_of_text("s_bytes"), tensor_view(DT_STRING, &shape_of(2), strings) },
        { bytes_of_text("y"), tensor_view(DT_FLOAT, &shape_of(2, 2), values) },
    };
    assert_reply(&row_form, outputs + 1, 1,
                 "{\n    \"predictions\": [[3.0, 3.5], [4.0, 0.1]\n    ]\n}");
    assert_reply(&column_form, outputs + 1, 1, "{\n    \"outputs\": [[3.0, 3.5], [4.0, 0.1]]\n}");
    assert_reply(
        &row_form, outputs, 2,
        "{\n    \"predictions\": [\n        {\n            \"s_bytes\": {\"b64\": \"YQ==\"},"
        "\n            \"y\": [3.0, 3.5]\n        },\n        {\n            \"s_bytes\": "
        "{\"b64\": \"/w==\"},\n            \"y\": [4.0, 0.1]\n        }\n    ]\n}");
    assert_reply(&column_form, outputs, 2,
                 "{\n    \"outputs\": {\n        \"s_bytes\": [{\"b64\": \"YQ==\"}, {\"b64\": "
                 "\"/w==\"}],\n        \"y\": [[3.0, 3.5], [4.0, 0.1]]\n    }\n}");
}

static void test_replies_that_cannot_be(void **state)
{
    (void)state;
    static const float values[] = { 1, 2, 3 };
    NamedTensor outputs[] = {
        { bytes_of_text("a"), tensor_view(DT_FLOAT, &shape_of(3), values) },
        { bytes_of_text("b"), tensor_view(DT_FLOAT, &shape_of(2), values) },
        { bytes_of_text("c"), tensor_view(DT_FLOAT, &shape_of(), values) },
    };
    Buf buf;
    buf_init(&buf, 1000);
    assert_error(predict_json_reply(&row_form, outputs, 2, &buf), ERROR_INVALID_ARGUMENT,
                 "Tensor name: b has inconsistent batch size: 2 expecting: 3");
    assert_error(predict_json_reply(&row_form, outputs + 2, 1, &buf), ERROR_INVALID_ARGUMENT,
                 "Tensor name: c has no shape information ");
    assert_error(predict_json_reply(&row_form, outputs, 0, &buf), ERROR_INVALID_ARGUMENT,
                 "Cannot convert empty tensor map to JSON");
    buf_done(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_rows_of_several_inputs),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_wrong_values),
        cmocka_unit_test(test_types_without_json),
        cmocka_unit_test(test_promises_are_not_believed),
        cmocka_unit_test(test_wrong_bodies),
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_replies_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
