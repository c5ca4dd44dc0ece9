/* SPDX-License-Identifier: Apache-2.0
 *
 * One block of a sorted table, read and written. Not the table: it knows neither footer nor index.
 * Any thread, one object at a time.
 *
 *     BLOCK    as stored, `handle.size` bytes at `handle.offset`
 *     ?        entries, ascending by key
 *     4 * n    restarts: offsets of the entries whose key is whole, uint32 little-endian
 *     4        n, at least 1, uint32 little-endian
 *     TRAILER  behind it
 *     1        compression: 0 raw, 1 snappy (all of the above is compressed then)
 *     4        masked crc32c of the stored bytes and the compression byte, little-endian
 *
 *     ENTRY
 *     varint32 shared: bytes that the key has in common with the one before; 0 at a restart
 *     varint32 unshared: further bytes of the key
 *     varint32 size of the value
 *     ?        `unshared` bytes of key, then the value
 *
 * Source: tensorflow/core/lib/io/{format,block,block_builder}.cc, which are LevelDB's.
 */
#include "model/bundle/block.h"

#include <assert.h>
#include <inttypes.h>
#include <snappy-c.h>

#include "model/base/crc32c.h"

enum { COMPRESSION_RAW = 0, COMPRESSION_SNAPPY = 1 };

/* What a table may grow to while it is written: the reader's own limit is not larger. */
#define WRITER_MAX_BYTES ((size_t)1 << 30)

/* ---- handles and stored bytes --------------------------------------------------------------- */

bool block_handle_read(const uint8_t **at, const uint8_t *end, BlockHandle *ret_handle)
{
    const uint8_t *p = *at;
    BlockHandle handle;
    if (!varint_read(&p, end, &handle.offset) || !varint_read(&p, end, &handle.size))
        return false;
    *at = p;
    *ret_handle = handle;
    return true;
}

size_t block_handle_write(uint8_t *p, BlockHandle handle)
{
    size_t n = varint_write(p, handle.offset);
    return n + varint_write(p + n, handle.size);
}

/* The error of a block that is corrupt; `...` says how. */
#define block_corrupt(handle, format, ...)                                                         \
    error_new(ERROR_DATA_LOSS, "block of %" PRIu64 " bytes at offset %" PRIu64 " " format,         \
              (handle).size, (handle).offset, ##__VA_ARGS__)

static Error *uncompress(Arena *arena, BlockHandle handle, const uint8_t *stored,
                         Bytes *ret_contents)
{
    const char *compressed = (const char *)stored;
    size_t n_bytes;
    if (snappy_uncompressed_length(compressed, handle.size, &n_bytes) != SNAPPY_OK)
        return block_corrupt(handle, "is no snappy data");
    if (n_bytes > BLOCK_MAX_BYTES)
        return block_corrupt(handle, "claims %zu bytes uncompressed, at most %zu are read", n_bytes,
                             BLOCK_MAX_BYTES);

    char *contents = arena_alloc(arena, n_bytes);
    if (contents == NULL)
        return error_out_of_memory();
    if (snappy_uncompress(compressed, handle.size, contents, &n_bytes) != SNAPPY_OK)
        return block_corrupt(handle, "is damaged snappy data");
    *ret_contents = (Bytes){ (const uint8_t *)contents, n_bytes };
    return NULL;
}

Error *block_read(Arena *arena, Bytes file, BlockHandle handle, Bytes *ret_contents)
{
    /* Subtractions only: the sum of a stranger's offset and size may wrap round. */
    if (handle.offset > file.size || file.size - handle.offset < BLOCK_TRAILER_BYTES ||
        handle.size > file.size - handle.offset - BLOCK_TRAILER_BYTES)
        return block_corrupt(handle, "reaches past the end of the file of %zu bytes", file.size);

    const uint8_t *stored = file.data + handle.offset;
    const uint8_t *trailer = stored + handle.size;
    uint32_t expected = crc32c_unmask(load_le32(trailer + 1));
    uint32_t actual = crc32c(stored, (size_t)handle.size + 1);
    if (actual != expected)
        return block_corrupt(handle, "has crc32c %08" PRIx32 ", its trailer says %08" PRIx32,
                             actual, expected);

    switch (trailer[0]) {
    case COMPRESSION_RAW:
        *ret_contents = (Bytes){ stored, (size_t)handle.size };
        return NULL;
    case COMPRESSION_SNAPPY:
        return uncompress(arena, handle, stored, ret_contents);
    default:
        return block_corrupt(handle, "has compression %u, known are 0 (none) and 1 (snappy)",
                             trailer[0]);
    }
}

/* ---- cursor --------------------------------------------------------------------------------- */

int block_key_compare(Bytes a, Bytes b)
{
    size_t n = a.size < b.size ? a.size : b.size;
    int order = n == 0 ? 0 : memcmp(a.data, b.data, n);
    if (order != 0)
        return order;
    return (a.size > b.size) - (a.size < b.size);
}

Error *block_cursor_init(BlockCursor *cursor, Arena *arena, Bytes contents)
{
    if (contents.size < sizeof(uint32_t))
        return error_new(ERROR_DATA_LOSS, "block of %zu bytes holds no restart array",
                         contents.size);
    uint32_t n_restarts = load_le32(contents.data + contents.size - sizeof(uint32_t));
    size_t restarts_max = contents.size / sizeof(uint32_t) - 1;
    if (n_restarts == 0 || n_restarts > restarts_max)
        return error_new(ERROR_DATA_LOSS,
                         "block of %zu bytes claims %" PRIu32 " restarts, from 1 to %zu fit",
                         contents.size, n_restarts, restarts_max);

    const uint8_t *restarts =
        contents.data + contents.size - sizeof(uint32_t) * ((size_t)n_restarts + 1);
    *cursor = (BlockCursor){
        .arena = arena,
        .start = contents.data,
        .at = contents.data,
        .end = restarts,
        .restarts = restarts,
        .n_restarts = n_restarts,
    };
    return NULL;
}

/* The offset that the restart array names next; UINT32_MAX when it is used up. */
static uint32_t next_restart(const BlockCursor *cursor)
{
    if (cursor->n_restarts_seen == cursor->n_restarts)
        return UINT32_MAX;
    return load_le32(cursor->restarts + sizeof(uint32_t) * cursor->n_restarts_seen);
}

/* An offset that no entry starts at was passed, or is behind the last one. Only the single restart
 * of a block without entries, at offset 0, names none. */
static Error *check_restarts_at_end(const BlockCursor *cursor)
{
    bool is_empty = cursor->start == cursor->end && cursor->n_restarts == 1;
    if (cursor->n_restarts_seen == cursor->n_restarts || (is_empty && next_restart(cursor) == 0))
        return NULL;
    return error_new(ERROR_DATA_LOSS,
                     "restart %" PRIu32 " of a block is at offset %" PRIu32
                     ", where no entry starts",
                     cursor->n_restarts_seen, next_restart(cursor));
}

/* Joins the shared and the further bytes of the key, which must then follow the one before. */
static Error *take_key(BlockCursor *cursor, size_t shared, const uint8_t *unshared, size_t n)
{
    size_t size = shared + n; /* either is at most BLOCK_MAX_KEY_BYTES */
    uint8_t *key = arena_alloc(cursor->arena, size + 1);
    if (key == NULL)
        return error_out_of_memory();
    if (shared > 0)
        memcpy(key, cursor->key.data, shared);
    memcpy(key + shared, unshared, n);
    key[size] = 0;

    Bytes taken = { key, size };
    bool is_first = cursor->key.data == NULL;
    if (!is_first && block_key_compare(cursor->key, taken) >= 0)
        return error_new(ERROR_DATA_LOSS, "key \"%.64s\" does not follow \"%.64s\" in order",
                         (const char *)key, (const char *)cursor->key.data);
    cursor->key = taken;
    return NULL;
}

Error *block_cursor_next(BlockCursor *cursor, bool *ret_found)
{
    if (cursor->at == cursor->end) {
        TRY(check_restarts_at_end(cursor));
        *ret_found = false;
        return NULL;
    }

    size_t offset = (size_t)(cursor->at - cursor->start);
    uint64_t shared, unshared, value_size;
    const uint8_t *p = cursor->at;
    if (!varint_read(&p, cursor->end, &shared) || !varint_read(&p, cursor->end, &unshared) ||
        !varint_read(&p, cursor->end, &value_size))
        return error_new(ERROR_DATA_LOSS, "block entry at offset %zu is cut off", offset);

    size_t room = (size_t)(cursor->end - p);
    if (unshared > room || value_size > room - unshared)
        return error_new(ERROR_DATA_LOSS,
                         "block entry at offset %zu claims a key of %" PRIu64
                         " and a value of %" PRIu64 " bytes, %zu are left",
                         offset, unshared, value_size, room);
    bool is_restart = next_restart(cursor) == offset;
    size_t shared_max = is_restart ? 0 : cursor->key.size;
    if (shared > shared_max)
        return error_new(ERROR_DATA_LOSS,
                         "block entry at offset %zu shares %" PRIu64
                         " bytes of a key that has %zu to share",
                         offset, shared, shared_max);
    if (unshared > BLOCK_MAX_KEY_BYTES - shared)
        return error_new(ERROR_DATA_LOSS,
                         "block entry at offset %zu has a key of %" PRIu64
                         " bytes, at most %zu are read",
                         offset, shared + unshared, BLOCK_MAX_KEY_BYTES);

    TRY(take_key(cursor, (size_t)shared, p, (size_t)unshared));
    cursor->value = (Bytes){ p + unshared, (size_t)value_size };
    cursor->at = p + unshared + value_size;
    cursor->n_restarts_seen += is_restart;
    *ret_found = true;
    return NULL;
}

/* ---- writer --------------------------------------------------------------------------------- */

void block_writer_init(BlockWriter *writer, unsigned restart_interval)
{
    *writer = (BlockWriter){ .restart_interval = restart_interval };
    buf_init(&writer->entries, WRITER_MAX_BYTES);
    buf_init(&writer->restarts, WRITER_MAX_BYTES);
    buf_init(&writer->last_key, BLOCK_MAX_KEY_BYTES);
}

void block_writer_done(BlockWriter *writer)
{
    buf_done(&writer->entries);
    buf_done(&writer->restarts);
    buf_done(&writer->last_key);
}

static Error *append_u32(Buf *buf, size_t value)
{
    assert(value <= UINT32_MAX);
    uint8_t word[sizeof(uint32_t)];
    store_le32(word, (uint32_t)value);
    return buf_append(buf, word, sizeof(word));
}

static Error *append_varint(Buf *buf, uint64_t value)
{
    uint8_t varint[VARINT_MAX_BYTES];
    return buf_append(buf, varint, varint_write(varint, value));
}

Error *block_writer_add(BlockWriter *writer, Bytes key, Bytes value)
{
    size_t shared = 0;
    if (writer->entries.size == 0 || writer->n_since_restart == writer->restart_interval) {
        TRY(append_u32(&writer->restarts, writer->entries.size));
        writer->n_since_restart = 0;
    } else {
        const Buf *last = &writer->last_key;
        while (shared < last->size && shared < key.size && last->data[shared] == key.data[shared])
            shared++;
    }

    TRY(append_varint(&writer->entries, shared));
    TRY(append_varint(&writer->entries, key.size - shared));
    TRY(append_varint(&writer->entries, value.size));
    if (shared < key.size)
        TRY(buf_append(&writer->entries, key.data + shared, key.size - shared));
    TRY(buf_append(&writer->entries, value.data, value.size));

    writer->last_key.size = 0;
    TRY(buf_append(&writer->last_key, key.data, key.size));
    writer->n_since_restart++;
    return NULL;
}

size_t block_writer_size(const BlockWriter *writer)
{
    return writer->entries.size + writer->restarts.size + sizeof(uint32_t);
}

Error *block_writer_finish(BlockWriter *writer, Buf *file, BlockHandle *ret_handle)
{
    /* A block without entries still has its first restart. */
    if (writer->restarts.size == 0)
        TRY(append_u32(&writer->restarts, 0));

    size_t offset = file->size;
    TRY(buf_append(file, writer->entries.data, writer->entries.size));
    TRY(buf_append(file, writer->restarts.data, writer->restarts.size));
    TRY(append_u32(file, writer->restarts.size / sizeof(uint32_t)));
    size_t size = file->size - offset;

    const uint8_t compression = COMPRESSION_RAW;
    TRY(buf_append(file, &compression, 1));
    TRY(append_u32(file, crc32c_mask(crc32c(file->data + offset, size + 1))));

    writer->entries.size = writer->restarts.size = writer->last_key.size = 0;
    writer->n_since_restart = 0;
    *ret_handle = (BlockHandle){ offset, size };
    return NULL;
}
