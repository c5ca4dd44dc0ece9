/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests, read along the wire: against bytes that protobuf-c packed, and against bytes written
 * out here where no library would write them.
 */
#include "server/service/request.h"
#include "server/service/wire.h"
#include "tensorflow_serving/apis/classification.pb-c.h"
#include "tensorflow_serving/apis/get_model_metadata.pb-c.h"
#include "tensorflow_serving/apis/predict.pb-c.h"
#include "tests/support/check.h"

#define BYTES(literal) ((Bytes){ (const uint8_t *)(literal), sizeof(literal) - 1 })

static Bytes pack(Arena *arena, const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *data = arena_alloc(arena, size);
    assert_non_null(data);
    protobuf_c_message_pack(message, data);
    return (Bytes){ data, size };
}

static void assert_bytes(Bytes got, const char *expected)
{
    assert_int_equal(got.size, strlen(expected));
    assert_memory_equal(got.data, expected, got.size);
}

static int make_arena(void **state)
{
    *state = arena_new(4096, 64 << 20);
    return *state != NULL ? 0 : -1;
}

static int free_arena(void **state)
{
    arena_free(*state);
    return 0;
}

/* ---- fields ---------------------------------------------------------------------------------- */

static void test_fields(void **state)
{
    (void)state;
    static const struct {
        Bytes wire;
        bool ok;
        uint32_t number;
        uint64_t value;
        size_t size, left;
    } cases[] = {
        { BYTES("\x08\x01"), true, 1, 1, 0, 0 },
        { BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), true, 1, UINT64_MAX, 0, 0 },
        { BYTES("\x0d\x01\x02\x03\x04\x08"), true, 1, 0x04030201, 0, 1 },
        { BYTES("\x09\x01\x00\x00\x00\x00\x00\x00\x80"), true, 1, 0x8000000000000001, 0, 0 },
        { BYTES("\x12\x03"
                "abcd"),
          true, 2, 0, 3, 1 },
        { BYTES("\x12\x00"), true, 2, 0, 0, 0 },
        /* a group, with another in it, is read over whole */
        { BYTES("\x0b\x10\x05\x13\x14\x0c\x08"), true, 1, 0, 0, 1 },
        { BYTES("\xfa\xff\xff\xff\x0f\x01"
                "x"),
          true, (1u << 29) - 1, 0, 1, 0 },
        { BYTES("\x08"), false, 0, 0, 0, 0 },     /* no value */
        { BYTES("\x08\x80"), false, 0, 0, 0, 0 }, /* varint cut off */
        { BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), false, 0, 0, 0, 0 },
        { BYTES("\x0d\x01\x02\x03"), false, 0, 0, 0, 0 }, /* three of four bytes */
        { BYTES("\x09\x01\x02\x03\x04\x05\x06\x07"), false, 0, 0, 0, 0 },
        { BYTES("\x12\x04"
                "abc"),
          false, 0, 0, 0, 0 },
        { BYTES("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
                "abc"),
          false, 0, 0, 0, 0 },
        { BYTES("\x02\x00"), false, 0, 0, 0, 0 },                 /* field number 0 */
        { BYTES("\x82\x80\x80\x80\x10\x00"), false, 0, 0, 0, 0 }, /* 2^29 */
        { BYTES("\x0e\x00"), false, 0, 0, 0, 0 },                 /* type 6 */
        { BYTES("\x0c"), false, 0, 0, 0, 0 },                     /* an end without a group */
        { BYTES("\x0b\x10\x05"), false, 0, 0, 0, 0 },             /* a group without an end */
        { BYTES("\x0b\x14"), false, 0, 0, 0, 0 },                 /* another's end */
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Bytes rest = cases[i].wire;
        WireField field;
        bool ok = wire_read(&rest, &field);
        if (ok != cases[i].ok)
            fail_msg("case %zu", i);
        if (!ok) {
            assert_ptr_equal(rest.data, cases[i].wire.data);
            continue;
        }
        assert_int_equal(field.number, cases[i].number);
        assert_int_equal(field.value, cases[i].value);
        assert_int_equal(field.bytes.size, cases[i].size);
        assert_int_equal(rest.size, cases[i].left);
    }
}

static void test_groups_that_nest_deep(void **state)
{
    (void)state;
    uint8_t wire[200000];
    memset(wire, 0x0b, sizeof(wire) / 2);
    memset(wire + sizeof(wire) / 2, 0x0c, sizeof(wire) / 2);
    Bytes rest = { wire, sizeof(wire) };
    WireField field;
    assert_false(wire_read(&rest, &field));
    rest = (Bytes){ wire + sizeof(wire) / 2 - 64, 128 };
    assert_true(wire_read(&rest, &field));
    assert_int_equal(rest.size, 0);
}

/* ---- ModelSpec ------------------------------------------------------------------------------- */

static void test_spec(void **state)
{
    (void)state;
    static const struct {
        Bytes wire;
        const char *name, *label, *signature;
        bool has_version, has_label;
        int64_t version;
    } cases[] = {
        { BYTES(""), "", "", "serving_default", false, false, 0 },
        { BYTES("\x0a\x01m"), "m", "", "serving_default", false, false, 0 },
        { BYTES("\x0a\x01m\x12\x00\x1a\x01s"), "m", "", "s", true, false, 0 },
        { BYTES("\x12\x02\x08\x07"), "", "", "serving_default", true, false, 7 },
        { BYTES("\x12\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "", "", "serving_default",
          true, false, -1 },
        { BYTES("\x22\x01l"), "", "l", "serving_default", false, true, 0 },
        /* of the two halves of the oneof the last counts */
        { BYTES("\x22\x01l\x12\x02\x08\x07"), "", "l", "serving_default", true, false, 7 },
        { BYTES("\x12\x02\x08\x07\x22\x01l"), "", "l", "serving_default", false, true, 7 },
        /* a field twice: the last; a wrapper twice: merged, so that 7 stays */
        { BYTES("\x0a\x01m\x0a\x01n\x12\x02\x08\x07\x12\x00"), "n", "", "serving_default", true,
          false, 7 },
        /* unknown fields and types are read over */
        { BYTES("\x08\x05\x0a\x01m\x7a\x02zz"), "m", "", "serving_default", false, false, 0 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        ModelSpec spec = { 0 };
        assert_true(spec_read(cases[i].wire, &spec));
        assert_true(spec.is_there);
        assert_bytes(spec.name, cases[i].name);
        assert_bytes(spec_signature_name(&spec), cases[i].signature);
        assert_int_equal(spec.has_version, cases[i].has_version);
        assert_int_equal(spec.has_label, cases[i].has_label);
        if (spec.has_version)
            assert_int_equal(*spec_version(&spec), cases[i].version);
        else
            assert_null(spec_version(&spec));
        if (spec.has_label)
            assert_bytes(spec.label, cases[i].label);
    }
    ModelSpec spec = { 0 };
    assert_false(spec_read(BYTES("\x0a\x05m"), &spec));
    assert_false(spec_read(BYTES("\x12\x01\x08"), &spec));
}

/* What is judged before any model is looked for; the reader is not needed. */
static void test_spec_is_judged_first(void **state)
{
    (void)state;
    Handle handle = { 0 };
    ModelSpec spec = { 0 };
    assert_error(spec_acquire(&spec, NULL, &handle), ERROR_INVALID_ARGUMENT, "Missing ModelSpec");
    assert_true(spec_read(BYTES(""), &spec));
    assert_error(spec_acquire(&spec, NULL, &handle), ERROR_INVALID_ARGUMENT,
                 "ModelSpec has no name specified.");
    assert_null(handle.model);
}

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
    ClassificationRequest classification;
    MetadataRequest metadata;
    ModelSpec spec;
    Bytes service;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_error(request_read_predict(*state, cases[i], &predict), ERROR_INVALID_ARGUMENT,
                     "not a tensorflow.serving.PredictRequest");
        assert_error(request_read_classification(*state, cases[i], &classification),
                     ERROR_INVALID_ARGUMENT, "not a tensorflow.serving.ClassificationRequest");
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
        ClassificationRequest request;
        assert_ok(request_read_classification(*state, cases[i].wire, &request));
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
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_groups_that_nest_deep),
        cmocka_unit_test(test_spec),
        cmocka_unit_test(test_spec_is_judged_first),
        cmocka_unit_test_setup_teardown(test_predict, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(test_predict_of_nothing, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(test_predict_of_the_same_input_again, make_arena,
                                        free_arena),
        cmocka_unit_test_setup_teardown(test_predict_with_too_many_inputs, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(test_bytes_that_are_no_request, make_arena, free_arena),
        cmocka_unit_test(test_full_arena),
        cmocka_unit_test_setup_teardown(test_classification, make_arena, free_arena),
        cmocka_unit_test_setup_teardown(test_metadata_status_health, make_arena, free_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
