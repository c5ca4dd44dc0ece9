/* SPDX-License-Identifier: Apache-2.0
 *
 * DType, Shape and Tensor.
 */
#include "model/tensor/tensor.h"
#include "tests/support/check.h"

static void test_dtypes(void **state _unused_)
{
    assert_int_equal(dtype_of_number(1), DT_FLOAT);
    assert_int_equal(dtype_of_number(101), DT_FLOAT);
    assert_int_equal(dtype_of_number(123), DT_UINT64);
    static const int unknown[] = { 0, -1, 24, 100, 124, INT32_MAX, INT32_MIN };
    for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
        assert_int_equal(dtype_of_number(unknown[i]), DT_INVALID);
    for (int i = 1; i <= DTYPE_MAX; i++) {
        assert_int_equal(dtype_of_name(dtype_name((DType)i)), i);
        assert_true(dtype_size((DType)i) > 0);
        assert_memory_equal(dtype_enum_name((DType)i), "DT_", 3);
    }
    assert_int_equal(dtype_of_name("float17"), DT_INVALID);
    assert_string_equal(dtype_name((DType)99), "invalid");
    assert_int_equal(dtype_size(DT_COMPLEX128), 16);
    assert_true(dtype_is_floating(DT_BFLOAT16) && !dtype_is_integer(DT_BFLOAT16));
    assert_true(dtype_is_plain(DT_BOOL) && !dtype_is_integer(DT_BOOL));
    assert_false(dtype_is_plain(DT_STRING) || dtype_is_plain(DT_RESOURCE));
}

static void test_shape_count(void **state _unused_)
{
    int64_t n = 77;
    static const int64_t big = INT64_MAX / 16;
    assert_ok(shape_count(&shape_of(), &n));
    assert_int_equal(n, 1);
    assert_ok(shape_count(&shape_of(2, 3, 4), &n));
    assert_int_equal(n, 24);
    assert_ok(shape_count(&shape_of(5, 0, 7), &n));
    assert_int_equal(n, 0);
    assert_ok(shape_count(&shape_of(big), &n));
    assert_error(shape_count(&shape_of(big + 1), &n), ERROR_INVALID_ARGUMENT, "too many elements");
    assert_error(shape_count(&shape_of(INT64_MAX, INT64_MAX, 2), &n), ERROR_INVALID_ARGUMENT,
                 "too many elements");
    assert_error(shape_count(&shape_of(1ll << 32, 1ll << 32), &n), ERROR_INVALID_ARGUMENT,
                 "[4294967296,4294967296]");
    assert_error(shape_count(&shape_of(0, 1ll << 40, 1ll << 40), &n), ERROR_INVALID_ARGUMENT,
                 "too many elements");
    assert_error(shape_count(&shape_of(2, -1), &n), ERROR_INVALID_ARGUMENT, "[2,?]");
    const Shape unknown = { .rank = SHAPE_UNKNOWN_RANK };
    assert_error(shape_count(&unknown, &n), ERROR_INVALID_ARGUMENT, "unknown rank");
    assert_int_equal(n, big);
}

static void test_shape_text(void **state _unused_)
{
    char text[SHAPE_TEXT_BYTES];
    assert_string_equal(shape_text(&shape_of(), text), "[]");
    assert_string_equal(shape_text(&shape_of(-1, 28, 28, 1), text), "[?,28,28,1]");
    const Shape unknown = { .rank = SHAPE_UNKNOWN_RANK };
    assert_string_equal(shape_text(&unknown, text), "<unknown>");
    int64_t lowest[SHAPE_MAX_RANK];
    for (int i = 0; i < SHAPE_MAX_RANK; i++)
        lowest[i] = INT64_MIN;
    Shape longest = shape_make(SHAPE_MAX_RANK, lowest);
    assert_int_equal(strlen(shape_text(&longest, text)), 2 + 8 * 20 + 7);
    assert_true(shape_equal(&longest, &longest));
    assert_false(shape_equal(&shape_of(1, 2), &shape_of(1, 3)));
    assert_false(shape_equal(&shape_of(1), &shape_of(1, 1)));
}

static void test_new_and_copy(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(0, 1 << 20);
    Tensor strings;
    assert_ok(tensor_new(arena, DT_STRING, &shape_of(2, 2), &strings));
    Bytes *s = strings.data;
    for (int i = 0; i < 4; i++)
        assert_int_equal(s[i].size, 0);
    char text[] = "text";
    s[1] = bytes_of_text(text);
    s[3] = (Bytes){ (const uint8_t *)"a\0b", 3 };
    Tensor copy;
    assert_ok(tensor_copy(arena, &strings, &copy));
    memset(text, 'x', 4);
    const Bytes *c = copy.data;
    assert_true(bytes_equal(c[1], bytes_of_text("text")));
    assert_true(bytes_equal(c[3], s[3]) && c[3].data != s[3].data);

    Tensor none;
    assert_error(tensor_new(arena, DT_DOUBLE, &shape_of(1ll << 40), &none),
                 ERROR_RESOURCE_EXHAUSTED, "double tensor of shape [1099511627776]");
    assert_ok(tensor_new(arena, DT_FLOAT, &shape_of(3, 0), &none));
    assert_int_equal(tensor_bytes(&none), 0);
    assert_ok(tensor_copy(arena, &none, &copy));

    static const float values[] = { 1, 2, 3, 4, 5, 6 };
    Tensor view = tensor_view(DT_FLOAT, &shape_of(2, 3), values);
    assert_int_equal(tensor_bytes(&view), sizeof(values));
    Tensor flat = tensor_reshaped(&view, &shape_of(6));
    assert_ptr_equal(flat.data, values);
    assert_ok(tensor_copy(arena, &view, &copy));
    assert_memory_equal(copy.data, values, sizeof(values));
    assert_int_equal((uintptr_t)copy.data % ARENA_ALIGNMENT, 0);
}

static void test_to_shape(void **state _unused_)
{
    static const int32_t narrow[9] = { 3, -1, 5 };
    static const int64_t wide[] = { 7 };
    Shape shape;
    Tensor t = tensor_view(DT_INT32, &shape_of(3), narrow);
    assert_ok(tensor_to_shape(&t, &shape));
    assert_true(shape_equal(&shape, &shape_of(3, -1, 5)));
    t = tensor_view(DT_INT64, &shape_of(), wide);
    assert_ok(tensor_to_shape(&t, &shape));
    assert_true(shape_equal(&shape, &shape_of(7)));
    t = tensor_view(DT_INT32, &shape_of(0), NULL);
    assert_ok(tensor_to_shape(&t, &shape));
    assert_int_equal(shape.rank, 0);

    t = tensor_view(DT_INT32, &shape_of(9), narrow);
    assert_error(tensor_to_shape(&t, &shape), ERROR_INVALID_ARGUMENT, "at most 8");
    t = tensor_view(DT_INT32, &shape_of(1, 3), narrow);
    assert_error(tensor_to_shape(&t, &shape), ERROR_INVALID_ARGUMENT, "[1,3]");
    t = tensor_view(DT_FLOAT, &shape_of(1), narrow);
    assert_error(tensor_to_shape(&t, &shape), ERROR_INVALID_ARGUMENT, "not float");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dtypes),     cmocka_unit_test(test_shape_count),
        cmocka_unit_test(test_shape_text), cmocka_unit_test(test_new_and_copy),
        cmocka_unit_test(test_to_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
