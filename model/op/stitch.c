/* SPDX-License-Identifier: Apache-2.0
 *
 * DynamicPartition: the slices of a tensor sorted into several by number; DynamicStitch and
 * ParallelDynamicStitch: slices of several tensors put into one, each where its number says; of
 * equal numbers the last one wins. Any thread.
 */
#include <string.h>

#include "model/op/axes.h"
#include "model/op/kernels.h"

/* True when the first dimensions of `shape` are `start`. */
static bool starts_with(const Shape *shape, const Shape *start)
{
    bool same = shape->rank >= start->rank;
    for (int d = 0; same && d < start->rank; d++)
        same = shape->dims[d] == start->dims[d];
    return same;
}

/* The shape [n, dimensions of `of` from `from` on]. */
static Error *slices_shape(int64_t n, const Shape *of, int from, Shape *ret)
{
    *ret = shape_of(n);
    for (int d = from; d < of->rank; d++) {
        if (!shape_push(ret, of->dims[d]))
            return shape_rank_error();
    }
    return NULL;
}

/* ---- DynamicPartition ---------------------------------------------------------------------- */

Error *dynamic_partition_prepare(OpPrepare *prepare)
{
    if (prepare->n_outputs < 1)
        return error_new(ERROR_INVALID_ARGUMENT, "num_partitions must be at least 1");
    return NULL;
}

/* counts[p] = how many slices go to partition p. */
static Error *count_partitions(const Tensor *partitions, int n, int64_t *counts)
{
    const int32_t *number = partitions->data;
    memset(counts, 0, (size_t)n * sizeof(*counts));
    for (int64_t i = 0; i < partitions->n; i++) {
        if (number[i] < 0 || number[i] >= n)
            return error_new(ERROR_INVALID_ARGUMENT, "partitions[%lld] = %d is not in [0, %d)",
                             (long long)i, number[i], n);
        counts[number[i]]++;
    }
    return NULL;
}

Error *dynamic_partition_run(OpContext *c)
{
    const Tensor *data = op_input(c, 0), *partitions = op_input(c, 1);
    char text[SHAPE_TEXT_BYTES], start[SHAPE_TEXT_BYTES];
    if (!starts_with(&data->shape, &partitions->shape))
        return error_new(ERROR_INVALID_ARGUMENT,
                         "data.shape must start with partitions.shape, got data.shape = %s, "
                         "partitions.shape = %s",
                         shape_text(&data->shape, text), shape_text(&partitions->shape, start));
    int64_t *counts = op_scratch(c, (size_t)c->n_outputs * sizeof(*counts));
    if (counts == NULL)
        return error_out_of_memory();
    TRY(count_partitions(partitions, c->n_outputs, counts));
    for (int p = 0; p < c->n_outputs; p++) {
        Shape shape;
        Tensor *y = NULL;
        TRY(slices_shape(counts[p], &data->shape, partitions->shape.rank, &shape));
        TRY(op_output(c, p, data->dtype, &shape, &y));
        counts[p] = 0; /* from here on: slices that are there */
    }
    size_t bytes = dtype_size(data->dtype) *
                   (size_t)dims_product(&data->shape, partitions->shape.rank, data->shape.rank);
    for (int64_t i = 0; i < partitions->n && data->n > 0; i++) {
        int32_t p = ((const int32_t *)partitions->data)[i];
        memcpy((char *)c->outputs[p].data + (size_t)counts[p]++ * bytes,
               (const char *)data->data + (size_t)i * bytes, bytes);
    }
    return NULL;
}

/* ---- DynamicStitch ------------------------------------------------------------------------- */

Error *dynamic_stitch_prepare(OpPrepare *prepare)
{
    if (prepare->n_inputs < 2)
        return error_new(ERROR_INVALID_ARGUMENT, "%s needs at least one input", prepare->op->name);
    return NULL;
}

/* Checks the shapes, and gives the number of slices of the result. */
static Error *check_stitch(const OpContext *c, int n, int64_t *ret_n)
{
    const Shape *first = &op_input(c, n)->shape;
    int skipped = op_input(c, 0)->shape.rank; /* dimensions of the first that are no slice's */
    char texts[3][SHAPE_TEXT_BYTES];
    int64_t most = -1;
    for (int k = 0; k < n; k++) {
        const Tensor *indices = op_input(c, k), *data = op_input(c, n + k);
        if (!starts_with(&data->shape, &indices->shape))
            return error_new(ERROR_INVALID_ARGUMENT,
                             "data[%d].shape = %s does not start with indices[%d].shape = %s", k,
                             shape_text(&data->shape, texts[0]), k,
                             shape_text(&indices->shape, texts[1]));
        bool fits = data->shape.rank - indices->shape.rank == first->rank - skipped;
        for (int d = 0; fits && d < first->rank - skipped; d++)
            fits = data->shape.dims[indices->shape.rank + d] == first->dims[skipped + d];
        if (!fits)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Need data[0].shape[%d:] = data[%d].shape[%d:], got data[0].shape = "
                             "%s, data[%d].shape = %s, indices[0].shape = %s, indices[%d].shape = "
                             "%s",
                             skipped, k, indices->shape.rank, shape_text(first, texts[0]), k,
                             shape_text(&data->shape, texts[1]),
                             shape_text(&op_input(c, 0)->shape, texts[2]), k,
                             shape_text(&indices->shape, (char[SHAPE_TEXT_BYTES]){ 0 }));
        for (int64_t i = 0; i < indices->n; i++) {
            int32_t to = ((const int32_t *)indices->data)[i];
            if (to < 0)
                return error_new(ERROR_INVALID_ARGUMENT, "indices[%d] is out of range", k);
            most = to > most ? to : most;
        }
    }
    *ret_n = most + 1;
    return NULL;
}

/* Slices that no number names are zeros (empty strings): TensorFlow leaves them as they come. */
Error *dynamic_stitch_run(OpContext *c)
{
    int n = c->n_inputs / 2, skipped = op_input(c, 0)->shape.rank;
    const Shape *first = &op_input(c, n)->shape;
    int64_t n_slices = 0;
    Shape shape;
    Tensor *y = NULL;
    TRY(check_stitch(c, n, &n_slices));
    TRY(slices_shape(n_slices, first, skipped, &shape));
    TRY(op_output(c, 0, op_input(c, n)->dtype, &shape, &y));
    if (y->n == 0)
        return NULL;
    memset(y->data, 0, tensor_bytes(y));
    size_t bytes = dtype_size(y->dtype) * (size_t)dims_product(first, skipped, first->rank);
    for (int k = 0; k < n; k++) {
        const Tensor *indices = op_input(c, k), *data = op_input(c, n + k);
        for (int64_t i = 0; i < indices->n; i++)
            memcpy((char *)y->data + (size_t)((const int32_t *)indices->data)[i] * bytes,
                   (const char *)data->data + (size_t)i * bytes, bytes);
    }
    return NULL;
}
