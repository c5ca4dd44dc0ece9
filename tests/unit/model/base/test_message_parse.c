/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages from text, printed again by message_to_text; what protobuf's own parser accepts and
 * refuses.
 */
#include "model/base/message.h"
#include "model/base/message_parse.h"
#include "model/base/message_text.h"
#include "tensorflow/core/framework/attr_value.pb-c.h"
#include "tensorflow_serving/config/model_server_config.pb-c.h"
#include "tensorflow_serving/servables/tensorflow/session_bundle_config.pb-c.h"
#include "tests/support/check.h"

#define CONFIG (&tensorflow__serving__model_server_config__descriptor)
#define LIST (&tensorflow__attr_value__list_value__descriptor)
#define ATTR (&tensorflow__attr_value__descriptor)
#define BATCHING (&tensorflow__serving__batching_parameters__descriptor)

typedef struct Case {
    const ProtobufCMessageDescriptor *type;
    const char *text, *wanted; /* printed again, or the error behind the type's name */
} Case;

static Error *parse(Arena *arena, const Case *c, ProtobufCMessage **ret)
{
    return message_from_text(arena, c->type, c->text, strlen(c->text), ret);
}

static void test_accepts(_unused_ void **state)
{
    static const Case cases[] = {
        { CONFIG, "", "" },
        { CONFIG, " \t\r\n# nothing but this\n", "" },
        { CONFIG,
          "model_config_list: {\n  config: {\n    name: \"a\",\n    base_path: '/m/' \"a\"; # two\n"
          "    model_platform: \"tensorflow\"\n  },\n"
          "  config < name: \"b\" model_type: TENSORFLOW\n"
          "    model_version_policy { specific { versions: 1 versions: [2, 0x10] } }\n"
          "    version_labels { key: \"stable\" value: -3 } version_labels: [{ key: 'x' }] >\n}",
          "model_config_list {\n  config {\n    name: \"a\"\n    base_path: \"/m/a\"\n"
          "    model_platform: \"tensorflow\"\n  }\n  config {\n    name: \"b\"\n"
          "    model_type: TENSORFLOW\n    model_version_policy {\n      specific {\n"
          "        versions: 1\n        versions: 2\n        versions: 16\n      }\n    }\n"
          "    version_labels {\n      key: \"stable\"\n      value: -3\n    }\n"
          "    version_labels {\n      key: \"x\"\n      value: 0\n    }\n  }\n}\n" },
        { CONFIG, "model_config_list { config { model_type: 2 } }",
          "model_config_list {\n  config {\n    model_type: OTHER\n  }\n}\n" },
        { LIST, "i: [] i: -010 i: 9223372036854775807 i: -9223372036854775808",
          "i: -8\ni: 9223372036854775807\ni: -9223372036854775808\n" },
        { LIST, "f: [1, 1.5f, .25, -1e3, inf, -Infinity] f: nan",
          "f: 1\nf: 1.5\nf: 0.25\nf: -1000\nf: inf\nf: -inf\nf: nan\n" },
        { LIST, "b: [true, f, 1, False]", "b: true\nb: false\nb: true\nb: false\n" },
        { LIST, "s: \"\\n\\x41\\101\\u00e9\\U0001F600\\\"\\?\" s: ''",
          "s: \"\\nAA\\303\\251\\360\\237\\230\\200\\\"?\"\ns: \"\"\n" },
        { LIST, "type: [DT_FLOAT, 77, -1]", "type: DT_FLOAT\ntype: 77\ntype: -1\n" },
        { ATTR, "i: 0", "i: 0\n" },
        { BATCHING,
          "max_batch_size { value: 128 } allowed_batch_sizes: 1 allowed_batch_sizes: 128\n"
          "pad_variable_length_inputs: true thread_pool_name: < value: 'p' >",
          "max_batch_size {\n  value: 128\n}\nthread_pool_name {\n  value: \"p\"\n}\n"
          "allowed_batch_sizes: 1\nallowed_batch_sizes: 128\npad_variable_length_inputs: true\n" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(arena_freep) Arena *arena = arena_new(1 << 12, 1 << 20);
        ProtobufCMessage *message;
        Buf buf;
        buf_init(&buf, 1 << 16);
        assert_ok(parse(arena, &cases[i], &message));
        assert_ok(message_to_text(message, &buf));
        assert_string_equal(buf_text(&buf), cases[i].wanted);
        buf_done(&buf);
    }
}

static void test_refuses(_unused_ void **state)
{
    static const Case cases[] = {
        { CONFIG, "improperly formatted file",
          "1:1: Message type \"tensorflow.serving."
          "ModelServerConfig\" has no field named "
          "\"improperly\"." },
        { CONFIG, "model_config_list {", "1:20: Expected identifier, got: " },
        { CONFIG, "model_config_list {\n config >\n}", "2:9: Expected \"{\", found \">\"." },
        { CONFIG, "model_config_list { config { name: 3 } }", "1:36: Expected string, got: 3" },
        { CONFIG, "model_config_list { config { name \"a\" } }",
          "1:35: Expected \":\", found \"a\"." },
        { CONFIG, "model_config_list { config { name: 'a' name: 'b' } }",
          "1:46: Non-repeated field \"name\" is specified multiple times." },
        { CONFIG, "model_config_list { config { name: 'a\\000' } }",
          "1:44: field \"name\" holds a NUL character" },
        { CONFIG, "model_config_list {} custom_model_config {}",
          "1:42: Field \"custom_model_config\" is specified along with field "
          "\"model_config_list\", another member of the same oneof." },
        { CONFIG, "model_config_list { config { model_type: SAVED } }",
          "1:42: Unknown enumeration value of \"SAVED\" for field \"model_type\"." },
        { CONFIG, "model_config_list { config { name: \"a\n\" } }",
          "1:38: String literals cannot cross line boundaries." },
        { CONFIG, "model_config_list { config { name: \"a", "1:38: Unexpected end of string." },
        { CONFIG, "model_config_list { config { name: \"\\",
          "1:38: Invalid escape sequence in string literal." },
        { CONFIG, "model_config_list { config { name: '\\ud800' } }",
          "1:38: Invalid Unicode escape sequence in string literal." },
        { LIST, "i: 9223372036854775808", "1:4: Integer out of range (9223372036854775808)" },
        { LIST, "i: 1.0", "1:4: Expected integer, got: 1.0" },
        { LIST, "i: 08", "1:4: Expected integer, got: 08" },
        { LIST, "f: 1x", "1:4: Expected double, got: 1x" },
        { LIST, "b: 2", "1:4: Invalid value for boolean field. Value: \"2\"." },
        { LIST, "i: [1 2]", "1:7: Expected \",\", found \"2\"." },
        { LIST, "i: [1,]", "1:7: Expected integer, got: ]" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(arena_freep) Arena *arena = arena_new(1 << 12, 1 << 20);
        _cleanup_(buf_done) Buf wanted;
        ProtobufCMessage *message;
        buf_init(&wanted, 1 << 12);
        assert_ok(buf_printf(&wanted, "Error parsing text-format %s: %s", cases[i].type->name,
                             cases[i].wanted));
        assert_error(parse(arena, &cases[i], &message), ERROR_INVALID_ARGUMENT, buf_text(&wanted));
    }
}

static void test_control_character(_unused_ void **state)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 12, 1 << 20);
    ProtobufCMessage *message;
    assert_error(message_from_text(arena, LIST, "i: 1\0i: 2", 9, &message), ERROR_INVALID_ARGUMENT,
                 "Error parsing text-format tensorflow.AttrValue.ListValue: 1:5: Invalid control "
                 "characters encountered in text.");
}

/* Deeper than message_unpack would take is refused, not recursed into. */
static void test_depth(_unused_ void **state)
{
    for (int depth = MESSAGE_MAX_DEPTH / 2; depth < 100000; depth *= 10) {
        _cleanup_(arena_freep) Arena *arena = arena_new(1 << 12, 64 << 20);
        _cleanup_(buf_done) Buf text;
        ProtobufCMessage *message;
        buf_init(&text, 64 << 20);
        for (int i = 0; i < depth; i++)
            assert_ok(buf_append_text(&text, "func{attr{value{"));
        for (int i = 0; i < depth; i++)
            assert_ok(buf_append_text(&text, "}}}"));
        assert_error(message_from_text(arena, ATTR, buf_text(&text), text.size, &message),
                     ERROR_INVALID_ARGUMENT, "recursion limit");
    }
}

static void test_no_memory(_unused_ void **state)
{
    static const Case c = { LIST, "s: \"0123456789012345678901234567890123456789\" s: 'a' 'b'",
                            "" };
    for (size_t bytes = 0; bytes < 4096; bytes += 16) {
        _cleanup_(arena_freep) Arena *arena = arena_new(16, bytes);
        ProtobufCMessage *message;
        Error *error = arena != NULL ? parse(arena, &c, &message) : NULL;
        if (error != NULL)
            assert_int_equal(error->code, ERROR_RESOURCE_EXHAUSTED);
        error_free(error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepts),           cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_control_character), cmocka_unit_test(test_depth),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
