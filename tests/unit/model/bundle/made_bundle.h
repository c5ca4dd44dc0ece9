/* SPDX-License-Identifier: Apache-2.0
 *
 * Bundle: a checkpoint made by the test itself, entry by entry, in a directory of its own.
 */
#ifndef DIGIT_TESTS_MADE_BUNDLE_H
#define DIGIT_TESTS_MADE_BUNDLE_H

#include "model/base/buf.h"
#include "model/base/crc32c.h"
#include "model/base/message.h"
#include "model/bundle/bundle_entry.h"
#include "model/bundle/checkpoint_read.h"
#include "model/bundle/table_write.h"
#include "tests/support/check.h"

typedef struct Bundle {
    Arena *arena;
    char directory[TEST_DIRECTORY_BYTES];
    const char *prefix;
    Buf index;
    TableWriter table;
} Bundle;

static inline void bundle_make(Bundle *bundle)
{
    bundle->arena = arena_new(1 << 16, 0);
    test_directory_make(bundle->directory);
    bundle->prefix = arena_printf(bundle->arena, "%s/v/variables", bundle->directory);
    assert_ok(file_make_directories(arena_printf(bundle->arena, "%s/v", bundle->directory)));
    buf_init(&bundle->index, 1 << 20);
    table_writer_init(&bundle->table, &bundle->index);
}

static inline void bundle_done(Bundle *bundle)
{
    table_writer_done(&bundle->table);
    buf_done(&bundle->index);
    test_directory_remove(bundle->directory);
    arena_free(bundle->arena);
}

static inline void bundle_add(Bundle *bundle, Bytes key, const ProtobufCMessage *message)
{
    _cleanup_(buf_done) Buf value;
    buf_init(&value, 1 << 16);
    assert_ok(message_pack(message, &value));
    assert_ok(table_write(&bundle->table, key, (Bytes){ value.data, value.size }));
}

static inline void bundle_add_header(Bundle *bundle, int n_shards)
{
    BundleHeader header = TENSORFLOW__BUNDLE_HEADER_PROTO__INIT;
    header.num_shards = n_shards;
    bundle_add(bundle, bytes_of_text(""), &header.base);
}

static inline void bundle_write_index(Bundle *bundle)
{
    assert_ok(table_writer_finish(&bundle->table));
    assert_ok(file_write(arena_printf(bundle->arena, "%s.index", bundle->prefix),
                         bundle->index.data, bundle->index.size));
}

static inline const char *bundle_write_data(Bundle *bundle, const void *data, size_t bytes)
{
    const char *path = arena_printf(bundle->arena, "%s.data-00000-of-00001", bundle->prefix);
    assert_ok(file_write(path, data, bytes));
    return path;
}

static inline Error *bundle_open(Bundle *bundle)
{
    _cleanup_(checkpoint_closep) CheckpointReader *reader = NULL;
    return checkpoint_open(bundle->prefix, &reader);
}

/* A bundle of the scalars a and b, four bytes each. */
static const float AB[] = { 1.5f, -2.0f };

static inline void bundle_make_ab(Bundle *bundle)
{
    bundle_make(bundle);
    bundle_add_header(bundle, 1);
    for (int i = 0; i < 2; i++) {
        BundleEntry entry = TENSORFLOW__BUNDLE_ENTRY_PROTO__INIT;
        entry.dtype = TENSORFLOW__DATA_TYPE__DT_FLOAT;
        entry.offset = 4 * i;
        entry.size = 4;
        entry.crc32c = crc32c_mask(crc32c(&AB[i], 4));
        bundle_add(bundle, bytes_of_text(i == 0 ? "a" : "b"), &entry.base);
    }
    bundle_write_index(bundle);
}

#endif
