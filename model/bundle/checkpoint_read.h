/* SPDX-License-Identifier: Apache-2.0
 *
 * CheckpointReader: the tensors of a TensorFlow tensor bundle, `PREFIX.index` and
 * `PREFIX.data-?????-of-?????`. The index is read and checked when it is opened; a tensor's bytes
 * are read, and their crc32c verified, when it is asked for.
 *
 * Source: tensorflow/core/util/tensor_bundle, tensorflow/core/protobuf/tensor_bundle.proto.
 */
#ifndef DIGIT_BUNDLE_CHECKPOINT_READ_H
#define DIGIT_BUNDLE_CHECKPOINT_READ_H

#include "model/tensor/tensor.h"

typedef struct CheckpointReader CheckpointReader;

/* Opens `prefix` (".../variables/variables"). NOT_FOUND names the missing file; DATA_LOSS what is
 * corrupt; each shard that an entry needs must exist, be a regular file inside the prefix's
 * directory, and be long enough for every entry, or opening fails: a half-copied bundle is found
 * here and not at the first request. Takes nothing; the path is copied. */
Error *checkpoint_open(const char *prefix, CheckpointReader **ret_reader) _warn_unused_result_;

/* Closes the files. Takes NULL; returns NULL. */
CheckpointReader *checkpoint_close(CheckpointReader *reader);

size_t checkpoint_size(const CheckpointReader *reader);
/* The i-th key in order of bytes, i < checkpoint_size; the header is no key. Borrowed. */
const char *checkpoint_key_at(const CheckpointReader *reader, size_t i);

/* The type and shape of `key`. NOT_FOUND `Key K not found in checkpoint`. */
Error *checkpoint_find(const CheckpointReader *reader, const char *key, DType *ret_dtype,
                       Shape *ret_shape) _warn_unused_result_;

/* Reads the tensor `key` into `arena`. `slice_spec` is "" for the whole, else TensorFlow's
 * shape_and_slice text ("4 10 0,2:-"). DATA_LOSS when the crc is wrong or the file too short. */
Error *checkpoint_read(CheckpointReader *reader, Arena *arena, const char *key,
                       const char *slice_spec, Tensor *ret_tensor) _warn_unused_result_;

static inline void checkpoint_closep(CheckpointReader **reader)
{
    checkpoint_close(*reader);
}

#endif
