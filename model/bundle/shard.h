/* SPDX-License-Identifier: Apache-2.0
 *
 * Shard: one data file of a tensor bundle, and the tensors in it.
 */
#ifndef DIGIT_BUNDLE_SHARD_H
#define DIGIT_BUNDLE_SHARD_H

#include "model/bundle/bundle_entry.h"

typedef struct Shard {
    int fd;        /* -1: not open */
    uint64_t size; /* bytes, when it was opened */
    const char *path;
    bool is_big_endian; /* its bundle's byte order; set by the caller */
} Shard;

/* Opens the regular file `path`, which must lie under `directory`: a real path with a slash behind
 * it. Symbolic links may stand above the bundle and inside it, as in volumes of Kubernetes, but a
 * shard that leads out of it would be a file of somebody else: DATA_LOSS. NOT_FOUND when there is
 * no such file. The path is copied into `arena`. */
Error *shard_open(Arena *arena, const char *path, const char *directory,
                  Shard *ret_shard) _warn_unused_result_;

/* Closes the file if it is open. */
void shard_close(Shard *shard);

/* DATA_LOSS when the entry of `key` reaches past the end of the file. */
Error *shard_check_range(const Shard *shard, const BundleEntry *entry,
                         const char *key) _warn_unused_result_;

/* Reads the tensor, whose range was checked, into `arena`; checks size and crc32c. DATA_LOSS when
 * they are wrong; RESOURCE_EXHAUSTED when the arena is full. */
Error *shard_read_tensor(const Shard *shard, Arena *arena, const StoredTensor *stored,
                         Tensor *ret_tensor) _warn_unused_result_;

#endif
