/* SPDX-License-Identifier: Apache-2.0
 *
 * TableWriter: makes the bytes of a sorted table in memory, the same bytes as TensorFlow's
 * TableBuilder without compression.
 */
#ifndef DIGIT_BUNDLE_TABLE_WRITE_H
#define DIGIT_BUNDLE_TABLE_WRITE_H

#include "model/bundle/block.h"

/* Public only so that it can stand in the caller's storage. */
typedef struct TableWriter {
    Buf *file; /* borrowed; the table is appended to it */
    BlockWriter data;
    BlockWriter index;
    Buf last_key;
    BlockHandle pending; /* of the finished block that the index has not yet */
    bool has_pending;
} TableWriter;

/* Starts a table at the end of the empty `file`, which must outlive the writer. Initialises the
 * caller's storage. */
void table_writer_init(TableWriter *writer, Buf *file);
void table_writer_done(TableWriter *writer);

/* Adds an entry; keys must ascend strictly. RESOURCE_EXHAUSTED when the key is longer than
 * BLOCK_MAX_KEY_BYTES or the file full. */
Error *table_write(TableWriter *writer, Bytes key, Bytes value) _warn_unused_result_;

/* Writes what is left and the footer: `file` is a table then. */
Error *table_writer_finish(TableWriter *writer) _warn_unused_result_;

#endif
