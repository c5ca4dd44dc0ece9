/* SPDX-License-Identifier: Apache-2.0
 *
 * Message: round trips, and that what protobuf-c would stumble over is refused before.
 */
#include "model/base/message.h"
#include "model/base/wire.h"
#include "tensorflow/core/example/example.pb-c.h"
#include "tensorflow/core/framework/attr_value.pb-c.h"
#include "tensorflow/core/framework/node_def.pb-c.h"
#include "tests/support/check.h"

#define UNPACK(arena, type, data, bytes, ret)                                                      \
    message_unpack(arena, &type##__descriptor, "test bytes", data, bytes,                          \
                   (ProtobufCMessage **)(ret))

static void test_round_trip(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(0, 0);
    Tensorflow__NodeDef node = TENSORFLOW__NODE_DEF__INIT;
    node.name = (char *)"a/b";
    node.op = (char *)"Add";
    char *inputs[] = { (char *)"x", (char *)"y:1" };
    node.input = inputs;
    node.n_input = 2;
    Buf buf;
    buf_init(&buf, 1000);
    assert_ok(buf_append_text(&buf, "before"));
    assert_ok(message_pack(&node.base, &buf));

    Tensorflow__NodeDef *back;
    assert_ok(UNPACK(arena, tensorflow__node_def, buf.data + 6, buf.size - 6, &back));
    assert_string_equal(back->name, "a/b");
    assert_int_equal(back->n_input, 2);
    assert_string_equal(back->input[1], "y:1");
    assert_string_equal(back->device, "");

    for (size_t n = 1; n < buf.size - 6; n++) {
        Error *error = UNPACK(arena, tensorflow__node_def, buf.data + 6, n, &back);
        if (error != NULL) /* some cuts fall between two fields */
            assert_int_equal(error->code, ERROR_INVALID_ARGUMENT);
        error_free(error);
    }
    buf_done(&buf);
    buf_init(&buf, 3);
    assert_error(message_pack(&node.base, &buf), ERROR_RESOURCE_EXHAUSTED, "the limit is 3");
    buf_done(&buf);
    assert_ok(UNPACK(arena, tensorflow__node_def, NULL, 0, &back));
}

/* Appends a field of type WIRE_BYTES. */
static void append(Buf *buf, uint32_t number, const void *data, size_t size)
{
    uint8_t head[2 * VARINT_MAX_BYTES];
    assert_ok(buf_append(buf, head, (size_t)(wire_write_bytes_head(head, number, size) - head)));
    assert_ok(buf_append(buf, data, size));
}

/* `levels` AttrValues one in the other: value.func(10).attr(2){value(2)}. */
static Buf nest(int levels)
{
    Buf inner;
    buf_init(&inner, 1 << 20);
    for (int i = 0; i < levels; i++) {
        Buf outer;
        buf_init(&outer, 1 << 20);
        append(&outer, i % 3 == 0 ? 2 : i % 3 == 1 ? 2 : 10, inner.data, inner.size);
        buf_done(&inner);
        inner = outer;
    }
    return inner;
}

static void test_nesting_is_limited(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 16, 0);
    Tensorflow__AttrValue *value;
    Buf buf = nest(99);
    assert_ok(UNPACK(arena, tensorflow__attr_value, buf.data, buf.size, &value));
    buf_done(&buf);
    buf = nest(102);
    assert_error(UNPACK(arena, tensorflow__attr_value, buf.data, buf.size, &value),
                 ERROR_RESOURCE_EXHAUSTED, "nested deeper than 100");
    buf_done(&buf);
    buf = nest(60000);
    assert_error(UNPACK(arena, tensorflow__attr_value, buf.data, buf.size, &value),
                 ERROR_RESOURCE_EXHAUSTED, "test bytes: messages are nested deeper");
    buf_done(&buf);
}

static void test_corrupt_bytes(void **state _unused_)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *text;
    } cases[] = {
        { "\x0a", 1, "at byte 0 of 1" },                                   /* no length */
        { "\x0a\x05name", 6, "cut off" },                                  /* a byte is missing */
        { "\x0a\xfe\xff\xff\xff\x0f", 6, "cut off" },                      /* a length near 2^32 */
        { "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, "cut off" }, /* and near 2^64 */
        { "\x0a\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 12, "cut off" },
        { "\x00\x00", 2, "cut off or corrupt" }, /* field number 0 */
        { "\x0b\x0c", 2, "cut off or corrupt" }, /* a group */
        { "\x0f", 1, "cut off or corrupt" },     /* wire type 7 */
        { "\x08\x01", 2, "wrong type" },         /* name as a varint */
        { "\x2a\x02\x10\x01", 4, "wrong type" }, /* attr.value as a varint */
        { "\x0a\x03"
          "a\0b",
          5, "field name of a tensorflow.NodeDef holds a NUL" },
    };
    _cleanup_(arena_freep) Arena *arena = arena_new(0, 0);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Tensorflow__NodeDef *node = NULL;
        assert_error(
            UNPACK(arena, tensorflow__node_def, (const uint8_t *)cases[i].bytes, cases[i].n, &node),
            ERROR_INVALID_ARGUMENT, cases[i].text);
        assert_null(node);
    }
}

static void test_unknown_fields_are_let_through(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(0, 0);
    static const char bytes[] = "\x0a\x01n\xba\x3e\x02\0\0\xc0\x3e\x01\xcd\x3e"
                                "1234"
                                "\xc9\x3e"
                                "12345678";
    Tensorflow__NodeDef *node;
    assert_ok(
        UNPACK(arena, tensorflow__node_def, (const uint8_t *)bytes, sizeof(bytes) - 1, &node));
    assert_string_equal(node->name, "n");
    assert_int_equal(node->base.n_unknown_fields, 4);
}

static void test_repeated_submessages(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(0, 0);
    /* An attr entry with two values, both empty: protobuf-c would read before its table. */
    static const char twice[] = "\x2a\x04\x12\x00\x12\x00";
    Tensorflow__NodeDef *node;
    assert_error(UNPACK(arena, tensorflow__node_def, (const uint8_t *)twice, 6, &node),
                 ERROR_INVALID_ARGUMENT, "value of a tensorflow.NodeDef.AttrEntry is given more");

    /* Two feature maps, as when the bytes of two Examples are joined. */
    static const char joined[] = "\x0a\x05\x0a\x03\x0a\x01"
                                 "a"
                                 "\x0a\x05\x0a\x03\x0a\x01"
                                 "b";
    Tensorflow__Example *example;
    assert_ok(UNPACK(arena, tensorflow__example, (const uint8_t *)joined, 14, &example));
    assert_int_equal(example->features->n_feature, 2);
    assert_string_equal(example->features->feature[0]->key, "a");
    assert_string_equal(example->features->feature[1]->key, "b");

    Buf many;
    buf_init(&many, 1 << 20);
    for (int i = 0; i < 1000; i++)
        assert_ok(buf_append(&many, joined, 14));
    assert_error(UNPACK(arena, tensorflow__example, many.data, many.size, &example),
                 ERROR_INVALID_ARGUMENT,
                 "features of a tensorflow.Example is given more than once");
    buf_done(&many);
}

static void test_the_arena_s_limit_holds(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(0, 1 << 16);
    Buf buf;
    buf_init(&buf, 1 << 20);
    for (int i = 0; i < 20000; i++)
        append(&buf, 5, NULL, 0); /* two bytes each, a hundred times that in memory */
    Tensorflow__NodeDef *node;
    assert_error(UNPACK(arena, tensorflow__node_def, buf.data, buf.size, &node),
                 ERROR_RESOURCE_EXHAUSTED, "no memory to unpack the 40000 bytes");
    assert_true(arena_held(arena) <= 1 << 16);
    buf_done(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_nesting_is_limited),
        cmocka_unit_test(test_corrupt_bytes),
        cmocka_unit_test(test_unknown_fields_are_let_through),
        cmocka_unit_test(test_repeated_submessages),
        cmocka_unit_test(test_the_arena_s_limit_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
