/* SPDX-License-Identifier: Apache-2.0
 *
 * Dataset: the MNIST images and labels of one half ("train" or "t10k"), and the batches that are
 * made of them.
 */
#ifndef DIGIT_TRAIN_DATASET_H
#define DIGIT_TRAIN_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/error.h"
#include "model/base/workers.h"

typedef struct Dataset {
    size_t n;
    const uint8_t *images; /* [n,28,28] grey, in the arena */
    const uint8_t *labels; /* [n] 0..9, in the arena */
} Dataset;

/* Reads DIR/PREFIX-images-idx3-ubyte and DIR/PREFIX-labels-idx1-ubyte, with ".gz" or without (with,
 * where both are there). All of it lies in `arena`. NOT_FOUND names the file and says where the
 * official set is to be had; INVALID_ARGUMENT for images that are not 28x28, counts that differ, a
 * label over 9, an empty set; else as idx_read. */
Error *dataset_read(Arena *arena, const char *directory, const char *prefix,
                    Dataset *ret_dataset) _warn_unused_result_;

/* A batch of a run over a dataset. */
typedef struct DatasetBatch {
    const Dataset *dataset;
    const uint32_t *order; /* [n] dataset indices of the batch's images */
    size_t n;
    bool augment;  /* warp each image at random: see augment.h */
    uint64_t seed; /* of the warps */
    long step;     /* names the warps */
} DatasetBatch;

/* images [n,784] = the batch's pixels in 0..1; labels [n]. */
void dataset_load(const DatasetBatch *batch, Workers *workers, float *images, uint8_t *labels);

#endif
