/* SPDX-License-Identifier: Apache-2.0
 *
 * A shard: opened once, its tensors read and checked at any time. It does not know the index.
 * Any thread.
 *
 *     PREFIX.data-00000-of-00001    tensors at the offsets that the index names
 *     plain type                    elements, row-major, in the bundle's byte order;
 *                                   the entry's crc is over these bytes
 *     string                        n lengths, varint64 each;
 *                                   4 bytes: masked crc32c of the lengths, each taken as uint32
 *                                   (as uint64 when it is longer);
 *                                   the bytes of the strings;
 *                                   the entry's crc is over lengths as above, those 4 bytes, bytes
 *
 * Source: tensorflow/core/util/tensor_bundle/tensor_bundle.cc.
 */
#include "model/bundle/shard.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "model/base/crc32c.h"
#include "model/base/file.h"

Error *shard_open(Arena *arena, const char *path, const char *directory, Shard *ret_shard)
{
    _cleanup_(freep) char *real = realpath(path, NULL);
    if (real == NULL) {
        char reason[128];
        int code = errno;
        return error_new(code == ENOENT ? ERROR_NOT_FOUND : ERROR_UNAVAILABLE,
                         "cannot open \"%s\": %s", path, strerror_r(code, reason, sizeof(reason)));
    }
    if (strncmp(real, directory, strlen(directory)) != 0)
        return error_new(ERROR_DATA_LOSS, "%s leads to %s, outside the bundle's directory %s", path,
                         real, directory);
    Shard shard = { .path = arena_strdup(arena, path) };
    if (shard.path == NULL)
        return error_out_of_memory();
    TRY(file_open(real, &shard.fd, &shard.size));
    *ret_shard = shard;
    return NULL;
}

void shard_close(Shard *shard)
{
    file_closep(&shard->fd);
}

Error *shard_check_range(const Shard *shard, const BundleEntry *entry, const char *key)
{
    if (entry->offset < 0 || entry->size < 0 || (uint64_t)entry->offset > shard->size ||
        (uint64_t)entry->size > shard->size - (uint64_t)entry->offset)
        return error_new(ERROR_DATA_LOSS,
                         "%s: holds %" PRIu64 " bytes, too few for %s of %" PRId64
                         " bytes at offset %" PRId64,
                         shard->path, shard->size, key, entry->size, entry->offset);
    return NULL;
}

static Error *check_crc(const Shard *shard, const StoredTensor *stored, uint32_t actual)
{
    const BundleEntry *entry = stored->entry;
    if (crc32c_unmask(entry->crc32c) == actual)
        return NULL;
    return error_new(ERROR_DATA_LOSS,
                     "%s: Checksum does not match: key %s, %" PRId64 " bytes at offset %" PRId64
                     ", stored %08" PRIx32 ", calculated on the bytes read %08" PRIx32,
                     shard->path, stored->key, entry->size, entry->offset,
                     crc32c_unmask(entry->crc32c), actual);
}

static Error *read_bytes(const Shard *shard, const BundleEntry *entry, void *data)
{
    return file_read_range(shard->fd, shard->path, (uint64_t)entry->offset, data,
                           (size_t)entry->size);
}

static void reverse_bytes(uint8_t *data, size_t width)
{
    for (size_t i = 0; i < width / 2; i++) {
        uint8_t b = data[i];
        data[i] = data[width - 1 - i];
        data[width - 1 - i] = b;
    }
}

/* Digit runs on little-endian machines only, as its kernels and TensorProto's content do. */
static void to_little_endian(Tensor *tensor)
{
    size_t width = dtype_size(tensor->dtype);
    if (tensor->dtype == DT_COMPLEX64 || tensor->dtype == DT_COMPLEX128)
        width /= 2;
    uint8_t *end = (uint8_t *)tensor->data + tensor_bytes(tensor);
    for (uint8_t *p = tensor->data; width > 1 && p < end; p += width)
        reverse_bytes(p, width);
}

static Error *read_plain(const Shard *shard, Arena *arena, const StoredTensor *stored,
                         Tensor *ret_tensor)
{
    Tensor tensor;
    TRY(tensor_new(arena, stored->dtype, &stored->shape, &tensor));
    TRY(read_bytes(shard, stored->entry, tensor.data));
    TRY(check_crc(shard, stored, crc32c(tensor.data, tensor_bytes(&tensor))));
    if (shard->is_big_endian)
        to_little_endian(&tensor);
    /* Any other value of a C bool is undefined behaviour in whoever reads it. */
    if (tensor.dtype == DT_BOOL)
        for (int64_t i = 0; i < tensor.n; i++)
            ((uint8_t *)tensor.data)[i] = ((uint8_t *)tensor.data)[i] != 0;
    *ret_tensor = tensor;
    return NULL;
}

/* The crc of the lengths before, extended by one. */
static uint32_t extend_by_length(uint32_t crc, uint64_t length, bool is_big_endian)
{
    uint8_t word[sizeof(uint64_t)];
    size_t width = length <= UINT32_MAX ? sizeof(uint32_t) : sizeof(uint64_t);
    store_le64(word, length);
    if (is_big_endian)
        reverse_bytes(word, width);
    return crc32c_extend(crc, word, width);
}

/* Splits `raw`, an entry's bytes, into the strings of `tensor`, which borrow from it. */
static Error *split_strings(const Shard *shard, const StoredTensor *stored, Bytes raw,
                            const Tensor *tensor)
{
    Bytes *strings = tensor->data;
    const uint8_t *p = raw.data, *end = raw.data + raw.size;
    uint32_t crc = 0;
    uint64_t total = 0;
    for (int64_t i = 0; i < tensor->n; i++) {
        uint64_t length;
        if (!varint_read(&p, end, &length) || length > raw.size - total)
            return error_new(ERROR_DATA_LOSS,
                             "key %s: length of string %" PRId64
                             " is cut off or past the entry's %zu "
                             "bytes",
                             stored->key, i, raw.size);
        strings[i].size = (size_t)length;
        total += length;
        crc = extend_by_length(crc, length, shard->is_big_endian);
    }

    if ((size_t)(end - p) != sizeof(uint32_t) + total)
        return error_new(ERROR_DATA_LOSS,
                         "key %s: strings of %" PRIu64 " bytes in all and their checksum of 4 are "
                         "stored in %zu bytes",
                         stored->key, total, (size_t)(end - p));
    uint32_t lengths_crc = load_le32(p);
    if (shard->is_big_endian)
        lengths_crc = __builtin_bswap32(lengths_crc);
    if (crc32c_unmask(lengths_crc) != crc)
        return error_new(ERROR_DATA_LOSS,
                         "key %s: The length checksum does not match: stored %08" PRIx32
                         ", calculated on the lengths read %08" PRIx32,
                         stored->key, crc32c_unmask(lengths_crc), crc);
    TRY(check_crc(shard, stored, crc32c_extend(crc, p, (size_t)(end - p))));

    p += sizeof(uint32_t);
    for (int64_t i = 0; i < tensor->n; i++) {
        strings[i].data = p;
        p += strings[i].size;
    }
    return NULL;
}

static Error *read_strings(const Shard *shard, Arena *arena, const StoredTensor *stored,
                           Tensor *ret_tensor)
{
    Tensor tensor;
    TRY(tensor_new(arena, DT_STRING, &stored->shape, &tensor));
    size_t size = (size_t)stored->entry->size;
    uint8_t *raw = arena_alloc(arena, size);
    if (raw == NULL)
        return error_out_of_memory();
    TRY(read_bytes(shard, stored->entry, raw));
    TRY(split_strings(shard, stored, (Bytes){ raw, size }, &tensor));
    *ret_tensor = tensor;
    return NULL;
}

Error *shard_read_tensor(const Shard *shard, Arena *arena, const StoredTensor *stored,
                         Tensor *ret_tensor)
{
    TRY(bundle_entry_check_size(stored));
    return stored->dtype == DT_STRING ? read_strings(shard, arena, stored, ret_tensor)
                                      : read_plain(shard, arena, stored, ret_tensor);
}
