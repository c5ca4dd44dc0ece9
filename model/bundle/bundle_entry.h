/* SPDX-License-Identifier: Apache-2.0
 *
 * The messages in the index of a tensor bundle: its header, and the entry of a tensor.
 */
#ifndef DIGIT_BUNDLE_BUNDLE_ENTRY_H
#define DIGIT_BUNDLE_BUNDLE_ENTRY_H

#include "model/tensor/tensor.h"
#include "tensorflow/core/protobuf/tensor_bundle.pb-c.h"

#define BUNDLE_FORMAT_VERSION 1 /* of what is read and written: TensorFlow's kTensorBundleVersion */
#define BUNDLE_INDEX_MAX_BYTES ((size_t)256 << 20)
#define BUNDLE_MAX_SHARDS 1024 /* each takes a file descriptor */

typedef Tensorflow__BundleHeaderProto BundleHeader;
typedef Tensorflow__BundleEntryProto BundleEntry;

/* What an entry says of its tensor, its type and shape checked. */
typedef struct StoredTensor {
    const char *key;          /* for texts */
    const BundleEntry *entry; /* shard, offset, size, crc; slices */
    DType dtype;              /* plain or DT_STRING */
    Shape shape;
    int64_t n;
} StoredTensor;

/* The message in `value`, in `arena`. DATA_LOSS when it is none or its fields are out of range;
 * INVALID_ARGUMENT when the bundle asks for a newer reader. */
Error *bundle_header_unpack(Arena *arena, Bytes value,
                            const BundleHeader **ret_header) _warn_unused_result_;
Error *bundle_entry_unpack(Arena *arena, Bytes value,
                           const BundleEntry **ret_entry) _warn_unused_result_;

/* Borrows key and entry. UNIMPLEMENTED for a type whose tensors are not read, DATA_LOSS for a shape
 * that is none. */
Error *bundle_entry_describe(const char *key, const BundleEntry *entry,
                             StoredTensor *ret_stored) _warn_unused_result_;

/* Whether the entry's size can be right for its type and shape. Who checks it before allocating
 * never allocates more than is on disk (for strings, of which each takes a byte at least,
 * sizeof(Bytes) times that). DATA_LOSS. */
Error *bundle_entry_check_size(const StoredTensor *stored) _warn_unused_result_;

#endif
