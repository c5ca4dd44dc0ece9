/* SPDX-License-Identifier: Apache-2.0
 *
 * A sorted table, read whole. It does not seek: the tables of tensor bundles are small (one entry a
 * variable), and reading them whole means that damage is found when they are opened.
 * Any thread.
 *
 *     TABLE
 *     ?        data blocks, each with its trailer (block.c)
 *     ?        metaindex block, without entries in TensorFlow's tables
 *     ?        index block: one entry a data block, in order;
 *              key >= the block's last key and < the next block's first, value = the block's handle
 *     FOOTER   the last 48 bytes
 *     40       handles of the metaindex and the index block, two varint64 each, zeros behind
 *     8        magic 0xdb4775248b80fb57, little-endian
 *
 * Source: tensorflow/core/lib/io/{table,format}.cc, which are LevelDB's.
 */
#include "model/bundle/table_read.h"

#include <inttypes.h>

#include "model/base/buf.h"
#include "model/bundle/block.h"

/* What is known while the data blocks are walked in order. */
typedef struct TableWalk {
    Arena *arena;
    Bytes file;
    Buf *entries;      /* of TableEntry */
    uint64_t data_end; /* past the trailer of the last data block */
    Bytes last_key;    /* data is NULL before the first */
} TableWalk;

static Error *read_footer(Bytes file, BlockHandle *ret_index)
{
    if (file.size < TABLE_FOOTER_BYTES)
        return error_new(ERROR_DATA_LOSS,
                         "table of %zu bytes is too short, its footer alone has %d", file.size,
                         TABLE_FOOTER_BYTES);
    const uint8_t *footer = file.data + file.size - TABLE_FOOTER_BYTES;
    const uint8_t *magic = footer + TABLE_FOOTER_BYTES - sizeof(uint64_t);
    if (load_le64(magic) != TABLE_MAGIC)
        return error_new(ERROR_DATA_LOSS,
                         "table ends with %016" PRIx64 ", its magic number is %016" PRIx64,
                         load_le64(magic), TABLE_MAGIC);

    BlockHandle metaindex; /* nothing in it concerns us */
    if (!block_handle_read(&footer, magic, &metaindex) ||
        !block_handle_read(&footer, magic, ret_index))
        return error_new(ERROR_DATA_LOSS, "handles in the table's footer are cut off");
    return NULL;
}

static Error *walk_data_block(TableWalk *walk, BlockHandle handle, Bytes index_key)
{
    /* Blocks in the order of the file: none is read twice, so that a small file cannot ask for
     * more work than its size. */
    if (handle.offset < walk->data_end)
        return error_new(ERROR_DATA_LOSS,
                         "block at offset %" PRIu64 " overlaps the one before, which ends at "
                         "%" PRIu64,
                         handle.offset, walk->data_end);
    Bytes contents;
    TRY(block_read(walk->arena, walk->file, handle, &contents));
    walk->data_end = handle.offset + handle.size + BLOCK_TRAILER_BYTES;

    BlockCursor cursor;
    TRY(block_cursor_init(&cursor, walk->arena, contents));
    for (;;) {
        bool found;
        TRY(block_cursor_next(&cursor, &found));
        if (!found)
            return NULL;
        if (walk->last_key.data != NULL && block_key_compare(walk->last_key, cursor.key) >= 0)
            return error_new(ERROR_DATA_LOSS, "key \"%.64s\" does not follow \"%.64s\" in order",
                             (const char *)cursor.key.data, (const char *)walk->last_key.data);
        if (block_key_compare(cursor.key, index_key) > 0)
            return error_new(ERROR_DATA_LOSS,
                             "key \"%.64s\" is past its block's index key \"%.64s\"",
                             (const char *)cursor.key.data, (const char *)index_key.data);
        TableEntry entry = { cursor.key, cursor.value };
        TRY(buf_append(walk->entries, &entry, sizeof(entry)));
        walk->last_key = cursor.key;
    }
}

static Error *walk_index(TableWalk *walk)
{
    BlockHandle index;
    TRY(read_footer(walk->file, &index));
    Bytes contents;
    TRY(block_read(walk->arena, walk->file, index, &contents));

    BlockCursor cursor;
    TRY(block_cursor_init(&cursor, walk->arena, contents));
    for (;;) {
        bool found;
        TRY(block_cursor_next(&cursor, &found));
        if (!found)
            return NULL;
        const uint8_t *p = cursor.value.data, *end = p + cursor.value.size;
        BlockHandle handle;
        if (!block_handle_read(&p, end, &handle) || p != end)
            return error_new(ERROR_DATA_LOSS, "index entry \"%.64s\" holds no block handle",
                             (const char *)cursor.key.data);
        TRY(walk_data_block(walk, handle, cursor.key));
        /* The next block's keys are past this one's index key, not only past its last key. */
        walk->last_key = cursor.key;
    }
}

Error *table_read(Arena *arena, Bytes file, Table *ret_table)
{
    _cleanup_(buf_done) Buf entries;
    buf_init(&entries, TABLE_MAX_ENTRIES * sizeof(TableEntry));
    TableWalk walk = { .arena = arena, .file = file, .entries = &entries };
    TRY(walk_index(&walk));

    TableEntry *kept = arena_memdup(arena, entries.data, entries.size);
    if (kept == NULL)
        return error_out_of_memory();
    *ret_table = (Table){ kept, entries.size / sizeof(TableEntry) };
    return NULL;
}

const TableEntry *table_find(const Table *table, Bytes key)
{
    size_t low = 0, high = table->n_entries;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = block_key_compare(table->entries[middle].key, key);
        if (order == 0)
            return &table->entries[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
