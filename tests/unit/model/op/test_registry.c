/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of ops against TensorFlow's own registry (data/op_defs.txt), and the reading of its
 * columns.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/base/file.h"
#include "model/op/op.h"

static Arena *arena;

static int setup(_unused_ void **state)
{
    arena = arena_new(4096, 0);
    return arena == NULL;
}

static int teardown(_unused_ void **state)
{
    arena_free(arena);
    return 0;
}

static char *read_golden(void)
{
    const char *tests = getenv("DIGIT_TESTS");
    assert_non_null(tests);
    char *path = file_join(arena, tests, "data/op_defs.txt");
    assert_non_null(path);
    uint8_t *data = NULL;
    size_t size = 0;
    Error *error = file_read(arena, path, 1 << 20, &data, &size);
    assert_null(error);
    return (char *)data;
}

/* Every line of the golden file is the row of the same name, and there are no other rows but those of
 * the fused ops, whose names begin with '_': these are not TensorFlow's (model/op/fused.h). */
static void test_rows_are_tensorflows(_unused_ void **state)
{
    size_t n_rows = 0, at = 0;
    const Op *const *rows = op_list(&n_rows);
    char *save = NULL;
    for (char *line = strtok_r(read_golden(), "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        while (at < n_rows && rows[at]->name[0] == '_')
            at++;
        assert_true(at < n_rows);
        const Op *row = rows[at++];
        char *text = arena_printf(arena, "%s|%s|%s", row->name, row->inputs, row->outputs);
        assert_string_equal(text, line);
        assert_ptr_equal(op_find(row->name), row);
        assert_int_equal((row->flags & OP_STRUCTURE) != 0, row->run == NULL);
    }
    while (at < n_rows && rows[at]->name[0] == '_')
        at++;
    assert_int_equal(at, n_rows);
    assert_null(op_find("NoSuchOp"));
    assert_null(op_find(""));
}

static const int64_t two = 2, minus_one = -1, too_many = OP_MAX_ARGS + 1;
static const DType float_type = DT_FLOAT, unknown_type = DT_INVALID;
static const DType types[] = { DT_STRING, DT_INT64 };

static Attr attr_int(const char *name, const int64_t *value)
{
    return (Attr){ .name = name, .kind = ATTR_INT, .n = 1, .ints = value };
}

static Attr attr_type(const char *name, const DType *value)
{
    return (Attr){ .name = name, .kind = ATTR_TYPE, .n = 1, .types = value };
}

static Attr attr_types(const char *name, size_t n)
{
    return (
        Attr){ .name = name, .kind = n > 0 ? ATTR_TYPES : ATTR_EMPTY_LIST, .n = n, .types = types };
}

static void test_columns(_unused_ void **state)
{
    const struct {
        const char *inputs, *outputs;
        Attr attrs[2];
        int n_inputs, n_outputs; /* -1: an error that has `text` */
        DType last_output;
        const char *text;
    } cases[] = {
        { "", "", { attr_type("T", &float_type) }, 0, 0, DT_INVALID, NULL },
        { "x:T", "y:T", { attr_type("T", &float_type) }, 1, 1, DT_FLOAT, NULL },
        { "x:T", "y:U?int64", { attr_type("T", &float_type) }, 1, 1, DT_INT64, NULL },
        { "x:U?int32", "y:U?int32", { attr_type("U", &float_type) }, 1, 1, DT_FLOAT, NULL },
        { "v*N:T,a:=int32",
          "o:T",
          { attr_type("T", &float_type), attr_int("N", &two) },
          3,
          1,
          DT_FLOAT,
          NULL },
        { "a*L", "b*L,c:=bool", { attr_types("L", 2) }, 2, 3, DT_BOOL, NULL },
        { "a*L", "b*L", { attr_types("L", 0) }, 0, 0, DT_INVALID, NULL },
        { "x:T", "", { attr_int("N", &two) }, -1, 0, DT_INVALID, "attribute T is missing" },
        { "x:T", "", { attr_type("T", &unknown_type) }, -1, 0, DT_INVALID, "attribute T" },
        { "x:T", "", { attr_int("T", &two) }, -1, 0, DT_INVALID, "attribute T is an int" },
        { "v*N:=int8", "", { attr_int("N", &minus_one) }, -1, 0, DT_INVALID, "N is -1" },
        { "v*N:=int8", "", { attr_int("N", &too_many) }, -1, 0, DT_INVALID, "N is 65537" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const Op op = { .name = "Op", .inputs = cases[i].inputs, .outputs = cases[i].outputs };
        const Attrs attrs = { cases[i].attrs, cases[i].attrs[1].name == NULL ? 1 : 2 };
        int n = 0;
        const DType *dtypes = NULL;
        Error *error = op_input_types(&op, &attrs, arena, &n, &dtypes);
        if (cases[i].n_inputs < 0) {
            assert_non_null(error);
            assert_int_equal(error->code, ERROR_INVALID_ARGUMENT);
            assert_non_null(strstr(error->text, cases[i].text));
            error_free(error);
            continue;
        }
        assert_null(error);
        assert_int_equal(n, cases[i].n_inputs);
        assert_null(op_output_types(&op, &attrs, arena, &n, &dtypes));
        assert_int_equal(n, cases[i].n_outputs);
        if (n > 0)
            assert_int_equal(dtypes[n - 1], cases[i].last_output);
    }
}

static void test_output_range(_unused_ void **state)
{
    const Op op = { .name = "Op", .inputs = "", .outputs = "a*N:=int8,b*L,c:=bool" };
    const Attr items[] = { attr_int("N", &two), attr_types("L", 2) };
    const Attrs attrs = { items, 2 };
    const struct {
        const char *name;
        int first, n;
    } cases[] = { { "a", 0, 2 }, { "b", 2, 2 }, { "c", 4, 1 } };
    int first = 0, n = 0;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_null(op_output_range(&op, &attrs, cases[i].name, &first, &n));
        assert_int_equal(first, cases[i].first);
        assert_int_equal(n, cases[i].n);
    }
    _cleanup_(error_freep) Error *error = op_output_range(&op, &attrs, "d", &first, &n);
    assert_non_null(error);
    assert_int_equal(error->code, ERROR_NOT_FOUND);
}

static void test_check_inputs(_unused_ void **state)
{
    const Op *op = op_find("AddV2");
    const Attr items[] = { attr_type("T", &float_type) };
    const Attrs attrs = { items, 1 };
    const DType right[] = { DT_FLOAT, DT_FLOAT }, wrong[] = { DT_FLOAT, DT_DOUBLE };
    assert_null(op_check_inputs(op, &attrs, arena, 2, right));
    _cleanup_(error_freep) Error *count = op_check_inputs(op, &attrs, arena, 1, right);
    assert_non_null(count);
    assert_string_equal(count->text, "AddV2 has 1 inputs, but must have 2");
    _cleanup_(error_freep) Error *type = op_check_inputs(op, &attrs, arena, 2, wrong);
    assert_non_null(type);
    assert_string_equal(type->text, "input 1 of AddV2 is double, but must be float");
}

/* Axes, shapes and the like are read as int32 or int64: a graph that says otherwise is refused. */
static void test_index_types(_unused_ void **state)
{
    static const char *const names[] = { "ArgMax",         "ConcatV2",   "PadV2",   "Cumsum",
                                         "ExpandDims",     "MirrorPad",  "Reshape", "Roll",
                                         "SpaceToBatchND", "SegmentSum", "Sum",     "Transpose" };
    const DType dtypes[3] = { DT_FLOAT, DT_FLOAT, DT_FLOAT };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const Op *op = op_find(names[i]);
        assert_non_null(op);
        OpPrepare prepare = {
            .op = op, .attrs = &(Attrs){ 0 }, .n_inputs = 2, .input_dtypes = dtypes, .arena = arena
        };
        _cleanup_(error_freep) Error *error = op->prepare(&prepare);
        assert_non_null(error);
        assert_int_equal(error->code, ERROR_INVALID_ARGUMENT);
        assert_string_equal(error->text, arena_printf(arena,
                                                      "input 1 of %s must be of type int32 or "
                                                      "int64, but is float",
                                                      names[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_index_types),  cmocka_unit_test(test_rows_are_tensorflows),
        cmocka_unit_test(test_columns),      cmocka_unit_test(test_output_range),
        cmocka_unit_test(test_check_inputs),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
