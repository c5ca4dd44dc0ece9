/* SPDX-License-Identifier: Apache-2.0
 *
 * Tensors of a tensor bundle by their keys, whole or in slices. The index is read whole and checked
 * when it is opened; shards (shard.c) are opened then and kept open, so that bytes come from the
 * files whose sizes were checked. Any thread, one reader at a time.
 *
 *     PREFIX.index    a table (table_read.c)
 *     key ""          BundleHeaderProto: number of shards, byte order, version
 *     key 00 ...      BundleEntryProto of a slice (tensor_slice.c)
 *     key NAME        BundleEntryProto of a tensor: type, shape, shard, offset, size, masked
 *                     crc32c; of a partitioned one: type, shape, and which slices there are
 *
 * Source: tensorflow/core/util/tensor_bundle/tensor_bundle.cc.
 */
#include "model/bundle/checkpoint_read.h"

#include <errno.h>
#include <stdlib.h>

#include "model/base/file.h"
#include "model/bundle/block.h"
#include "model/bundle/shard.h"
#include "model/bundle/table_read.h"
#include "model/bundle/tensor_slice.h"

#define INDEX_MAX_MEMORY ((size_t)1 << 30)
#define INDEX_ARENA_BLOCK_BYTES ((size_t)64 << 10)
#define MAX_SLICES 4096 /* of one tensor; they are compared pairwise */
#define SLICE_KEY_MAX_BYTES (4 * BLOCK_MAX_KEY_BYTES)

struct CheckpointReader {
    Arena *arena; /* all that follows lies in it */
    const char *prefix;
    Table table;
    const BundleEntry **entries; /* of the table's entries; NULL for the header */
    size_t first_name;           /* entries before are the header and slices */
    Shard *shards;               /* open where an entry needs them */
    int n_shards;
    bool is_big_endian;
};

/* ---- index ---------------------------------------------------------------------------------- */

static Error *read_header(CheckpointReader *reader)
{
    const Table *table = &reader->table;
    if (table->n_entries == 0 || table->entries[0].key.size != 0)
        return error_new(ERROR_DATA_LOSS, "bundle has no header entry");
    const BundleHeader *header;
    TRY(bundle_header_unpack(reader->arena, table->entries[0].value, &header));
    reader->n_shards = header->num_shards;
    reader->is_big_endian = header->endianness == TENSORFLOW__BUNDLE_HEADER_PROTO__ENDIANNESS__BIG;
    return NULL;
}

static Error *read_entries(CheckpointReader *reader)
{
    const Table *table = &reader->table;
    reader->entries = arena_calloc(reader->arena, table->n_entries, sizeof(*reader->entries));
    if (reader->entries == NULL)
        return error_out_of_memory();
    reader->first_name = 1;
    for (size_t i = 1; i < table->n_entries; i++) {
        Bytes key = table->entries[i].key, value = table->entries[i].value;
        if (key.data[0] == '\0')
            reader->first_name = i + 1;
        else if (memchr(key.data, '\0', key.size) != NULL)
            return error_new(ERROR_DATA_LOSS, "key \"%s\" goes on behind a NUL",
                             (const char *)key.data);
        TRY(bundle_entry_unpack(reader->arena, value, &reader->entries[i]));
    }
    return NULL;
}

static Error *read_index(CheckpointReader *reader)
{
    const char *path = arena_printf(reader->arena, "%s.index", reader->prefix);
    if (path == NULL)
        return error_out_of_memory();
    Bytes file;
    uint8_t *data;
    TRY(file_read(reader->arena, path, BUNDLE_INDEX_MAX_BYTES, &data, &file.size));
    file.data = data;
    TRY(error_prefix(table_read(reader->arena, file, &reader->table), "%s", path));
    TRY(error_prefix(read_header(reader), "%s", path));
    return error_prefix(read_entries(reader), "%s", path);
}

/* ---- shards --------------------------------------------------------------------------------- */

/* The real path of the directory that the prefix is in, in the reader's arena, with a slash. */
static Error *real_directory(CheckpointReader *reader, const char **ret_directory)
{
    const char *slash = strrchr(reader->prefix, '/');
    const char *directory =
        slash == NULL
            ? "."
            : arena_strndup(reader->arena, reader->prefix,
                            slash == reader->prefix ? 1 : (size_t)(slash - reader->prefix));
    if (directory == NULL)
        return error_out_of_memory();
    _cleanup_(freep) char *real = realpath(directory, NULL);
    if (real == NULL) {
        char reason[128];
        return error_new(ERROR_NOT_FOUND, "cannot open \"%s\": %s", directory,
                         strerror_r(errno, reason, sizeof(reason)));
    }
    directory = arena_printf(reader->arena, strcmp(real, "/") == 0 ? "%s" : "%s/", real);
    if (directory == NULL)
        return error_out_of_memory();
    *ret_directory = directory;
    return NULL;
}

/* Opens the shard of the i-th entry if it is not open yet, and sees that the entry lies in it. */
static Error *open_shard_of(CheckpointReader *reader, const char *directory, size_t i)
{
    const BundleEntry *entry = reader->entries[i];
    const char *key =
        i < reader->first_name ? "a slice" : (const char *)reader->table.entries[i].key.data;
    if (entry->shard_id < 0 || entry->shard_id >= reader->n_shards)
        return error_new(ERROR_DATA_LOSS, "%s.index: %s lies in shard %d of %d", reader->prefix,
                         key, entry->shard_id, reader->n_shards);
    Shard *shard = &reader->shards[entry->shard_id];
    if (shard->fd < 0) {
        const char *path = arena_printf(reader->arena, "%s.data-%05d-of-%05d", reader->prefix,
                                        entry->shard_id, reader->n_shards);
        if (path == NULL)
            return error_out_of_memory();
        TRY(shard_open(reader->arena, path, directory, shard));
        shard->is_big_endian = reader->is_big_endian;
    }
    return shard_check_range(shard, entry, key);
}

static Error *open_shards(CheckpointReader *reader)
{
    reader->shards = arena_calloc(reader->arena, (size_t)reader->n_shards, sizeof(Shard));
    if (reader->shards == NULL)
        return error_out_of_memory();
    for (int i = 0; i < reader->n_shards; i++)
        reader->shards[i].fd = -1;

    const char *directory;
    TRY(real_directory(reader, &directory));
    for (size_t i = 1; i < reader->table.n_entries; i++)
        if (reader->entries[i]->n_slices == 0)
            TRY(open_shard_of(reader, directory, i));
    return NULL;
}

/* ---- tensors -------------------------------------------------------------------------------- */

static Error *find_stored(const CheckpointReader *reader, const char *key, StoredTensor *ret_stored)
{
    const TableEntry *found = table_find(&reader->table, bytes_of_text(key));
    if (found == NULL || key[0] == '\0')
        return error_new(ERROR_NOT_FOUND, "Key %s not found in checkpoint", key);
    return bundle_entry_describe(key, reader->entries[found - reader->table.entries], ret_stored);
}

/* ---- slices --------------------------------------------------------------------------------- */

/* A stored slice that holds some of what is wanted. */
typedef struct Piece {
    StoredTensor stored;
    TensorSlice slice;  /* which part of the tensor it is */
    TensorSlice common; /* what it has of the wanted slice */
} Piece;

typedef struct Pieces {
    Piece *pieces;
    size_t n;
    int64_t n_elements; /* in common with the wanted slice, all pieces together */
} Pieces;

static Error *add_piece(Pieces *pieces, const Piece *piece)
{
    TensorSlice overlap;
    for (size_t i = 0; i < pieces->n; i++)
        if (tensor_slice_intersect(&pieces->pieces[i].common, &piece->common, &overlap))
            return error_new(ERROR_DATA_LOSS, "two slices of key %s overlap", piece->stored.key);
    Shape shape = tensor_slice_shape(&piece->common);
    int64_t n;
    TRY(shape_count(&shape, &n));
    pieces->n_elements += n; /* boxes that do not overlap: no more than the tensor has */
    pieces->pieces[pieces->n++] = *piece;
    return NULL;
}

/* Finds the entry of the slice `proto` of `whole`, and sees that it is what `whole` says. */
static Error *find_slice(const CheckpointReader *reader, const StoredTensor *whole,
                         const Tensorflow__TensorSliceProto *proto, Piece *piece)
{
    _cleanup_(buf_done) Buf key;
    buf_init(&key, SLICE_KEY_MAX_BYTES);
    TRY(tensor_slice_key(whole->key, proto, &key));
    const TableEntry *found = table_find(&reader->table, (Bytes){ key.data, key.size });
    if (found == NULL)
        return error_new(ERROR_DATA_LOSS, "a slice of key %s is not in the index", whole->key);

    TRY(bundle_entry_describe(whole->key, reader->entries[found - reader->table.entries],
                              &piece->stored));
    Shape shape = tensor_slice_shape(&piece->slice);
    if (piece->stored.dtype != whole->dtype || !shape_equal(&piece->stored.shape, &shape))
        return error_new(ERROR_DATA_LOSS,
                         "a slice of key %s has another type or shape than its tensor says",
                         whole->key);
    if (piece->stored.entry->n_slices > 0)
        return error_new(ERROR_DATA_LOSS, "a slice of key %s has slices itself", whole->key);
    return NULL;
}

/* The stored slices that the wanted one is made of: the tensor itself when it is not partitioned.
 */
static Error *find_pieces(const CheckpointReader *reader, Arena *arena, const StoredTensor *whole,
                          const TensorSlice *wanted, Pieces *pieces)
{
    const BundleEntry *entry = whole->entry;
    if (entry->n_slices > MAX_SLICES)
        return error_new(ERROR_DATA_LOSS, "key %s has %zu slices, at most %d are read", whole->key,
                         entry->n_slices, MAX_SLICES);
    size_t n = entry->n_slices > 0 ? entry->n_slices : 1;
    *pieces = (Pieces){ .pieces = arena_calloc(arena, n, sizeof(Piece)) };
    if (pieces->pieces == NULL)
        return error_out_of_memory();

    for (size_t i = 0; i < n; i++) {
        Piece piece = { .stored = *whole, .slice = tensor_slice_all(&whole->shape) };
        if (entry->n_slices > 0)
            TRY(error_prefix(tensor_slice_from_proto(entry->slices[i], &whole->shape, &piece.slice),
                             "key %s", whole->key));
        if (!tensor_slice_intersect(&piece.slice, wanted, &piece.common))
            continue;
        if (entry->n_slices > 0)
            TRY(find_slice(reader, whole, entry->slices[i], &piece));
        TRY(bundle_entry_check_size(&piece.stored));
        TRY(add_piece(pieces, &piece));
    }
    return NULL;
}

static Error *read_slice(const CheckpointReader *reader, Arena *arena, const StoredTensor *whole,
                         const TensorSlice *wanted, Tensor *ret_tensor)
{
    _cleanup_(arena_freep) Arena *list = arena_new(0, 0);
    _cleanup_(arena_freep) Arena *scratch = arena_new(0, 0);
    if (list == NULL || scratch == NULL)
        return error_out_of_memory();
    Pieces pieces;
    TRY(find_pieces(reader, list, whole, wanted, &pieces));

    /* Only now is it known that the shape is no mere claim: its elements are on disk. */
    Shape shape = tensor_slice_shape(wanted);
    int64_t n;
    TRY(shape_count(&shape, &n));
    if (pieces.n_elements != n)
        return error_new(ERROR_DATA_LOSS, "slices of key %s hold %lld of the %lld elements wanted",
                         whole->key, (long long)pieces.n_elements, (long long)n);
    Tensor tensor;
    TRY(tensor_new(arena, whole->dtype, &shape, &tensor));
    for (size_t i = 0; i < pieces.n; i++) {
        const Piece *piece = &pieces.pieces[i];
        /* Elements of strings borrow from what was read: it must live as long as they. */
        Arena *place = whole->dtype == DT_STRING ? arena : scratch;
        Tensor part;
        TRY(shard_read_tensor(&reader->shards[piece->stored.entry->shard_id], place, &piece->stored,
                              &part));
        tensor_slice_copy(&piece->common, &piece->slice, part.data, wanted, tensor.data,
                          dtype_size(whole->dtype));
        arena_reset(scratch, SIZE_MAX);
    }
    *ret_tensor = tensor;
    return NULL;
}

/* ---- public --------------------------------------------------------------------------------- */

Error *checkpoint_open(const char *prefix, CheckpointReader **ret_reader)
{
    _cleanup_(checkpoint_closep) CheckpointReader *reader = calloc(1, sizeof(*reader));
    if (reader == NULL)
        return error_out_of_memory();
    reader->arena = arena_new(INDEX_ARENA_BLOCK_BYTES, INDEX_MAX_MEMORY);
    if (reader->arena == NULL)
        return error_out_of_memory();
    reader->prefix = arena_strdup(reader->arena, prefix);
    if (reader->prefix == NULL)
        return error_out_of_memory();
    TRY(read_index(reader));
    TRY(open_shards(reader));
    *ret_reader = TAKE(reader);
    return NULL;
}

CheckpointReader *checkpoint_close(CheckpointReader *reader)
{
    if (reader == NULL)
        return NULL;
    for (int i = 0; reader->shards != NULL && i < reader->n_shards; i++)
        shard_close(&reader->shards[i]);
    arena_free(reader->arena);
    free(reader);
    return NULL;
}

size_t checkpoint_size(const CheckpointReader *reader)
{
    return reader->table.n_entries - reader->first_name;
}

const char *checkpoint_key_at(const CheckpointReader *reader, size_t i)
{
    return (const char *)reader->table.entries[reader->first_name + i].key.data;
}

Error *checkpoint_find(const CheckpointReader *reader, const char *key, DType *ret_dtype,
                       Shape *ret_shape)
{
    StoredTensor stored;
    TRY(find_stored(reader, key, &stored));
    *ret_dtype = stored.dtype;
    *ret_shape = stored.shape;
    return NULL;
}

Error *checkpoint_read(CheckpointReader *reader, Arena *arena, const char *key,
                       const char *slice_spec, Tensor *ret_tensor)
{
    StoredTensor stored;
    TRY(find_stored(reader, key, &stored));
    if (slice_spec[0] == '\0' && stored.entry->n_slices == 0)
        return shard_read_tensor(&reader->shards[stored.entry->shard_id], arena, &stored,
                                 ret_tensor);
    TensorSlice wanted = tensor_slice_all(&stored.shape);
    if (slice_spec[0] != '\0')
        TRY(error_prefix(tensor_slice_parse(slice_spec, &stored.shape, &wanted), "key %s", key));
    return read_slice(reader, arena, &stored, &wanted, ret_tensor);
}
