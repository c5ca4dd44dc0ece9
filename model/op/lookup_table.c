/* SPDX-License-Identifier: Apache-2.0
 *
 * LookupTable: open addressing over two vectors. Slot s holds 1 + the index of a key, or 0; a key's probe
 * begins at its hash and goes on slot by slot. At most half of the slots are used.
 *
 *   keys    [n]  in order of import, each once
 *   values  [n]
 *   slots   [power of two]
 *
 * A content is built whole and then published by one pointer; a reader of a HashTable loads that
 * pointer (acquire pairs with the builder's release) and needs nothing else.
 */
#include "model/op/lookup_table.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "model/op/farmhash.h"

#define ARENA_BLOCK_BYTES ((size_t)64 << 10)
#define MAX_KEYS ((int64_t)1 << 30)

typedef struct Content {
    Arena *arena; /* owned; all is in it */
    Tensor keys, values;
    uint32_t *slots;
    size_t mask; /* slots - 1 */
} Content;

struct LookupTable {
    LookupTableKind kind; /* immutable */
    /* Writers, and readers of a mutable table, hold the lock. */
    pthread_mutex_t lock;
    _Atomic(Content *) content; /* owned; NULL: none yet */
};

/* ---- content ------------------------------------------------------------------------------- */

static Content *content_free(Content *content)
{
    if (content != NULL)
        arena_free(content->arena);
    return NULL;
}

static void arena_of_contentp(Content **content)
{
    content_free(*content);
}

static uint64_t hash_at(const Tensor *keys, int64_t i)
{
    if (keys->dtype == DT_STRING)
        return farmhash_fingerprint64(((const Bytes *)keys->data)[i]);
    uint64_t h =
        (uint64_t)tensor_index_at(keys, i) * 0x9E3779B97F4A7C15ull; /* 2^64 / golden ratio */
    return h ^ h >> 32;
}

/* Elements of one plain or string type. */
static bool elements_equal(const Tensor *a, int64_t i, const Tensor *b, int64_t k)
{
    if (a->dtype == DT_STRING)
        return bytes_equal(((const Bytes *)a->data)[i], ((const Bytes *)b->data)[k]);
    size_t size = dtype_size(a->dtype);
    return memcmp((const char *)a->data + (size_t)i * size,
                  (const char *)b->data + (size_t)k * size, size) == 0;
}

static void copy_element(const Tensor *from, int64_t i, Tensor *to, int64_t k)
{
    size_t size = dtype_size(from->dtype);
    memcpy((char *)to->data + (size_t)k * size, (const char *)from->data + (size_t)i * size, size);
}

static Tensor element_view(const Tensor *t, int64_t i)
{
    return tensor_view(t->dtype, &shape_of(1),
                       (const char *)t->data + (size_t)i * dtype_size(t->dtype));
}

/* The slot of keys[i], or the free one where it would be. */
static uint32_t *find_slot(const Content *content, const Tensor *keys, int64_t i)
{
    size_t at = (size_t)hash_at(keys, i) & content->mask;
    while (content->slots[at] != 0 &&
           !elements_equal(&content->keys, content->slots[at] - 1, keys, i))
        at = (at + 1) & content->mask;
    return &content->slots[at];
}

/* Room for n keys; content_fill brings them. */
static Error *content_alloc(DType key, DType value, int64_t n, Content **ret)
{
    Arena *arena = arena_new(ARENA_BLOCK_BYTES, 0);
    if (arena == NULL)
        return error_out_of_memory();
    Content *content = arena_calloc(arena, 1, sizeof(*content));
    if (content == NULL) {
        arena_free(arena);
        return error_out_of_memory();
    }
    content->arena = arena;
    *ret = content;
    size_t n_slots = 4;
    while (n_slots < 2 * (size_t)n)
        n_slots *= 2;
    content->mask = n_slots - 1;
    content->slots = arena_calloc(arena, n_slots, sizeof(*content->slots));
    if (content->slots == NULL)
        return error_out_of_memory();
    TRY(tensor_new(arena, key, &shape_of(n), &content->keys));
    TRY(tensor_new(arena, value, &shape_of(n), &content->values));
    content->keys.n = content->values.n = 0;
    content->keys.shape = content->values.shape = shape_of(0);
    return NULL;
}

static Error *copy_text(Arena *arena, Tensor *tensor, int64_t i)
{
    if (tensor->dtype != DT_STRING)
        return NULL;
    Bytes *text = &((Bytes *)tensor->data)[i];
    uint8_t *copy =
        arena_memdup(arena, text->size > 0 ? text->data : (const uint8_t *)"", text->size);
    if (copy == NULL)
        return error_out_of_memory();
    text->data = copy;
    return NULL;
}

static void print_element(const Tensor *t, int64_t i, char text[80])
{
    if (t->dtype == DT_STRING) {
        Bytes bytes = ((const Bytes *)t->data)[i];
        snprintf(text, 80, "%.*s", (int)(bytes.size < 60 ? bytes.size : 60),
                 bytes.size > 0 ? (const char *)bytes.data : "");
    } else if (t->dtype == DT_FLOAT) {
        snprintf(text, 80, "%g", (double)((const float *)t->data)[i]);
    } else if (t->dtype == DT_DOUBLE) {
        snprintf(text, 80, "%g", ((const double *)t->data)[i]);
    } else if (t->dtype == DT_BOOL) {
        snprintf(text, 80, "%d", ((const bool *)t->data)[i]);
    } else {
        snprintf(text, 80, "%lld", (long long)tensor_index_at(t, i));
    }
}

static Error *two_values(const Content *content, int64_t known, const Tensor *values, int64_t i)
{
    char key[80], before[80], now[80];
    print_element(&content->keys, known, key);
    print_element(&content->values, known, before);
    print_element(values, i, now);
    return error_new(ERROR_INVALID_ARGUMENT,
                     "HashTable has different value for same key. Key %s has %s and trying to add "
                     "value %s",
                     key, before, now);
}

/* Adds keys behind those that are there. A mutable table takes the last value of a key, a HashTable
 * refuses a second one. */
static Error *content_fill(Content *content, bool may_repeat, const Tensor *keys,
                           const Tensor *values)
{
    int64_t n = content->keys.n;
    for (int64_t i = 0; i < keys->n; i++) {
        uint32_t *slot = find_slot(content, keys, i);
        int64_t at = *slot != 0 ? (int64_t)*slot - 1 : n;
        if (at < n && !may_repeat && !elements_equal(&content->values, at, values, i))
            return two_values(content, at, values, i);
        if (at == n) {
            copy_element(keys, i, &content->keys, at);
            TRY(copy_text(content->arena, &content->keys, at));
            *slot = (uint32_t)++n;
            content->keys.n = content->values.n = n;
        }
        copy_element(values, i, &content->values, at);
        TRY(copy_text(content->arena, &content->values, at));
    }
    content->keys.shape.dims[0] = content->values.shape.dims[0] = n;
    return NULL;
}

static bool content_equal(const Content *a, const Content *b)
{
    if (a->keys.n != b->keys.n)
        return false;
    for (int64_t i = 0; i < b->keys.n; i++) {
        uint32_t slot = *find_slot(a, &b->keys, i);
        if (slot == 0 || !elements_equal(&a->values, (int64_t)slot - 1, &b->values, i))
            return false;
    }
    return true;
}

/* ---- table --------------------------------------------------------------------------------- */

Error *lookup_table_new(LookupTableKind kind, LookupTable **ret_table)
{
    bool has_key = kind.key == DT_STRING || kind.key == DT_INT32 || kind.key == DT_INT64;
    bool has_value = kind.value == DT_STRING || kind.value == DT_INT32 || kind.value == DT_INT64 ||
                     kind.value == DT_FLOAT || kind.value == DT_DOUBLE || kind.value == DT_BOOL;
    if (!has_key || !has_value)
        return error_new(ERROR_UNIMPLEMENTED, "there are no tables from %s to %s",
                         dtype_name(kind.key), dtype_name(kind.value));
    LookupTable *table = calloc(1, sizeof(*table));
    if (table == NULL)
        return error_out_of_memory();
    table->kind = kind;
    pthread_mutex_init(&table->lock, NULL);
    *ret_table = table;
    return NULL;
}

LookupTable *lookup_table_free(LookupTable *table)
{
    if (table == NULL)
        return NULL;
    content_free(atomic_load(&table->content));
    pthread_mutex_destroy(&table->lock);
    free(table);
    return NULL;
}

LookupTableKind lookup_table_kind(const LookupTable *table)
{
    return table->kind;
}

static Error *check_import(const LookupTable *table, const Tensor *keys, const Tensor *values)
{
    char text[2][SHAPE_TEXT_BYTES];
    if (keys->dtype != table->kind.key)
        return error_new(ERROR_INVALID_ARGUMENT, "Key must be type %s but got %s",
                         dtype_name(table->kind.key), dtype_name(keys->dtype));
    if (values->dtype != table->kind.value)
        return error_new(ERROR_INVALID_ARGUMENT, "Value must be type %s but got %s",
                         dtype_name(table->kind.value), dtype_name(values->dtype));
    if (!shape_equal(&keys->shape, &values->shape))
        return error_new(ERROR_INVALID_ARGUMENT, "Expected shape %s for value, got %s",
                         shape_text(&keys->shape, text[0]), shape_text(&values->shape, text[1]));
    if (keys->n > MAX_KEYS)
        return error_new(ERROR_RESOURCE_EXHAUSTED, "a table may have %lld keys, not %lld",
                         (long long)MAX_KEYS, (long long)keys->n);
    return NULL;
}

Error *lookup_table_import(LookupTable *table, const Tensor *keys, const Tensor *values)
{
    _cleanup_(arena_of_contentp) Content *content = NULL;
    TRY(check_import(table, keys, values));
    TRY(content_alloc(table->kind.key, table->kind.value, keys->n, &content));
    TRY(content_fill(content, table->kind.is_mutable, keys, values));
    Error *error = NULL;
    pthread_mutex_lock(&table->lock);
    Content *old = atomic_load_explicit(&table->content, memory_order_relaxed);
    if (old != NULL && !table->kind.is_mutable) {
        if (!content_equal(old, content))
            error = error_new(ERROR_FAILED_PRECONDITION, "Table already initialized.");
    } else {
        atomic_store_explicit(&table->content, TAKE(content), memory_order_release);
        content_free(old);
    }
    pthread_mutex_unlock(&table->lock);
    return error;
}

/* A new content in the place of `old`, which may be NULL: its keys without those of `removed`, then
 * `keys`; both may be NULL. */
static Error *rebuild(const LookupTable *table, const Content *old, const Content *removed,
                      const Tensor *keys, const Tensor *values, Content **ret)
{
    int64_t n_old = old != NULL ? old->keys.n : 0, n_new = keys != NULL ? keys->n : 0;
    if (n_old > MAX_KEYS - n_new)
        return error_new(ERROR_RESOURCE_EXHAUSTED, "a table may have %lld keys, not %lld",
                         (long long)MAX_KEYS, (long long)(n_old + n_new));
    TRY(content_alloc(table->kind.key, table->kind.value, n_old + n_new, ret));
    for (int64_t i = 0; i < n_old; i++) {
        if (removed != NULL && *find_slot(removed, &old->keys, i) != 0)
            continue;
        Tensor key = element_view(&old->keys, i), value = element_view(&old->values, i);
        TRY(content_fill(*ret, true, &key, &value));
    }
    return keys != NULL ? content_fill(*ret, true, keys, values) : NULL;
}

static Error *change(LookupTable *table, const Content *removed, const Tensor *keys,
                     const Tensor *values)
{
    _cleanup_(arena_of_contentp) Content *content = NULL;
    pthread_mutex_lock(&table->lock);
    Content *old = atomic_load_explicit(&table->content, memory_order_relaxed);
    Error *error = rebuild(table, old, removed, keys, values, &content);
    if (error == NULL) {
        atomic_store_explicit(&table->content, TAKE(content), memory_order_release);
        content_free(old);
    }
    pthread_mutex_unlock(&table->lock);
    return error;
}

static Error *check_mutable(const LookupTable *table)
{
    if (!table->kind.is_mutable)
        return error_new(ERROR_UNIMPLEMENTED, "a HashTable cannot be changed");
    return NULL;
}

Error *lookup_table_insert(LookupTable *table, const Tensor *keys, const Tensor *values)
{
    TRY(check_mutable(table));
    TRY(check_import(table, keys, values));
    return change(table, NULL, keys, values);
}

Error *lookup_table_remove(LookupTable *table, const Tensor *keys)
{
    _cleanup_(arena_of_contentp) Content *removed = NULL;
    TRY(check_mutable(table));
    TRY(check_import(table, keys, &(Tensor){ .dtype = table->kind.value, .shape = keys->shape }));
    TRY(content_alloc(table->kind.key, table->kind.key, keys->n, &removed));
    TRY(content_fill(removed, true, keys, keys));
    return change(table, removed, NULL, NULL);
}

/* ---- reading ------------------------------------------------------------------------------- */

/* What a reader works on until reader_end; NULL: a mutable table without keys. */
static Error *reader_begin(LookupTable *table, const Content **ret)
{
    if (table->kind.is_mutable)
        pthread_mutex_lock(&table->lock);
    *ret = atomic_load_explicit(&table->content, memory_order_acquire);
    if (*ret == NULL && !table->kind.is_mutable)
        return error_new(ERROR_FAILED_PRECONDITION, "Table not initialized.");
    return NULL;
}

static void reader_end(LookupTable *table)
{
    if (table->kind.is_mutable)
        pthread_mutex_unlock(&table->lock);
}

static Error *find_all(const LookupTable *table, const Content *content, const Tensor *keys,
                       const Tensor *fallback, Arena *arena, Tensor *values)
{
    for (int64_t i = 0; i < keys->n; i++) {
        uint32_t slot = content != NULL ? *find_slot(content, keys, i) : 0;
        if (slot == 0) {
            copy_element(fallback, 0, values, i);
            continue;
        }
        copy_element(&content->values, (int64_t)slot - 1, values, i);
        if (table->kind.is_mutable)
            TRY(copy_text(arena, values, i));
    }
    return NULL;
}

Error *lookup_table_find(LookupTable *table, const Tensor *keys, const Tensor *fallback,
                         Arena *arena, Tensor *values)
{
    const Content *content = NULL;
    TRY(reader_begin(table, &content));
    Error *error = find_all(table, content, keys, fallback, arena, values);
    reader_end(table);
    return error;
}

Error *lookup_table_size(LookupTable *table, int64_t *ret)
{
    const Content *content = NULL;
    TRY(reader_begin(table, &content));
    *ret = content != NULL ? content->keys.n : 0;
    reader_end(table);
    return NULL;
}

static Error *export_content(const LookupTable *table, const Content *content, Arena *arena,
                             Tensor *ret_keys, Tensor *ret_values)
{
    if (content == NULL) {
        TRY(tensor_new(arena, table->kind.key, &shape_of(0), ret_keys));
        return tensor_new(arena, table->kind.value, &shape_of(0), ret_values);
    }
    TRY(tensor_copy(arena, &content->keys, ret_keys));
    return tensor_copy(arena, &content->values, ret_values);
}

Error *lookup_table_export(LookupTable *table, Arena *arena, Tensor *ret_keys, Tensor *ret_values)
{
    const Content *content = NULL;
    TRY(reader_begin(table, &content));
    Error *error = export_content(table, content, arena, ret_keys, ret_values);
    reader_end(table);
    return error;
}

size_t lookup_table_bytes(LookupTable *table)
{
    pthread_mutex_lock(&table->lock);
    const Content *content = atomic_load_explicit(&table->content, memory_order_relaxed);
    size_t bytes = content != NULL ? arena_held(content->arena) : 0;
    pthread_mutex_unlock(&table->lock);
    return bytes;
}
