/* SPDX-License-Identifier: Apache-2.0
 *
 * Descriptors: what is found in the set of our own .proto files, and that no cut of it is read over
 * its end (which the sanitizer sees).
 */
#include "server/service/descriptor.h"

#include "proto/descriptors.h"
#include "server/service/wire.h"
#include "tests/support/check.h"

static Bytes all(void)
{
    return (Bytes){ proto_descriptors, proto_descriptors_size };
}

static const struct {
    const char *symbol;
    const char *file; /* NULL: there is no such symbol */
    bool is_message;
} symbols[] = {
    { "tensorflow.TensorProto", "tensorflow/core/framework/tensor.proto", true },
    { "tensorflow.TensorProto.dtype", "tensorflow/core/framework/tensor.proto", false },
    { "tensorflow.AttrValue.ListValue", "tensorflow/core/framework/attr_value.proto", true },
    { "tensorflow.AttrValue.value", "tensorflow/core/framework/attr_value.proto", false },
    { "tensorflow.DataType", "tensorflow/core/framework/types.proto", false },
    { "tensorflow.DT_FLOAT", "tensorflow/core/framework/types.proto", false },
    { "grpc.health.v1.Health", "grpc/health/v1/health.proto", false },
    { "grpc.health.v1.Health.Watch", "grpc/health/v1/health.proto", false },
    { "google.protobuf.Any", "google/protobuf/any.proto", true },
    { "tensorflow.DataType.DT_FLOAT", NULL, false },
    { "tensorflow.TensorProto.", NULL, false },
    { "tensorflow.TensorProto.dtype.x", NULL, false },
    { "tensorflow.Tensor", NULL, false },
    { "tensorflow", NULL, false },
    { "tensorflow.", NULL, false },
    { ".tensorflow.TensorProto", NULL, false },
    { "TensorProto", NULL, false },
    { ".", NULL, false },
    { "", NULL, false },
};

static void test_symbols(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
        Bytes symbol = bytes_of_text(symbols[i].symbol);
        Bytes found, file, message;
        assert_int_equal(descriptor_find_symbol(all(), symbol, &found), symbols[i].file != NULL);
        assert_int_equal(descriptor_find_message(all(), symbol, &message), symbols[i].is_message);
        if (symbols[i].file == NULL)
            continue;
        assert_true(descriptor_find_file(all(), bytes_of_text(symbols[i].file), &file));
        assert_ptr_equal(found.data, file.data);
        assert_int_equal(found.size, file.size);
    }
}

static void test_files(void **state)
{
    (void)state;
    static const char *const missing[] = { "", "tensor.proto", "tensorflow/core/framework/tensor",
                                           "/tensorflow/core/framework/tensor.proto" };
    Bytes file;
    for (size_t i = 0; i < ARRAY_SIZE(missing); i++)
        assert_false(descriptor_find_file(all(), bytes_of_text(missing[i]), &file));
}

/* Each file stands behind those that it imports, and its imports are there. */
static void test_closed_and_in_order(void **state)
{
    (void)state;
    Bytes rest = all();
    size_t n = 0;
    WireField file, field;
    while (rest.size > 0) {
        Bytes before = { proto_descriptors, (size_t)(rest.data - proto_descriptors) };
        assert_true(wire_read(&rest, &file));
        Bytes fields = file.bytes, import;
        while (fields.size > 0) {
            assert_true(wire_read(&fields, &field));
            if (wire_is(&field, 3, WIRE_BYTES))
                assert_true(descriptor_find_file(before, field.bytes, &import));
        }
        n++;
    }
    assert_in_range(n, 40, 200);
}

static void test_cuts(void **state)
{
    (void)state;
    Bytes found;
    for (size_t size = 0; size < 4096; size++) {
        uint8_t *cut = malloc(size + 1);
        assert_non_null(cut);
        memcpy(cut, proto_descriptors, size);
        assert_false(
            descriptor_find_symbol((Bytes){ cut, size }, bytes_of_text("no.Such"), &found));
        free(cut);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_symbols),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_closed_and_in_order),
        cmocka_unit_test(test_cuts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
