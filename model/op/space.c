/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks of positions moved to the batch or to the channels, and back: SpaceToBatchND,
 * BatchToSpaceND (a dilated convolution is written between the two), SpaceToDepth, DepthToSpace.
 * All are strided copies. Any thread.
 */
#include <string.h>

#include "model/op/axes.h"
#include "model/op/kernels.h"
#include "model/op/strided.h"

/* Position i of the batch's side is i * block + offset - before of the space's side. */
typedef struct Blocks {
    int n; /* spatial dimensions: 1..n of the tensors */
    int64_t block[SHAPE_MAX_RANK], before[SHAPE_MAX_RANK], after[SHAPE_MAX_RANK];
    int64_t in_block; /* positions of a block */
} Blocks;

/* ---- SpaceToBatchND, BatchToSpaceND -------------------------------------------------------- */

/* `what` names the pairs: "paddings" or "crops". */
static Error *read_blocks(OpContext *c, const char *what, Blocks *ret)
{
    const Tensor *x = op_input(c, 0), *block = op_input(c, 1), *pairs = op_input(c, 2);
    char text[SHAPE_TEXT_BYTES];
    Blocks b = { .in_block = 1 };
    if (block->shape.rank != 1)
        return error_new(ERROR_INVALID_ARGUMENT, "block_shape rank should be 1 instead of %d",
                         block->shape.rank);
    if (x->shape.rank < 1 + block->n)
        return error_new(ERROR_INVALID_ARGUMENT, "input rank should be >= %lld instead of %d",
                         1 + (long long)block->n, x->shape.rank);
    if (pairs->shape.rank != 2 || pairs->shape.dims[0] != block->n || pairs->shape.dims[1] != 2)
        return error_new(ERROR_INVALID_ARGUMENT, "%s should have shape [%lld, 2] instead of %s",
                         what, (long long)block->n, shape_text(&pairs->shape, text));
    b.n = (int)block->n;
    for (int d = 0; d < b.n; d++) {
        b.block[d] = tensor_index_at(block, d);
        b.before[d] = tensor_index_at(pairs, 2 * d);
        b.after[d] = tensor_index_at(pairs, 2 * d + 1);
        if (b.block[d] < 1)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "All values in block_shape must be positive, got value, %lld at index "
                             "%d.",
                             (long long)b.block[d], d);
        if (__builtin_mul_overflow(b.in_block, b.block[d], &b.in_block) || b.in_block > INT32_MAX)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "The product of block_shape must be at most %d", INT32_MAX);
        if (b.before[d] < 0 || b.after[d] < 0 || b.before[d] > INT32_MAX || b.after[d] > INT32_MAX)
            return error_new(ERROR_INVALID_ARGUMENT, "%s must be between 0 and %d", what,
                             INT32_MAX);
    }
    *ret = b;
    return NULL;
}

/* Copies what one offset in the block says. `space` and `batch` are the shapes of the two sides;
 * `offset` counts through the positions of a block. */
static void copy_offset(const Blocks *b, const Shape *space, const Shape *batch, int64_t offset,
                        StridedCopy *ret_copy, int64_t *ret_space, int64_t *ret_batch)
{
    int64_t space_strides[SHAPE_MAX_RANK], batch_strides[SHAPE_MAX_RANK];
    shape_strides(space, space_strides);
    shape_strides(batch, batch_strides);
    *ret_copy = (StridedCopy){ 0 };
    *ret_space = 0;
    *ret_batch = offset * space->dims[0] * batch_strides[0];
    int64_t offsets[SHAPE_MAX_RANK] = { 0 };
    for (int d = b->n - 1; d >= 0; d--) {
        offsets[d] = offset % b->block[d];
        offset /= b->block[d];
    }
    strided_add(ret_copy, space->dims[0], space_strides[0], batch_strides[0]);
    for (int d = 0; d < b->n; d++) {
        int64_t shift = b->before[d] - offsets[d], block = b->block[d];
        int64_t first = shift > 0 ? (shift + block - 1) / block : 0;
        int64_t last = space->dims[d + 1] - 1 + shift; /* times block */
        int64_t end = last < 0 ? 0 : last / block + 1;
        end = end < batch->dims[d + 1] ? end : batch->dims[d + 1];
        int64_t n = end > first ? end - first : 0;
        if (n > 0) {
            *ret_space += (first * block - shift) * space_strides[d + 1];
            *ret_batch += first * batch_strides[d + 1];
        }
        strided_add(ret_copy, n, block * space_strides[d + 1], batch_strides[d + 1]);
    }
    for (int d = b->n + 1; d < space->rank; d++)
        strided_add(ret_copy, space->dims[d], space_strides[d], batch_strides[d]);
}

/* One copy for each position of a block; nothing when either side is empty. */
static void move_blocks(const Blocks *b, const Tensor *from, Tensor *to, bool to_batch)
{
    const Shape *space = to_batch ? &from->shape : &to->shape;
    const Shape *batch = to_batch ? &to->shape : &from->shape;
    size_t size = dtype_size(from->dtype);
    for (int64_t offset = 0; from->n > 0 && to->n > 0 && offset < b->in_block; offset++) {
        StridedCopy copy;
        int64_t in_space, in_batch;
        copy_offset(b, space, batch, offset, &copy, &in_space, &in_batch);
        int64_t first = to_batch ? in_space : in_batch, at = to_batch ? in_batch : in_space;
        for (int d = 0; d < copy.rank && !to_batch; d++) {
            int64_t step = copy.from[d];
            copy.from[d] = copy.to[d];
            copy.to[d] = step;
        }
        strided_run(&copy, size, element_after(from->data, first, size),
                    (char *)to->data + at * (int64_t)size);
    }
}

Error *space_to_batch_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    Blocks b;
    TRY(read_blocks(c, "paddings", &b));
    Shape shape = x->shape;
    if (__builtin_mul_overflow(shape.dims[0], b.in_block, &shape.dims[0]))
        return error_new(ERROR_INVALID_ARGUMENT, "The batch times block_shape is too large");
    for (int d = 0; d < b.n; d++) {
        int64_t padded = x->shape.dims[d + 1] + b.before[d] + b.after[d];
        if (padded % b.block[d] != 0)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "padded_shape[%d]=%lld is not divisible by block_shape[%d]=%lld", d,
                             (long long)padded, d, (long long)b.block[d]);
        shape.dims[d + 1] = padded / b.block[d];
    }
    Tensor *y = NULL;
    TRY(op_output(c, 0, x->dtype, &shape, &y));
    if (y->n > 0)
        memset(y->data, 0, tensor_bytes(y)); /* of strings: empty ones */
    move_blocks(&b, x, y, true);
    return NULL;
}

Error *batch_to_space_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    Blocks b;
    TRY(read_blocks(c, "crops", &b));
    Shape shape = x->shape;
    if (shape.dims[0] % b.in_block != 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Input batch dimension (%lld) is not divisible by product of block sizes "
                         "(%lld)",
                         (long long)shape.dims[0], (long long)b.in_block);
    shape.dims[0] /= b.in_block;
    for (int d = 0; d < b.n; d++) {
        int64_t size = x->shape.dims[d + 1];
        if (__builtin_mul_overflow(size, b.block[d], &size) || size < b.before[d] + b.after[d])
            return error_new(ERROR_INVALID_ARGUMENT, "cropped_shape[%d]=%lld must be non-negative",
                             d, (long long)(size - b.before[d] - b.after[d]));
        shape.dims[d + 1] = size - b.before[d] - b.after[d];
    }
    Tensor *y = NULL;
    TRY(op_output(c, 0, x->dtype, &shape, &y));
    move_blocks(&b, x, y, false);
    return NULL;
}

/* ---- SpaceToDepth, DepthToSpace ------------------------------------------------------------ */

typedef struct Depth {
    int64_t block;
    bool channels_first;
} Depth;

Error *depth_prepare(OpPrepare *prepare)
{
    Depth *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    const char *format = NULL;
    if (kernel == NULL)
        return error_out_of_memory();
    TRY(attrs_int(prepare->attrs, "block_size", &kernel->block));
    TRY(attrs_text_or(prepare->attrs, "data_format", "NHWC", &format));
    if (kernel->block < 2 || kernel->block > INT16_MAX)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Block size should be > 1 and at most %d, but was: %lld", INT16_MAX,
                         (long long)kernel->block);
    kernel->channels_first = strcmp(format, "NCHW") == 0;
    if (!kernel->channels_first && strcmp(format, "NHWC") != 0)
        return error_new(ERROR_UNIMPLEMENTED, "%s with data_format %s is not supported",
                         prepare->op->name, format);
    prepare->kernel = kernel;
    return NULL;
}

/* Both ops walk [N, H, block, W, block, C] of the wide side [N, H * block, W * block, C] and of the
 * deep side [N, H, W, block * block * C], C the fastest of the deep side's channels. */
static void move_depth(const Depth *kernel, const Tensor *from, Tensor *to, bool to_depth)
{
    const Shape *wide = to_depth ? &from->shape : &to->shape;
    const Shape *deep = to_depth ? &to->shape : &from->shape;
    int h = kernel->channels_first ? 2 : 1, ch = kernel->channels_first ? 1 : 3;
    int64_t block = kernel->block, channels = wide->dims[ch];
    int64_t w[SHAPE_MAX_RANK], d[SHAPE_MAX_RANK];
    shape_strides(wide, w);
    shape_strides(deep, d);
    const int64_t steps[6][3] = { { deep->dims[0], w[0], d[0] },
                                  { deep->dims[h], w[h] * block, d[h] },
                                  { block, w[h], d[ch] * block * channels },
                                  { deep->dims[h + 1], w[h + 1] * block, d[h + 1] },
                                  { block, w[h + 1], d[ch] * channels },
                                  { channels, w[ch], d[ch] } };
    StridedCopy copy = { 0 };
    for (int i = 0; i < 6; i++)
        strided_add(&copy, steps[i][0], steps[i][to_depth ? 1 : 2], steps[i][to_depth ? 2 : 1]);
    strided_run(&copy, dtype_size(from->dtype), from->data, to->data);
}

static Error *run_depth(OpContext *c, bool to_depth)
{
    const Depth *kernel = c->kernel;
    const Tensor *x = op_input(c, 0);
    int64_t block = kernel->block;
    int h = kernel->channels_first ? 2 : 1, ch = kernel->channels_first ? 1 : 3;
    char text[SHAPE_TEXT_BYTES];
    if (x->shape.rank != 4)
        return error_new(ERROR_INVALID_ARGUMENT, "Input rank should be 4 instead of %d",
                         x->shape.rank);
    Shape shape = x->shape;
    if (to_depth && (shape.dims[h] % block != 0 || shape.dims[h + 1] % block != 0))
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Image height and width of %s should be divisible by block_size: %lld",
                         shape_text(&shape, text), (long long)block);
    if (!to_depth && shape.dims[ch] % (block * block) != 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Input depth dimension %lld should be divisible by: %lld",
                         (long long)shape.dims[ch], (long long)(block * block));
    bool fits = true;
    for (int i = h; i < h + 2; i++) {
        if (to_depth)
            shape.dims[i] /= block;
        else
            fits = fits && !__builtin_mul_overflow(shape.dims[i], block, &shape.dims[i]);
    }
    if (to_depth)
        fits = !__builtin_mul_overflow(shape.dims[ch], block * block, &shape.dims[ch]);
    else
        shape.dims[ch] /= block * block;
    if (!fits)
        return error_new(ERROR_INVALID_ARGUMENT, "Input of shape %s is too large",
                         shape_text(&x->shape, text));
    Tensor *y = NULL;
    TRY(op_output(c, 0, x->dtype, &shape, &y));
    if (y->n > 0)
        move_depth(kernel, x, y, to_depth);
    return NULL;
}

Error *space_to_depth_run(OpContext *c)
{
    return run_depth(c, true);
}

Error *depth_to_space_run(OpContext *c)
{
    return run_depth(c, false);
}
