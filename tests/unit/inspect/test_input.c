/* SPDX-License-Identifier: Apache-2.0
 *
 * Input: shapes from signature, batch and --shape; values in range, and the same for a seed.
 */
#include "inspect/input.h"
#include "tests/support/check.h"

#define OPEN -1

static Error *make(Arena *arena, const SignatureTensor *input, const char *shape, int64_t seed,
                   Tensor **ret)
{
    const Signature signature = { .name = "s", .inputs = input, .n_inputs = 1 };
    const InputForm form = { .batch = 3, .shape = shape, .seed = seed };
    return input_make(arena, &signature, &form, ret);
}

static void test_shapes(_unused_ void **state)
{
    static const struct {
        Shape shape;
        const char *given, *wanted, *error;
    } rows[] = {
        { { 2, { OPEN, 4 } }, "", "[3,4]", NULL },
        { { 2, { 5, 4 } }, "", "[5,4]", NULL },
        { { 0, { 0 } }, "", "[]", NULL },
        { { 2, { OPEN, OPEN } }, "", NULL, "input 'x' has the shape [?,?]" },
        { { SHAPE_UNKNOWN_RANK, { 0 } }, "", NULL, "give --shape='x=D,D,...'" },
        { { 2, { OPEN, OPEN } }, "x=1,2", "[1,2]", NULL },
        { { SHAPE_UNKNOWN_RANK, { 0 } }, "x=", "[]", NULL },
        { { SHAPE_UNKNOWN_RANK, { 0 } }, "x=0", "[0]", NULL },
        { { 1, { OPEN } }, "x=1,", NULL, "'1,' is no shape" },
        { { 1, { OPEN } }, "x=,1", NULL, "',1' is no shape" },
        { { 1, { OPEN } }, "x=-1", NULL, "'-1' is no shape" },
        { { 1, { OPEN } }, "x=1 2", NULL, "'1 2' is no shape" },
        { { 1, { OPEN } }, "x=99999999999999999999", NULL, "is no shape" },
        { { 1, { OPEN } }, "x=1,1,1,1,1,1,1,1,1", NULL, "is no shape: up to 8" },
        { { 1, { OPEN } }, "y=1", NULL, "'y=1' does not begin with NAME= of an input" },
        { { 1, { OPEN } }, "x=1;y=1", NULL, "'y=1' does not begin" },
        { { 1, { OPEN } }, "x", NULL, "'x' does not begin" },
        { { 1, { OPEN } }, "x=4611686018427387904,4611686018427387904", NULL, "input 'x'" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        _cleanup_(arena_freep) Arena *arena = arena_new(4096, 1 << 20);
        const SignatureTensor input = { .alias = "x", .dtype = DT_FLOAT, .shape = rows[i].shape };
        Tensor *inputs = NULL;
        char text[SHAPE_TEXT_BYTES];
        assert_non_null(arena);
        if (rows[i].error != NULL) {
            assert_error(make(arena, &input, rows[i].given, 1, &inputs), ERROR_INVALID_ARGUMENT,
                         rows[i].error);
            continue;
        }
        assert_ok(make(arena, &input, rows[i].given, 1, &inputs));
        assert_string_equal(shape_text(&inputs[0].shape, text), rows[i].wanted);
    }
}

static double value(const Tensor *t, int64_t i)
{
    switch (t->dtype) {
    case DT_FLOAT:
        return (double)((const float *)t->data)[i];
    case DT_DOUBLE:
        return ((const double *)t->data)[i];
    case DT_INT64:
        return (double)((const int64_t *)t->data)[i];
    case DT_INT32:
        return (double)((const int32_t *)t->data)[i];
    default:
        return (double)((const uint8_t *)t->data)[i];
    }
}

static void test_values(_unused_ void **state)
{
    static const struct {
        DType dtype;
        double most; /* with 0 the range of the values, which are not all one */
    } rows[] = { { DT_FLOAT, 1 }, { DT_DOUBLE, 1 }, { DT_INT64, 9 },
                 { DT_INT32, 9 }, { DT_UINT8, 9 },  { DT_BOOL, 1 } };
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    assert_non_null(arena);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const SignatureTensor input = { .alias = "x", .dtype = rows[i].dtype };
        Tensor *inputs = NULL, *again = NULL, *other = NULL;
        double least = 1e9, most = -1e9;
        assert_ok(make(arena, &input, "x=1000", 1, &inputs));
        assert_ok(make(arena, &input, "x=1000", 1, &again));
        assert_ok(make(arena, &input, "x=1000", 2, &other));
        for (int64_t k = 0; k < 1000; k++) {
            double v = value(&inputs[0], k);
            least = v < least ? v : least;
            most = v > most ? v : most;
        }
        assert_true(least >= 0 && least < 0.1 * rows[i].most);
        assert_true(most <= rows[i].most && most > 0.9 * rows[i].most - 0.5);
        assert_memory_equal(inputs[0].data, again[0].data, tensor_bytes(&inputs[0]));
        assert_memory_not_equal(inputs[0].data, other[0].data, tensor_bytes(&inputs[0]));
    }
}

static void test_default(_unused_ void **state)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    float seven = 7;
    const Shape scalar = { .rank = 0 };
    const Tensor tensor = tensor_view(DT_FLOAT, &scalar, &seven);
    const SignatureTensor input = { .alias = "x",
                                    .dtype = DT_FLOAT,
                                    .shape = { .rank = SHAPE_UNKNOWN_RANK },
                                    .default_value = &tensor };
    Tensor *inputs = NULL;
    assert_non_null(arena);
    assert_ok(make(arena, &input, "", 1, &inputs));
    assert_ptr_equal(inputs[0].data, &seven);
    assert_ok(make(arena, &input, "x=2", 1, &inputs));
    assert_int_equal(inputs[0].n, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
