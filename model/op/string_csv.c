/* SPDX-License-Identifier: Apache-2.0
 *
 * DecodeCSV: each string a record, each column an output of the records' shape. The form is RFC
 * 4180's, as TensorFlow reads it:
 *
 *   record     fields with a delimiter of one byte between them; line ends before a field are skipped
 *   plain      no quote, CR or LF in it
 *   quoted     "...", with "" for a quote; only when use_quote_delim
 *
 * An empty field, or one that is na_value, takes the column's default; without one it is an error.
 */
#include "model/op/kernels.h"
#include "model/op/text_number.h"

typedef struct CsvKernel {
    uint8_t delimiter;
    bool has_quotes;
    Bytes na_value;
    size_t n_columns;
    const DType *types;      /* [n_columns] */
    size_t n_selected;       /* 0: all */
    const int64_t *selected; /* [n_selected]: the fields that are columns, ascending */
} CsvKernel;

/* ---- prepare ------------------------------------------------------------------------------- */

static Error *check_columns(const CsvKernel *kernel)
{
    for (size_t i = 0; i < kernel->n_columns; i++) {
        if (kernel->types[i] != DT_STRING && !text_number_has_type(kernel->types[i]))
            return error_new(ERROR_INVALID_ARGUMENT, "csv: data type %s not supported in field %zu",
                             dtype_name(kernel->types[i]), i);
    }
    if (kernel->n_selected > 0 && kernel->n_selected != kernel->n_columns)
        return error_new(ERROR_INVALID_ARGUMENT, "select_cols should match output size");
    for (size_t i = 0; i < kernel->n_selected; i++) {
        if (kernel->selected[i] < 0 || (i > 0 && kernel->selected[i] <= kernel->selected[i - 1]))
            return error_new(ERROR_INVALID_ARGUMENT,
                             "select_cols should be strictly increasing indices, none negative");
    }
    return NULL;
}

Error *decode_csv_prepare(OpPrepare *prepare)
{
    CsvKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    const char *delimiter = NULL, *na_value = NULL;
    if (kernel == NULL)
        return error_out_of_memory();
    TRY(attrs_text_or(prepare->attrs, "field_delim", ",", &delimiter));
    TRY(attrs_text_or(prepare->attrs, "na_value", "", &na_value));
    TRY(attrs_bool_or(prepare->attrs, "use_quote_delim", true, &kernel->has_quotes));
    TRY(attrs_types(prepare->attrs, "OUT_TYPE", &kernel->n_columns, &kernel->types));
    TRY(attrs_ints(prepare->attrs, "select_cols", &kernel->n_selected, &kernel->selected));
    if (strlen(delimiter) != 1)
        return error_new(ERROR_INVALID_ARGUMENT, "field_delim should be only 1 char");
    kernel->delimiter = (uint8_t)delimiter[0];
    kernel->na_value = bytes_of_text(na_value);
    prepare->kernel = kernel;
    return check_columns(kernel);
}

/* ---- fields -------------------------------------------------------------------------------- */

typedef struct CsvRecord {
    const CsvKernel *kernel;
    Arena *arena;
    Bytes text;
    size_t at;
} CsvRecord;

static Error *read_plain(CsvRecord *r, Bytes *ret)
{
    size_t begin = r->at;
    for (; r->at < r->text.size && r->text.data[r->at] != r->kernel->delimiter; r->at++) {
        uint8_t b = r->text.data[r->at];
        if (b == '\n' || b == '\r' || (b == '"' && r->kernel->has_quotes))
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Unquoted fields cannot have quotes/CRLFs inside");
    }
    *ret = (Bytes){ r->text.data + begin, r->at - begin };
    r->at++;
    return NULL;
}

/* True when a quote at `at` ends the field. */
static bool is_end(const CsvRecord *r, size_t at)
{
    return at + 1 == r->text.size || r->text.data[at + 1] == r->kernel->delimiter;
}

/* Behind the opening quote. */
static Error *read_quoted(CsvRecord *r, Bytes *ret)
{
    uint8_t *field = arena_alloc(r->arena, r->text.size - r->at);
    size_t n = 0;
    if (field == NULL)
        return error_out_of_memory();
    for (; r->at < r->text.size; r->at++) {
        if (r->text.data[r->at] == '"') {
            if (is_end(r, r->at)) {
                r->at += 2;
                *ret = (Bytes){ field, n };
                return NULL;
            }
            if (r->text.data[++r->at] != '"')
                return error_new(ERROR_INVALID_ARGUMENT,
                                 "Quote inside a string has to be escaped by another quote");
        }
        field[n++] = r->text.data[r->at];
    }
    return error_new(ERROR_INVALID_ARGUMENT,
                     "Quoted field has to end with quote followed by delim or end");
}

static Error *read_field(CsvRecord *r, Bytes *ret)
{
    if (r->kernel->has_quotes && r->text.data[r->at] == '"') {
        r->at++;
        return read_quoted(r, ret);
    }
    return read_plain(r, ret);
}

/* The next field that is a column goes to fields[*n], which counts on beyond what there is room for. */
static void take_field(const CsvKernel *kernel, size_t number, Bytes field, Bytes *fields,
                       size_t *n)
{
    if (kernel->n_selected > 0 && kernel->selected[*n] != (int64_t)number)
        return;
    if (*n < kernel->n_columns)
        fields[*n] = field;
    ++*n;
}

static Error *split_record(CsvRecord *r, int64_t number, Bytes *fields)
{
    const CsvKernel *kernel = r->kernel;
    size_t n = 0, n_read = 0;
    bool is_done = false;
    while (r->at < r->text.size && !is_done) {
        if (r->text.data[r->at] == '\n' || r->text.data[r->at] == '\r') {
            r->at++;
            continue;
        }
        Bytes field;
        TRY(read_field(r, &field));
        take_field(kernel, n_read++, field, fields, &n);
        is_done = kernel->n_selected > 0 && n == kernel->n_selected;
    }
    if (!is_done && r->text.size > 0 && r->text.data[r->text.size - 1] == kernel->delimiter)
        take_field(kernel, n_read, (Bytes){ (const uint8_t *)"", 0 }, fields, &n);
    if (n != kernel->n_columns)
        return error_new(ERROR_INVALID_ARGUMENT, "Expect %zu fields but have %zu in record %lld",
                         kernel->n_columns, n, (long long)number);
    return NULL;
}

/* ---- run ----------------------------------------------------------------------------------- */

static Error *write_field(const OpContext *c, size_t column, int64_t record, Bytes field)
{
    const CsvKernel *kernel = c->kernel;
    const Tensor *fallback = op_input(c, 1 + (int)column);
    Tensor *to = &c->outputs[column];
    char *element = (char *)to->data + (size_t)record * dtype_size(to->dtype);
    if (field.size == 0 || bytes_equal(field, kernel->na_value)) {
        if (fallback->n != 1)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Field %zu is required but missing in record %lld!", column,
                             (long long)record);
        memcpy(element, fallback->data, dtype_size(to->dtype));
    } else if (to->dtype == DT_STRING) {
        memcpy(element, &field, sizeof(field));
    } else if (!text_to_number(field, to->dtype, element)) {
        return error_new(ERROR_INVALID_ARGUMENT, "Field %zu in record %lld is not a valid %s: %.*s",
                         column, (long long)record, dtype_name(to->dtype),
                         (int)(field.size < 100 ? field.size : 100), (const char *)field.data);
    }
    return NULL;
}

Error *decode_csv_run(OpContext *c)
{
    const CsvKernel *kernel = c->kernel;
    const Tensor *records = op_input(c, 0);
    Bytes *fields = op_scratch(c, kernel->n_columns * sizeof(*fields));
    if (fields == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < kernel->n_columns; i++) {
        Tensor *output = NULL;
        if (op_input(c, 1 + (int)i)->n > 1)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "There should only be 1 default per field but field %zu has %lld", i,
                             (long long)op_input(c, 1 + (int)i)->n);
        TRY(op_output(c, (int)i, kernel->types[i], &records->shape, &output));
    }
    for (int64_t i = 0; i < records->n; i++) {
        CsvRecord record = { kernel, c->arena, ((const Bytes *)records->data)[i], 0 };
        TRY(split_record(&record, i, fields));
        for (size_t k = 0; k < kernel->n_columns; k++)
            TRY(write_field(c, k, i, fields[k]));
    }
    return NULL;
}
