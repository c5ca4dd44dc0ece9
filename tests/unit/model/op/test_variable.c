/* SPDX-License-Identifier: Apache-2.0
 *
 * Variables: the manager, and the ops that make, read and write them, in the forms of TF1 and TF2.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "model/op/resource.h"
#include "model/tensor/half.h"
#include "tests/support/op_runner.h"

typedef struct Fixture {
    Arena *arena;
    ResourceManager *resources;
} Fixture;

static int setup(void **state)
{
    static Fixture fixture;
    fixture.arena = arena_new(4096, 0);
    fixture.resources = resource_manager_new();
    *state = &fixture;
    return fixture.arena == NULL || fixture.resources == NULL;
}

static int teardown(void **state)
{
    Fixture *fixture = *state;
    fixture->resources = resource_manager_free(fixture->resources);
    fixture->arena = arena_free(fixture->arena);
    return 0;
}

/* ---- running ops --------------------------------------------------------------------------- */

typedef struct OpRun {
    const char *op, *node_name, *shared_name;
    DType dtype; /* attributes T and dtype */
    const Tensor *inputs;
    int n_inputs;
} OpRun;

/* Runs the op; a deep copy of its first output (a handle as it is), if it has one. */
static Error *try_run(const Fixture *f, OpRun run, Tensor *ret_output)
{
    const Bytes shared_name = bytes_of_text(run.shared_name != NULL ? run.shared_name : "");
    const Attr items[] = {
        { .name = "dtype", .kind = ATTR_TYPE, .n = 1, .types = &run.dtype },
        { .name = "T", .kind = ATTR_TYPE, .n = 1, .types = &run.dtype },
        { .name = "shared_name", .kind = ATTR_TEXT, .n = 1, .texts = &shared_name },
    };
    const Attrs attrs = { items, ARRAY_SIZE(items) };
    const OpRunnerOptions options = {
        .op = run.op,
        .node_name = run.node_name,
        .attrs = &attrs,
        .inputs = run.inputs,
        .n_inputs = run.n_inputs,
        .resources = f->resources,
    };
    _cleanup_(op_runner_freep) OpRunner *runner = NULL;
    TRY(op_runner_new(&options, &runner));
    TRY(op_runner_run(runner));
    int n = 0;
    const Tensor *outputs = op_runner_outputs(runner, &n);
    if (n == 0)
        return NULL;
    if (outputs[0].dtype != DT_RESOURCE)
        return tensor_copy(f->arena, &outputs[0], ret_output);
    *ret_output = outputs[0];
    ret_output->data = arena_memdup(f->arena, outputs[0].data, sizeof(Resource *));
    return ret_output->data == NULL ? error_out_of_memory() : NULL;
}

static Tensor run_op(const Fixture *f, OpRun run)
{
    Tensor output = { .dtype = DT_INVALID };
    assert_null(try_run(f, run, &output));
    return output;
}

static void run_fails(const Fixture *f, OpRun run, ErrorCode code, const char *text)
{
    Tensor output;
    _cleanup_(error_freep) Error *error = try_run(f, run, &output);
    assert_non_null(error);
    assert_int_equal(error->code, code);
    assert_non_null(strstr(error->text, text));
}

static Tensor floats(const Fixture *f, int64_t n, const float *values)
{
    const Shape shape = shape_of(n);
    Tensor t;
    assert_null(tensor_new(f->arena, DT_FLOAT, &shape, &t));
    memcpy(t.data, values, (size_t)n * sizeof(float));
    return t;
}

static void assert_floats(const Tensor *t, int64_t n, const float *values)
{
    assert_int_equal(t->dtype, DT_FLOAT);
    assert_int_equal(t->n, n);
    assert_memory_equal(t->data, values, (size_t)n * sizeof(float));
}

/* ---- tests --------------------------------------------------------------------------------- */

static void test_resource_variables(void **state)
{
    const Fixture *f = *state;
    const Tensor v = run_op(f, (OpRun){ .op = "VarHandleOp", .node_name = "v", .dtype = DT_FLOAT });
    OpRun read = { "ReadVariableOp", NULL, NULL, DT_FLOAT, &v, 1 };
    OpRun is_initialized = { "VarIsInitializedOp", NULL, NULL, DT_FLOAT, &v, 1 };
    assert_false(*(bool *)run_op(f, is_initialized).data);
    run_fails(f, read, ERROR_FAILED_PRECONDITION, "uninitialized value v");

    const Tensor one[] = { v, floats(f, 2, (float[]){ 1, 2 }) };
    run_op(f, (OpRun){ "AssignVariableOp", NULL, NULL, DT_FLOAT, one, 2 });
    assert_true(*(bool *)run_op(f, is_initialized).data);
    ((float *)one[1].data)[0] = 7; /* the variable has a copy */
    Tensor value = run_op(f, read);
    assert_floats(&value, 2, (float[]){ 1, 2 });

    const Tensor delta[] = { v, floats(f, 2, (float[]){ 10, 0.5f }) };
    run_op(f, (OpRun){ "AssignAddVariableOp", NULL, NULL, DT_FLOAT, delta, 2 });
    run_op(f, (OpRun){ "AssignAddVariableOp", NULL, NULL, DT_FLOAT, delta, 2 });
    run_op(f, (OpRun){ "AssignSubVariableOp", NULL, NULL, DT_FLOAT, delta, 2 });
    value = run_op(f, read);
    assert_floats(&value, 2, (float[]){ 11, 2.5f });

    const Tensor wrong[] = { v, floats(f, 3, (float[]){ 1, 2, 3 }) };
    run_fails(f, (OpRun){ "AssignAddVariableOp", NULL, NULL, DT_FLOAT, wrong, 2 },
              ERROR_INVALID_ARGUMENT,
              "Cannot update variable with shape [2] using a Tensor with shape [3], shapes must be "
              "equal.");
    read.dtype = DT_DOUBLE;
    run_fails(f, read, ERROR_INVALID_ARGUMENT, "Expected double got float");
}

/* A handle is found again by its name, or its node's where it has none. */
static void test_names(void **state)
{
    const Fixture *f = *state;
    OpRun named = { .op = "VarHandleOp", .node_name = "a", .shared_name = "n", .dtype = DT_INT64 };
    OpRun same = { .op = "VariableV2", .node_name = "b", .shared_name = "n", .dtype = DT_INT64 };
    OpRun by_node = { .op = "VarHandleOp", .node_name = "n", .dtype = DT_INT64 };
    OpRun other = { .op = "VarHandleOp", .node_name = "m", .dtype = DT_INT64 };
    Resource *r = *(Resource **)run_op(f, named).data;
    assert_string_equal(resource_name(r), "n");
    assert_ptr_equal(*(Resource **)run_op(f, same).data, r);
    assert_ptr_equal(*(Resource **)run_op(f, by_node).data, r);
    assert_ptr_not_equal(*(Resource **)run_op(f, other).data, r);
    named.dtype = DT_FLOAT;
    run_fails(f, named, ERROR_INVALID_ARGUMENT, "variable n is int64 in one place and float");
    Resource *in_container = NULL;
    assert_null(resource_variable(f->resources, "container", "n", DT_FLOAT, &in_container));
    assert_ptr_not_equal(in_container, r);
}

/* The forms of TF1 give what they stored. */
static void test_reference_variables(void **state)
{
    const Fixture *f = *state;
    const Tensor v = run_op(f, (OpRun){ .op = "VariableV2", .node_name = "v", .dtype = DT_FLOAT });
    assert_int_equal(v.dtype, DT_RESOURCE);
    OpRun is_initialized = { "IsVariableInitialized", NULL, NULL, DT_FLOAT, &v, 1 };
    assert_false(*(bool *)run_op(f, is_initialized).data);
    const Tensor one[] = { v, floats(f, 1, (float[]){ 1 }) };
    Tensor value = run_op(f, (OpRun){ "Assign", NULL, NULL, DT_FLOAT, one, 2 });
    assert_floats(&value, 1, (float[]){ 1 });
    value = run_op(f, (OpRun){ "AssignAdd", NULL, NULL, DT_FLOAT, one, 2 });
    assert_floats(&value, 1, (float[]){ 2 });
    value = run_op(f, (OpRun){ "AssignSub", NULL, NULL, DT_FLOAT, one, 2 });
    assert_floats(&value, 1, (float[]){ 1 });
    assert_true(*(bool *)run_op(f, is_initialized).data);
}

static Resource *variable(const Fixture *f, const char *name, DType dtype)
{
    Resource *r = NULL;
    assert_null(resource_variable(f->resources, "", name, dtype, &r));
    return r;
}

/* A variable starts with the shape that its node declares; TF1's Assign lets it change only when
 * told so, TF2's tells so itself. Texts are TensorFlow's. */
static void test_shapes(void **state)
{
    const Fixture *f = *state;
    Resource *r = variable(f, "v", DT_FLOAT);
    const Shape handle_shape = shape_of();
    const Tensor v = tensor_view(DT_RESOURCE, &handle_shape, &r);
    const Tensor one[] = { v, floats(f, 1, (float[]){ 1 }) };
    const Tensor two[] = { v, floats(f, 2, (float[]){ 1, 2 }) };
    resource_declare(r, &(Shape){ 1, { -1 } });
    run_op(f, (OpRun){ "Assign", NULL, NULL, DT_FLOAT, two, 2 });
    run_fails(f, (OpRun){ "Assign", NULL, NULL, DT_FLOAT, one, 2 }, ERROR_INVALID_ARGUMENT,
              "Assign requires shapes of both tensors to match. lhs shape= [2] rhs shape= [1]");
    run_op(f, (OpRun){ "AssignVariableOp", NULL, NULL, DT_FLOAT, one, 2 });
    Resource *other = variable(f, "w", DT_FLOAT);
    const Tensor w[] = { tensor_view(DT_RESOURCE, &handle_shape, &other), one[1] };
    resource_declare(other, &shape_of(3));
    run_fails(f, (OpRun){ "Assign", NULL, NULL, DT_FLOAT, w, 2 }, ERROR_INVALID_ARGUMENT,
              "lhs shape= [3] rhs shape= [1]");
}

static void test_strings_are_copied(void **state)
{
    const Fixture *f = *state;
    char text[] = "text";
    const Bytes elements[] = { bytes_of_text(text), { NULL, 0 } };
    const Shape two = shape_of(2);
    Tensor value = tensor_view(DT_STRING, &two, elements), got;
    Resource *r = variable(f, "s", DT_STRING);
    assert_null(resource_assign(r, &value));
    memset(text, 'x', 4);
    assert_null(resource_assign(r, &value)); /* again, in the place of the first */
    memset(text, 'y', 4);
    assert_null(resource_read(r, f->arena, &got));
    assert_memory_equal(((Bytes *)got.data)[0].data, "xxxx", 4);
    assert_int_equal(((Bytes *)got.data)[1].size, 0);
    _cleanup_(error_freep) Error *error = resource_add(r, &value, false, f->arena, NULL);
    assert_non_null(error);
    assert_int_equal(error->code, ERROR_INVALID_ARGUMENT);
}

/* Integers wrap; 16-bit floats are added as float. */
static void test_add_types(void **state)
{
    const Fixture *f = *state;
    const Shape one = shape_of(1);
    int8_t i8 = 100;
    uint16_t half = float_to_half(1.5f), bfloat16 = float_to_bfloat16(-2);
    const struct {
        DType dtype;
        void *value;
        uint64_t bits; /* of value + value */
    } cases[] = {
        { DT_INT8, &i8, (uint8_t)-56 },
        { DT_HALF, &half, float_to_half(3) },
        { DT_BFLOAT16, &bfloat16, float_to_bfloat16(-4) },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        Tensor value = tensor_view(cases[i].dtype, &one, cases[i].value), got;
        Resource *r = variable(f, dtype_name(cases[i].dtype), cases[i].dtype);
        assert_null(resource_assign(r, &value));
        assert_null(resource_add(r, &value, false, f->arena, &got));
        assert_memory_equal(got.data, &cases[i].bits, dtype_size(cases[i].dtype));
        assert_null(resource_add(r, &value, true, f->arena, &got));
        assert_memory_equal(got.data, cases[i].value, dtype_size(cases[i].dtype));
    }
}

/* Small and big values lie in different kinds of memory; both are counted, a block's rest included,
 * and given back. */
static void test_memory(void **state)
{
    const Fixture *f = *state;
    const int64_t sizes[] = { 0, 1, 1 << 20 };
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        const Shape shape = shape_of(sizes[i]);
        Tensor value, lent;
        assert_null(tensor_new(f->arena, DT_FLOAT, &shape, &value));
        memset(value.data, 0, tensor_bytes(&value));
        Resource *r = variable(f, "v", DT_FLOAT);
        assert_null(resource_assign(r, &value));
        assert_null(resource_borrow(r, &lent));
        assert_int_equal(lent.n, sizes[i]);
        assert_in_range(resource_manager_bytes(f->resources), tensor_bytes(&value),
                        tensor_bytes(&value) + 8192);
    }
    Resource *r = variable(f, "v", DT_FLOAT);
    resource_release(r);
    assert_int_equal(resource_manager_bytes(f->resources), 0);
    Tensor lent;
    _cleanup_(error_freep) Error *error = resource_borrow(r, &lent);
    assert_non_null(error);
    assert_int_equal(error->code, ERROR_FAILED_PRECONDITION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_resource_variables, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reference_variables, setup, teardown),
        cmocka_unit_test_setup_teardown(test_shapes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_strings_are_copied, setup, teardown),
        cmocka_unit_test_setup_teardown(test_add_types, setup, teardown),
        cmocka_unit_test_setup_teardown(test_memory, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
