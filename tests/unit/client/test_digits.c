/* SPDX-License-Identifier: Apache-2.0
 *
 * Digits: replies of all kinds, fitting and not. The call itself is the interop tests'.
 */
#include "client/digits.h"
#include "client/options.h"
#include "model/base/buf.h"
#include "model/base/wire.h"
#include "model/tensor/tensor_proto.h"
#include "tests/support/check.h"

static void append_field(Buf *buf, uint32_t number, Bytes content)
{
    uint8_t head[2 * VARINT_MAX_BYTES];
    size_t n = (size_t)(wire_write_bytes_head(head, number, content.size) - head);
    assert_ok(buf_append(buf, head, n));
    assert_ok(buf_append(buf, content.data, content.size));
}

/* Appends an output to the bytes of a PredictResponse. */
static void append_output(Buf *reply, const char *name, const Tensor *tensor)
{
    Buf entry;
    buf_init(&entry, 1 << 16);
    uint8_t wire[2000];
    assert_true(tensor_wire_size(tensor, false) <= sizeof(wire));
    size_t n = (size_t)(tensor_to_wire(tensor, false, wire) - wire);
    append_field(&entry, 1, bytes_of_text(name));
    append_field(&entry, 2, (Bytes){ wire, n });
    append_field(reply, 1, (Bytes){ entry.data, entry.size });
    buf_done(&entry);
}

static const int64_t classes[] = { 7, 2 };
static const float probabilities[] = { 0.1f, 0.2f, 0.7f, 0.0f, 1.0f, 0.0f };

static void test_fitting_replies(void **state _unused_)
{
    static const struct {
        bool has_classes, has_probabilities;
        int64_t digits[2];
    } cases[] = {
        { true, true, { 7, 2 } },
        { true, false, { 7, 2 } },
        { false, true, { 2, 1 } },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(arena_freep) Arena *arena = arena_new(0, 0);
        Buf reply;
        buf_init(&reply, 1 << 16);
        Tensor c = tensor_view(DT_INT64, &shape_of(2), classes);
        Tensor p = tensor_view(DT_FLOAT, &shape_of(2, 3), probabilities);
        append_output(&reply, "other", &p);
        if (cases[i].has_classes)
            append_output(&reply, "classes", &c);
        if (cases[i].has_probabilities)
            append_output(&reply, "probabilities", &p);
        Digits digits;
        assert_ok(digits_read((Bytes){ reply.data, reply.size }, 2, arena, &digits));
        assert_int_equal(digits.n, 2);
        assert_memory_equal(digits.digits, cases[i].digits, sizeof(cases[i].digits));
        if (cases[i].has_probabilities) {
            assert_int_equal(digits.n_classes, 3);
            assert_memory_equal(digits.probabilities, probabilities, sizeof(probabilities));
        } else {
            assert_null(digits.probabilities);
        }
        buf_done(&reply);
    }
}

static void test_replies_that_do_not_fit(void **state _unused_)
{
    Tensor three = tensor_view(DT_INT64, &shape_of(1), classes);
    Tensor texts = tensor_view(DT_STRING, &shape_of(2), (Bytes[2]){ { 0 } });
    Tensor five = tensor_view(DT_FLOAT, &shape_of(5), probabilities);
    Tensor none = tensor_view(DT_FLOAT, &shape_of(0), NULL);
    const struct {
        const char *name;
        const Tensor *tensor;
    } cases[] = {
        { "classes", &three }, { "classes", &texts },      { "probabilities", &five },
        { "other", &five },    { "probabilities", &none },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(arena_freep) Arena *arena = arena_new(0, 0);
        Buf reply;
        buf_init(&reply, 1 << 16);
        append_output(&reply, cases[i].name, cases[i].tensor);
        Digits digits;
        assert_error(digits_read((Bytes){ reply.data, reply.size }, 2, arena, &digits),
                     ERROR_INVALID_ARGUMENT, "neither \"classes\" (int64) nor \"probabilities\"");
        assert_error(digits_read((Bytes){ reply.data, reply.size - 1 }, 2, arena, &digits),
                     ERROR_INVALID_ARGUMENT, "the server's reply");
        buf_done(&reply);
    }
}

static Error *parse(const char *argument, Options *options)
{
    char *argv[] = { (char *)"digit-client", (char *)(uintptr_t)argument };
    return options_parse(argument != NULL ? 2 : 1, argv, options);
}

static void test_options(void **state _unused_)
{
    Options options;
    assert_ok(parse("4.png", &options));
    assert_string_equal(options.host, "127.0.0.1");
    assert_int_equal(options.port, 8500);
    assert_string_equal(options.model, "digits");
    assert_string_equal(options.signature, "predict");
    assert_string_equal(options.images.items[0], "4.png");
    options_done(&options);
    assert_error(parse(NULL, &options), ERROR_INVALID_ARGUMENT, "no image is given");
    assert_error(parse("--port=0", &options), ERROR_INVALID_ARGUMENT, "--port: 0 is out of range");
    assert_ok(parse("--version", &options));
    assert_true(options.is_version);
    assert_ok(parse("--help", &options));
    assert_true(options.is_help);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fitting_replies),
        cmocka_unit_test(test_replies_that_do_not_fit),
        cmocka_unit_test(test_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
