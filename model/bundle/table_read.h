/* SPDX-License-Identifier: Apache-2.0
 *
 * Table: a sorted table (SSTable) that was read whole: an array of keys and values.
 */
#ifndef DIGIT_BUNDLE_TABLE_READ_H
#define DIGIT_BUNDLE_TABLE_READ_H

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/error.h"

#define TABLE_FOOTER_BYTES 48
#define TABLE_MAGIC UINT64_C(0xdb4775248b80fb57)
#define TABLE_MAX_ENTRIES ((size_t)1 << 24)

typedef struct TableEntry {
    Bytes key; /* a NUL stands behind it, not counted */
    Bytes value;
} TableEntry;

/* Entries ascend strictly by the unsigned bytes of their keys. */
typedef struct Table {
    const TableEntry *entries;
    size_t n_entries;
} Table;

/* Reads and checks the table whose bytes are `file`: all of its blocks, nothing left for later.
 * The entries lie in `arena`, values borrow from `file` or the arena. DATA_LOSS for bytes that are
 * no table or a corrupt one; RESOURCE_EXHAUSTED when the arena is full. */
Error *table_read(Arena *arena, Bytes file, Table *ret_table) _warn_unused_result_;

/* The entry with that key, or NULL. Borrowed from the table. */
const TableEntry *table_find(const Table *table, Bytes key);

#endif
