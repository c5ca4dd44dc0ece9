/* SPDX-License-Identifier: Apache-2.0
 *
 * A tensor bundle of one shard, written: tensors go to the shard as they come, their entries are
 * kept and written, sorted, as the index at the end. The layouts are in shard.c (tensors),
 * bundle_entry.c (messages) and table_write.c (index). Any thread, one writer at a time.
 *
 *     PREFIX.data-00000-of-00001    tensors one behind the other, no padding
 *     PREFIX.index                  key "": header of 1 shard, little-endian, version 1;
 *                                   then the keys, ascending
 *
 * Source: tensorflow/core/util/tensor_bundle/tensor_bundle.cc, BundleWriter.
 */
#include "model/bundle/checkpoint_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/base/crc32c.h"
#include "model/base/file.h"
#include "model/base/map.h"
#include "model/base/message.h"
#include "model/bundle/bundle_entry.h"
#include "model/bundle/table_write.h"

#define ENTRY_MAX_BYTES ((size_t)1 << 16) /* a shape of a few dimensions */

typedef struct WrittenTensor {
    const char *key;
    DType dtype;
    Shape shape;
    uint64_t offset;
    uint64_t size;
    uint32_t crc32c; /* not masked */
} WrittenTensor;

struct CheckpointWriter {
    Arena *arena; /* of keys, tensors and paths */
    Map *tensors; /* key -> WrittenTensor */
    const char *data_path;
    const char *index_path;
    int fd;
    uint64_t size;  /* of the shard */
    bool has_files; /* that are to be removed unless they are finished */
};

/* ---- shard ---------------------------------------------------------------------------------- */

static Error *failed(const char *verb, const char *path)
{
    char text[128];
    return error_new(ERROR_UNAVAILABLE, "cannot %s \"%s\": %s", verb, path,
                     strerror_r(errno, text, sizeof(text)));
}

/* Appends to the shard and counts its bytes. */
static Error *append(CheckpointWriter *writer, const void *data, size_t bytes)
{
    const uint8_t *from = data;
    while (bytes > 0) {
        ssize_t n = write(writer->fd, from, bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return failed("write", writer->data_path);
        from += n;
        bytes -= (size_t)n;
        writer->size += (uint64_t)n;
    }
    return NULL;
}

static Error *append_strings(CheckpointWriter *writer, const Tensor *tensor, uint32_t *ret_crc)
{
    const Bytes *strings = tensor->data;
    uint32_t crc = 0;
    for (int64_t i = 0; i < tensor->n; i++) {
        uint8_t varint[VARINT_MAX_BYTES], word[sizeof(uint64_t)];
        TRY(append(writer, varint, varint_write(varint, strings[i].size)));
        store_le64(word, strings[i].size);
        bool is_long = strings[i].size > UINT32_MAX;
        crc = crc32c_extend(crc, word, is_long ? sizeof(uint64_t) : sizeof(uint32_t));
    }

    uint8_t lengths_crc[sizeof(uint32_t)];
    store_le32(lengths_crc, crc32c_mask(crc));
    TRY(append(writer, lengths_crc, sizeof(lengths_crc)));
    crc = crc32c_extend(crc, lengths_crc, sizeof(lengths_crc));
    for (int64_t i = 0; i < tensor->n; i++) {
        TRY(append(writer, strings[i].data, strings[i].size));
        crc = crc32c_extend(crc, strings[i].data, strings[i].size);
    }
    *ret_crc = crc;
    return NULL;
}

static Error *append_plain(CheckpointWriter *writer, const Tensor *tensor, uint32_t *ret_crc)
{
    size_t bytes = tensor_bytes(tensor);
    TRY(append(writer, tensor->data, bytes));
    *ret_crc = crc32c(tensor->data, bytes);
    return NULL;
}

/* ---- index ---------------------------------------------------------------------------------- */

static int compare_keys(const void *a, const void *b)
{
    const WrittenTensor *const *left = a, *const *right = b;
    return block_key_compare(bytes_of_text((*left)->key), bytes_of_text((*right)->key));
}

static Error *write_message(TableWriter *table, const char *key, const ProtobufCMessage *message)
{
    _cleanup_(buf_done) Buf value;
    buf_init(&value, ENTRY_MAX_BYTES);
    TRY(message_pack(message, &value));
    return table_write(table, bytes_of_text(key), (Bytes){ value.data, value.size });
}

static Error *write_header(TableWriter *table)
{
    Tensorflow__VersionDef version = TENSORFLOW__VERSION_DEF__INIT;
    version.producer = BUNDLE_FORMAT_VERSION;
    BundleHeader header = TENSORFLOW__BUNDLE_HEADER_PROTO__INIT;
    header.num_shards = 1;
    header.version = &version;
    return write_message(table, "", &header.base);
}

static Error *write_entry(TableWriter *table, const WrittenTensor *tensor)
{
    Tensorflow__TensorShapeProto__Dim dims[SHAPE_MAX_RANK];
    Tensorflow__TensorShapeProto__Dim *dim_pointers[SHAPE_MAX_RANK];
    for (int d = 0; d < tensor->shape.rank; d++) {
        tensorflow__tensor_shape_proto__dim__init(&dims[d]);
        dims[d].size = tensor->shape.dims[d];
        dim_pointers[d] = &dims[d];
    }
    Tensorflow__TensorShapeProto shape = TENSORFLOW__TENSOR_SHAPE_PROTO__INIT;
    shape.n_dim = (size_t)tensor->shape.rank;
    shape.dim = dim_pointers;

    BundleEntry entry = TENSORFLOW__BUNDLE_ENTRY_PROTO__INIT;
    entry.dtype = (Tensorflow__DataType)tensor->dtype;
    entry.shape = &shape;
    entry.offset = (int64_t)tensor->offset;
    entry.size = (int64_t)tensor->size;
    entry.crc32c = crc32c_mask(tensor->crc32c);
    return write_message(table, tensor->key, &entry.base);
}

static Error *write_table(CheckpointWriter *writer, TableWriter *table)
{
    size_t n = map_size(writer->tensors);
    const WrittenTensor **sorted = arena_calloc(writer->arena, n, sizeof(*sorted));
    if (sorted == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < n; i++)
        sorted[i] = map_value_at(writer->tensors, i);
    qsort(sorted, n, sizeof(*sorted), compare_keys);

    TRY(write_header(table));
    for (size_t i = 0; i < n; i++)
        TRY(write_entry(table, sorted[i]));
    return table_writer_finish(table);
}

static Error *write_index(CheckpointWriter *writer)
{
    _cleanup_(buf_done) Buf file;
    buf_init(&file, BUNDLE_INDEX_MAX_BYTES);
    _cleanup_(table_writer_done) TableWriter table;
    table_writer_init(&table, &file);
    TRY(write_table(writer, &table));
    return file_write(writer->index_path, file.data, file.size);
}

/* ---- public --------------------------------------------------------------------------------- */

Error *checkpoint_writer_new(const char *prefix, CheckpointWriter **ret_writer)
{
    _cleanup_(checkpoint_writer_freep) CheckpointWriter *writer = calloc(1, sizeof(*writer));
    if (writer == NULL)
        return error_out_of_memory();
    writer->fd = -1;
    writer->arena = arena_new(0, 0);
    writer->tensors = map_new();
    if (writer->arena == NULL || writer->tensors == NULL)
        return error_out_of_memory();
    writer->data_path = arena_printf(writer->arena, "%s.data-00000-of-00001", prefix);
    writer->index_path = arena_printf(writer->arena, "%s.index", prefix);
    if (writer->data_path == NULL || writer->index_path == NULL)
        return error_out_of_memory();
    writer->fd = open(writer->data_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (writer->fd < 0)
        return failed("create", writer->data_path);
    writer->has_files = true;
    *ret_writer = TAKE(writer);
    return NULL;
}

Error *checkpoint_write(CheckpointWriter *writer, const char *key, const Tensor *tensor)
{
    size_t length = strlen(key);
    if (length == 0 || length > BLOCK_MAX_KEY_BYTES)
        return error_new(ERROR_INVALID_ARGUMENT, "key of %zu bytes, from 1 to %zu can be written",
                         length, BLOCK_MAX_KEY_BYTES);
    if (tensor->dtype != DT_STRING && !dtype_is_plain(tensor->dtype))
        return error_new(ERROR_INVALID_ARGUMENT,
                         "key %s is of type %s, which has no bytes to write", key,
                         dtype_name(tensor->dtype));
    if (map_has(writer->tensors, key))
        return error_new(ERROR_ALREADY_EXISTS, "key %s is written already", key);

    WrittenTensor *written = arena_calloc(writer->arena, 1, sizeof(*written));
    if (written == NULL)
        return error_out_of_memory();
    *written = (WrittenTensor){
        .key = arena_strdup(writer->arena, key),
        .dtype = tensor->dtype,
        .shape = tensor->shape,
        .offset = writer->size,
    };
    if (written->key == NULL)
        return error_out_of_memory();
    TRY(tensor->dtype == DT_STRING ? append_strings(writer, tensor, &written->crc32c)
                                   : append_plain(writer, tensor, &written->crc32c));
    written->size = writer->size - written->offset;
    return map_set(writer->tensors, written->key, written);
}

Error *checkpoint_writer_finish(CheckpointWriter *writer)
{
    if (fsync(writer->fd) < 0)
        return failed("sync", writer->data_path);
    int fd = writer->fd;
    writer->fd = -1;
    if (close(fd) < 0)
        return failed("close", writer->data_path);
    TRY(write_index(writer));
    writer->has_files = false;
    return NULL;
}

CheckpointWriter *checkpoint_writer_free(CheckpointWriter *writer)
{
    if (writer == NULL)
        return NULL;
    file_closep(&writer->fd);
    if (writer->has_files) {
        unlink(writer->data_path);
        unlink(writer->index_path);
    }
    map_free(writer->tensors);
    arena_free(writer->arena);
    free(writer);
    return NULL;
}
