/* SPDX-License-Identifier: Apache-2.0
 *
 * What convolutions and pools say to attributes and types that make no sense, or that are not
 * built; and what they give for inputs without elements, where TensorFlow's own kernels differ
 * among themselves. Everything else about them is compared with TensorFlow in test_ops.c.
 */
#include "tests/support/op_node.h"

/* Conv2D or MaxPool with one attribute that is wrong. */
static const struct {
    const char *op, *attr;
    size_t n;
    int64_t ints[8];
    const char *text; /* instead of ints */
    ErrorCode code;
    const char *error;
} bad_attrs[] = {
    { "Conv2D",
      "strides",
      3,
      { 1, 1, 1 },
      NULL,
      ERROR_INVALID_ARGUMENT,
      "Sliding window strides field must specify 4 dimensions" },
    { "Conv2D", "strides", 4, { 1, 0, 1, 1 }, NULL, ERROR_INVALID_ARGUMENT, "must be > 0" },
    { "Conv2D", "strides", 4, { 1, 1, -1, 1 }, NULL, ERROR_INVALID_ARGUMENT, "must be > 0" },
    { "Conv2D", "strides", 4, { 1, 1, 1LL << 40, 1 }, NULL, ERROR_INVALID_ARGUMENT, "at most" },
    { "Conv2D", "strides", 4, { 2, 1, 1, 1 }, NULL, ERROR_UNIMPLEMENTED, "does not yet support" },
    { "Conv2D", "strides", 4, { 1, 1, 1, 2 }, NULL, ERROR_UNIMPLEMENTED, "does not yet support" },
    { "Conv2D", "dilations", 4, { 1, 0, 1, 1 }, NULL, ERROR_INVALID_ARGUMENT, "dilations" },
    { "Conv2D", "dilations", 2, { 1, 1 }, NULL, ERROR_INVALID_ARGUMENT, "dilations" },
    { "Conv2D", "padding", 0, { 0 }, "FULL", ERROR_INVALID_ARGUMENT, "padding must be" },
    { "Conv2D", "data_format", 0, { 0 }, "NCWH", ERROR_INVALID_ARGUMENT, "NHWC or NCHW" },
    { "MaxPool", "ksize", 4, { 1, 0, 1, 1 }, NULL, ERROR_INVALID_ARGUMENT, "must be > 0" },
    { "MaxPool", "ksize", 4, { 1, 1, 1, 2 }, NULL, ERROR_UNIMPLEMENTED, "does not yet support" },
    { "MaxPool", "ksize", 4, { 1, 9, 1, 1 }, NULL, ERROR_INVALID_ARGUMENT, "would be negative" },
    { "MaxPool",
      "ksize",
      4,
      { 1, INT32_MAX, INT32_MAX, 1 },
      NULL,
      ERROR_INVALID_ARGUMENT,
      "would be negative" },
};

static void bad_attributes_are_named(void **state)
{
    (void)state;
    const int64_t ones[4] = { 1, 1, 1, 1 };
    for (size_t i = 0; i < ARRAY_SIZE(bad_attrs); i++) {
        _cleanup_(arena_freep) Arena *arena = arena_new(1 << 16, 0);
        assert_non_null(arena);
        bool is_pool = strcmp(bad_attrs[i].op, "MaxPool") == 0;
        Shape x = shape_of(1, 4, 4, 2), filter = shape_of(1, 1, 2, 3);
        Tensor inputs[2] = { random_tensor(arena, &x), random_tensor(arena, &filter) }, out;
        OpNode node = op_node_new(arena, DT_FLOAT);
        const char *bad = bad_attrs[i].attr;
        if (bad_attrs[i].text != NULL)
            op_node_text(&node, bad, bad_attrs[i].text);
        else
            op_node_ints(&node, bad, bad_attrs[i].n, bad_attrs[i].ints);
        if (strcmp(bad, "strides") != 0)
            op_node_ints(&node, "strides", 4, ones);
        if (is_pool && strcmp(bad, "ksize") != 0)
            op_node_ints(&node, "ksize", 4, ones);
        if (strcmp(bad, "padding") != 0)
            op_node_text(&node, "padding", "VALID");
        assert_error(op_node_run(&node, bad_attrs[i].op, is_pool ? 1 : 2, inputs, &out),
                     bad_attrs[i].code, bad_attrs[i].error);
    }
}

static void bad_explicit_paddings_are_named(void **state)
{
    (void)state;
    static const struct {
        size_t n;
        int64_t pads[8];
        ErrorCode code;
        const char *error;
    } cases[] = {
        { 6, { 0, 0, 1, 1, 2, 2 }, ERROR_INVALID_ARGUMENT, "must contain 8 values, but got: 6" },
        { 8, { 0, 0, 1, -1, 2, 2, 0, 0 }, ERROR_INVALID_ARGUMENT, "nonnegative" },
        { 8, { 0, 1, 1, 1, 2, 2, 0, 0 }, ERROR_INVALID_ARGUMENT, "batch or depth" },
        { 8, { 0, 0, 1, 1, 2, 2, 0, 3 }, ERROR_INVALID_ARGUMENT, "batch or depth" },
        { 8, { 0, 0, 1LL << 40, 1, 2, 2, 0, 0 }, ERROR_INVALID_ARGUMENT, "at most" },
        { 8,
          { 0, 0, INT32_MAX, INT32_MAX, INT32_MAX, INT32_MAX, 0, 0 },
          ERROR_INVALID_ARGUMENT,
          "" }, /* an output of 2^64 pixels */
    };
    const int64_t ones[4] = { 1, 1, 1, 1 };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(arena_freep) Arena *arena = arena_new(1 << 16, 0);
        assert_non_null(arena);
        Shape x = shape_of(1, 4, 4, 2), filter = shape_of(2, 2, 2, 3);
        Tensor inputs[2] = { random_tensor(arena, &x), random_tensor(arena, &filter) }, out;
        OpNode node = op_node_new(arena, DT_FLOAT);
        op_node_ints(&node, "strides", 4, ones);
        op_node_text(&node, "padding", "EXPLICIT");
        op_node_ints(&node, "explicit_paddings", cases[i].n, cases[i].pads);
        assert_error(op_node_run(&node, "Conv2D", 2, inputs, &out), cases[i].code, cases[i].error);
    }
}

static void other_types_are_refused(void **state)
{
    (void)state;
    static const char *const ops[] = { "Conv2D", "DepthwiseConv2dNative", "MaxPool", "AvgPool" };
    const int64_t ones[4] = { 1, 1, 1, 1 };
    for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
        _cleanup_(arena_freep) Arena *arena = arena_new(1 << 16, 0);
        assert_non_null(arena);
        Shape shape = shape_of(1, 1, 1, 1);
        Tensor inputs[2], out;
        for (int j = 0; j < 2; j++)
            assert_ok(tensor_new(arena, DT_COMPLEX64, &shape, &inputs[j]));
        OpNode node = op_node_new(arena, DT_COMPLEX64);
        op_node_ints(&node, "strides", 4, ones);
        op_node_ints(&node, "ksize", 4, ones);
        op_node_text(&node, "padding", "VALID");
        assert_error(op_node_run(&node, ops[i], i < 2 ? 2 : 1, inputs, &out), ERROR_UNIMPLEMENTED,
                     "for type complex64");
    }
}

/* Inputs without elements: the output has the shape that the arithmetic says. */
static void empty_inputs_give_empty_outputs(void **state)
{
    (void)state;
    static const char *const ops[] = { "Conv2D", "DepthwiseConv2dNative", "MaxPool" };
    static const int64_t shapes[][4] = { { 0, 5, 6, 2 }, { 2, 0, 6, 2 }, { 2, 5, 0, 2 } };
    const int64_t ones[4] = { 1, 1, 1, 1 }, size[4] = { 1, 1, 1, 1 };
    for (size_t i = 0; i < ARRAY_SIZE(ops) * ARRAY_SIZE(shapes); i++) {
        _cleanup_(arena_freep) Arena *arena = arena_new(1 << 16, 0);
        assert_non_null(arena);
        const int64_t *d = shapes[i / ARRAY_SIZE(ops)];
        const char *op = ops[i % ARRAY_SIZE(ops)];
        Shape x = shape_make(4, d), filter = shape_of(1, 1, 2, 1);
        Tensor inputs[2] = { random_tensor(arena, &x), random_tensor(arena, &filter) }, out;
        OpNode node = op_node_new(arena, DT_FLOAT);
        op_node_ints(&node, "strides", 4, ones);
        op_node_ints(&node, "ksize", 4, size);
        op_node_text(&node, "padding", "VALID");
        assert_ok(op_node_run(&node, op, strcmp(op, "MaxPool") == 0 ? 1 : 2, inputs, &out));
        Shape want = shape_of(d[0], d[1], d[2], strcmp(op, "Conv2D") == 0 ? 1 : 2);
        assert_true(shape_equal(&out.shape, &want));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_attributes_are_named),
        cmocka_unit_test(bad_explicit_paddings_are_named),
        cmocka_unit_test(other_types_are_refused),
        cmocka_unit_test(empty_inputs_give_empty_outputs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
