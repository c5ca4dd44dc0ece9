/* SPDX-License-Identifier: Apache-2.0
 *
 * ConvBlock: convolution, batch normalisation, ReLU, max-pool of a whole batch, shared among
 * threads.
 *
 * Threads take shards of CONV_BLOCK_SHARD images. A shard's sums are its own and are added in the
 * order of the shards, so every result has the same bits whatever the number of threads.
 */
#ifndef DIGIT_TRAIN_CONV_BLOCK_H
#define DIGIT_TRAIN_CONV_BLOCK_H

#include "model/base/workers.h"
#include "train/layer_conv.h"
#include "train/layer_norm.h"
#include "train/parameters.h"

#define CONV_BLOCK_SHARD 8

/* Where a block's output goes: into the next block's padded images, or rows of features. */
typedef struct ConvBlockOut {
    float *data;
    size_t image; /* floats from one image to the next */
    size_t row;   /* floats from one row of pixels to the next */
} ConvBlockOut;

typedef struct ConvBlock {
    ConvShape shape;
    Workers *workers; /* borrowed */
    /* Parameters of the net, borrowed. */
    Parameter *kernel, *gamma, *beta, *moving_mean, *moving_variance;
    /* Buffers in the net's arena; N is the capacity in images. */
    float *x;         /* [N,size+4,size+4,channels], border zero */
    float *y;         /* [N,size,size,32] after the convolution */
    uint8_t *route;   /* [N,size/2,size/2,32] of the pool */
    float *d_x;       /* [N,size,size,32]; NULL in the first block */
    float *turned;    /* [5,5,32,32]; NULL in the first block */
    float *d_kernels; /* [N/CONV_BLOCK_SHARD,5,5,channels,32] */
    NormSums *sums;   /* [N] */
    NormStats stats;  /* of the last batch */
    float *inner;     /* [threads,size,size,32] scratch */
    float *padded;    /* [threads,size+4,size+4,32] scratch, border zero */
} ConvBlock;

/* Declares the parameters of block number `i`. */
void conv_block_declare(Parameters *parameters, int i, int channels);

/* Finds the parameters of block number `i`, which must be allocated, and makes the buffers in
 * `arena`. The caller has set shape and workers, and cleared the rest. RESOURCE_EXHAUSTED when
 * memory is out. */
Error *conv_block_init(ConvBlock *block, Parameters *parameters, int i, size_t capacity,
                       Arena *arena) _warn_unused_result_;

/* Where the images that block->x wants begin, and the distances between them. */
ConvBlockOut conv_block_input(const ConvBlock *block);

/* Forward over n images of block->x. With step >= 0 the statistics are the batch's, and the moving
 * ones follow; with step < 0 it is inference. */
void conv_block_forward(ConvBlock *block, size_t n, long step, ConvBlockOut out);

/* Backward over the batch of the last forward: d_out [n,size/2,size/2,32] -> the gradients of the
 * parameters, and block->d_x where the block has one. */
void conv_block_backward(ConvBlock *block, size_t n, const float *d_out);

#endif
