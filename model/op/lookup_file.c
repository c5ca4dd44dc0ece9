/* SPDX-License-Identifier: Apache-2.0
 *
 * InitializeTableFromTextFileV2: a table's content from a file of lines, an asset of the bundle.
 * The attributes key_index and value_index say what of a line is the key and what the value:
 *
 *   -2    the whole line
 *   -1    the number of the line, from 0 (plus `offset`)
 *   0..   that field of the line, cut at `delimiter`
 *
 * Lines end with LF; carriage returns count not. At most vocab_size lines are read; a file that has
 * fewer is an error. Runs at loading, and like all of loading it allocates.
 */
#include "model/base/file.h"
#include "model/op/kernels.h"
#include "model/op/lookup.h"
#include "model/op/text_number.h"

#define WHOLE_LINE (-2)
#define LINE_NUMBER (-1)
#define MAX_FILE_BYTES ((size_t)1 << 30)
#define ARENA_BLOCK_BYTES ((size_t)1 << 20)

typedef struct TextFileKernel {
    int64_t key_index, value_index, vocabulary_size, offset;
    uint8_t delimiter;
} TextFileKernel;

/* One reading of a file. */
typedef struct TextFile {
    const TextFileKernel *kernel;
    const char *path;
    Bytes rest;          /* what is still to be read */
    int64_t line_number; /* of the line at hand, from 0 */
    Bytes line;
} TextFile;

Error *initialize_from_text_file_prepare(OpPrepare *prepare)
{
    TextFileKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    const char *delimiter = NULL;
    TRY(attrs_int(prepare->attrs, "key_index", &kernel->key_index));
    TRY(attrs_int(prepare->attrs, "value_index", &kernel->value_index));
    TRY(attrs_int_or(prepare->attrs, "vocab_size", -1, &kernel->vocabulary_size));
    TRY(attrs_int_or(prepare->attrs, "offset", 0, &kernel->offset));
    TRY(attrs_text_or(prepare->attrs, "delimiter", "\t", &delimiter));
    if (strlen(delimiter) != 1)
        return error_new(ERROR_INVALID_ARGUMENT, "delimiter should be only 1 char");
    if (kernel->key_index < WHOLE_LINE || kernel->value_index < WHOLE_LINE)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "key_index is %lld and value_index %lld, but the least is -2",
                         (long long)kernel->key_index, (long long)kernel->value_index);
    kernel->delimiter = (uint8_t)delimiter[0];
    prepare->kernel = kernel;
    return NULL;
}

/* ---- lines --------------------------------------------------------------------------------- */

/* Takes the next line off; false at the end of the file. */
static bool next_line(TextFile *file)
{
    if (file->rest.size == 0)
        return false;
    const uint8_t *end = memchr(file->rest.data, '\n', file->rest.size);
    size_t n = end != NULL ? (size_t)(end - file->rest.data) : file->rest.size;
    size_t taken = end != NULL ? n + 1 : n;
    file->line = (Bytes){ file->rest.data, n };
    file->rest = (Bytes){ file->rest.data + taken, file->rest.size - taken };
    return true;
}

static size_t drop_carriage_returns(uint8_t *data, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (data[i] != '\r')
            data[kept++] = data[i];
    }
    return kept;
}

static Error *count_lines(TextFile file, int64_t *ret)
{
    int64_t n = 0, wanted = file.kernel->vocabulary_size;
    while ((wanted < 0 || n < wanted) && next_line(&file))
        n++;
    if (n < wanted)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Invalid vocab_size in %s: expected %lld but got %lld", file.path,
                         (long long)wanted, (long long)n);
    *ret = n;
    return NULL;
}

static Error *field_at(const TextFile *file, int64_t index, Bytes *ret)
{
    Bytes rest = file->line;
    for (int64_t i = 0;; i++) {
        const uint8_t *end =
            rest.size > 0 ? memchr(rest.data, file->kernel->delimiter, rest.size) : NULL;
        size_t n = end != NULL ? (size_t)(end - rest.data) : rest.size;
        if (i == index) {
            *ret = (Bytes){ rest.data, n };
            return NULL;
        }
        if (end == NULL)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Invalid number of columns in %s line %lld: expected %lld got %lld",
                             file->path, (long long)file->line_number, (long long)index + 1,
                             (long long)i + 1);
        rest = (Bytes){ end + 1, rest.size - n - 1 };
    }
}

/* ---- elements ------------------------------------------------------------------------------ */

static Error *set_element(const TextFile *file, int64_t index, Tensor *to, int64_t i)
{
    if (index == LINE_NUMBER) {
        ((int64_t *)to->data)[i] = file->line_number + file->kernel->offset;
        return NULL;
    }
    Bytes text = file->line;
    if (index != WHOLE_LINE)
        TRY(field_at(file, index, &text));
    if (to->dtype == DT_STRING) {
        ((Bytes *)to->data)[i] = text;
        return NULL;
    }
    if (text_to_number(text, to->dtype, (char *)to->data + (size_t)i * dtype_size(to->dtype)))
        return NULL;
    return error_new(ERROR_INVALID_ARGUMENT, "Field %.*s in line %lld is not a valid %s.",
                     (int)(text.size < 200 ? text.size : 200), (const char *)text.data,
                     (long long)file->line_number, dtype_name(to->dtype));
}

static Error *check_column(const char *name, int64_t index, DType dtype)
{
    if (index == LINE_NUMBER && dtype != DT_INT64)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "%s index for line number requires table %s dtype of int64, got %s", name,
                         name, dtype_name(dtype));
    if (index == WHOLE_LINE && dtype != DT_STRING && dtype != DT_INT64)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "%s index for whole line requires string or integer, got %s", name,
                         dtype_name(dtype));
    if (dtype != DT_STRING && !text_number_has_type(dtype))
        return error_new(ERROR_INVALID_ARGUMENT, "Data type %s not supported.", dtype_name(dtype));
    return NULL;
}

static Error *read_content(const TextFileKernel *kernel, const char *path, Arena *arena,
                           LookupTable *table)
{
    LookupTableKind kind = lookup_table_kind(table);
    TRY(check_column("key", kernel->key_index, kind.key));
    TRY(check_column("value", kernel->value_index, kind.value));
    uint8_t *data = NULL;
    size_t size = 0;
    TRY(file_read(arena, path, MAX_FILE_BYTES, &data, &size));
    TextFile file = { .kernel = kernel, .path = path };
    file.rest = (Bytes){ data, drop_carriage_returns(data, size) };
    int64_t n = 0;
    TRY(count_lines(file, &n));
    Tensor keys, values;
    TRY(tensor_new(arena, kind.key, &shape_of(n), &keys));
    TRY(tensor_new(arena, kind.value, &shape_of(n), &values));
    for (int64_t i = 0; i < n && next_line(&file); i++) {
        file.line_number = i;
        TRY(set_element(&file, kernel->key_index, &keys, i));
        TRY(set_element(&file, kernel->value_index, &values, i));
    }
    return lookup_table_import(table, &keys, &values);
}

Error *initialize_from_text_file_run(OpContext *c)
{
    char text[SHAPE_TEXT_BYTES];
    LookupTable *table = NULL;
    TRY(lookup_get_table(c, &table));
    const Tensor *name = op_input(c, 1);
    if (name->n != 1)
        return error_new(ERROR_INVALID_ARGUMENT, "filename should be a single string, but got %s",
                         shape_text(&name->shape, text));
    _cleanup_(arena_freep) Arena *arena = arena_new(ARENA_BLOCK_BYTES, 0);
    if (arena == NULL)
        return error_out_of_memory();
    Bytes bytes = *(const Bytes *)name->data;
    char *path = arena_strndup(arena, bytes.size > 0 ? (const char *)bytes.data : "", bytes.size);
    if (path == NULL)
        return error_out_of_memory();
    return read_content(c->kernel, path, arena, table);
}
