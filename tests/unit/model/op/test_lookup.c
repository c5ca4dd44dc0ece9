/* SPDX-License-Identifier: Apache-2.0
 *
 * Lookup tables: content once and for all, or over and over; vocabulary files; errors in
 * TensorFlow's words. What whole bundles answer is in test_models.c.
 */
#include <unistd.h>

#include "model/op/lookup_table.h"
#include "model/op/resource.h"
#include "tests/support/check.h"
#include "tests/support/op_runner.h"

static Arena *arena;
static ResourceManager *resources;

static int setup(_unused_ void **state)
{
    arena = arena_new(4096, 0);
    resources = resource_manager_new();
    return arena == NULL || resources == NULL;
}

static int teardown(_unused_ void **state)
{
    resources = resource_manager_free(resources);
    arena = arena_free(arena);
    return 0;
}

/* ---- tensors ------------------------------------------------------------------------------- */

static Tensor texts(int n, const char *const *values)
{
    Bytes *bytes = arena_calloc(arena, (size_t)n, sizeof(*bytes));
    assert_non_null(bytes);
    for (int i = 0; i < n; i++)
        bytes[i] = bytes_of_text(values[i]);
    return tensor_view(DT_STRING, &shape_of(n), bytes);
}

#define TEXTS(...)                                                                                 \
    texts((int)ARRAY_SIZE(((const char *[]){ __VA_ARGS__ })), (const char *[]){ __VA_ARGS__ })

static Tensor ints(int n, const int64_t *values)
{
    return tensor_view(DT_INT64, &shape_of(n), arena_memdup(arena, values, (size_t)n * 8));
}

#define INTS(...) ints((int)ARRAY_SIZE(((int64_t[]){ __VA_ARGS__ })), (int64_t[]){ __VA_ARGS__ })

static Tensor as_scalar(Tensor vector)
{
    return tensor_reshaped(&vector, &shape_of());
}

static Tensor scalar(int64_t value)
{
    return as_scalar(INTS(value));
}

static Tensor handle_of(const char *name, DType key, DType value, bool is_mutable)
{
    Resource **handle = arena_calloc(arena, 1, sizeof(Resource *));
    const LookupTableKind kind = { key, value, is_mutable };
    assert_non_null(handle);
    assert_ok(resource_make_table(resources, "", name, kind, handle));
    return tensor_view(DT_RESOURCE, &shape_of(), handle);
}

/* ---- running ops --------------------------------------------------------------------------- */

typedef struct TestAttrs {
    Attr items[8];
    size_t n;
} TestAttrs;

static Error *run(const char *op, const TestAttrs *attrs, int n, const Tensor *inputs,
                  Tensor *ret_outputs)
{
    const Attrs list = { attrs->items, attrs->n };
    const OpRunnerOptions options = {
        .op = op, .attrs = &list, .inputs = inputs, .n_inputs = n, .resources = resources
    };
    _cleanup_(op_runner_freep) OpRunner *runner = NULL;
    TRY(op_runner_new(&options, &runner));
    TRY(op_runner_run(runner));
    int n_outputs = 0;
    const Tensor *outputs = op_runner_outputs(runner, &n_outputs);
    for (int i = 0; i < n_outputs && ret_outputs != NULL; i++)
        TRY(tensor_copy(arena, &outputs[i], &ret_outputs[i]));
    return NULL;
}

static TestAttrs type_attrs(DType key, DType value)
{
    static DType types[2];
    types[0] = key;
    types[1] = value;
    TestAttrs attrs = { .n = 6 };
    const char *names[] = { "Tin", "Tout", "Tkey", "Tval", "Tkeys", "Tvalues" };
    for (size_t i = 0; i < attrs.n; i++)
        attrs.items[i] =
            (Attr){ .name = names[i], .kind = ATTR_TYPE, .n = 1, .types = &types[i % 2] };
    return attrs;
}

static Error *import(const char *op, Tensor handle, Tensor keys, Tensor values)
{
    const Tensor inputs[] = { handle, keys, values };
    TestAttrs attrs = type_attrs(keys.dtype, values.dtype);
    return run(op, &attrs, 3, inputs, NULL);
}

static Error *find(Tensor handle, Tensor keys, Tensor fallback, Tensor *ret_values)
{
    const Tensor inputs[] = { handle, keys, fallback };
    TestAttrs attrs = type_attrs(keys.dtype, fallback.dtype);
    return run("LookupTableFindV2", &attrs, 3, inputs, ret_values);
}

static void assert_same(Tensor got, Tensor wanted)
{
    assert_true(tensor_equal(&got, &wanted));
}

/* ---- tests --------------------------------------------------------------------------------- */

static void test_find(_unused_ void **state)
{
    Tensor values, handle = handle_of("find", DT_STRING, DT_INT64, false);
    assert_error(find(handle, TEXTS("a"), scalar(-1), &values), ERROR_FAILED_PRECONDITION,
                 "Table not initialized.");
    assert_ok(import("InitializeTableV2", handle, TEXTS("a", "", "b"), INTS(1, 2, 3)));
    assert_ok(find(handle, TEXTS("b", "c", "", "a"), scalar(-1), &values));
    assert_same(values, INTS(3, -1, 2, 1));
    TestAttrs none = type_attrs(DT_STRING, DT_INT64);
    assert_ok(run("LookupTableSizeV2", &none, 1, &handle, &values));
    assert_same(values, scalar(3));
    Tensor exported[2];
    assert_ok(run("LookupTableExportV2", &none, 1, &handle, exported));
    assert_same(exported[0], TEXTS("a", "", "b"));
    assert_same(exported[1], INTS(1, 2, 3));
}

static void test_content_is_final(_unused_ void **state)
{
    Tensor values, handle = handle_of("final", DT_INT64, DT_STRING, false);
    assert_ok(import("LookupTableImportV2", handle, INTS(7, 7, -8), TEXTS("x", "x", "y")));
    assert_ok(import("LookupTableImportV2", handle, INTS(-8, 7), TEXTS("y", "x")));
    assert_error(import("LookupTableImportV2", handle, INTS(7), TEXTS("x")),
                 ERROR_FAILED_PRECONDITION, "Table already initialized.");
    Tensor unknown = TEXTS("?");
    assert_ok(find(handle, INTS(7, 0), as_scalar(unknown), &values));
    assert_same(values, TEXTS("x", "?"));
}

static void test_mutable(_unused_ void **state)
{
    Tensor values, handle = handle_of("mutable", DT_INT64, DT_INT64, true);
    assert_ok(find(handle, INTS(1), scalar(5), &values));
    assert_same(values, INTS(5));
    assert_ok(import("LookupTableImportV2", handle, INTS(1, 1), INTS(10, 11)));
    assert_ok(find(handle, INTS(1, 2), scalar(5), &values));
    assert_same(values, INTS(11, 5));
    assert_ok(import("LookupTableImportV2", handle, INTS(2), INTS(20)));
    assert_ok(find(handle, INTS(1, 2), scalar(5), &values));
    assert_same(values, INTS(5, 20));
}

static void test_errors(_unused_ void **state)
{
    Tensor values, handle = handle_of("errors", DT_STRING, DT_INT64, false);
    Resource *variable = NULL;
    assert_error(
        import("LookupTableImportV2", handle, TEXTS("a", "a"), INTS(1, 2)), ERROR_INVALID_ARGUMENT,
        "HashTable has different value for same key. Key a has 1 and trying to add value 2");
    assert_error(import("LookupTableImportV2", handle, INTS(1), INTS(1)), ERROR_INVALID_ARGUMENT,
                 "Key must be type string but got int64");
    assert_error(import("LookupTableImportV2", handle, TEXTS("a"), INTS(1, 2)),
                 ERROR_INVALID_ARGUMENT, "Expected shape [1] for value, got [2]");
    assert_error(import("InitializeTableV2", handle, as_scalar(TEXTS("a")), scalar(1)),
                 ERROR_INVALID_ARGUMENT, "Keys must be a vector, but received shape []");
    assert_ok(import("LookupTableImportV2", handle, TEXTS("a"), INTS(1)));
    assert_error(find(handle, INTS(1), scalar(1), &values), ERROR_INVALID_ARGUMENT,
                 "Key must be type string but got int64");
    assert_error(find(handle, TEXTS("a"), INTS(1), &values), ERROR_INVALID_ARGUMENT,
                 "Expected shape [] for default value, got [1]");
    assert_error(resource_variable(resources, "", "errors", DT_FLOAT, &variable),
                 ERROR_INVALID_ARGUMENT, "variable errors");
    assert_ok(resource_variable(resources, "", "variable", DT_FLOAT, &variable));
    assert_error(
        find(tensor_view(DT_RESOURCE, &shape_of(), &variable), TEXTS("a"), scalar(1), &values),
        ERROR_INVALID_ARGUMENT, "needs the handle of a table");
}

/* Many keys: growth of slots, and every key found again. */
static void test_many(_unused_ void **state)
{
    enum { N = 5000 };
    Tensor values, handle = handle_of("many", DT_INT64, DT_INT64, false);
    int64_t keys[N];
    for (int64_t i = 0; i < N; i++)
        keys[i] = i * 4096 - N;
    assert_ok(import("LookupTableImportV2", handle, ints(N, keys), ints(N, keys)));
    assert_ok(find(handle, ints(N, keys), scalar(1), &values));
    assert_same(values, ints(N, keys));
    assert_ok(find(handle, INTS(1, 2, 3), scalar(-7), &values));
    assert_same(values, INTS(-7, -7, -7));
}

/* ---- vocabulary files ---------------------------------------------------------------------- */

typedef struct FileCase {
    const char *text;
    int64_t key_index, value_index, vocabulary_size, offset;
    const char *delimiter;
    const char *error; /* NULL: "b" is found with the value below, and "zz" is not */
    int64_t value;
} FileCase;

static Error *initialize_from(const char *path, Tensor handle, const FileCase *file)
{
    const Bytes delimiter = bytes_of_text(file->delimiter);
    const TestAttrs attrs = {
        { { .name = "key_index", .kind = ATTR_INT, .n = 1, .ints = &file->key_index },
          { .name = "value_index", .kind = ATTR_INT, .n = 1, .ints = &file->value_index },
          { .name = "vocab_size", .kind = ATTR_INT, .n = 1, .ints = &file->vocabulary_size },
          { .name = "offset", .kind = ATTR_INT, .n = 1, .ints = &file->offset },
          { .name = "delimiter", .kind = ATTR_TEXT, .n = 1, .texts = &delimiter } },
        5
    };
    const char *paths[] = { path };
    Tensor filename = texts(1, paths);
    const Tensor inputs[] = { handle, as_scalar(filename) };
    return run("InitializeTableFromTextFileV2", &attrs, 2, inputs, NULL);
}

static void test_files(_unused_ void **state)
{
    static const FileCase cases[] = {
        { "a\nb\nc\n", -2, -1, -1, 0, "\t", NULL, 1 },
        { "a\r\nb\r\nc", -2, -1, -1, 0, "\t", NULL, 1 },
        { "a\nb\nc\n", -2, -1, 2, 5, "\t", NULL, 6 },
        { "a\nb\nc\n", -2, -1, 4, 0, "\t", "Invalid vocab_size in", 0 },
        { "a 10\nb 20\n", 0, 1, -1, 0, " ", NULL, 20 },
        { "1,2,a\n3,4,b\n", 2, 0, -1, 0, ",", NULL, 3 },
        { "a 10\nb\n", 0, 1, -1, 0, " ", "Invalid number of columns in", 0 },
        { "a x\n", 0, 1, -1, 0, " ", "Field x in line 0 is not a valid int64.", 0 },
        { "a\na\n", -2, -1, -1, 0, "\t", "HashTable has different value for same key", 0 },
        { "a\n", -3, -1, -1, 0, "\t", "key_index", 0 },
        { "a\n", -2, -1, -1, 0, "ab", "delimiter should be only 1 char", 0 },
        { "a\n", -1, -1, -1, 0, "\t", "key index for line number requires", 0 },
    };
    char path[] = "/tmp/digit-lookup-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const FileCase *file = &cases[i];
        Tensor values;
        Tensor handle = handle_of(arena_printf(arena, "file%zu", i), DT_STRING, DT_INT64, false);
        assert_ok(file_write(path, file->text, strlen(file->text)));
        Error *error = initialize_from(path, handle, file);
        if (file->error != NULL) {
            assert_error(error, ERROR_INVALID_ARGUMENT, file->error);
            continue;
        }
        assert_ok(error);
        assert_ok(find(handle, TEXTS("b", "zz"), scalar(-9), &values));
        assert_same(values, INTS(file->value, -9));
    }
    close(fd);
    unlink(path);
    assert_error(initialize_from(path, handle_of("gone", DT_STRING, DT_INT64, false), &cases[0]),
                 ERROR_NOT_FOUND, path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),    cmocka_unit_test(test_content_is_final),
        cmocka_unit_test(test_mutable), cmocka_unit_test(test_errors),
        cmocka_unit_test(test_many),    cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
