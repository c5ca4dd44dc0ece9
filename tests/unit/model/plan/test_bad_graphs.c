/* SPDX-License-Identifier: Apache-2.0
 *
 * Nodes whose attributes or inputs are out of range: the bundle is refused, or the request, in one
 * line that names the node. Graphs that are no graphs are test_import.c's, loops test_control.c's.
 */
#include "tests/support/check.h"
#include "tests/support/plan_runner.h"

#define X "x: Placeholder() dtype=float\n"
#define IMAGE                                                                                      \
    X "four: Const() dtype=int32 value=i[1,2,3,1]\nimage: Reshape(x, four) T=float Tshape=int32\n" \
      "fs: Const() dtype=int32 value=i[1,1,1,1]\none: Const() dtype=float value=f[1]\n"            \
      "filter: Reshape(one, fs) T=float Tshape=int32\n"
#define CONV(attrs) IMAGE "bad: Conv2D(image, filter) T=float " attrs "\n"
#define POOL(attrs) IMAGE "bad: MaxPool(image) T=float " attrs "\n"
#define AXIS(value) X "axis: Const() dtype=int32 value=i(" value ")\n"

static const struct {
    const char *what, *text, *error;
} wrong[] = {
    { "negative stride", CONV("strides=[1,-1,1,1] padding='SAME'"),
      "strides must be > 0 and at most 2147483647, but got -1" },
    { "zero stride", CONV("strides=[1,0,0,1] padding='SAME'"),
      "strides must be > 0 and at most 2147483647, but got 0" },
    { "too few strides", CONV("strides=[1,1] padding='SAME'"),
      "strides field must specify 4 dimensions, got 2" },
    { "zero dilation", CONV("strides=[1,1,1,1] dilations=[1,0,0,1] padding='SAME'"),
      "dilations must be > 0 and at most 2147483647, but got 0" },
    { "unknown padding", CONV("strides=[1,1,1,1] padding='HALF'"),
      "padding must be SAME, VALID or EXPLICIT, but is 'HALF'" },
    { "unknown layout", CONV("strides=[1,1,1,1] padding='SAME' data_format='HCWN'"),
      "data_format must be NHWC or NCHW, but is 'HCWN'" },
    { "zero window", POOL("ksize=[1,0,0,1] strides=[1,1,1,1] padding='SAME'"),
      "ksize must be > 0 and at most 2147483647, but got 0" },
    { "negative window", POOL("ksize=[1,-2,2,1] strides=[1,1,1,1] padding='SAME'"),
      "ksize must be > 0 and at most 2147483647, but got -2" },
    { "window of three", POOL("ksize=[1,2,2] strides=[1,1,1,1] padding='SAME'"),
      "ksize field must specify 4 dimensions" },
    { "axis beyond the rank", AXIS("7") "bad: Sum(x, axis) T=float Tidx=int32\n",
      "Invalid reduction dimension (7 for input with 2 dimension(s)" },
    { "axis before the first", AXIS("-9") "bad: ArgMax(x, axis) T=float Tidx=int32\n",
      "in the range [-2, 2), but got -9" },
    { "join along no axis", AXIS("5") "bad: ConcatV2(x, x, axis) T=float Tidx=int32 N=2\n",
      "in the range [-2, 2), but got 5" },
    { "join of -1", AXIS("0") "bad: ConcatV2(x, x, axis) T=float Tidx=int32 N=-1\n",
      "attribute N is -1, which is not between 0 and" },
    { "stack along no axis", X "bad: Pack(x, x) T=float N=2 axis=9\n", "axis = 9 not in [-3, 3)" },
    { "split into none", AXIS("0") "bad: Split(axis, x) T=float num_split=0\n",
      "(Split) has 0 outputs, number 0 is wanted" },
    { "type that is none", X "bad: Neg(x) T=99\n", "attribute T is an int, but must be a type" },
    { "equation that is none", X "bad: Einsum(x, x) T=float N=2 equation='ij->->k'\n",
      "Expecting exactly one '->' in einsum equation: ij->->k" },
    { "rows beyond the table",
      X "rows: Const() dtype=int32 value=i[9]\nnil: Const() dtype=int32 value=i(0)\n"
        "bad: GatherV2(x, rows, nil) Tparams=float Tindices=int32 Taxis=int32\n",
      "indices[0] = 9 is not in [0, 2)" },
    { "shape that does not fit",
      X "shape: Const() dtype=int32 value=i[4,4]\nbad: Reshape(x, shape) T=float Tshape=int32\n",
      "a tensor with 6 values, but the requested shape has 16" },
    { "negative size",
      X "dims: Const() dtype=int32 value=i[2,-3]\nzero: Const() dtype=float value=f(0)\n"
        "bad: Fill(dims, zero) T=float index_type=int32\n",
      "Dimension -3 must be >= 0" },
};

/* The error of compiling, or of running. */
static Error *try(const char *text)
{
    PlanRunner runner;
    float values[] = { 1, 2, 3, 4, 5, 6 };
    const Shape shape = shape_of(2, 3);
    const Tensor x = tensor_view(DT_FLOAT, &shape, values);
    Tensor output;
    Error *error = plan_runner_init(&runner, text);
    if (error == NULL)
        error = plan_runner_compile(&runner, "x:0", "bad:0");
    if (error == NULL)
        error = plan_runner_run(&runner, &x, &output);
    plan_runner_done(&runner);
    return error;
}

static void test_wrong(_unused_ void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        Error *error = try(wrong[i].text);
        if (error == NULL || strstr(error->text, wrong[i].error) == NULL ||
            (strstr(error->text, "node 'bad'") == NULL &&
             strstr(error->text, "{{node bad}}") == NULL)) {
            print_error("case: %s\n", wrong[i].what);
            fail();
        }
        assert_error(error, ERROR_INVALID_ARGUMENT, wrong[i].error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_wrong) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
