/* SPDX-License-Identifier: Apache-2.0
 *
 * table_read on a table as it comes, and with its checksums set right. What was read is found by
 * its keys, and written again it is the same table.
 */
#include "model/bundle/table_write.h"
#include "tests/fuzz/mend_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_same(Arena *arena, const Table *table)
{
    Buf file;
    buf_init(&file, SIZE_MAX);
    TableWriter writer;
    table_writer_init(&writer, &file);
    for (size_t i = 0; i < table->n_entries; i++) {
        const TableEntry *entry = &table->entries[i];
        require(table_find(table, entry->key) == entry);
        require(table_write(&writer, entry->key, entry->value) == NULL);
    }
    require(table_writer_finish(&writer) == NULL);
    Table again;
    require(table_read(arena, (Bytes){ file.data, file.size }, &again) == NULL);
    require(again.n_entries == table->n_entries);
    for (size_t i = 0; i < table->n_entries; i++)
        require(bytes_equal(again.entries[i].key, table->entries[i].key) &&
                bytes_equal(again.entries[i].value, table->entries[i].value));
    table_writer_done(&writer);
    buf_done(&file);
}

static void read_table(const uint8_t *data, size_t size)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 12, 256 << 20);
    Table table;
    _cleanup_(error_freep) Error *error = table_read(arena, (Bytes){ data, size }, &table);
    if (error == NULL)
        check_same(arena, &table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_table(data, size);
    _cleanup_(freep) uint8_t *mended = malloc(size + 1);
    if (mended == NULL)
        return 0;
    memcpy(mended, data, size);
    mend_table(mended, size);
    read_table(mended, size);
    return 0;
}
