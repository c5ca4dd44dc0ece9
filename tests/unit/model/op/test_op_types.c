/* SPDX-License-Identifier: Apache-2.0
 *
 * A graph may say any element type for any type attribute. Every op that has a case of TensorFlow's
 * (support/op_case.h) is asked again with each type for each of its attributes: it answers or gives
 * an error, but neither an assertion nor a sanitizer may end the program.
 */
#include "tests/support/check.h"
#include "tests/support/op_case.h"
#include "tests/support/op_coverage.h"
#include "tests/support/op_runner.h"

#define MAX_ATTRS 32
#define MAX_ELEMENTS 4096
#define CASES_OF_AN_OP 6

typedef struct Tally {
    OpCoverage *all;
    size_t n;
    int *n_cases; /* [n]: asked so far */
    int n_answers, n_errors;
} Tally;

/* Elements 0, 1, 2, 0... of any type; of strings "0", "1", "2". */
static void fill(Tensor *t)
{
    static const char digits[] = "012";
    size_t size = dtype_size(t->dtype);
    for (int64_t i = 0; i < t->n; i++) {
        char *element = (char *)t->data + (size_t)i * size;
        const float number = (float)(i % 3);
        const double wide = (double)(i % 3);
        const Bytes text = { (const uint8_t *)digits + i % 3, 1 };
        memset(element, 0, size);
        if (t->dtype == DT_STRING)
            memcpy(element, &text, sizeof(text));
        else if (t->dtype == DT_FLOAT)
            memcpy(element, &number, sizeof(number));
        else if (t->dtype == DT_DOUBLE)
            memcpy(element, &wide, sizeof(wide));
        else if (t->dtype == DT_BOOL)
            *element = (char)(i % 2);
        else
            *element = (char)(i % 3);
    }
}

/* The case's attributes, but `dtype` for `name`. */
static Attrs attrs_with(const Attrs *old, const char *name, const DType *dtype, Attr *items)
{
    Attrs attrs = { items, 0 };
    for (size_t i = 0; i < old->n && i < MAX_ATTRS - 1; i++)
        if (strcmp(old->items[i].name, name) != 0)
            items[attrs.n++] = old->items[i];
    items[attrs.n++] = (Attr){ .name = name, .kind = ATTR_TYPE, .n = 1, .types = dtype };
    return attrs;
}

/* The case's inputs, other elements where the attributes now want another type. False when the op
 * does not take so many, or handles. */
static bool inputs_for(Arena *arena, const Op *op, const OpCase *op_case, const Attrs *attrs,
                       Tensor *inputs)
{
    int n = 0;
    const DType *dtypes = NULL;
    _cleanup_(error_freep) Error *error = op_input_types(op, attrs, arena, &n, &dtypes);
    if (error != NULL || n != (int)op_case->n_inputs)
        return false;
    for (int i = 0; i < n; i++) {
        const Tensor *old = &op_case->inputs[i];
        inputs[i] = *old;
        if (dtypes[i] == old->dtype)
            continue;
        if (dtypes[i] == DT_RESOURCE || dtypes[i] == DT_VARIANT || old->n > MAX_ELEMENTS)
            return false;
        assert_ok(tensor_new(arena, dtypes[i], &old->shape, &inputs[i]));
        fill(&inputs[i]);
    }
    return true;
}

static Error *ask(const Op *op, const Attrs *attrs, const Tensor *inputs, int n, bool constant)
{
    _cleanup_(op_runner_freep) OpRunner *runner = NULL;
    const OpRunnerOptions options = {
        .op = op->name, .attrs = attrs, .inputs = inputs, .n_inputs = n, .constant_inputs = constant
    };
    TRY(op_runner_new(&options, &runner));
    return op_runner_run(runner);
}

static void ask_all_types(Arena *arena, Tally *tally, const OpCoverage *coverage,
                          const OpCase *op_case)
{
    static Tensor inputs[OP_CASE_MAX_TENSORS];
    Attr items[MAX_ATTRS];
    for (int s = 0; s < coverage->n_sets; s++) {
        for (int number = 1; number <= DTYPE_MAX; number++) {
            const DType dtype = (DType)number;
            const Attrs attrs = attrs_with(&op_case->attrs, coverage->sets[s].attr, &dtype, items);
            if (!inputs_for(arena, coverage->op, op_case, &attrs, inputs))
                continue;
            for (int constant = 0; constant < 2; constant++) {
                _cleanup_(error_freep) Error *error =
                    ask(coverage->op, &attrs, inputs, (int)op_case->n_inputs, constant);
                tally->n_errors += error != NULL;
                tally->n_answers += error == NULL;
            }
        }
    }
}

static void ask_file(const char *path, Tally *tally)
{
    _cleanup_(arena_freep) Arena *file_arena = arena_new(4096, 0);
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    assert_true(file_arena != NULL && arena != NULL);
    static OpCase op_case;
    Bytes left = { 0 };
    assert_ok(op_case_open(file_arena, path, &left));
    while (left.size > 0) {
        assert_ok(op_case_read(arena, &left, &op_case));
        const OpCoverage *coverage = op_coverage_find(tally->all, tally->n, op_case.op);
        if (coverage != NULL && op_case.code == 0 &&
            tally->n_cases[coverage - tally->all]++ < CASES_OF_AN_OP)
            ask_all_types(arena, tally, coverage, &op_case);
        arena_reset(arena, 1 << 20);
    }
}

static void test_no_type_kills(_unused_ void **state)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    static const char *paths[OP_CASE_MAX_FILES];
    const char *tests = getenv("DIGIT_TESTS");
    size_t n_paths = 0;
    Tally tally = { 0 };
    assert_true(arena != NULL && tests != NULL);
    assert_ok(op_coverage_new(arena, &tally.n, &tally.all));
    tally.n_cases = arena_calloc(arena, tally.n, sizeof(*tally.n_cases));
    assert_non_null(tally.n_cases);
    assert_ok(op_case_files(arena, tests, paths, &n_paths));
    for (size_t i = 0; i < n_paths; i++)
        ask_file(paths[i], &tally);
    print_message("%d answers, %d errors\n", tally.n_answers, tally.n_errors);
    assert_true(tally.n_answers > 0 && tally.n_errors > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_no_type_kills) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
