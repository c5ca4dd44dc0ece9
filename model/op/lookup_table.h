/* SPDX-License-Identifier: Apache-2.0
 *
 * LookupTable: keys to values, as TensorFlow's lookup tables hold them. Keys are strings, int32 or int64;
 * values are scalars of string, int32, int64, float, double or bool.
 *
 * A HashTable (not mutable) gets its content once and never changes after, so lookups take no lock.
 * A MutableHashTable may change at any time: every use of it takes its lock.
 */
#ifndef DIGIT_OP_LOOKUP_TABLE_H
#define DIGIT_OP_LOOKUP_TABLE_H

#include "model/base/arena.h"
#include "model/tensor/tensor.h"

typedef struct LookupTable LookupTable;

typedef struct LookupTableKind {
    DType key, value;
    bool is_mutable;
} LookupTableKind;

/* UNIMPLEMENTED for types that tables do not have. */
Error *lookup_table_new(LookupTableKind kind, LookupTable **ret_table) _warn_unused_result_;
/* Takes NULL; returns NULL. */
LookupTable *lookup_table_free(LookupTable *table);

LookupTableKind lookup_table_kind(const LookupTable *table);

/* Replaces the content by keys[i] -> values[i]; copies both. A HashTable that has a content already
 * takes only the same one again. INVALID_ARGUMENT, in TensorFlow's words, for types and shapes that
 * do not fit, and when a key has two values; FAILED_PRECONDITION for a second content. Thread-safe. */
Error *lookup_table_import(LookupTable *table, const Tensor *keys,
                           const Tensor *values) _warn_unused_result_;

/* Adds keys[i] -> values[i] to a mutable table, in place of what the keys led to before; takes time
 * linear in the table. Errors as above; UNIMPLEMENTED for a HashTable. Thread-safe. */
Error *lookup_table_insert(LookupTable *table, const Tensor *keys,
                           const Tensor *values) _warn_unused_result_;

/* Forgets the keys of a mutable table that are in `keys`. The same. */
Error *lookup_table_remove(LookupTable *table, const Tensor *keys) _warn_unused_result_;

/* values[i] is what keys[i] leads to, or *fallback; `values` has as many elements as `keys`. Strings
 * are borrowed from a HashTable, which outlives the run, and copied into `arena` from a mutable one.
 * FAILED_PRECONDITION when a HashTable has no content yet. Types and sizes are the caller's to
 * check. Thread-safe. */
Error *lookup_table_find(LookupTable *table, const Tensor *keys, const Tensor *fallback,
                         Arena *arena, Tensor *values) _warn_unused_result_;

/* The number of keys. FAILED_PRECONDITION as above. Thread-safe. */
Error *lookup_table_size(LookupTable *table, int64_t *ret) _warn_unused_result_;

/* Copies in `arena` of all keys and values, vectors in the order of import. Thread-safe. */
Error *lookup_table_export(LookupTable *table, Arena *arena, Tensor *ret_keys,
                           Tensor *ret_values) _warn_unused_result_;

/* Bytes that the content holds. Thread-safe. */
size_t lookup_table_bytes(LookupTable *table);

#endif
