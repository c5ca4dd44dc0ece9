/* SPDX-License-Identifier: Apache-2.0
 *
 * One block of the network. Batch normalisation needs the whole batch's sums in the middle of both
 * passes, so each pass is two loops over shards with a short serial part between:
 *
 *   forward    loop: convolution, sums      | statistics    | loop: normalise, ReLU and pool
 *   backward   loop: unpool, sums           | d_gamma/beta  | loop: unpool, normalise, convolution
 *
 * Within a loop an image goes through all its layers while it is in the cache. Unpooling twice is
 * cheaper than keeping its result, which is four times the size of what it comes from.
 */
#include "train/conv_block.h"

#include <string.h>

#include "train/floats.h"
#include "train/layer_pool.h"

/* What the body of a loop sees. */
typedef struct Pass {
    ConvBlock *block;
    size_t n;           /* images */
    ConvBlockOut out;   /* forward */
    const float *d_out; /* backward */
    NormBackward norm;  /* backward */
} Pass;

static size_t n_shards(size_t n)
{
    return (n + CONV_BLOCK_SHARD - 1) / CONV_BLOCK_SHARD;
}

static size_t shard_end(size_t shard, size_t n)
{
    size_t end = (shard + 1) * CONV_BLOCK_SHARD;
    return end < n ? end : n;
}

static size_t n_pooled(const ConvBlock *block)
{
    size_t half = (size_t)block->shape.size / 2;
    return half * half * CONV_FILTERS;
}

/* ---- forward ------------------------------------------------------------------------------- */

static void convolve_shards(void *context, size_t begin, size_t end, int thread _unused_)
{
    const Pass *pass = context;
    const ConvBlock *block = pass->block;
    const size_t n_x = conv_n_padded(&block->shape), n_y = conv_n_out(&block->shape);
    for (size_t i = begin * CONV_BLOCK_SHARD; i < shard_end(end - 1, pass->n); i++) {
        float *y = block->y + i * n_y;
        conv_forward(&block->shape, block->x + i * n_x, block->kernel->value, y);
        norm_sums(y, n_y / CONV_FILTERS, &block->sums[i]);
    }
}

static void normalise_shards(void *context, size_t begin, size_t end, int thread)
{
    const Pass *pass = context;
    const ConvBlock *block = pass->block;
    const size_t n_y = conv_n_out(&block->shape);
    float *z = block->inner + (size_t)thread * n_y;
    for (size_t i = begin * CONV_BLOCK_SHARD; i < shard_end(end - 1, pass->n); i++) {
        norm_forward(&block->stats, block->gamma->value, block->beta->value, block->y + i * n_y,
                     n_y / CONV_FILTERS, z);
        pool_forward(z, block->shape.size, pass->out.data + i * pass->out.image, pass->out.row,
                     block->route + i * n_pooled(block));
    }
}

void conv_block_forward(ConvBlock *block, size_t n, long step, ConvBlockOut out)
{
    Pass pass = { .block = block, .n = n, .out = out };
    workers_for(block->workers, n_shards(n), 1, convolve_shards, &pass);
    if (step >= 0) {
        size_t n_pixels = n * conv_n_out(&block->shape) / CONV_FILTERS;
        norm_batch_stats(block->sums, n, n_pixels, &block->stats);
        norm_update_moving(&block->stats, n_pixels, step, block->moving_mean->value,
                           block->moving_variance->value);
    } else {
        norm_moving_stats(block->moving_mean->value, block->moving_variance->value, &block->stats);
    }
    workers_for(block->workers, n_shards(n), 1, normalise_shards, &pass);
}

/* ---- backward ------------------------------------------------------------------------------ */

static void sum_shards(void *context, size_t begin, size_t end, int thread)
{
    const Pass *pass = context;
    const ConvBlock *block = pass->block;
    const size_t n_y = conv_n_out(&block->shape), n_out = n_pooled(block);
    float *d_z = block->inner + (size_t)thread * n_y;
    for (size_t i = begin * CONV_BLOCK_SHARD; i < shard_end(end - 1, pass->n); i++) {
        pool_backward(pass->d_out + i * n_out, block->route + i * n_out, block->shape.size, d_z);
        norm_backward_sums(&block->stats, block->y + i * n_y, d_z, n_y / CONV_FILTERS,
                           &block->sums[i]);
    }
}

static void backward_shard(const Pass *pass, size_t shard, int thread)
{
    const ConvBlock *block = pass->block;
    const ConvShape *shape = &block->shape;
    const size_t n_y = conv_n_out(shape), n_out = n_pooled(block), n_x = conv_n_padded(shape);
    const size_t side = (size_t)shape->size + 2 * CONV_PAD;
    float *d_z = block->inner + (size_t)thread * n_y;
    float *d_y = block->padded + (size_t)thread * side * side * CONV_FILTERS;
    float *d_kernel = block->d_kernels + shard * block->kernel->n;
    memset(d_kernel, 0, block->kernel->n * sizeof(float));
    for (size_t i = shard * CONV_BLOCK_SHARD; i < shard_end(shard, pass->n); i++) {
        pool_backward(pass->d_out + i * n_out, block->route + i * n_out, shape->size, d_z);
        norm_backward(&pass->norm, block->y + i * n_y, d_z, shape->size, d_y);
        conv_backward_weights(shape, block->x + i * n_x, d_y, d_kernel);
        if (block->d_x != NULL)
            conv_backward_input(shape, d_y, block->turned, block->d_x + i * n_y);
    }
}

static void backward_shards(void *context, size_t begin, size_t end, int thread)
{
    for (size_t shard = begin; shard < end; shard++)
        backward_shard(context, shard, thread);
}

void conv_block_backward(ConvBlock *block, size_t n, const float *d_out)
{
    Pass pass = { .block = block, .n = n, .d_out = d_out };
    workers_for(block->workers, n_shards(n), 1, sum_shards, &pass);
    norm_backward_finish(block->sums, n, block->gamma->gradient, block->beta->gradient);
    pass.norm = (NormBackward){ .stats = &block->stats,
                                .gamma = block->gamma->value,
                                .d_gamma = block->gamma->gradient,
                                .d_beta = block->beta->gradient,
                                .n_pixels = n * conv_n_out(&block->shape) / CONV_FILTERS };
    if (block->turned != NULL)
        conv_turn_weights(block->kernel->value, block->turned);
    workers_for(block->workers, n_shards(n), 1, backward_shards, &pass);
    memset(block->kernel->gradient, 0, block->kernel->n * sizeof(float));
    for (size_t shard = 0; shard < n_shards(n); shard++)
        for (size_t j = 0; j < block->kernel->n; j++)
            block->kernel->gradient[j] += block->d_kernels[shard * block->kernel->n + j];
}

/* ---- making -------------------------------------------------------------------------------- */

void conv_block_declare(Parameters *parameters, int i, int channels)
{
    static const char *const norm[] = { "gamma", "beta", "moving_mean", "moving_variance" };
    char name[PARAMETER_NAME_BYTES];
    parameter_name(name, "conv2d", i, "kernel");
    parameters_add(parameters, name, true,
                   shape_of(CONV_KERNEL, CONV_KERNEL, channels, CONV_FILTERS));
    for (size_t k = 0; k < ARRAY_SIZE(norm); k++) {
        parameter_name(name, "batch_normalization", i, norm[k]);
        parameters_add(parameters, name, k < 2, shape_of(CONV_FILTERS));
    }
}

static void find_parameters(ConvBlock *block, Parameters *parameters, int i)
{
    char name[PARAMETER_NAME_BYTES];
    parameter_name(name, "conv2d", i, "kernel");
    block->kernel = parameters_get(parameters, name);
    parameter_name(name, "batch_normalization", i, "gamma");
    block->gamma = parameters_get(parameters, name);
    parameter_name(name, "batch_normalization", i, "beta");
    block->beta = parameters_get(parameters, name);
    parameter_name(name, "batch_normalization", i, "moving_mean");
    block->moving_mean = parameters_get(parameters, name);
    parameter_name(name, "batch_normalization", i, "moving_variance");
    block->moving_variance = parameters_get(parameters, name);
}

Error *conv_block_init(ConvBlock *block, Parameters *parameters, int i, size_t capacity,
                       Arena *arena)
{
    const ConvShape *shape = &block->shape;
    const size_t threads = (size_t)workers_count(block->workers), n_y = conv_n_out(shape);
    const size_t side = (size_t)shape->size + 2 * CONV_PAD;
    find_parameters(block, parameters, i);
    block->x = floats_new(arena, capacity, conv_n_padded(shape));
    block->y = floats_new(arena, capacity, n_y);
    block->route = arena_calloc(arena, capacity, n_pooled(block));
    block->d_kernels = floats_new(arena, n_shards(capacity), conv_n_weights(shape));
    block->sums = arena_calloc(arena, capacity, sizeof(NormSums));
    block->inner = floats_new(arena, threads, n_y);
    block->padded = floats_new(arena, threads, side * side * CONV_FILTERS);
    if (block->x == NULL || block->y == NULL || block->route == NULL || block->d_kernels == NULL ||
        block->sums == NULL || block->inner == NULL || block->padded == NULL)
        return error_out_of_memory();
    if (i == 0)
        return NULL;
    block->d_x = floats_new(arena, capacity, n_y);
    block->turned = floats_new(arena, 1, conv_n_weights(shape));
    return block->d_x != NULL && block->turned != NULL ? NULL : error_out_of_memory();
}

ConvBlockOut conv_block_input(const ConvBlock *block)
{
    const size_t channels = (size_t)block->shape.channels;
    const size_t row = ((size_t)block->shape.size + 2 * CONV_PAD) * channels;
    return (ConvBlockOut){ .data = block->x + CONV_PAD * row + CONV_PAD * channels,
                           .image = conv_n_padded(&block->shape),
                           .row = row };
}
