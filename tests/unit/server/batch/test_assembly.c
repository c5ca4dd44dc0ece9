/* SPDX-License-Identifier: Apache-2.0
 *
 * Tensors of tasks to those of a batch and back, and who may be joined with whom.
 */
#include "tests/unit/server/batch/batch_fixture.h"

typedef struct Fixture {
    Arena *arena;
    BatchParams params;
} Fixture;

static int setup(void **state)
{
    static Fixture fixture;
    fixture.arena = arena_new(4096, 0);
    fixture.params = batch_params_default();
    *state = &fixture;
    return fixture.arena == NULL;
}

static int teardown(void **state)
{
    arena_free(((Fixture *)*state)->arena);
    return 0;
}

static void test_measure(void **state)
{
    Fixture *f = *state;
    BatchTask task;
    make_task(f->arena, &f->params, shape_of(3, 2), 0, &task);
    assert_ok(assembly_measure(&task));
    assert_int_equal(task.n_rows, 3);
    assert_int_equal(task.n_bytes, 24);

    task.n_inputs = 0;
    assert_error(assembly_measure(&task), ERROR_INVALID_ARGUMENT,
                 "Batching Run() must have at least one input tensor");
    make_task(f->arena, &f->params, shape_of(), 0, &task);
    assert_error(assembly_measure(&task), ERROR_INVALID_ARGUMENT,
                 "Batching Run() input tensors must have at least one dimension");
    make_task(f->arena, &f->params, shape_of(1001, 1), 0, &task);
    assert_error(assembly_measure(&task), ERROR_INVALID_ARGUMENT,
                 "Task size 1001 is larger than maximum input batch size 1000");
    NamedTensor inputs[] = { make_input(f->arena, "b", shape_of(2), 0),
                             make_input(f->arena, "a", shape_of(3), 0) };
    task = (BatchTask){ .params = &f->params, .inputs = inputs, .n_inputs = 2 };
    assert_error(assembly_measure(&task), ERROR_INVALID_ARGUMENT,
                 "Batching Run() input tensors must have equal 0th-dimension size");
    inputs[1] = make_input(f->arena, "a", shape_of(2), 0);
    assert_ok(assembly_measure(&task));
    assert_true(bytes_equal(task.inputs[0].name, bytes_of_text("a")));
}

static void test_joins(void **state)
{
    Fixture *f = *state;
    const struct {
        Shape a, b;
        bool joins, joins_padded;
    } cases[] = {
        { shape_of(1, 2), shape_of(5, 2), true, true },
        { shape_of(1, 2), shape_of(1, 3), false, true },
        { shape_of(1, 2), shape_of(1, 2, 1), false, false },
        { shape_of(1, 2), shape_of(1, 0), false, false }, /* nothing to pad with */
        { shape_of(1, 1, 1, 1, 1, 1), shape_of(1, 1, 1, 1, 1, 2), false, true },
        { shape_of(1, 1, 1, 1, 1, 1, 1), shape_of(1, 1, 1, 1, 1, 1, 2), false, false },
        { shape_of(4), shape_of(1), true, true },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        for (int pads = 0; pads < 2; pads++) {
            BatchTask a, b;
            f->params.pads = pads;
            make_task(f->arena, &f->params, cases[i].a, 0, &a);
            make_task(f->arena, &f->params, cases[i].b, 0, &b);
            assert_int_equal(assembly_joins(&a, &b), pads ? cases[i].joins_padded : cases[i].joins);
        }
    }
    BatchTask a, b;
    make_task(f->arena, &f->params, shape_of(1, 2), 0, &a);
    make_task(f->arena, &f->params, shape_of(1, 2), 0, &b);
    b.signature = (const Signature *)(const void *)&b;
    assert_false(assembly_joins(&a, &b));
    b.signature = NULL;
    assert_true(assembly_joins(&a, &b));
    const Bytes filter = bytes_of_text("y");
    b.output_filter = &filter;
    b.n_filter = 1;
    assert_false(assembly_joins(&a, &b));
    b.n_filter = 0;
    b.inputs->tensor.dtype = DT_INT32;
    assert_false(assembly_joins(&a, &b));
}

static void test_inputs(void **state)
{
    Fixture *f = *state;
    BatchTask a, b;
    NamedTensor *inputs;
    make_task(f->arena, &f->params, shape_of(2, 2), 1, &a);
    make_task(f->arena, &f->params, shape_of(1, 2), 10, &b);
    assert_ok(assembly_measure(&a));
    assert_ok(assembly_measure(&b));
    /* Alone, with every row: nothing is copied. */
    const BatchPart whole = { &a, 0, 2 };
    assert_ok(assembly_inputs(f->arena, &whole, 1, 2, &inputs));
    assert_ptr_equal(inputs, a.inputs);
    /* Two tasks and a row of padding, which is the last task's first. */
    const BatchPart parts[] = { { &a, 0, 2 }, { &b, 0, 1 } };
    assert_ok(assembly_inputs(f->arena, parts, 2, 4, &inputs));
    assert_floats(&inputs[0].tensor, (float[]){ 1, 2, 3, 4, 10, 11, 10, 11 }, 8);
    assert_true(shape_equal(&inputs[0].tensor.shape, &shape_of(4, 2)));
    /* The second row of a task alone. */
    const BatchPart second = { &a, 1, 1 };
    assert_ok(assembly_inputs(f->arena, &second, 1, 1, &inputs));
    assert_floats(&inputs[0].tensor, (float[]){ 3, 4 }, 2);
}

static void test_padding(void **state)
{
    Fixture *f = *state;
    BatchTask a, b;
    NamedTensor *inputs;
    make_task(f->arena, &f->params, shape_of(1, 1, 2), 7, &a);
    make_task(f->arena, &f->params, shape_of(1, 2, 1), 1, &b);
    assert_ok(assembly_measure(&a));
    assert_ok(assembly_measure(&b));
    const BatchPart parts[] = { { &a, 0, 1 }, { &b, 0, 1 } };
    assert_ok(assembly_inputs(f->arena, parts, 2, 2, &inputs));
    assert_true(shape_equal(&inputs[0].tensor.shape, &shape_of(2, 2, 2)));
    assert_floats(&inputs[0].tensor, (float[]){ 7, 8, 7, 7, 1, 1, 2, 1 }, 8);
}

static void test_strings_are_copied(void **state)
{
    Fixture *f = *state;
    char text[] = "one";
    const Bytes strings[] = { bytes_of_text(text), bytes_of_text("") };
    NamedTensor inputs[] = { { bytes_of_text("s"), tensor_view(DT_STRING, &shape_of(1), strings) },
                             { bytes_of_text("s"),
                               tensor_view(DT_STRING, &shape_of(1), strings + 1) } };
    BatchTask a = { .params = &f->params, .inputs = inputs, .n_inputs = 1 };
    BatchTask b = { .params = &f->params, .inputs = inputs + 1, .n_inputs = 1 };
    assert_ok(assembly_measure(&a));
    assert_ok(assembly_measure(&b));
    const BatchPart parts[] = { { &a, 0, 1 }, { &b, 0, 1 } };
    NamedTensor *joined;
    assert_ok(assembly_inputs(f->arena, parts, 2, 2, &joined));
    text[0] = '?'; /* the task ends before another that may have got its string */
    const Bytes *got = joined[0].tensor.data;
    assert_true(bytes_equal(got[0], bytes_of_text("one")));
    assert_int_equal(got[1].size, 0);
}

static void test_no_rows(void **state)
{
    Fixture *f = *state;
    BatchTask a, b;
    NamedTensor *inputs;
    make_task(f->arena, &f->params, shape_of(1, 2), 1, &a);
    make_task(f->arena, &f->params, shape_of(0, 2), 0, &b);
    assert_ok(assembly_measure(&a));
    assert_ok(assembly_measure(&b));
    const BatchPart parts[] = { { &a, 0, 1 }, { &b, 0, 0 } };
    assert_ok(assembly_inputs(f->arena, parts, 2, 2, &inputs));
    assert_floats(&inputs[0].tensor, (float[]){ 1, 2, 1, 2 }, 4);
}

static void test_outputs(void **state)
{
    Fixture *f = *state;
    NamedTensor outputs[] = { make_input(f->arena, "y", shape_of(3, 2), 0),
                              make_input(f->arena, "z", shape_of(3), 10) };
    NamedTensor rows[2];
    assert_ok(assembly_check_outputs(outputs, 2, 3));
    assert_error(assembly_check_outputs(outputs, 2, 4), ERROR_FAILED_PRECONDITION,
                 "Batched output tensor's 0th dimension does not equal the sum of the 0th "
                 "dimension sizes of the input tensors");
    assembly_rows(outputs, 2, 1, 2, rows);
    assert_floats(&rows[0].tensor, (float[]){ 2, 3, 4, 5 }, 4);
    assert_floats(&rows[1].tensor, (float[]){ 11, 12 }, 2);
    assert_true(shape_equal(&rows[0].tensor.shape, &shape_of(2, 2)));
    const NamedTensor scalar = make_input(f->arena, "y", shape_of(), 0);
    assert_error(assembly_check_outputs(&scalar, 1, 3), ERROR_FAILED_PRECONDITION,
                 "Batched output tensor has 0 dimensions");
}

static void test_parts(void **state)
{
    Fixture *f = *state;
    BatchTask task;
    make_task(f->arena, &f->params, shape_of(3, 1), 0, &task);
    assert_ok(assembly_measure(&task));
    const NamedTensor one = make_input(f->arena, "y", shape_of(1, 2), 5);
    const NamedTensor two = make_input(f->arena, "y", shape_of(2, 2), 7);
    const NamedTensor wide = make_input(f->arena, "y", shape_of(2, 3), 7);
    const BatchPart first = { &task, 0, 1 }, rest = { &task, 1, 2 };
    assert_ok(assembly_outputs_new(&task, &two, 1));
    assert_ok(assembly_join_rows(f->arena, &rest, &two, 1));
    assert_ok(assembly_join_rows(f->arena, &first, &one, 1));
    assert_floats(&task.outputs[0].tensor, (float[]){ 5, 6, 7, 8, 9, 10 }, 6);
    assert_error(assembly_join_rows(f->arena, &rest, &wide, 1), ERROR_FAILED_PRECONDITION,
                 "output y has another shape in one part of the request");
}

static void test_bytes(void **state)
{
    Fixture *f = *state;
    BatchTask task;
    Shape shape = shape_of(1, (int64_t)1 << 31, (int64_t)1 << 31);
    make_task(f->arena, &f->params, shape_of(1, 2, 3), 0, &task);
    assert_int_equal(assembly_bytes(&task, &shape_of(1, 2, 3), 10), 240);
    assert_int_equal(assembly_bytes(&task, &shape, 10), SIZE_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_measure), TEST(test_joins),   TEST(test_inputs),
        TEST(test_padding), TEST(test_no_rows), TEST(test_strings_are_copied),
        TEST(test_outputs), TEST(test_parts),   TEST(test_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
