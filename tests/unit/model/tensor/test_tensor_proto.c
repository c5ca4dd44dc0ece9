/* SPDX-License-Identifier: Apache-2.0
 *
 * TensorProto <-> Tensor against TensorFlow's own reader and writer: every record of
 * data/tensor_protos.bin (what it holds is said in make_tensor_protos.py) is read from the wire and
 * from the unpacked message, and written in both forms, byte for byte as TensorFlow writes it.
 */
#include "model/base/bytes.h"
#include "model/base/message.h"
#include "model/base/wire.h"
#include "model/tensor/tensor_proto.h"
#include "tests/support/check.h"

typedef struct Record {
    Bytes name, proto, typed, content;
} Record;

static bool next_record(Bytes *rest, Record *record)
{
    Bytes *parts[] = { &record->name, &record->proto, &record->typed, &record->content };
    if (rest->size == 0)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        assert_true(rest->size >= 4);
        size_t size = load_le32(rest->data);
        assert_true(rest->size - 4 >= size);
        *parts[i] = (Bytes){ rest->data + 4, size };
        *rest = (Bytes){ rest->data + 4 + size, rest->size - 4 - size };
    }
    return true;
}

static void assert_writes(Arena *arena, const Tensor *tensor, bool as_content, Bytes expected)
{
    assert_int_equal(tensor_wire_size(tensor, as_content), expected.size);
    uint8_t *out = arena_alloc(arena, expected.size);
    assert_ptr_equal(tensor_to_wire(tensor, as_content, out), out + expected.size);
    assert_memory_equal(out, expected.data, expected.size);
}

/* The same bytes at an address that is `offset` past an aligned one. */
static Bytes place(Arena *arena, Bytes bytes, size_t offset)
{
    uint8_t *p = arena_alloc_aligned(arena, bytes.size + offset);
    memcpy(p + offset, bytes.data, bytes.size);
    return (Bytes){ p + offset, bytes.size };
}

static Error *read_unpacked(Arena *arena, Bytes wire, Tensor *tensor)
{
    ProtobufCMessage *message;
    TRY(message_unpack(arena, &tensorflow__tensor_proto__descriptor, "a tensor", wire.data,
                       wire.size, &message));
    return tensor_from_proto(arena, (Tensorflow__TensorProto *)message, tensor);
}

/* Records that tell the two readers apart on purpose: protobuf-c's descriptors refuse a second
 * tensor_shape. */
static bool is_for_wire_only(Bytes name)
{
    return bytes_equal(name, bytes_of_text("shape in two pieces"));
}

static void check_record(const Record *record)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 14, 0);
    Tensor tensor;
    if (record->typed.size == 0) {
        assert_error(tensor_from_wire(arena, record->proto, &tensor), ERROR_INVALID_ARGUMENT, "");
        assert_error(read_unpacked(arena, record->proto, &tensor), ERROR_INVALID_ARGUMENT, "");
        return;
    }
    for (size_t offset = 0; offset < 8; offset++) {
        assert_ok(tensor_from_wire(arena, place(arena, record->proto, offset), &tensor));
        assert_writes(arena, &tensor, false, record->typed);
        assert_writes(arena, &tensor, true, record->content);
    }
    if (is_for_wire_only(record->name)) {
        assert_error(read_unpacked(arena, record->proto, &tensor), ERROR_INVALID_ARGUMENT, "");
        return;
    }
    assert_ok(read_unpacked(arena, record->proto, &tensor));
    assert_writes(arena, &tensor, false, record->typed);
    assert_writes(arena, &tensor, true, record->content);
}

static void test_as_tensorflow_reads_and_writes(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(0, 0);
    Bytes rest;
    rest.data = test_read(arena, "data/tensor_protos.bin", &rest.size);
    size_t n = 0;
    for (Record record; next_record(&rest, &record); n++) {
        print_message("%.*s\n", (int)record.name.size, (const char *)record.name.data);
        check_record(&record);
    }
    assert_true(n > 300);
}

/* A float tensor's wire form whose packed values start at a multiple of 4 from `out`. */
static Bytes float_wire(Arena *arena, const Tensor *tensor, const uint8_t **ret_values)
{
    size_t size = tensor_wire_size(tensor, false);
    uint8_t *out = arena_alloc_aligned(arena, size + 8);
    size_t lead = 4 - (size - tensor_bytes(tensor)) % 4;
    tensor_to_wire(tensor, false, out + lead);
    *ret_values = out + lead + size - tensor_bytes(tensor);
    return (Bytes){ out + lead, size };
}

static void test_aligned_values_are_borrowed(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 14, 0);
    static const float values[] = { 1, 2, 3, 4, 5, 6 };
    Tensor tensor = tensor_view(DT_FLOAT, &shape_of(2, 3), values);
    const uint8_t *at;
    Bytes wire = float_wire(arena, &tensor, &at);
    Tensor back;
    size_t used = arena_used(arena);
    assert_ok(tensor_from_wire(arena, wire, &back));
    assert_ptr_equal(back.data, at);
    assert_int_equal(arena_used(arena), used);
    assert_true(shape_equal(&back.shape, &tensor.shape));

    Bytes moved = place(arena, wire, 1 + (4 - (uintptr_t)(at - wire.data) % 4) % 4);
    assert_ok(tensor_from_wire(arena, moved, &back));
    assert_true((const uint8_t *)back.data < moved.data ||
                (const uint8_t *)back.data >= moved.data + moved.size);
    assert_memory_equal(back.data, values, sizeof(values));
}

static void test_claims_meet_the_arena_s_limit(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(0, 1 << 20);
    Tensorflow__TensorShapeProto__Dim dim = TENSORFLOW__TENSOR_SHAPE_PROTO__DIM__INIT;
    Tensorflow__TensorShapeProto__Dim *dims[9] = { &dim, &dim, &dim, &dim, &dim,
                                                   &dim, &dim, &dim, &dim };
    Tensorflow__TensorShapeProto shape = TENSORFLOW__TENSOR_SHAPE_PROTO__INIT;
    Tensorflow__TensorProto proto = TENSORFLOW__TENSOR_PROTO__INIT;
    float value = 1;
    proto.dtype = TENSORFLOW__DATA_TYPE__DT_FLOAT;
    proto.tensor_shape = &shape;
    proto.float_val = &value;
    proto.n_float_val = 1;
    shape.dim = dims;
    shape.n_dim = 1;
    dim.size = 1ll << 40;
    Tensor tensor;
    assert_error(tensor_from_proto(arena, &proto, &tensor), ERROR_RESOURCE_EXHAUSTED,
                 "[1099511627776]");
    proto.dtype = TENSORFLOW__DATA_TYPE__DT_STRING;
    proto.tensor_content = (ProtobufCBinaryData){ 3, (uint8_t[]){ 0, 0, 0 } };
    assert_error(tensor_from_proto(arena, &proto, &tensor), ERROR_INVALID_ARGUMENT,
                 "3 bytes of content for 1099511627776 strings");
    shape.n_dim = 9;
    dim.size = 1;
    assert_error(tensor_from_proto(arena, &proto, &tensor), ERROR_INVALID_ARGUMENT, "at most 8");
    uint8_t wire[64];
    wire[0] = 0x08;
    wire[1] = 1;
    uint8_t *end = wire_write_bytes_head(wire + 2, 2, 9 * 4);
    for (int i = 0; i < 9; i++, end += 4)
        memcpy(end, "\x12\x02\x08\x01", 4);
    assert_error(tensor_from_wire(arena, (Bytes){ wire, (size_t)(end - wire) }, &tensor),
                 ERROR_INVALID_ARGUMENT, "more than 8 dimensions");
}

static void test_bad_strings_in_content(void **state _unused_)
{
    static const struct {
        const char *content;
        size_t size;
        const char *text;
    } cases[] = {
        { "\x01\x01"
          "a",
          3, "ends in string 1" },
        { "\x01\x80", 2, "string 1 is cut off" },
        { "\x01\x01"
          "abc",
          5, "1 bytes behind the strings" },
        { "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
          "a",
          12, "string 1 is cut off or too big" },
        { "\x01", 1, "1 bytes of content for 2 strings" },
    };
    _cleanup_(arena_freep) Arena *arena = arena_new(0, 0);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint8_t wire[64] = { 0x08, DT_STRING, 0x12, 0x04, 0x12, 0x02, 0x08, 0x02 };
        uint8_t *end = wire_write_bytes_head(wire + 8, 4, cases[i].size);
        memcpy(end, cases[i].content, cases[i].size);
        end += cases[i].size;
        Tensor tensor;
        assert_error(tensor_from_wire(arena, (Bytes){ wire, (size_t)(end - wire) }, &tensor),
                     ERROR_INVALID_ARGUMENT, cases[i].text);
    }
}

static void test_bools_in_content_become_0_or_1(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(0, 0);
    static const uint8_t wire[] = { 0x08, DT_BOOL, 0x12, 0x04, 0x12, 0x02, 0x08,
                                    0x04, 0x22,    4,    0,    1,    2,    255 };
    Tensor tensor;
    assert_ok(tensor_from_wire(arena, (Bytes){ wire, sizeof(wire) }, &tensor));
    assert_memory_equal(tensor.data, "\0\1\1\1", 4);
}

static void test_shape_from_proto(void **state _unused_)
{
    Tensorflow__TensorShapeProto__Dim dim = TENSORFLOW__TENSOR_SHAPE_PROTO__DIM__INIT;
    Tensorflow__TensorShapeProto__Dim *dims[] = { &dim, &dim };
    Tensorflow__TensorShapeProto proto = TENSORFLOW__TENSOR_SHAPE_PROTO__INIT;
    Shape shape;
    assert_ok(shape_from_proto(NULL, &shape));
    assert_int_equal(shape.rank, SHAPE_UNKNOWN_RANK);
    assert_ok(shape_from_proto(&proto, &shape));
    assert_int_equal(shape.rank, 0);
    proto.dim = dims;
    proto.n_dim = 2;
    dim.size = -1;
    assert_ok(shape_from_proto(&proto, &shape));
    assert_true(shape_equal(&shape, &shape_of(-1, -1)));
    dim.size = -2;
    assert_error(shape_from_proto(&proto, &shape), ERROR_INVALID_ARGUMENT, "size -2");
    proto.unknown_rank = true;
    assert_ok(shape_from_proto(&proto, &shape));
    assert_int_equal(shape.rank, SHAPE_UNKNOWN_RANK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_tensorflow_reads_and_writes),
        cmocka_unit_test(test_aligned_values_are_borrowed),
        cmocka_unit_test(test_claims_meet_the_arena_s_limit),
        cmocka_unit_test(test_bad_strings_in_content),
        cmocka_unit_test(test_bools_in_content_become_0_or_1),
        cmocka_unit_test(test_shape_from_proto),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
