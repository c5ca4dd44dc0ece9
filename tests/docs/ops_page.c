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
#include "tests/support/op_case.h"
#include "tests/support/op_coverage.h"

#define MAX_PAGE_BYTES ((size_t)1 << 20)
#define MAX_TEST_BYTES ((size_t)1 << 26)

/* Ops that read files, which a case cannot hold, and the test that covers them instead: a file below
 * tests/ that has the op's name in it. The models are TensorFlow's, with its answers (data/make_models.py). */
static const struct {
    const char *op, *test;
} elsewhere[] = {
    { "InitializeTableFromTextFileV2", "data/models/tables/saved_model.pb" },
    { "RestoreV2", "data/models/counter/saved_model.pb" },
};

static const char head[] =
    "# Operations\n"
    "\n"
    "<!-- Written by `ninja -C build docs` from model/op/*.def and tests/data; not by hand. -->\n"
    "\n"
    "Every operation that Digit has. *Types* are the element types that at least one case\n"
    "of the op has: a node that real TensorFlow ran, alone or in a graph, whose answer\n"
    "Digit must repeat in `tests/unit/model/op/test_ops.c`. For an op with type\n"
    "attributes they stand behind each attribute's name: *floating* is half, bfloat16,\n"
    "float and double; *signed* int8, int16, int32 and int64; *unsigned* uint8, uint16,\n"
    "uint32 and uint64. *Cases* counts the nodes, those that TensorFlow refuses included;\n"
    "*in* names their files, `tests/data/op_cases_NAME.bin`, or the test that covers an\n"
    "op which reads files.\n"
    "\n"
    "*Kind*: an op with *state* reads or writes variables, tables or files; *structure*\n"
    "is resolved when a graph is compiled and has no kernel; *fused* ones are not\n"
    "TensorFlow's but made by Digit's compiler out of several.\n"
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

static Error *count_files(Arena *arena, const char *tests, OpCoverage *all, size_t n)
{
    const char *paths[OP_CASE_MAX_FILES];
    size_t n_paths = 0;
    TRY(op_case_files(arena, tests, paths, &n_paths));
    for (size_t i = 0; i < n_paths; i++)
        TRY(op_coverage_count(arena, paths[i], all, n));
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
    return buf_printf(page, " | | `tests/%s` |\n", elsewhere[row_elsewhere(op->name)].test);
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
