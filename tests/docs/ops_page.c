/* SPDX-License-Identifier: Apache-2.0
 *
 * The page docs/ops.md: every op of the table, its element types, its oracle cases. All is counted:
 * the ops from op_list(), the rest from the cases of tests/data, which test_ops runs.
 *
 *     ops_page write PAGE        writes the page
 *     ops_page check PAGE        fails when the page is not what would be written: it is a test
 *
 * Both fail when an op has neither a case nor a row in `elsewhere`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/file.h"
#include "tests/docs/op_coverage.h"
#include "tests/support/op_case.h"

#define MAX_PAGE_BYTES ((size_t)1 << 20)
#define MAX_TEST_BYTES ((size_t)1 << 26)

/* Ops that cannot be asked alone, and the test that covers them instead: a file below tests/ that has
 * the op's name in it. NULL: nothing does yet. */
static const struct {
    const char *op, *test;
} elsewhere[] = {
    { "Assign", "unit/model/op/test_variable.c" },
    { "AssignAdd", "unit/model/op/test_variable.c" },
    { "AssignAddVariableOp", "unit/model/op/test_variable.c" },
    { "AssignSub", "unit/model/op/test_variable.c" },
    { "AssignSubVariableOp", "unit/model/op/test_variable.c" },
    { "AssignVariableOp", "unit/model/op/test_variable.c" },
    { "Case", "data/models/control/saved_model.pb" },
    { "Const", "data/models/lists/saved_model.pb" },
    { "DisableCopyOnRead", "data/models/control/saved_model.pb" },
    { "EmptyTensorList", NULL },
    { "HashTableV2", "data/models/tables/saved_model.pb" },
    { "If", "data/models/control/saved_model.pb" },
    { "InitializeTableFromTextFileV2", "unit/model/op/test_lookup.c" },
    { "InitializeTableV2", "unit/model/op/test_lookup.c" },
    { "IsVariableInitialized", "unit/model/op/test_variable.c" },
    { "LookupTableExportV2", "unit/model/op/test_lookup.c" },
    { "LookupTableFindV2", "unit/model/op/test_lookup.c" },
    { "LookupTableImportV2", "unit/model/op/test_lookup.c" },
    { "LookupTableSizeV2", "unit/model/op/test_lookup.c" },
    { "MutableHashTableV2", "data/models/tables/saved_model.pb" },
    { "PartitionedCall", "data/models/lists/saved_model.pb" },
    { "Placeholder", "data/models/lists/saved_model.pb" },
    { "ReadVariableOp", "unit/model/op/test_variable.c" },
    { "RestoreV2", "data/models/counter/saved_model.pb" },
    { "StatefulPartitionedCall", "data/models/control/saved_model.pb" },
    { "StatelessCase", NULL },
    { "StatelessIf", NULL },
    { "StatelessWhile", "data/models/control/saved_model.pb" },
    { "TensorListFromTensor", "data/models/lists/saved_model.pb" },
    { "TensorListGather", "data/models/lists/saved_model.pb" },
    { "TensorListGetItem", "data/models/lists/saved_model.pb" },
    { "TensorListLength", "data/models/lists/saved_model.pb" },
    { "TensorListPopBack", NULL },
    { "TensorListPushBack", NULL },
    { "TensorListReserve", "data/models/lists/saved_model.pb" },
    { "TensorListResize", NULL },
    { "TensorListSetItem", "data/models/lists/saved_model.pb" },
    { "TensorListStack", "data/models/lists/saved_model.pb" },
    { "VarHandleOp", "unit/model/op/test_variable.c" },
    { "VarIsInitializedOp", "unit/model/op/test_variable.c" },
    { "Variable", "data/models/tables/saved_model.pb" },
    { "VariableV2", "unit/model/op/test_variable.c" },
    { "While", "data/models/control/saved_model.pb" },
};

static const char head[] =
    "# Operations\n"
    "\n"
    "<!-- Written by `ninja -C build docs` from model/op/*.def and tests/data; not by hand. -->\n"
    "\n"
    "Every operation that Digit has. *Types* are the element types that at least one case of the "
    "op\n"
    "has: a node that real TensorFlow ran, whose answer Digit's kernel must repeat in\n"
    "`tests/unit/model/op/test_ops.c`. For an op with type attributes they stand behind each\n"
    "attribute's name: *floating* is half, bfloat16, float and double; *signed* int8, int16, "
    "int32\n"
    "and int64; *unsigned* uint8, uint16, uint32 and uint64. *Cases* counts the nodes, those that\n"
    "TensorFlow refuses included; *in* names their files, `tests/data/op_cases_NAME.bin`, or the "
    "test\n"
    "that covers an op that cannot be asked alone.\n"
    "\n"
    "*Kind*: an op with *state* reads or writes variables, tables or files; *structure* is "
    "resolved\n"
    "when a graph is compiled and has no kernel; *fused* ones are not TensorFlow's but made by "
    "Digit's\n"
    "compiler out of several.\n"
    "\n";

static const char *kind_of(const Op *op)
{
    if (op->name[0] == '_')
        return "fused";
    if (op->flags & OP_STRUCTURE)
        return "structure";
    return op->flags & OP_STATEFUL ? "state" : "";
}

/* ---- counting ------------------------------------------------------------------------------ */

static Error *count_file(Arena *arena, const char *path, OpCoverage *all, size_t n)
{
    _cleanup_(arena_freep) Arena *case_arena = arena_new(4096, 0);
    const char *name = op_case_file_name(arena, path);
    static OpCase op_case;
    Bytes left = { 0 };
    if (case_arena == NULL || name == NULL)
        return error_out_of_memory();
    TRY(op_case_open(arena, path, &left));
    while (left.size > 0) {
        TRY(op_case_read(case_arena, &left, &op_case));
        OpCoverage *coverage = op_coverage_find(all, n, op_case.op);
        if (coverage == NULL)
            return error_new(ERROR_NOT_FOUND, "%s has a case of %s, which is no op of Digit", path,
                             op_case.op);
        TRY(op_coverage_add(arena, coverage, &op_case.attrs, op_case.code == 0, name));
        arena_reset(case_arena, 1 << 20);
    }
    return NULL;
}

static Error *count_files(Arena *arena, const char *tests, OpCoverage *all, size_t n)
{
    const char *paths[OP_CASE_MAX_FILES];
    size_t n_paths = 0;
    TRY(op_case_files(arena, tests, paths, &n_paths));
    for (size_t i = 0; i < n_paths; i++)
        TRY(count_file(arena, paths[i], all, n));
    return NULL;
}

/* The row of `elsewhere` for the op, or -1. */
static int row_elsewhere(const char *op)
{
    for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++)
        if (strcmp(elsewhere[i].op, op) == 0)
            return (int)i;
    return -1;
}

/* Every op is covered, and each row of `elsewhere` is needed and true. */
static Error *check_elsewhere(Arena *arena, const char *tests, OpCoverage *all, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (all[i].n_cases == 0 && row_elsewhere(all[i].op->name) < 0)
            return error_new(
                ERROR_NOT_FOUND,
                "op %s has no oracle case: write one in tests/data/op_cases_NAME.py and "
                "run make_op_cases.py NAME",
                all[i].op->name);
    for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++) {
        const OpCoverage *coverage = op_coverage_find(all, n, elsewhere[i].op);
        if (coverage == NULL || coverage->n_cases > 0)
            return error_new(ERROR_FAILED_PRECONDITION,
                             "%s has cases or is no op: its row in tests/docs/ops_page.c must go",
                             elsewhere[i].op);
        if (elsewhere[i].test == NULL)
            continue;
        const char *path = file_join(arena, tests, elsewhere[i].test);
        uint8_t *data = NULL;
        size_t size = 0, name_size = strlen(elsewhere[i].op);
        if (path == NULL)
            return error_out_of_memory();
        TRY(file_read(arena, path, MAX_TEST_BYTES, &data, &size));
        if (memmem(data, size, elsewhere[i].op, name_size) == NULL)
            return error_new(ERROR_NOT_FOUND, "%s does not cover op %s", path, elsewhere[i].op);
    }
    return NULL;
}

/* ---- the page ------------------------------------------------------------------------------ */

static Error *append_row(const OpCoverage *coverage, Buf *page)
{
    const Op *op = coverage->op;
    TRY(buf_printf(page, "| `%s` | %s | ", op->name, kind_of(op)));
    TRY(op_coverage_types(coverage, page));
    if (coverage->n_cases > 0)
        return buf_printf(page, " | %zu | %s |\n", coverage->n_cases, coverage->files);
    const char *test = elsewhere[row_elsewhere(op->name)].test;
    return test == NULL ? buf_append_text(page, " | 0 | |\n")
                        : buf_printf(page, " | | `tests/%s` |\n", test);
}

static Error *make_page(Arena *arena, const char *tests, Buf *page)
{
    OpCoverage *all = NULL;
    size_t n = 0;
    TRY(op_coverage_new(arena, &n, &all));
    TRY(count_files(arena, tests, all, n));
    TRY(check_elsewhere(arena, tests, all, n));
    TRY(buf_append_text(page, head));
    TRY(buf_append_text(page, "| op | kind | types | cases | in |\n|---|---|---|---:|---|\n"));
    for (size_t i = 0; i < n; i++)
        TRY(append_row(&all[i], page));
    return NULL;
}

static Error *check_page(Arena *arena, const char *path, const Buf *page)
{
    uint8_t *data = NULL;
    size_t size = 0, at = 0, line = 1;
    TRY(file_read(arena, path, MAX_PAGE_BYTES, &data, &size));
    for (; at < size && at < page->size && data[at] == page->data[at]; at++)
        line += data[at] == '\n';
    if (at == size && at == page->size)
        return NULL;
    return error_new(ERROR_FAILED_PRECONDITION,
                     "%s is stale from line %zu on: `ninja -C build docs` writes it anew", path,
                     line);
}

static Error *run(Arena *arena, const char *mode, const char *path)
{
    const char *tests = getenv("DIGIT_TESTS");
    Buf page;
    buf_init(&page, MAX_PAGE_BYTES);
    Error *error = make_page(arena, tests != NULL ? tests : "tests", &page);
    if (error == NULL)
        error = strcmp(mode, "write") == 0 ? file_write(path, page.data, page.size)
                                           : check_page(arena, path, &page);
    buf_done(&page);
    return error;
}

int main(int argc, char **argv)
{
    if (argc != 3 || (strcmp(argv[1], "write") != 0 && strcmp(argv[1], "check") != 0)) {
        fprintf(stderr, "usage: ops_page write|check PAGE\n");
        return 2;
    }
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    _cleanup_(error_freep) Error *error =
        arena != NULL ? run(arena, argv[1], argv[2]) : error_out_of_memory();
    if (error != NULL)
        fprintf(stderr, "%s\n", error->text);
    return error != NULL;
}
