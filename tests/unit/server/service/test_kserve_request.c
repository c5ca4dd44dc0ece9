/* SPDX-License-Identifier: Apache-2.0
 *
 * ModelInferRequest, read along the wire: against bytes that protobuf-c packed, and against bytes
 * written out here where no library would write them.
 */
#include "server/service/kserve_request.h"

#include "inference/open_inference_grpc.pb-c.h"
#include "tests/unit/server/service/request_fixture.h"

typedef Inference__ModelInferRequest Request;
typedef Inference__ModelInferRequest__InferInputTensor Input;
typedef Inference__InferTensorContents Contents;

#define N_DIMS 9

/* A request for model m with one input x, raw when `raw.data` is there. */
static Bytes pack_one(Arena *arena, const char *datatype, size_t n_dims, const int64_t *dims,
                      Contents *contents, Bytes raw)
{
    Input input = INFERENCE__MODEL_INFER_REQUEST__INFER_INPUT_TENSOR__INIT;
    Input *inputs[] = { &input };
    ProtobufCBinaryData data = { raw.size, (uint8_t *)(uintptr_t)raw.data };
    Request request = INFERENCE__MODEL_INFER_REQUEST__INIT;
    input.name = (char *)"x";
    input.datatype = (char *)(uintptr_t)datatype;
    input.shape = (int64_t *)(uintptr_t)dims;
    input.n_shape = n_dims;
    input.contents = contents;
    request.model_name = (char *)"m";
    request.inputs = inputs;
    request.n_inputs = 1;
    request.raw_input_contents = &data;
    request.n_raw_input_contents = raw.data != NULL ? 1 : 0;
    return pack(arena, &request.base);
}

/* ---- what is read ---------------------------------------------------------------------------- */

static void test_frame(void **state)
{
    Arena *arena = *state;
    Inference__InferParameter value = INFERENCE__INFER_PARAMETER__INIT;
    Inference__ModelInferRequest__ParametersEntry
        entry = INFERENCE__MODEL_INFER_REQUEST__PARAMETERS_ENTRY__INIT,
        other = INFERENCE__MODEL_INFER_REQUEST__PARAMETERS_ENTRY__INIT;
    Inference__ModelInferRequest__ParametersEntry *parameters[] = { &entry, &other };
    Inference__ModelInferRequest__InferRequestedOutputTensor output =
        INFERENCE__MODEL_INFER_REQUEST__INFER_REQUESTED_OUTPUT_TENSOR__INIT;
    Inference__ModelInferRequest__InferRequestedOutputTensor *outputs[] = { &output };
    Request message = INFERENCE__MODEL_INFER_REQUEST__INIT;
    value.parameter_choice_case = INFERENCE__INFER_PARAMETER__PARAMETER_CHOICE_STRING_PARAM;
    value.string_param = (char *)"predict";
    entry.key = (char *)"signature_name";
    entry.value = &value;
    other.key = (char *)"priority";
    output.name = (char *)"y";
    message.model_name = (char *)"m";
    message.model_version = (char *)"3";
    message.id = (char *)"mine";
    message.parameters = parameters;
    message.n_parameters = 2;
    message.outputs = outputs;
    message.n_outputs = 1;

    KserveRequest request;
    assert_ok(kserve_request_read(arena, pack(arena, &message.base), &request));
    assert_bytes(request.model.name, "m");
    assert_bytes(request.model.version, "3");
    assert_bytes(request.id, "mine");
    assert_bytes(request.signature_name, "predict");
    assert_int_equal(request.n_inputs, 0);
    assert_int_equal(request.n_filter, 1);
    assert_bytes(request.output_filter[0], "y");
    assert_true(request.is_raw);
}

/* The request's bytes are moved through all alignments: a tensor is borrowed where it may be. */
static void test_raw_is_borrowed_where_it_is_aligned(void **state)
{
    Arena *arena = *state;
    static const float values[] = { 1.5f, -2, 3 };
    int64_t dims[] = { 3, 1 };
    Bytes wire = pack_one(arena, "FP32", 2, dims, NULL, (Bytes){ (const uint8_t *)values, 12 });
    size_t n_borrowed = 0;
    for (size_t shift = 0; shift < 8; shift++) {
        uint8_t *moved = arena_alloc(arena, wire.size + 8);
        memcpy(moved + shift, wire.data, wire.size);
        KserveRequest request;
        assert_ok(kserve_request_read(arena, (Bytes){ moved + shift, wire.size }, &request));
        const Tensor *tensor = &request.inputs[0].tensor;
        const uint8_t *data = tensor->data;
        assert_true(request.is_raw);
        assert_bytes(request.inputs[0].name, "x");
        assert_int_equal(tensor->dtype, DT_FLOAT);
        assert_int_equal(tensor->shape.rank, 2);
        assert_int_equal(tensor->shape.dims[0], 3);
        assert_int_equal((uintptr_t)data % sizeof(float), 0);
        assert_memory_equal(data, values, sizeof(values));
        n_borrowed += data >= moved && data < moved + shift + wire.size;
    }
    assert_int_equal(n_borrowed, 2);
}

static void test_raw_strings_and_bools(void **state)
{
    Arena *arena = *state;
    int64_t dims[] = { 3 };
    KserveRequest request;
    Bytes strings = BYTES("\2\0\0\0ab\0\0\0\0\1\0\0\0c");
    assert_ok(
        kserve_request_read(arena, pack_one(arena, "BYTES", 1, dims, NULL, strings), &request));
    const Bytes *got = request.inputs[0].tensor.data;
    assert_bytes(got[0], "ab");
    assert_bytes(got[1], "");
    assert_bytes(got[2], "c");
    Bytes bools = BYTES("\0\2\1");
    assert_ok(kserve_request_read(arena, pack_one(arena, "BOOL", 1, dims, NULL, bools), &request));
    assert_memory_equal(request.inputs[0].tensor.data, "\0\1\1", 3);
}

/* Shape and values in several pieces, packed and not, the contents themselves in two: what protobuf
 * merges. */
static void test_typed_in_pieces(void **state)
{
    static const int8_t expected[] = { -1, 2, 127, -128 };
    KserveRequest request;
    Bytes wire = BYTES("\x0a\x01m\x2a\x35"
                       "\x0a\x01x\x12\x04INT8\x18\x02\x1a\x01\x02"
                       "\x2a\x0e\x12\x0c\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x02\x7f"
                       "\x2a\x15\x10\x80\xff\xff\xff\xff\xff\xff\xff\xff\x01\x1a\x00"
                       "\x12\x00\x0a\x00\x2a\x00\x32\x00");
    assert_ok(kserve_request_read(*state, wire, &request));
    assert_false(request.is_raw);
    assert_int_equal(request.inputs[0].tensor.dtype, DT_INT8);
    assert_int_equal(request.inputs[0].tensor.n, 4);
    assert_memory_equal(request.inputs[0].tensor.data, expected, sizeof(expected));
}

static void test_fp64_not_packed(void **state)
{
    KserveRequest request;
    Bytes wire = BYTES("\x0a\x01m\x2a\x16\x12\x04"
                       "FP64\x1a\x01\x01\x2a\x0b\x39\0\0\0\0\0\0\x04\x40\x32\0");
    assert_ok(kserve_request_read(*state, wire, &request));
    double value;
    memcpy(&value, request.inputs[0].tensor.data, sizeof(value));
    assert_true(value == 2.5);
}

/* ---- what is refused ------------------------------------------------------------------------- */

static void test_bad_tensors(void **state)
{
    static float floats[] = { 1, 2 };
    static int32_t ints[] = { 128, -129 };
    static uint32_t uints[] = { 70000 };
    Contents fp32 = INFERENCE__INFER_TENSOR_CONTENTS__INIT, wide = fp32, tall = fp32, none = fp32;
    fp32.fp32_contents = floats;
    fp32.n_fp32_contents = 2;
    wide.int_contents = ints;
    wide.n_int_contents = 2;
    tall.uint_contents = uints;
    tall.n_uint_contents = 1;
    const struct {
        const char *datatype;
        size_t n_dims;
        int64_t dims[N_DIMS];
        Contents *contents;
        Bytes raw;
        const char *text;
    } cases[] = {
        { "FP31", 1, { 2 }, &fp32, { 0 }, "model m: input x: datatype 'FP31' is none of BOOL" },
        { "", 1, { 2 }, &fp32, { 0 }, "datatype '' is none of" },
        { "FP32", 1, { 3 }, &fp32, { 0 }, "FP32 [3] has 3 values; got 2 in fp32_contents" },
        { "FP64", 1, { 2 }, &fp32, { 0 }, "FP64 [2] has 2 values; got 0 in fp64_contents" },
        { "FP32", 0, { 0 }, &fp32, { 0 }, "FP32 [] has 1 values; got 2" },
        { "FP32", 1, { 2 }, NULL, { 0 }, "got 0 in fp32_contents" },
        { "FP32", 1, { -1 }, &fp32, { 0 }, "input x: the shape [?] has a negative dimension" },
        { "FP32", 2, { INT64_MAX, INT64_MAX }, &none, { 0 }, "input x" },
        { "FP32", 9, { 1, 1, 1, 1, 1, 1, 1, 1, 2 }, &fp32, { 0 }, "9 dimensions; at most 8" },
        { "INT8", 1, { 2 }, &wide, { 0 }, "a value in int_contents is out of the range of INT8" },
        { "UINT16", 1, { 1 }, &tall, { 0 }, "out of the range of UINT16" },
        { "FP16", 1, { 2 }, &none, { 0 }, "FP16 has no typed contents" },
        { "FP32", 1, { 2 }, NULL, BYTES("1234567"), "FP32 [2] has 8 bytes; got 7" },
        { "FP16", 2, { 1, 2 }, NULL, BYTES(""), "FP16 [1,2] has 4 bytes; got 0" },
        { "FP32", 1, { 2 }, &fp32, BYTES("12345678"), "only one of them" },
        { "FP32", 1, { -2 }, NULL, BYTES("12345678"), "has a negative dimension" },
        { "BYTES", 1, { 1 << 30 }, NULL, BYTES("\0\0\0\0"), "1073741824 strings" },
        { "BYTES", 1, { 1 }, NULL, BYTES("\0\0\0"), "1 strings of 4 bytes and more; got 3" },
        { "BYTES", 1, { 1 }, NULL, BYTES("\2\0\0\0a"), "string 0 of BYTES [1] is cut off" },
        { "BYTES", 1, { 2 }, NULL, BYTES("\4\0\0\0abcd"), "string 1 of BYTES [2] is cut off" },
        { "BYTES", 1, { 2 }, NULL, BYTES("\1\0\0\0abcd"), "string 1 of BYTES [2] is cut off" },
        { "BYTES", 1, { 1 }, NULL, BYTES("\xff\xff\xff\xff"), "is cut off" },
        { "BYTES", 1, { 1 }, NULL, BYTES("\1\0\0\0ab"), "1 bytes are left behind" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        KserveRequest request;
        Bytes wire = pack_one(*state, cases[i].datatype, cases[i].n_dims, cases[i].dims,
                              cases[i].contents, cases[i].raw);
        assert_error(kserve_request_read(*state, wire, &request), ERROR_INVALID_ARGUMENT,
                     cases[i].text);
    }
}

static void test_bad_bytes(void **state)
{
    static const struct {
        Bytes wire;
        ErrorCode code;
        const char *text;
    } cases[] = {
        { { (const uint8_t *)"", 0 }, ERROR_INVALID_ARGUMENT, "names no model" },
        { { (const uint8_t *)"\x0a\x05m", 3 }, ERROR_INVALID_ARGUMENT, "not an inference.Model" },
        { { (const uint8_t *)"\x0a\x01m\x2a\x01\x0a", 6 }, ERROR_INVALID_ARGUMENT, "not an" },
        { { (const uint8_t *)"\x0a\x01m\x2a\x03\x1a\x01\x80", 8 }, ERROR_INVALID_ARGUMENT, "not" },
        { { (const uint8_t *)"\x0a\x01m\x32\x01\x0a", 6 }, ERROR_INVALID_ARGUMENT, "not an" },
        { { (const uint8_t *)"\x0a\x01m\x22\x01\x0a", 6 }, ERROR_INVALID_ARGUMENT, "not an" },
        { { (const uint8_t *)"\x0a\x01m\x3a\x00", 5 },
          ERROR_INVALID_ARGUMENT,
          "model m: the request has 0 inputs and 1 raw_input_contents" },
        { { (const uint8_t *)"\x0a\x01m\x22\x14\x0a\x0esignature_name\x12\x02\x08\x01", 25 },
          ERROR_INVALID_ARGUMENT,
          "signature_name must be a string_param" },
        { { (const uint8_t *)"\x0a\x01m\x2a\x18\x22\x16\x0a\x14shared_memory_region", 29 },
          ERROR_UNIMPLEMENTED,
          "parameter shared_memory_region of an input" },
        { { (const uint8_t *)"\x0a\x01m\x32\x12\x12\x10\x0a\x0e"
                             "classification",
            23 },
          ERROR_UNIMPLEMENTED,
          "model m: parameter classification of an output" },
        { { (const uint8_t *)"\x0a\x01m\x2a\x11\x12\x04"
                             "FP32\x1a\x01\x01\x2a\x06\x32\x04\0\0\x80",
            21 },
          ERROR_INVALID_ARGUMENT,
          "not an" },
        { { (const uint8_t *)"\x0a\x01m\x2a\x10\x12\x04"
                             "FP32\x1a\x01\x01\x2a\x05\x32\x03\0\0\x80",
            21 },
          ERROR_INVALID_ARGUMENT,
          "no inference.InferTensorContents" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        KserveRequest request;
        assert_error(kserve_request_read(*state, cases[i].wire, &request), cases[i].code,
                     cases[i].text);
    }
}

/* A request of one input may not claim what its bytes do not hold, nor more than the arena has. */
static void test_full_arena(void **state)
{
    Arena *arena = *state;
    _cleanup_(arena_freep) Arena *small = arena_new(1024, 16 << 10);
    enum { N = 1 << 15 };
    int64_t dims[] = { N };
    Contents contents = INFERENCE__INFER_TENSOR_CONTENTS__INIT;
    contents.int64_contents = arena_calloc(arena, N, sizeof(int64_t));
    contents.n_int64_contents = N;
    assert_non_null(contents.int64_contents);
    KserveRequest request;
    assert_error(kserve_request_read(
                     small, pack_one(arena, "INT64", 1, dims, &contents, (Bytes){ 0 }), &request),
                 ERROR_RESOURCE_EXHAUSTED, "model m: input x: it claims more memory");
}

static void test_too_many_inputs(void **state)
{
    Arena *arena = *state;
    enum { N = 4097 };
    uint8_t *wire = arena_alloc(arena, 3 + 2 * N);
    memcpy(wire, "\x0a\x01m", 3);
    for (size_t i = 0; i < N; i++)
        memcpy(wire + 3 + 2 * i, "\x2a\x00", 2);
    KserveRequest request;
    assert_error(kserve_request_read(arena, (Bytes){ wire, 3 + 2 * N }, &request),
                 ERROR_INVALID_ARGUMENT, "4097 inputs; the limit is 4096");
}

static void test_model(void **state)
{
    (void)state;
    KserveModel model;
    assert_ok(kserve_request_read_model(BYTES("\x0a\x02xy\x12\x01"
                                              "7\x18\x01"),
                                        &model));
    assert_bytes(model.name, "xy");
    assert_bytes(model.version, "7");
    assert_error(kserve_request_read_model(BYTES(""), &model), ERROR_INVALID_ARGUMENT, "no model");
    assert_error(kserve_request_read_model(BYTES("\x0a\x02x"), &model), ERROR_INVALID_ARGUMENT,
                 "not an inference.ModelReadyRequest");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frame),
        cmocka_unit_test(test_raw_is_borrowed_where_it_is_aligned),
        cmocka_unit_test(test_raw_strings_and_bools),
        cmocka_unit_test(test_typed_in_pieces),
        cmocka_unit_test(test_fp64_not_packed),
        cmocka_unit_test(test_bad_tensors),
        cmocka_unit_test(test_bad_bytes),
        cmocka_unit_test(test_full_arena),
        cmocka_unit_test(test_too_many_inputs),
        cmocka_unit_test(test_model),
    };
    return cmocka_run_group_tests(tests, make_arena, free_arena);
}
