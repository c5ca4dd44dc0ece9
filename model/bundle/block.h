/* SPDX-License-Identifier: Apache-2.0
 *
 * Block: one block of a sorted table (SSTable): handles, checksum and compression, the walk over
 * its entries, and its writer. Tables are made of blocks in table_read.h and table_write.h.
 */
#ifndef DIGIT_BUNDLE_BLOCK_H
#define DIGIT_BUNDLE_BLOCK_H

#include "model/base/arena.h"
#include "model/base/buf.h"
#include "model/base/bytes.h"
#include "model/base/error.h"

#define BLOCK_TRAILER_BYTES 5
#define BLOCK_RESTART_INTERVAL 16          /* entries, in TensorFlow's data blocks */
#define BLOCK_MAX_BYTES ((size_t)64 << 20) /* uncompressed; TensorFlow's are of 256 KiB */
#define BLOCK_MAX_KEY_BYTES ((size_t)8192) /* a prefix-compressed key costs three bytes on disk */

/* Where a block lies in its file; `size` is without the trailer. */
typedef struct BlockHandle {
    uint64_t offset;
    uint64_t size;
} BlockHandle;

#define BLOCK_HANDLE_MAX_BYTES (2 * VARINT_MAX_BYTES)

/* Reads a handle at `*at` of `[*at, end)` and moves `*at` past it. False when it is cut off. */
bool block_handle_read(const uint8_t **at, const uint8_t *end, BlockHandle *ret_handle);

/* Writes the handle and returns the number of bytes, at most BLOCK_HANDLE_MAX_BYTES. */
size_t block_handle_write(uint8_t *p, BlockHandle handle);

/* Gives the contents of the block at `handle` of the table `file`, its checksum verified:
 * borrowed from `file` when it is stored raw, else uncompressed into `arena`. DATA_LOSS when it
 * reaches past the end of the file or is corrupt. */
Error *block_read(Arena *arena, Bytes file, BlockHandle handle,
                  Bytes *ret_contents) _warn_unused_result_;

/* The walk over the entries of a block. `key` is in the arena, with a NUL behind it; `value`
 * borrows from the block's contents. */
typedef struct BlockCursor {
    Arena *arena;
    const uint8_t *start; /* of the entries */
    const uint8_t *at;
    const uint8_t *end;
    const uint8_t *restarts; /* n_restarts offsets of entries, uint32 little-endian each */
    uint32_t n_restarts;
    uint32_t n_restarts_seen;
    Bytes key;
    Bytes value;
} BlockCursor;

/* Stands before the first entry. Initialises the caller's storage. DATA_LOSS when the restart
 * array does not fit. */
Error *block_cursor_init(BlockCursor *cursor, Arena *arena, Bytes contents) _warn_unused_result_;

/* Moves to the next entry; `*ret_found` is false past the last one. DATA_LOSS when the entry is
 * cut off, its key is not greater than the one before, or the restart array disagrees. */
Error *block_cursor_next(BlockCursor *cursor, bool *ret_found) _warn_unused_result_;

/* Compares as the table is sorted: by unsigned bytes, the shorter first. */
int block_key_compare(Bytes a, Bytes b);

/* A block that is being written. The caller adds keys in ascending order. */
typedef struct BlockWriter {
    Buf entries;
    Buf restarts;
    Buf last_key;
    unsigned restart_interval;
    unsigned n_since_restart;
} BlockWriter;

/* An empty block with a full key in every `restart_interval`-th entry. Initialises the caller's
 * storage. */
void block_writer_init(BlockWriter *writer, unsigned restart_interval);
void block_writer_done(BlockWriter *writer);

Error *block_writer_add(BlockWriter *writer, Bytes key, Bytes value) _warn_unused_result_;

/* Bytes that the block would have now. */
size_t block_writer_size(const BlockWriter *writer);

/* Appends the block and its trailer to `file`, gives its handle, and starts over. */
Error *block_writer_finish(BlockWriter *writer, Buf *file,
                           BlockHandle *ret_handle) _warn_unused_result_;

#endif
