/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests, read along the wire: against bytes that protobuf-c packed, and against bytes written
 * out here where no library would write them.
 */
#include "server/service/request.h"
#include "tensorflow_serving/apis/classification.pb-c.h"
#include "tensorflow_serving/apis/get_model_metadata.pb-c.h"
#include "tensorflow_serving/apis/predict.pb-c.h"
#include "tests/unit/server/service/request_fixture.h"

/* ---- PredictRequest -------------------------------------------------------------------------- */

static void test_predict(void **state)
{
    Arena *arena = *state;
    Google__Protobuf__Int64Value version = GOOGLE__PROTOBUF__INT64_VALUE__INIT;
    Tensorflow__Serving__ModelSpec spec = TENSORFLOW__SERVING__MODEL_SPEC__INIT;
    spec.name = (char *)"digits";
    spec.signature_name = (char *)"predict";
    spec.version_choice_case = TENSORFLOW__SERVING__MODEL_SPEC__VERSION_CHOICE_VERSION;
    spec.version = &version;
    version.value = 1234567890123;
    Tensorflow__TensorProto tensor = TENSORFLOW__TENSOR_PROTO__INIT;
    tensor.dtype = TENSORFLOW__DATA_TYPE__DT_FLOAT;
    Tensorflow__Serving__PredictRequest__InputsEntry entries[2] = {
        TENSORFLOW__SERVING__PREDICT_REQUEST__INPUTS_ENTRY__INIT,
        TENSORFLOW__SERVING__PREDICT_REQUEST__INPUTS_ENTRY__INIT,
    };
    Tensorflow__Serving__PredictRequest__InputsEntry *inputs[] = { &entries[0], &entries[1] };
    entries[0].key = (char *)"x";
    entries[0].value = &tensor;
    entries[1].key = (char *)"y";
    char *filter[] = { (char *)"a", (char *)"", (char *)"c" };
    Tensorflow__Serving__PredictRequest message = TENSORFLOW__SERVING__PREDICT_REQUEST__INIT;
    message.model_spec = &spec;
    message.inputs = inputs;
    message.n_inputs = 2;
    message.output_filter = filter;
    message.n_output_filter = 3;

    PredictRequest request;
    assert_ok(request_read_predict(arena, pack(arena, &message.base), &request));
    assert_bytes(request.spec.name, "digits");
    assert_bytes(request.spec.signature_name, "predict");
    assert_int_equal(*spec_version(&request.spec), 1234567890123);
    assert_int_equal(request.n_inputs, 2);
    assert_bytes(request.inputs[0].name, "x");
    assert_bytes(request.inputs[0].tensor_proto, "\x08\x01");
    assert_bytes(request.inputs[1].name, "y");
    assert_int_equal(request.inputs[1].tensor_proto.size, 0);
    assert_int_equal(request.n_filter, 3);
    assert_bytes(request.output_filter[0], "a");
    assert_bytes(request.output_filter[1], "");
    assert_bytes(request.output_filter[2], "c");
}

static void test_predict_of_nothing(void **state)
{
    PredictRequest request;
    assert_ok(request_read_predict(*state, BYTES(""), &request));
    assert_false(request.spec.is_there);
    assert_int_equal(request.n_inputs, 0);
    assert_int_equal(request.n_filter, 0);
}

static void test_predict_of_the_same_input_again(void **state)
{
    PredictRequest request;
    /* x: 1, y: 2, x: 3, and an entry without key and value, whose name is "" */
    Bytes wire = BYTES("\x12\x06\x0a\x01x\x12\x01"
                       "1"
                       "\x12\x06\x0a\x01y\x12\x01"
                       "2"
                       "\x12\x06\x0a\x01x\x12\x01"
                       "3"
                       "\x12\x00");
    assert_ok(request_read_predict(*state, wire, &request));
    assert_int_equal(request.n_inputs, 3);
    assert_bytes(request.inputs[0].name, "x");
    assert_bytes(request.inputs[0].tensor_proto, "3");
    assert_bytes(request.inputs[1].tensor_proto, "2");
    assert_bytes(request.inputs[2].name, "");
}

static void test_predict_with_too_many_inputs(void **state)
{
    static uint8_t wire[2 * (REQUEST_MAX_INPUTS + 1)];
    for (size_t i = 0; i <= REQUEST_MAX_INPUTS; i++)
        wire[2 * i] = 0x12;
    PredictRequest request;
    assert_error(request_read_predict(*state, (Bytes){ wire, sizeof(wire) }, &request),
                 ERROR_INVALID_ARGUMENT, "4097 inputs");
    assert_ok(request_read_predict(*state, (Bytes){ wire, sizeof(wire) - 2 }, &request));
    assert_int_equal(request.n_inputs, 1);
}

static void test_bytes_that_are_no_request(void **state)
{
    static const Bytes cases[] = {
        BYTES("\xff"),
        BYTES("\x0a\x7f"),
        BYTES("\x0a\x02\x0a\x7f"),
        BYTES("\x12\x02\x0a\x7f"),
    };
    PredictRequest predict;
    ExamplesRequest classification;
    MetadataRequest metadata;
    ModelSpec spec;
    Bytes service;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_error(request_read_predict(*state, cases[i], &predict), ERROR_INVALID_ARGUMENT,
                     "not a tensorflow.serving.PredictRequest");
        assert_error(request_read_examples(*state, cases[i], &classification),
                     ERROR_INVALID_ARGUMENT,
                     "not a tensorflow.serving.ClassificationRequest or RegressionRequest");
    }
    assert_error(request_read_metadata(*state, cases[1], &metadata), ERROR_INVALID_ARGUMENT,
                 "not a tensorflow.serving.GetModelMetadataRequest");
    assert_error(request_read_status(cases[1], &spec), ERROR_INVALID_ARGUMENT,
                 "not a tensorflow.serving.GetModelStatusRequest");
    assert_error(request_read_health(cases[1], &service), ERROR_INVALID_ARGUMENT,
                 "not a grpc.health.v1.HealthCheckRequest");
}

static void test_full_arena(void **state)
{
    (void)state;
    _cleanup_(arena_freep) Arena *small = arena_new(256, 1024);
    static uint8_t wire[4096];
    for (size_t i = 0; i < sizeof(wire); i += 2)
        wire[i] = 0x1a;
    PredictRequest request;
    assert_error(request_read_predict(small, (Bytes){ wire, sizeof(wire) }, &request),
                 ERROR_RESOURCE_EXHAUSTED, "memory");
}

/* ---- MultiInferenceRequest ------------------------------------------------------------------- */

static void test_multi_inference(void **state)
{
    MultiInferenceRequest request;
    /* tasks {spec {name "m" signature_name "a"} method_name "x"}, {}; input {examples ["", "e"]} */
    assert_ok(request_read_multi_inference(*state,
                                           BYTES("\x0a\x0b\x0a\x06\x0a\x01m\x1a\x01"
                                                 "a\x12\x01x\x0a\x00\x12\x07\x0a\x05\x0a\x00"
                                                 "\x0a\x01"
                                                 "e"),
                                           &request));
    assert_int_equal(request.n_tasks, 2);
    assert_true(bytes_equal(request.tasks[0].spec.name, BYTES("m")));
    assert_true(bytes_equal(request.tasks[0].spec.signature_name, BYTES("a")));
    assert_true(bytes_equal(request.tasks[0].method_name, BYTES("x")));
    assert_false(request.tasks[1].spec.is_there);
    assert_int_equal(request.n_examples, 2);
    assert_true(bytes_equal(request.examples[1], BYTES("e")));

    assert_ok(request_read_multi_inference(*state, BYTES(""), &request));
    assert_int_equal(request.n_tasks, 0);
    static const char *const bad[] = { "\x0a", "\x0a\x01\x0a", "\x12\x01\x0a" };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_error(request_read_multi_inference(*state, bytes_of_text(bad[i]), &request),
                     ERROR_INVALID_ARGUMENT, "not a tensorflow.serving.MultiInferenceRequest");
}

static void test_too_many_tasks(void **state)
{
    MultiInferenceRequest request;
    size_t n = REQUEST_MAX_INPUTS + 1;
    uint8_t *tasks = arena_calloc(*state, n, 2);
    assert_non_null(tasks);
    for (size_t i = 0; i < n; i++)
        tasks[2 * i] = 0x0a;
    assert_error(request_read_multi_inference(*state, (Bytes){ tasks, 2 * n }, &request),
                 ERROR_INVALID_ARGUMENT, "the request has 4097 tasks; the limit is 4096");
}

/* ---- ClassificationRequest ------------------------------------------------------------------- */

static void test_classification(void **state)
{
    static const struct {
        Bytes wire;
        size_t n;
        const char *examples[3];
    } cases[] = {
        { BYTES(""), 0, { NULL } },
        { BYTES("\x12\x00"), 0, { NULL } },
        { BYTES("\x12\x02\x0a\x00"), 0, { NULL } },
        { BYTES("\x12\x08\x0a\x06\x0a\x01"
                "a"
                "\x0a\x01"
                "b"),
          2,
          { "a", "b" } },
        { BYTES("\x12\x04\x0a\x02\x0a\x00"), 1, { "" } },
        /* with a context, which goes before each; without examples it is nothing */
        { BYTES("\x12\x0b\x12\x09\x0a\x01"
                "a"
                "\x12\x01"
                "C"
                "\x0a\x01"
                "b"),
          2,
          { "Ca", "Cb" } },
        { BYTES("\x12\x05\x12\x03\x12\x01"
                "C"),
          0,
          { NULL } },
        { BYTES("\x12\x08\x12\x06\x0a\x01"
                "a"
                "\x12\x01"
                "C"),
          1,
          { "Ca" } },
        /* contexts merge, lists join, Inputs merge, the last kind counts */
        { BYTES("\x12\x0b\x12\x09\x0a\x01"
                "a"
                "\x12\x01"
                "C"
                "\x12\x01"
                "D"),
          1,
          { "CDa" } },
        { BYTES("\x12\x0a\x0a\x03\x0a\x01"
                "a"
                "\x0a\x03\x0a\x01"
                "b"),
          2,
          { "a", "b" } },
        { BYTES("\x12\x05\x0a\x03\x0a\x01"
                "a"
                "\x12\x05\x0a\x03\x0a\x01"
                "b"),
          2,
          { "a", "b" } },
        { BYTES("\x12\x0f\x0a\x03\x0a\x01"
                "a"
                "\x12\x03\x0a\x01"
                "b"
                "\x0a\x03\x0a\x01"
                "c"),
          1,
          { "c" } },
        { BYTES("\x12\x05\x0a\x03\x12\x01"
                "C"),
          0,
          { NULL } }, /* no context in an ExampleList */
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        ExamplesRequest request;
        assert_ok(request_read_examples(*state, cases[i].wire, &request));
        if (request.n_examples != cases[i].n)
            fail_msg("case %zu: %zu examples", i, request.n_examples);
        for (size_t j = 0; j < cases[i].n; j++)
            assert_bytes(request.examples[j], cases[i].examples[j]);
    }
}

/* ---- the others ------------------------------------------------------------------------------ */

static void test_metadata_status_health(void **state)
{
    MetadataRequest metadata;
    Bytes wire = BYTES("\x0a\x03\x0a\x01m\x12\x01"
                       "a"
                       "\x12\x02"
                       "bc");
    assert_ok(request_read_metadata(*state, wire, &metadata));
    assert_bytes(metadata.spec.name, "m");
    assert_int_equal(metadata.n_fields, 2);
    assert_bytes(metadata.fields[0], "a");
    assert_bytes(metadata.fields[1], "bc");

    ModelSpec spec;
    assert_ok(request_read_status(BYTES(""), &spec));
    assert_false(spec.is_there);
    assert_ok(request_read_status(BYTES("\x0a\x03\x0a\x01m\x0a\x02\x12\x00"), &spec));
    assert_bytes(spec.name, "m");
    assert_true(spec.has_version);

    Bytes service;
    assert_ok(request_read_health(BYTES(""), &service));
    assert_bytes(service, "");
    assert_ok(request_read_health(BYTES("\x0a\x01s"), &service));
    assert_bytes(service, "s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_predict, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(test_predict_of_nothing, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(test_predict_of_the_same_input_again, make_arena,
                                        free_arena),
        cmocka_unit_test_setup_teardown(test_predict_with_too_many_inputs, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(test_bytes_that_are_no_request, make_arena, free_arena),
        cmocka_unit_test(test_full_arena),
        cmocka_unit_test_setup_teardown(test_classification, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(test_multi_inference, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(test_too_many_tasks, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(test_metadata_status_health, make_arena, free_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
