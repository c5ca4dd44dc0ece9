/* SPDX-License-Identifier: Apache-2.0
 *
 * Sets right the checksums of a table, so that a fuzzer's changes get past them to the parser.
 */
#ifndef DIGIT_TESTS_MEND_TABLE_H
#define DIGIT_TESTS_MEND_TABLE_H

#include "model/base/crc32c.h"
#include "model/bundle/block.h"
#include "model/bundle/table_read.h"

/* The contents of the block at `handle`, whose checksum is right now; false when it is not there.
 */
static inline bool mend_block(uint8_t *file, size_t size, BlockHandle handle, Bytes *ret_contents)
{
    if (handle.offset > size || size - handle.offset < BLOCK_TRAILER_BYTES ||
        handle.size > size - handle.offset - BLOCK_TRAILER_BYTES)
        return false;
    uint8_t *block = file + handle.offset;
    store_le32(block + handle.size + 1, crc32c_mask(crc32c(block, handle.size + 1)));
    *ret_contents = (Bytes){ block, handle.size };
    return true;
}

static inline void mend_table(uint8_t *file, size_t size)
{
    if (size < TABLE_FOOTER_BYTES)
        return;
    store_le64(file + size - sizeof(uint64_t), TABLE_MAGIC);
    const uint8_t *footer = file + size - TABLE_FOOTER_BYTES, *end = file + size;
    BlockHandle index_handle, handle;
    Bytes index, data;
    if (!block_handle_read(&footer, end, &handle) ||
        !block_handle_read(&footer, end, &index_handle) ||
        !mend_block(file, size, index_handle, &index))
        return;

    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 12, 1 << 24);
    BlockCursor cursor;
    bool found = true;
    _cleanup_(error_freep) Error *error = block_cursor_init(&cursor, arena, index);
    while (error == NULL && found) {
        error = block_cursor_next(&cursor, &found);
        const uint8_t *at = cursor.value.data;
        if (error == NULL && found && block_handle_read(&at, at + cursor.value.size, &handle))
            mend_block(file, size, handle, &data);
    }
    /* Again, for a data block that overlaps it. */
    mend_block(file, size, index_handle, &index);
}

#endif
