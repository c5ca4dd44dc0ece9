/* SPDX-License-Identifier: Apache-2.0
 *
 * Crossed features: SparseCross, SparseCrossV2, SparseCrossHashed. Each row of the result has an
 * element for every choice of one element from the same row of every column, the last column
 * changing first: their texts joined, or a hash of their hashes.
 *
 *   op                 column hashes                          joins
 *   SparseCross        FarmHash of strings, integers plain    beginning with hash_key; "_X_"
 *   SparseCrossV2                                             the input sep
 *   SparseCrossHashed  with strong_hash SipHash, else as      beginning with the first hash
 *                      above, but FarmHash of integers too
 *                      where the column is sparse
 *
 * Columns are sparse matrices, then dense ones. Integers are hashed by their lower four bytes, which
 * is TensorFlow's own doing (core/kernels/sparse_cross_op.cc) and part of its models by now. With
 * strong_hash TensorFlow crashes on integers; here they are refused.
 */
#include <inttypes.h>
#include <stdio.h>

#include "model/op/farmhash.h"
#include "model/op/kernels.h"
#include "model/op/sparse.h"

#define HASHED_INT_BYTES 4

typedef enum CrossKind { CROSS_TEXT, CROSS_HASH, CROSS_KEYED_HASH } CrossKind;

typedef struct CrossKernel {
    CrossKind kind;
    int n_sparse, n_dense;
    int64_t n_buckets; /* CROSS_HASH */
    uint64_t hash_key; /* CROSS_HASH */
} CrossKernel;

typedef struct CrossColumn {
    const Tensor *values;
    const int64_t *indices; /* [n, 2]; NULL: dense */
    int64_t start, n;       /* its elements in the current row */
    int64_t end;            /* sparse: the first element behind the row */
    int64_t choice;         /* 0..n) */
} CrossColumn;

typedef struct Cross {
    const CrossKernel *kernel;
    CrossColumn *columns; /* [n_columns] */
    int n_columns;
    int64_t batch, row;
    Bytes separator;
    int64_t n_buckets;
    bool is_strong;
    uint64_t key[2];
} Cross;

/* ---- prepare ------------------------------------------------------------------------------- */

static Error *check_types(const OpPrepare *prepare, int first, int n)
{
    for (int i = first; i < first + n; i++) {
        if (prepare->input_dtypes[i] != DT_STRING && prepare->input_dtypes[i] != DT_INT64)
            return error_new(ERROR_INVALID_ARGUMENT, "%s crosses strings and int64, not %s",
                             prepare->op->name, dtype_name(prepare->input_dtypes[i]));
    }
    return NULL;
}

static Error *prepare_cross(OpPrepare *prepare, CrossKernel **ret)
{
    CrossKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    size_t n_sparse = 0, n_dense = 0;
    int64_t n_indices = 0;
    const DType *types = NULL;
    if (kernel == NULL)
        return error_out_of_memory();
    TRY(attrs_int(prepare->attrs, "N", &n_indices));
    TRY(attrs_types(prepare->attrs, "sparse_types", &n_sparse, &types));
    TRY(attrs_types(prepare->attrs, "dense_types", &n_dense, &types));
    if (n_indices != (int64_t)n_sparse)
        return error_new(ERROR_INVALID_ARGUMENT, "Expected %lld input values, got %zu",
                         (long long)n_indices, n_sparse);
    kernel->n_sparse = (int)n_sparse;
    kernel->n_dense = (int)n_dense;
    TRY(check_types(prepare, kernel->n_sparse, kernel->n_sparse));
    TRY(check_types(prepare, 3 * kernel->n_sparse, kernel->n_dense));
    prepare->kernel = *ret = kernel;
    return NULL;
}

Error *sparse_cross_prepare(OpPrepare *prepare)
{
    CrossKernel *kernel = NULL;
    bool is_hashed = false;
    int64_t hash_key = 0;
    DType out_type = DT_INVALID;
    TRY(prepare_cross(prepare, &kernel));
    TRY(attrs_bool_or(prepare->attrs, "hashed_output", false, &is_hashed));
    TRY(attrs_int_or(prepare->attrs, "num_buckets", 0, &kernel->n_buckets));
    TRY(attrs_int_or(prepare->attrs, "hash_key", 0, &hash_key));
    TRY(attrs_type(prepare->attrs, "out_type", &out_type));
    kernel->hash_key = (uint64_t)hash_key;
    kernel->kind = is_hashed ? CROSS_HASH : CROSS_TEXT;
    if (kernel->n_buckets < 0 || out_type != (is_hashed ? DT_INT64 : DT_STRING))
        return error_new(ERROR_INVALID_ARGUMENT,
                         "SparseCross gives int64 with hashed_output and strings without, and "
                         "num_buckets is not negative");
    return NULL;
}

Error *sparse_cross_v2_prepare(OpPrepare *prepare)
{
    CrossKernel *kernel = NULL;
    TRY(prepare_cross(prepare, &kernel));
    kernel->kind = CROSS_TEXT;
    return NULL;
}

Error *sparse_cross_hashed_prepare(OpPrepare *prepare)
{
    CrossKernel *kernel = NULL;
    TRY(prepare_cross(prepare, &kernel));
    kernel->kind = CROSS_KEYED_HASH;
    return NULL;
}

/* ---- columns ------------------------------------------------------------------------------- */

static Error *check_batch(Cross *x, int i, int64_t batch)
{
    if (i > 0 && batch != x->batch)
        return error_new(ERROR_INVALID_ARGUMENT, "Expected batch size %lld got %lld at position %d",
                         (long long)x->batch, (long long)batch, i);
    x->batch = batch;
    return NULL;
}

/* Rows must ascend: the walk below sees each element once. */
static Error *check_rows(const Sparse *s, int i)
{
    int64_t last = 0;
    for (int64_t k = 0; k < s->n; k++) {
        int64_t row = s->indices[2 * k];
        if (row < last || row >= s->dims[0])
            return error_new(ERROR_INVALID_ARGUMENT,
                             "indices of column %d must ascend below the batch size %lld, but "
                             "element %lld is in row %lld",
                             i, (long long)s->dims[0], (long long)k, (long long)row);
        last = row;
    }
    return NULL;
}

static Error *open_columns(const OpContext *c, Cross *x)
{
    char text[SHAPE_TEXT_BYTES];
    int n_sparse = x->kernel->n_sparse;
    for (int i = 0; i < n_sparse; i++) {
        Sparse s;
        TRY(sparse_open(op_input(c, i), op_input(c, n_sparse + i), op_input(c, 2 * n_sparse + i),
                        &s));
        if (s.rank != 2)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Expected D2 of index to be 2 got %d at position %d", s.rank, i);
        TRY(check_batch(x, i, s.dims[0]));
        TRY(check_rows(&s, i));
        x->columns[i] = (CrossColumn){ .values = s.values, .indices = s.indices };
    }
    for (int i = n_sparse; i < x->n_columns; i++) {
        const Tensor *dense = op_input(c, 2 * n_sparse + i);
        if (dense->shape.rank != 2)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Dense inputs should be a matrix but received shape %s at position %d",
                             shape_text(&dense->shape, text), i - n_sparse);
        TRY(check_batch(x, i, dense->shape.dims[0]));
        x->columns[i] = (CrossColumn){ .values = dense, .n = dense->shape.dims[1] };
    }
    return NULL;
}

static void rewind_rows(Cross *x)
{
    x->row = -1;
    for (int i = 0; i < x->kernel->n_sparse; i++)
        x->columns[i].end = 0;
}

/* Goes to the next row; false at the end. A row without an element in the first column has no
 * crosses, so where that is sparse its own rows are the only ones to look at. */
static bool next_row(Cross *x)
{
    CrossColumn *first = &x->columns[0];
    if (x->n_columns == 0)
        return false;
    if (first->indices == NULL)
        x->row++;
    else
        x->row = first->end < first->values->n ? first->indices[2 * first->end] : x->batch;
    if (x->row >= x->batch)
        return false;
    for (int i = 0; i < x->n_columns; i++) {
        CrossColumn *column = &x->columns[i];
        column->choice = 0;
        if (column->indices == NULL) {
            column->start = x->row * column->n;
            continue;
        }
        while (column->end < column->values->n && column->indices[2 * column->end] < x->row)
            column->end++;
        column->start = column->end;
        while (column->end < column->values->n && column->indices[2 * column->end] == x->row)
            column->end++;
        column->n = column->end - column->start;
    }
    return true;
}

/* False when the product does not fit. */
static bool row_crosses(const Cross *x, int64_t *ret)
{
    *ret = 1;
    for (int i = 0; i < x->n_columns; i++) {
        if (x->columns[i].n == 0) {
            *ret = 0;
            return true;
        }
    }
    for (int i = 0; i < x->n_columns; i++) {
        if (__builtin_mul_overflow(*ret, x->columns[i].n, ret))
            return false;
    }
    return true;
}

static void next_choice(Cross *x)
{
    for (int i = x->n_columns; i-- > 0;) {
        CrossColumn *column = &x->columns[i];
        if (++column->choice < column->n)
            return;
        column->choice = 0;
    }
}

/* ---- one cross ----------------------------------------------------------------------------- */

static uint64_t hash_int(const Cross *x, const CrossColumn *column, int64_t value)
{
    uint8_t bytes[8];
    store_le64(bytes, (uint64_t)value);
    if (x->kernel->kind != CROSS_KEYED_HASH || column->indices == NULL)
        return (uint64_t)value;
    return farmhash_fingerprint64((Bytes){ bytes, HASHED_INT_BYTES });
}

static uint64_t hash_choice(const Cross *x, const CrossColumn *column)
{
    int64_t at = column->start + column->choice;
    if (column->values->dtype == DT_INT64)
        return hash_int(x, column, ((const int64_t *)column->values->data)[at]);
    Bytes text = ((const Bytes *)column->values->data)[at];
    bool is_strong = x->kernel->kind == CROSS_KEYED_HASH && x->is_strong;
    return is_strong ? siphash(x->key, text) : farmhash_fingerprint64(text);
}

/* TensorFlow's FingerprintCat64 (core/platform/fingerprint.h). */
static uint64_t join_hashes(uint64_t a, uint64_t b)
{
    const uint64_t mul = 0xc6a4a7935bd1e995ull;
    b *= mul;
    uint64_t h = a ^ mul ^ (b ^ b >> 47) * mul;
    h *= mul;
    h = (h ^ h >> 47) * mul;
    return h ^ h >> 47;
}

static int64_t cross_hash(const Cross *x)
{
    bool is_keyed = x->kernel->kind == CROSS_KEYED_HASH;
    uint64_t h = is_keyed ? hash_choice(x, &x->columns[0]) : x->kernel->hash_key;
    for (int i = is_keyed ? 1 : 0; i < x->n_columns; i++)
        h = join_hashes(h, hash_choice(x, &x->columns[i]));
    return (int64_t)(h % (uint64_t)(x->n_buckets > 0 ? x->n_buckets : INT64_MAX));
}

#define INT_TEXT_BYTES 21

static Bytes choice_text(const CrossColumn *column, char number[INT_TEXT_BYTES])
{
    int64_t at = column->start + column->choice;
    if (column->values->dtype == DT_STRING)
        return ((const Bytes *)column->values->data)[at];
    snprintf(number, INT_TEXT_BYTES, "%" PRId64, ((const int64_t *)column->values->data)[at]);
    return bytes_of_text(number);
}

static Error *cross_text(const Cross *x, Arena *arena, Bytes *ret)
{
    char number[INT_TEXT_BYTES];
    size_t size = 0, gaps = 0;
    bool fits = checked_mul(x->separator.size, (size_t)(x->n_columns - 1), &gaps);
    for (int i = 0; i < x->n_columns; i++)
        fits = fits && checked_add(size, choice_text(&x->columns[i], number).size, &size);
    if (!fits || !checked_add(size, gaps, &size))
        return error_out_of_memory();
    uint8_t *bytes = arena_alloc(arena, size), *to = bytes;
    if (bytes == NULL)
        return error_out_of_memory();
    for (int i = 0; i < x->n_columns; i++) {
        Bytes part = choice_text(&x->columns[i], number);
        if (i > 0 && x->separator.size > 0)
            to = (uint8_t *)mempcpy(to, x->separator.data, x->separator.size);
        if (part.size > 0)
            to = (uint8_t *)mempcpy(to, part.data, part.size);
    }
    *ret = (Bytes){ bytes, size };
    return NULL;
}

/* ---- run ----------------------------------------------------------------------------------- */

static Error *write_crosses(OpContext *c, Cross *x, Tensor *indices, Tensor *values)
{
    int64_t at = 0, *index = indices->data;
    for (rewind_rows(x); next_row(x);) {
        int64_t n = 0;
        (void)row_crosses(x, &n); /* as when they were counted */
        for (int64_t k = 0; k < n; k++, at++, next_choice(x)) {
            *index++ = x->row;
            *index++ = k;
            if (x->kernel->kind == CROSS_TEXT)
                TRY(cross_text(x, c->arena, &((Bytes *)values->data)[at]));
            else
                ((int64_t *)values->data)[at] = cross_hash(x);
        }
    }
    return NULL;
}

static Error *cross(OpContext *c, Cross *x)
{
    x->kernel = c->kernel;
    x->n_columns = x->kernel->n_sparse + x->kernel->n_dense;
    x->columns = op_scratch(c, (size_t)x->n_columns * sizeof(*x->columns));
    if (x->columns == NULL)
        return error_out_of_memory();
    TRY(open_columns(c, x));
    int64_t total = 0, most = 0, n = 0;
    for (rewind_rows(x); next_row(x);) {
        if (!row_crosses(x, &n) || __builtin_add_overflow(total, n, &total))
            return error_new(ERROR_INVALID_ARGUMENT, "there are more crosses than memory holds");
        most = n > most ? n : most;
    }
    Tensor *indices = NULL, *values = NULL, *shape = NULL;
    DType dtype = x->kernel->kind == CROSS_TEXT ? DT_STRING : DT_INT64;
    TRY(op_output(c, 0, DT_INT64, &shape_of(total, 2), &indices));
    TRY(op_output(c, 1, dtype, &shape_of(total), &values));
    TRY(op_output(c, 2, DT_INT64, &shape_of(2), &shape));
    ((int64_t *)shape->data)[0] = x->batch;
    ((int64_t *)shape->data)[1] = most;
    return write_crosses(c, x, indices, values);
}

Error *sparse_cross_run(OpContext *c)
{
    const CrossKernel *kernel = c->kernel;
    Cross x = { .separator = bytes_of_text("_X_"), .n_buckets = kernel->n_buckets };
    return cross(c, &x);
}

Error *sparse_cross_v2_run(OpContext *c)
{
    const Tensor *separator = op_input(c, c->n_inputs - 1);
    if (separator->shape.rank != 0)
        return error_new(ERROR_INVALID_ARGUMENT, "Input separator should be a scalar.");
    Cross x = { .separator = *(const Bytes *)separator->data };
    return cross(c, &x);
}

Error *sparse_cross_hashed_run(OpContext *c)
{
    const Tensor *n_buckets = op_input(c, c->n_inputs - 3),
                 *is_strong = op_input(c, c->n_inputs - 2), *salt = op_input(c, c->n_inputs - 1);
    if (n_buckets->n != 1 || is_strong->n != 1 || salt->n != 2)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "num_buckets and strong_hash must be scalars, and salt have two elements");
    const CrossKernel *kernel = c->kernel;
    for (int i = 0; *(const bool *)is_strong->data && i < kernel->n_sparse + kernel->n_dense; i++) {
        int input = i < kernel->n_sparse ? kernel->n_sparse + i : 2 * kernel->n_sparse + i;
        if (op_input(c, input)->dtype != DT_STRING)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "strong_hash is for columns of strings, but column %d has integers",
                             i);
    }
    Cross x = { .n_buckets = *(const int64_t *)n_buckets->data,
                .is_strong = *(const bool *)is_strong->data };
    for (int i = 0; i < 2; i++)
        x.key[i] = (uint64_t)((const int64_t *)salt->data)[i];
    return cross(c, &x);
}
