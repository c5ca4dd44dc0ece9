/* SPDX-License-Identifier: Apache-2.0
 *
 * CheckpointWriter: writes a tensor bundle of one shard: the same bytes as TensorFlow's
 * BundleWriter, with an uncompressed index.
 */
#ifndef DIGIT_BUNDLE_CHECKPOINT_WRITE_H
#define DIGIT_BUNDLE_CHECKPOINT_WRITE_H

#include "model/tensor/tensor.h"

typedef struct CheckpointWriter CheckpointWriter;

/* Starts `prefix`.data-00000-of-00001; the directory must exist. */
Error *checkpoint_writer_new(const char *prefix,
                             CheckpointWriter **ret_writer) _warn_unused_result_;

/* Appends a tensor of a plain type or of strings. The key is copied; keys may come in any order.
 * ALREADY_EXISTS when the key was given before. */
Error *checkpoint_write(CheckpointWriter *writer, const char *key,
                        const Tensor *tensor) _warn_unused_result_;

/* Writes the index, syncs and closes both files. The writer is still to be freed. */
Error *checkpoint_writer_finish(CheckpointWriter *writer) _warn_unused_result_;

/* Frees; removes both files when finish did not succeed. Takes NULL; returns NULL. */
CheckpointWriter *checkpoint_writer_free(CheckpointWriter *writer);

static inline void checkpoint_writer_freep(CheckpointWriter **writer)
{
    checkpoint_writer_free(*writer);
}

#endif
