/* SPDX-License-Identifier: Apache-2.0
 *
 * The messages in a bundle's index, unpacked and checked as far as they can be without the files
 * that they speak of. Any thread.
 *
 *     BundleHeaderProto    1 num_shards, 2 endianness (0 little, 1 big), 3 version
 *     BundleEntryProto     1 dtype, 2 shape, 3 shard_id, 4 offset, 5 size, 6 crc32c (masked),
 *                          7 slices: then 3 to 6 mean nothing
 *
 * Source: tensorflow/core/protobuf/tensor_bundle.proto.
 */
#include "model/bundle/bundle_entry.h"

#include <inttypes.h>

#include "model/base/message.h"
#include "model/tensor/tensor_proto.h"

/* What is wrong with the bytes of a file is no argument of the caller's. */
static Error *as_data_loss(Error *error)
{
    if (error == NULL || error->code != ERROR_INVALID_ARGUMENT)
        return error;
    _cleanup_(error_freep) Error *cause = error;
    return error_new(ERROR_DATA_LOSS, "%s", cause->text);
}

static Error *check_version(const Tensorflow__VersionDef *version)
{
    if (version == NULL)
        return NULL;
    bool is_bad = version->min_consumer > BUNDLE_FORMAT_VERSION;
    for (size_t i = 0; i < version->n_bad_consumers; i++)
        is_bad = is_bad || version->bad_consumers[i] == BUNDLE_FORMAT_VERSION;
    if (is_bad)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "bundle of version %d asks for a reader of version %d or another, this "
                         "one has %d",
                         version->producer, version->min_consumer, BUNDLE_FORMAT_VERSION);
    return NULL;
}

Error *bundle_header_unpack(Arena *arena, Bytes value, const BundleHeader **ret_header)
{
    ProtobufCMessage *message;
    TRY(as_data_loss(message_unpack(arena, &tensorflow__bundle_header_proto__descriptor,
                                    "bundle header", value.data, value.size, &message)));
    const BundleHeader *header = (const BundleHeader *)message;
    TRY(check_version(header->version));
    if (header->num_shards < 1 || header->num_shards > BUNDLE_MAX_SHARDS)
        return error_new(ERROR_DATA_LOSS, "bundle claims %d shards, from 1 to %d are read",
                         header->num_shards, BUNDLE_MAX_SHARDS);
    if (header->endianness != TENSORFLOW__BUNDLE_HEADER_PROTO__ENDIANNESS__LITTLE &&
        header->endianness != TENSORFLOW__BUNDLE_HEADER_PROTO__ENDIANNESS__BIG)
        return error_new(ERROR_DATA_LOSS, "bundle has byte order %d, known are 0 and 1",
                         (int)header->endianness);
    *ret_header = header;
    return NULL;
}

Error *bundle_entry_unpack(Arena *arena, Bytes value, const BundleEntry **ret_entry)
{
    ProtobufCMessage *message;
    TRY(as_data_loss(message_unpack(arena, &tensorflow__bundle_entry_proto__descriptor,
                                    "bundle entry", value.data, value.size, &message)));
    *ret_entry = (const BundleEntry *)message;
    return NULL;
}

Error *bundle_entry_describe(const char *key, const BundleEntry *entry, StoredTensor *ret_stored)
{
    StoredTensor stored = { .key = key,
                            .entry = entry,
                            .dtype = dtype_of_number((int)entry->dtype) };
    if (stored.dtype != DT_STRING && !dtype_is_plain(stored.dtype))
        return error_new(ERROR_UNIMPLEMENTED,
                         "key %s is of type %s (number %d), which is not read from checkpoints",
                         key, dtype_name(stored.dtype), (int)entry->dtype);
    if (entry->shape != NULL) /* a scalar's may be left out */
        TRY(error_prefix(as_data_loss(shape_from_proto(entry->shape, &stored.shape)), "key %s",
                         key));
    if (stored.shape.rank == SHAPE_UNKNOWN_RANK)
        return error_new(ERROR_DATA_LOSS, "key %s has a shape of unknown rank", key);
    TRY(error_prefix(as_data_loss(shape_count(&stored.shape, &stored.n)), "key %s", key));
    *ret_stored = stored;
    return NULL;
}

Error *bundle_entry_check_size(const StoredTensor *stored)
{
    uint64_t size = (uint64_t)stored->entry->size;
    uint64_t expected = (uint64_t)stored->n;
    if (stored->dtype != DT_STRING)
        expected *= dtype_size(stored->dtype);
    if (stored->dtype == DT_STRING ? size < expected : size != expected)
        return error_new(ERROR_DATA_LOSS,
                         "Invalid size in bundle entry: key %s; stored size %" PRIu64
                         "; expected size %" PRIu64,
                         stored->key, size, expected);
    return NULL;
}
