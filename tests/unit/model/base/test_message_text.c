/* SPDX-License-Identifier: Apache-2.0
 *
 * The text form of messages, against what protobuf's C++ TextFormat prints for the same messages.
 */
#include <math.h>

#include "model/base/message_text.h"
#include "tensorflow/core/framework/attr_value.pb-c.h"
#include "tests/support/check.h"

static void assert_text(const ProtobufCMessage *message, const char *wanted)
{
    Buf buf;
    buf_init(&buf, 1 << 16);
    assert_ok(message_to_text(message, &buf));
    assert_string_equal(buf_text(&buf), wanted);
    buf_done(&buf);
}

static void test_scalars(_unused_ void **state)
{
    float floats[] = { 1.5F,     1e10F, 1e-7F,       16777216, 3.4028235e38F,
                       INFINITY, -0.0F, 123456.789F, 0.1F };
    int64_t ints[] = { 1, INT64_MIN };
    protobuf_c_boolean bools[] = { 1, 0 };
    Tensorflow__DataType types[] = { TENSORFLOW__DATA_TYPE__DT_FLOAT, (Tensorflow__DataType)77 };
    uint8_t bytes[] = { 0, 0xff, '?' };
    ProtobufCBinaryData texts[] = { { 3, bytes }, { 0, NULL } };
    Tensorflow__AttrValue__ListValue list = TENSORFLOW__ATTR_VALUE__LIST_VALUE__INIT;
    list.n_f = ARRAY_SIZE(floats);
    list.f = floats;
    list.n_i = ARRAY_SIZE(ints);
    list.i = ints;
    list.n_b = ARRAY_SIZE(bools);
    list.b = bools;
    list.n_type = ARRAY_SIZE(types);
    list.type = types;
    list.n_s = ARRAY_SIZE(texts);
    list.s = texts;
    assert_text(&list.base, "s: \"\\000\\377?\"\ns: \"\"\ni: 1\ni: -9223372036854775808\n"
                            "f: 1.5\nf: 1e+10\nf: 1e-07\nf: 16777216\nf: 3.40282347e+38\nf: inf\n"
                            "f: -0\nf: 123456.789\nf: 0.1\nb: true\nb: false\n"
                            "type: DT_FLOAT\ntype: 77\n");

    double doubles[] = { 0.1, 1.0 / 3, 1e100 };
    uint64_t unsigneds[] = { UINT64_MAX };
    uint32_t words[] = { UINT32_MAX };
    int32_t halves[] = { -1 };
    Tensorflow__TensorProto tensor = TENSORFLOW__TENSOR_PROTO__INIT;
    tensor.n_double_val = ARRAY_SIZE(doubles);
    tensor.double_val = doubles;
    tensor.n_uint64_val = 1;
    tensor.uint64_val = unsigneds;
    tensor.n_uint32_val = 1;
    tensor.uint32_val = words;
    tensor.n_half_val = 1;
    tensor.half_val = halves;
    assert_text(&tensor.base, "double_val: 0.1\ndouble_val: 0.33333333333333331\n"
                              "double_val: 1e+100\nhalf_val: -1\nuint32_val: 4294967295\n"
                              "uint64_val: 18446744073709551615\n");
}

/* Zeros are not printed, but in a oneof and in the entries of maps; entries are sorted by key. */
static void test_what_is_set(_unused_ void **state)
{
    char name[] = "f\"'\\\n\t\r\x01\x7f\xc3\xa9", z[] = "z", a[] = "a", empty[] = "";
    Tensorflow__AttrValue five = TENSORFLOW__ATTR_VALUE__INIT, zero = TENSORFLOW__ATTR_VALUE__INIT;
    Tensorflow__TensorShapeProto shape = TENSORFLOW__TENSOR_SHAPE_PROTO__INIT;
    Tensorflow__TensorShapeProto__Dim dim = TENSORFLOW__TENSOR_SHAPE_PROTO__DIM__INIT, *dims = &dim;
    Tensorflow__NameAttrList__AttrEntry entries[3], *pointers[3];
    Tensorflow__NameAttrList list = TENSORFLOW__NAME_ATTR_LIST__INIT;
    five.value_case = TENSORFLOW__ATTR_VALUE__VALUE_SHAPE;
    five.shape = &shape;
    shape.n_dim = 1;
    shape.dim = &dims;
    zero.value_case = TENSORFLOW__ATTR_VALUE__VALUE_I;
    for (int i = 0; i < 3; i++) {
        tensorflow__name_attr_list__attr_entry__init(&entries[i]);
        pointers[i] = &entries[i];
    }
    entries[0].key = z;
    entries[0].value = &five;
    entries[1].key = a;
    entries[1].value = &zero;
    entries[2].key = empty;
    list.name = name;
    list.n_attr = 3;
    list.attr = pointers;
    assert_text(&list.base, "name: \"f\\\"\\'\\\\\\n\\t\\r\\001\\177\\303\\251\"\n"
                            "attr {\n  key: \"\"\n}\n"
                            "attr {\n  key: \"a\"\n  value {\n    i: 0\n  }\n}\n"
                            "attr {\n  key: \"z\"\n  value {\n    shape {\n      dim {\n      }\n"
                            "    }\n  }\n}\n");
    list.name = empty;
    list.n_attr = 0;
    assert_text(&list.base, "");
}

static void test_full(_unused_ void **state)
{
    Tensorflow__TensorShapeProto__Dim dim = TENSORFLOW__TENSOR_SHAPE_PROTO__DIM__INIT;
    Buf buf;
    dim.size = 123456;
    buf_init(&buf, 8);
    assert_error(message_to_text(&dim.base, &buf), ERROR_RESOURCE_EXHAUSTED, "");
    buf_done(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scalars),
        cmocka_unit_test(test_what_is_set),
        cmocka_unit_test(test_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
