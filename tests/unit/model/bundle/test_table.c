/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables and blocks: what is written is read again; TensorFlow's own tables are read; a table with
 * any byte changed or any length cut off is an error or the same table, never anything else.
 */
#include "model/base/crc32c.h"
#include "model/bundle/block.h"
#include "model/bundle/table_read.h"
#include "model/bundle/table_write.h"
#include "tests/support/check.h"

#define N_ENTRIES 20000 /* of 60 bytes: several blocks */

static void write_many(Arena *arena, Buf *file)
{
    _cleanup_(table_writer_done) TableWriter writer;
    table_writer_init(&writer, file);
    for (int i = 0; i < N_ENTRIES; i++) {
        const char *key = arena_printf(arena, "layer/%06d/kernel", i);
        const char *value = arena_printf(arena, "the value of the entry with the number %d", i);
        assert_ok(table_write(&writer, bytes_of_text(key), bytes_of_text(value)));
    }
    assert_ok(table_writer_finish(&writer));
}

static void test_reads_what_it_wrote(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 16, 0);
    _cleanup_(buf_done) Buf file;
    buf_init(&file, 1 << 24);
    write_many(arena, &file);

    Table table;
    assert_ok(table_read(arena, (Bytes){ file.data, file.size }, &table));
    assert_int_equal(table.n_entries, N_ENTRIES);
    for (int i = 0; i < N_ENTRIES; i++) {
        Bytes key = bytes_of_text(arena_printf(arena, "layer/%06d/kernel", i));
        Bytes value =
            bytes_of_text(arena_printf(arena, "the value of the entry with the number %d", i));
        assert_true(bytes_equal(table.entries[i].key, key));
        assert_true(bytes_equal(table.entries[i].value, value));
        assert_ptr_equal(table_find(&table, key), &table.entries[i]);
    }
    assert_null(table_find(&table, bytes_of_text("")));
    assert_null(table_find(&table, bytes_of_text("layer/000000/kerne")));
    assert_null(table_find(&table, bytes_of_text("layer/000000/kernel_")));
    assert_null(table_find(&table, bytes_of_text("zzz")));
}

static void test_reads_an_empty_table(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(0, 0);
    _cleanup_(buf_done) Buf file;
    buf_init(&file, 1 << 10);
    _cleanup_(table_writer_done) TableWriter writer;
    table_writer_init(&writer, &file);
    assert_ok(table_writer_finish(&writer));
    Table table;
    assert_ok(table_read(arena, (Bytes){ file.data, file.size }, &table));
    assert_int_equal(table.n_entries, 0);
    assert_null(table_find(&table, bytes_of_text("")));
}

/* ---- damage --------------------------------------------------------------------------------- */

static bool tables_equal(const Table *a, const Table *b)
{
    if (a->n_entries != b->n_entries)
        return false;
    for (size_t i = 0; i < a->n_entries; i++)
        if (!bytes_equal(a->entries[i].key, b->entries[i].key) ||
            !bytes_equal(a->entries[i].value, b->entries[i].value))
            return false;
    return true;
}

/* The copy has exactly the size of the file, so that a sanitizer sees a read behind its end. */
static void check_damaged(const uint8_t *data, size_t size, const Table *expected)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(0, 1 << 24);
    _cleanup_(freep) uint8_t *copy = malloc(size + (size == 0));
    memcpy(copy, data, size);
    Table table;
    _cleanup_(error_freep) Error *error = table_read(arena, (Bytes){ copy, size }, &table);
    if (error != NULL)
        assert_int_equal(error->code, ERROR_DATA_LOSS);
    else
        assert_true(tables_equal(&table, expected));
}

static void test_finds_all_damage(void **state _unused_)
{
    static const char *const FILES[] = { "data/bundles/checkpoints/plain.index",
                                         "data/bundles/checkpoints/sharded.index",
                                         "data/bundles/checkpoints/partitioned.index" };
    for (size_t f = 0; f < ARRAY_SIZE(FILES); f++) {
        _cleanup_(arena_freep) Arena *arena = arena_new(1 << 16, 0);
        size_t size;
        uint8_t *data = test_read(arena, FILES[f], &size);
        Table table;
        assert_ok(table_read(arena, (Bytes){ data, size }, &table));
        for (size_t n = 0; n < size; n++)
            check_damaged(data, n, &table);
        uint8_t *damaged = arena_memdup(arena, data, size);
        for (size_t i = 0; i < size; i++) {
            for (int bit = 0; bit < 8; bit++) {
                damaged[i] = data[i] ^ (uint8_t)(1 << bit);
                check_damaged(damaged, size, &table);
            }
            damaged[i] = data[i];
        }
    }
}

/* Appends a block with its trailer: damage whose checksum is right. */
static BlockHandle append_block(Buf *file, Bytes contents, uint8_t compression)
{
    BlockHandle handle = { file->size, contents.size };
    uint8_t word[4];
    assert_ok(buf_append(file, contents.data, contents.size));
    assert_ok(buf_append(file, &compression, 1));
    store_le32(word, crc32c_mask(crc32c(file->data + handle.offset, contents.size + 1)));
    assert_ok(buf_append(file, word, sizeof(word)));
    return handle;
}

/* A table of one data block with these contents, under the index key "z". */
static void write_table_of(Buf *file, Bytes contents, uint8_t compression)
{
    uint8_t handle[BLOCK_HANDLE_MAX_BYTES];
    size_t n = block_handle_write(handle, append_block(file, contents, compression));
    BlockWriter index;
    block_writer_init(&index, 1);
    assert_ok(block_writer_add(&index, bytes_of_text("z"), (Bytes){ handle, n }));
    BlockHandle index_handle;
    assert_ok(block_writer_finish(&index, file, &index_handle));
    block_writer_done(&index);

    uint8_t footer[TABLE_FOOTER_BYTES] = { 0 };
    n = block_handle_write(footer, (BlockHandle){ 0, 0 });
    block_handle_write(footer + n, index_handle);
    store_le64(footer + TABLE_FOOTER_BYTES - 8, TABLE_MAGIC);
    assert_ok(buf_append(file, footer, sizeof(footer)));
}

#define CONTENTS(text)                                                                             \
    {                                                                                              \
        (const uint8_t *)(text), sizeof(text) - 1                                                  \
    }
#define RESTARTS_0 "\0\0\0\0\1\0\0\0"

static void test_refuses_lies(void **state _unused_)
{
    static const struct {
        Bytes contents;
        uint8_t compression;
        const char *text; /* NULL: it is good */
    } CASES[] = {
        { CONTENTS("\0\1\1a1\0\1\1b2" RESTARTS_0), 0, NULL },
        { CONTENTS(RESTARTS_0), 0, NULL },
        { CONTENTS("\0\1\1a1\1\1\1b2" RESTARTS_0), 0, NULL },
        { CONTENTS(""), 0, "holds no restart array" },
        { CONTENTS("\0\0\0\0"), 0, "claims 0 restarts" },
        { CONTENTS("\2\0\0\0"), 0, "claims 2 restarts" },
        { CONTENTS("\0\1\1a1\0\0\0\0\xff\xff\xff\xff"), 0, "claims 4294967295 restarts" },
        { CONTENTS("\0\1\1a1\0\0\0\0\2\0\0\0\2\0\0\0"), 0, "where no entry starts" },
        { CONTENTS("\0\1\1a1\0\0\0\0\xff\0\0\0\2\0\0\0"), 0, "where no entry starts" },
        { CONTENTS("\0\1\1a1\0\0\0\0\0\0\0\0\2\0\0\0"), 0, "where no entry starts" },
        { CONTENTS("\1\0\0\0\1\0\0\0"), 0, "where no entry starts" },
        { CONTENTS("\0\1\1a1\1\1\1b2\0\0\0\0\5\0\0\0\2\0\0\0"), 0, "has 0 to share" },
        { CONTENTS("\1\1\1a1" RESTARTS_0), 0, "has 0 to share" },
        { CONTENTS("\0\1\1a1\2\1\1b2" RESTARTS_0), 0, "has 1 to share" },
        { CONTENTS("\0\1\1b1\0\1\1a2" RESTARTS_0), 0, "does not follow" },
        { CONTENTS("\0\1\1a1\0\1\1a2" RESTARTS_0), 0, "does not follow" },
        { CONTENTS("\0\1\1a1\0\1\1~2" RESTARTS_0), 0, "past its block's index key" },
        { CONTENTS("\0\1\2a1" RESTARTS_0), 0, "2 are left" },
        { CONTENTS("\0\x7f\1a1" RESTARTS_0), 0, "2 are left" },
        { CONTENTS("\0\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\1a1" RESTARTS_0), 0, "2 are left" },
        { CONTENTS("\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\1a1" RESTARTS_0), 0, "2 are left" },
        { CONTENTS("\0\1\x80" RESTARTS_0), 0, "is cut off" },
        { CONTENTS("\0" RESTARTS_0), 0, "is cut off" },
        { CONTENTS("\0\1\1a1" RESTARTS_0), 2, "has compression 2" },
        { CONTENTS(""), 1, "is no snappy data" },
        { CONTENTS("\xff\xff\xff\x7f"), 1, "bytes uncompressed" },
        { CONTENTS("\x10\0"), 1, "is damaged snappy data" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
        _cleanup_(arena_freep) Arena *arena = arena_new(0, 0);
        _cleanup_(buf_done) Buf file;
        buf_init(&file, 1 << 16);
        write_table_of(&file, CASES[i].contents, CASES[i].compression);
        Table table;
        Error *error = table_read(arena, (Bytes){ file.data, file.size }, &table);
        if (CASES[i].text == NULL)
            assert_ok(error);
        else
            assert_error(error, ERROR_DATA_LOSS, CASES[i].text);
    }
}

/* Index blocks whose handles lie; the table has two good data blocks, of keys "a" and "c". */
static void test_refuses_lying_indexes(void **state _unused_)
{
    static const Bytes A = CONTENTS("\0\1\1a1" RESTARTS_0), C = CONTENTS("\0\1\1c1" RESTARTS_0);
    static const struct {
        const char *keys[2];
        BlockHandle handles[2]; /* the blocks are at 0 and 18, of 13 bytes each */
        const char *text;
    } CASES[] = {
        { { "b", "d" }, { { 0, 13 }, { 18, 13 } }, NULL },
        { { "b", "d" }, { { 0, 13 }, { 0, 13 } }, "overlaps the one before" },
        { { "b", "d" }, { { 18, 13 }, { 0, 13 } }, "past its block's index key" },
        { { "d", "e" }, { { 18, 13 }, { 0, 13 } }, "overlaps the one before" },
        { { "c", "d" }, { { 0, 13 }, { 18, 13 } }, "does not follow" },
        { { "b", "d" }, { { 0, 13 }, { 18, 1000 } }, "past the end of the file" },
        { { "b", "d" }, { { 0, 13 }, { UINT64_MAX, 13 } }, "past the end of the file" },
        { { "b", "d" }, { { 0, 13 }, { 18, UINT64_MAX } }, "past the end of the file" },
        { { "b", "d" }, { { 0, 13 }, { 18, 12 } }, "has crc32c" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(CASES); i++) {
        _cleanup_(arena_freep) Arena *arena = arena_new(0, 0);
        _cleanup_(buf_done) Buf file;
        buf_init(&file, 1 << 16);
        append_block(&file, A, 0);
        append_block(&file, C, 0);
        BlockWriter index;
        block_writer_init(&index, 1);
        for (int k = 0; k < 2; k++) {
            uint8_t handle[BLOCK_HANDLE_MAX_BYTES];
            size_t n = block_handle_write(handle, CASES[i].handles[k]);
            assert_ok(
                block_writer_add(&index, bytes_of_text(CASES[i].keys[k]), (Bytes){ handle, n }));
        }
        BlockHandle index_handle;
        assert_ok(block_writer_finish(&index, &file, &index_handle));
        block_writer_done(&index);
        uint8_t footer[TABLE_FOOTER_BYTES] = { 0 };
        block_handle_write(footer + 2, index_handle);
        store_le64(footer + TABLE_FOOTER_BYTES - 8, TABLE_MAGIC);
        assert_ok(buf_append(&file, footer, sizeof(footer)));

        Table table;
        Error *error = table_read(arena, (Bytes){ file.data, file.size }, &table);
        if (CASES[i].text == NULL)
            assert_ok(error);
        else
            assert_error(error, ERROR_DATA_LOSS, CASES[i].text);
    }
}

static void test_limits_keys(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(0, 0);
    uint8_t *key = arena_calloc(arena, 1, BLOCK_MAX_KEY_BYTES + 1);
    _cleanup_(buf_done) Buf file;
    buf_init(&file, 1 << 16);
    _cleanup_(table_writer_done) TableWriter writer;
    table_writer_init(&writer, &file);
    assert_ok(table_write(&writer, (Bytes){ key, BLOCK_MAX_KEY_BYTES }, bytes_of_text("v")));
    assert_error(table_write(&writer, (Bytes){ key, BLOCK_MAX_KEY_BYTES + 1 }, bytes_of_text("v")),
                 ERROR_RESOURCE_EXHAUSTED, "the limit is 8192");

    /* The same key in two halves, the second one byte too long. */
    _cleanup_(buf_done) Buf contents;
    buf_init(&contents, 1 << 16);
    assert_ok(buf_append(&contents, "\0\x80\x40\0", 4));
    assert_ok(buf_append(&contents, key, BLOCK_MAX_KEY_BYTES));
    assert_ok(buf_append(&contents, "\x80\x40\1\0x" RESTARTS_0, 13));
    Bytes bytes = { contents.data, contents.size };
    BlockCursor cursor;
    bool found;
    assert_ok(block_cursor_init(&cursor, arena, bytes));
    assert_ok(block_cursor_next(&cursor, &found));
    assert_true(found);
    assert_int_equal(cursor.key.size, BLOCK_MAX_KEY_BYTES);
    assert_error(block_cursor_next(&cursor, &found), ERROR_DATA_LOSS, "has a key of 8193 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_what_it_wrote),   cmocka_unit_test(test_reads_an_empty_table),
        cmocka_unit_test(test_finds_all_damage),      cmocka_unit_test(test_refuses_lies),
        cmocka_unit_test(test_refuses_lying_indexes), cmocka_unit_test(test_limits_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
