/* SPDX-License-Identifier: Apache-2.0
 *
 * ModelInferResponse: the bytes, unpacked by protobuf-c and packed again to the same size; and its
 * tensors, read back as a request's.
 */
#include "server/service/kserve_reply.h"

#include "inference/open_inference_grpc.pb-c.h"
#include "server/service/kserve_tensor.h"
#include "tests/unit/server/service/reply_fixture.h"

typedef Inference__ModelInferResponse Response;

static const Bytes strings[] = { { (const uint8_t *)"", 0 }, { (const uint8_t *)"ab", 2 } };
static const uint64_t bits[] = { 0x8000000000000001u, 0x0100010001010101u };

#define ROW(dtype) dtype, bits

/* Two elements of each type that the protocol has. */
static const struct {
    DType dtype;
    const void *data;
} types[] = {
    { ROW(DT_UINT8) },   { ROW(DT_UINT16) },     { ROW(DT_UINT32) }, { ROW(DT_UINT64) },
    { ROW(DT_INT8) },    { ROW(DT_INT16) },      { ROW(DT_INT32) },  { ROW(DT_INT64) },
    { ROW(DT_HALF) },    { ROW(DT_FLOAT) },      { ROW(DT_DOUBLE) }, { ROW(DT_BFLOAT16) },
    { DT_BOOL, "\1\0" }, { DT_STRING, strings },
};

static Response *reply(Call *call, bool is_raw, int64_t version, const NamedTensor *outputs,
                       size_t n)
{
    KserveRequest request = { .model = { bytes_of_text("m"), bytes_of_text("") },
                              .id = bytes_of_text("mine"),
                              .is_raw = is_raw };
    assert_ok(kserve_reply(call, &request, version, outputs, n));
    return (Response *)unpack(call, &inference__model_infer_response__descriptor);
}

/* Packed again: what InferTensorContents holds, as a request would have it. */
static Bytes contents_of(Arena *arena, const Inference__InferTensorContents *contents)
{
    size_t size = protobuf_c_message_get_packed_size(&contents->base);
    uint8_t *data = arena_alloc(arena, size);
    assert_non_null(data);
    protobuf_c_message_pack(&contents->base, data);
    return (Bytes){ data, size };
}

static void test_every_type(void **state)
{
    (void)state;
    Shape shape = shape_of(1, 2);
    for (size_t i = 0; i < 2 * ARRAY_SIZE(types); i++) {
        _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
        bool is_raw = i % 2 == 0;
        NamedTensor output = { bytes_of_text("y"),
                               tensor_view(types[i / 2].dtype, &shape, types[i / 2].data) };
        Call call = { 0 };
        Response *r = reply(&call, is_raw, 0, &output, 1);
        assert_string_equal(r->model_name, "m");
        assert_string_equal(r->model_version, "0");
        assert_string_equal(r->id, "mine");
        assert_int_equal(r->n_outputs, 1);
        assert_string_equal(r->outputs[0]->name, "y");
        assert_string_equal(r->outputs[0]->datatype, kserve_datatype(output.tensor.dtype));
        assert_int_equal(r->outputs[0]->n_shape, 2);
        assert_int_equal(r->outputs[0]->shape[0], 1);
        assert_int_equal(r->outputs[0]->shape[1], 2);
        Tensor back;
        if (is_raw || !kserve_has_typed(output.tensor.dtype)) {
            assert_int_equal(r->n_raw_output_contents, 1);
            assert_null(r->outputs[0]->contents);
            Bytes raw = { r->raw_output_contents[0].data, r->raw_output_contents[0].len };
            assert_ok(kserve_from_raw(arena, output.tensor.dtype, &shape, raw, &back));
        } else {
            assert_int_equal(r->n_raw_output_contents, 0);
            assert_ok(kserve_from_typed(arena, output.tensor.dtype, &shape,
                                        contents_of(arena, r->outputs[0]->contents), &back));
        }
        assert_true(tensor_equal(&back, &output.tensor));
        protobuf_c_message_free_unpacked(&r->base, NULL);
        call_clear(&call);
    }
}

/* No outputs, a scalar, no elements, and one that cannot be typed, which makes all of them raw. */
static void test_mixed(void **state)
{
    (void)state;
    Shape scalar = shape_of(), none = shape_of(0, 3), one = shape_of(1);
    const NamedTensor outputs[] = {
        { bytes_of_text("scalar"), tensor_view(DT_FLOAT, &scalar, bits) },
        { bytes_of_text("none"), tensor_view(DT_INT64, &none, NULL) },
        { bytes_of_text("no strings"), tensor_view(DT_STRING, &none, NULL) },
        { bytes_of_text("half"), tensor_view(DT_HALF, &one, bits) },
    };
    static const struct {
        size_t n;
        bool is_raw, comes_raw;
    } cases[] = { { 0, false, false }, { 0, true, true },  { 3, false, false },
                  { 3, true, true },   { 4, false, true }, { 4, true, true } };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Call call = { 0 };
        Response *r = reply(&call, cases[i].is_raw, INT64_MAX, outputs, cases[i].n);
        assert_string_equal(r->model_version, "9223372036854775807");
        assert_int_equal(r->n_outputs, cases[i].n);
        assert_int_equal(r->n_raw_output_contents, cases[i].comes_raw ? cases[i].n : 0);
        for (size_t k = 0; k < cases[i].n; k++)
            assert_int_equal(r->outputs[k]->contents == NULL, cases[i].comes_raw);
        if (cases[i].n > 0)
            assert_int_equal(r->outputs[0]->n_shape, 0);
        protobuf_c_message_free_unpacked(&r->base, NULL);
        call_clear(&call);
    }
}

/* A tensor that says it is huge: refused before a byte is written. */
static void test_over_the_limit(void **state)
{
    (void)state;
    Call call = { 0 };
    Shape shape = shape_of((int64_t)1 << 29);
    KserveRequest request = { .model.name = bytes_of_text("m"), .is_raw = true };
    NamedTensor output = { bytes_of_text("y"), tensor_view(DT_FLOAT, &shape, bits) };
    assert_error(kserve_reply(&call, &request, 1, &output, 1), ERROR_RESOURCE_EXHAUSTED,
                 "a message may have 2147483647");
    assert_null(call.reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type),
        cmocka_unit_test(test_mixed),
        cmocka_unit_test(test_over_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
