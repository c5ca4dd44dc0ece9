/* SPDX-License-Identifier: Apache-2.0
 *
 * A sorted table, written in memory. The layout is in table_read.c; here is what it leaves open and
 * TensorFlow chooses, so that the bytes are the same. Any thread, one writer at a time.
 *
 *     data block     ends with the entry that brings it to 256 KiB; a restart every 16 entries
 *     index block    every key is a restart; the key of a block is the shortest text between its
 *                    last key and the next block's first, for the last block a short successor
 *     order          data blocks, metaindex (empty), index, footer
 *
 * Source: tensorflow/core/lib/io/table_builder.cc.
 */
#include "model/bundle/table_write.h"

#include <assert.h>

#include "model/bundle/table_read.h"

#define DATA_BLOCK_BYTES 262144
#define INDEX_RESTART_INTERVAL 1

/* Shortens `key` to a text that is not less than itself and less than `limit`. */
static void shorten_below(Buf *key, Bytes limit)
{
    size_t i = 0;
    while (i < key->size && i < limit.size && key->data[i] == limit.data[i])
        i++;
    if (i == key->size || i == limit.size)
        return; /* one is the other's start: nothing shorter lies between */
    uint8_t byte = key->data[i];
    if (byte < 0xff && byte + 1 < limit.data[i]) {
        key->data[i] = (uint8_t)(byte + 1);
        key->size = i + 1;
    }
}

/* Shortens `key` to a text that is not less than itself. */
static void shorten_to_successor(Buf *key)
{
    for (size_t i = 0; i < key->size; i++) {
        if (key->data[i] != 0xff) {
            key->data[i]++;
            key->size = i + 1;
            return;
        }
    }
}

static Error *write_pending(TableWriter *writer)
{
    uint8_t handle[BLOCK_HANDLE_MAX_BYTES];
    size_t n = block_handle_write(handle, writer->pending);
    TRY(block_writer_add(&writer->index, (Bytes){ writer->last_key.data, writer->last_key.size },
                         (Bytes){ handle, n }));
    writer->has_pending = false;
    return NULL;
}

static Error *finish_data_block(TableWriter *writer)
{
    TRY(block_writer_finish(&writer->data, writer->file, &writer->pending));
    writer->has_pending = true;
    return NULL;
}

void table_writer_init(TableWriter *writer, Buf *file)
{
    assert(file->size == 0);
    *writer = (TableWriter){ .file = file };
    block_writer_init(&writer->data, BLOCK_RESTART_INTERVAL);
    block_writer_init(&writer->index, INDEX_RESTART_INTERVAL);
    buf_init(&writer->last_key, BLOCK_MAX_KEY_BYTES);
}

void table_writer_done(TableWriter *writer)
{
    block_writer_done(&writer->data);
    block_writer_done(&writer->index);
    buf_done(&writer->last_key);
}

Error *table_write(TableWriter *writer, Bytes key, Bytes value)
{
    if (writer->has_pending) {
        shorten_below(&writer->last_key, key);
        TRY(write_pending(writer));
    }
    writer->last_key.size = 0;
    TRY(buf_append(&writer->last_key, key.data, key.size));
    TRY(block_writer_add(&writer->data, key, value));
    if (block_writer_size(&writer->data) >= DATA_BLOCK_BYTES)
        TRY(finish_data_block(writer));
    return NULL;
}

Error *table_writer_finish(TableWriter *writer)
{
    if (writer->data.entries.size > 0)
        TRY(finish_data_block(writer));

    BlockWriter metaindex;
    block_writer_init(&metaindex, BLOCK_RESTART_INTERVAL);
    BlockHandle metaindex_handle;
    Error *error = block_writer_finish(&metaindex, writer->file, &metaindex_handle);
    block_writer_done(&metaindex);
    TRY(error);

    if (writer->has_pending) {
        shorten_to_successor(&writer->last_key);
        TRY(write_pending(writer));
    }
    BlockHandle index_handle;
    TRY(block_writer_finish(&writer->index, writer->file, &index_handle));

    uint8_t footer[TABLE_FOOTER_BYTES] = { 0 };
    size_t n = block_handle_write(footer, metaindex_handle);
    block_handle_write(footer + n, index_handle);
    store_le64(footer + TABLE_FOOTER_BYTES - sizeof(uint64_t), TABLE_MAGIC);
    return buf_append(writer->file, footer, sizeof(footer));
}
