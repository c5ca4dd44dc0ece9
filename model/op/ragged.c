/* SPDX-License-Identifier: Apache-2.0
 *
 * RaggedTensorToTensor: rows of different lengths to a dense tensor, filled up with a default.
 *
 * A ragged tensor is its values, whose first dimension is all rows laid end to end, and partitions
 * from the outside in, each of which cuts the rows of the next level into the rows of this one:
 *
 *   FIRST_DIM_SIZE  only first, before VALUE_ROWIDS: the number of rows
 *   ROW_SPLITS      row r of this level is [splits[r], splits[r + 1]) of the next
 *   VALUE_ROWIDS    row k of the next level belongs to row ids[k]; ascending
 *
 * Level by level, `places` holds for each row where it begins in the output, in units of the values'
 * inner elements, or -1 when it is cut off because the wanted shape is smaller.
 */
#include "model/op/ragged.h"
#include "model/op/axes.h"
#include "model/op/broadcast.h"
#include "model/op/kernels.h"

#define CUT_OFF (-1)

typedef enum PartitionKind { FIRST_DIM_SIZE, ROW_SPLITS, VALUE_ROWIDS } PartitionKind;

typedef struct RaggedKernel {
    int n_partitions;
    const PartitionKind *kinds; /* [n_partitions] */
} RaggedKernel;

#define FIRST_PARTITION_INPUT 3

Error *ragged_to_tensor_prepare(OpPrepare *prepare)
{
    static const char *const names[] = { "FIRST_DIM_SIZE", "ROW_SPLITS", "VALUE_ROWIDS" };
    size_t n = 0;
    const Bytes *types = NULL;
    TRY(op_check_index_type(prepare, 0));
    for (int i = FIRST_PARTITION_INPUT; i < prepare->n_inputs; i++)
        TRY(op_check_index_type(prepare, i));
    TRY(attrs_texts(prepare->attrs, "row_partition_types", &n, &types));
    RaggedKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    PartitionKind *kinds = arena_calloc(prepare->arena, n, sizeof(*kinds));
    if (kernel == NULL || kinds == NULL)
        return error_out_of_memory();
    if (n == 0 || (int)n != prepare->n_inputs - FIRST_PARTITION_INPUT)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "row_partition_types has %zu elements, but there are %d partitions", n,
                         prepare->n_inputs - FIRST_PARTITION_INPUT);
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;
        while (k < ARRAY_SIZE(names) && !bytes_equal(types[i], bytes_of_text(names[k])))
            k++;
        if (k == ARRAY_SIZE(names))
            return error_new(ERROR_INVALID_ARGUMENT, "Unknown string for partition info type: %s",
                             (const char *)types[i].data);
        kinds[i] = (PartitionKind)k;
        bool fits = i == 0 ? kinds[i] != VALUE_ROWIDS : kinds[i] != FIRST_DIM_SIZE;
        if (!fits || (i + 1 == n && kinds[i] == FIRST_DIM_SIZE))
            return error_new(ERROR_INVALID_ARGUMENT,
                             "row_partition_types must begin with ROW_SPLITS, or with "
                             "FIRST_DIM_SIZE before VALUE_ROWIDS");
    }
    *kernel = (RaggedKernel){ (int)n, kinds };
    prepare->kernel = kernel;
    return NULL;
}

/* ---- the shape ----------------------------------------------------------------------------- */

/* The partitions that cut rows; FIRST_DIM_SIZE is none. */
static int first_cut(const RaggedKernel *kernel)
{
    return kernel->kinds[0] == FIRST_DIM_SIZE ? 1 : 0;
}

static const Tensor *partition_at(const OpContext *c, int i)
{
    return op_input(c, FIRST_PARTITION_INPUT + i);
}

static Error *first_dimension(const OpContext *c, int64_t *ret)
{
    const RaggedKernel *kernel = c->kernel;
    const Tensor *first = partition_at(c, 0);
    if (kernel->kinds[0] == FIRST_DIM_SIZE && first->n == 1)
        *ret = tensor_index_at(first, 0);
    else if (kernel->kinds[0] == ROW_SPLITS && first->n > 0)
        *ret = first->n - 1;
    else
        return error_new(ERROR_INVALID_ARGUMENT, "the first row partition is empty");
    if (*ret < 0)
        return error_new(ERROR_INVALID_ARGUMENT, "the first dimension is %lld, which is negative",
                         (long long)*ret);
    return NULL;
}

/* Checks a partition of `n_rows` rows. Gives the length of the longest and of all together. */
static Error *measure(PartitionKind kind, const Tensor *partition, int64_t n_rows,
                      int64_t *ret_longest, int64_t *ret_total)
{
    bool is_splits = kind == ROW_SPLITS, is_good = partition->shape.rank == 1;
    int64_t longest = 0, run = 0, before = 0;
    if (is_splits)
        is_good = is_good && partition->n == n_rows + 1 && tensor_index_at(partition, 0) == 0;
    for (int64_t i = is_splits ? 1 : 0; is_good && i < partition->n; i++) {
        int64_t v = tensor_index_at(partition, i);
        is_good = v >= before && (is_splits || v < n_rows);
        run = is_splits ? v - before : (i > 0 && v == before ? run + 1 : 1);
        longest = run > longest ? run : longest;
        before = v;
    }
    if (!is_good)
        return error_new(ERROR_INVALID_ARGUMENT, "a row partition of %lld rows is not %s",
                         (long long)n_rows,
                         is_splits ? "one ascending vector of splits from 0, one more than rows"
                                   : "one ascending vector of row numbers below that");
    *ret_longest = longest;
    *ret_total = is_splits ? before : partition->n;
    return NULL;
}

/* The wanted dimensions: all -1 when the input says nothing. */
static Error *wanted_shape(const OpContext *c, int rank, Shape *ret)
{
    const Tensor *shape = op_input(c, 0);
    *ret = (Shape){ .rank = rank };
    for (int d = 0; d < rank; d++)
        ret->dims[d] = -1;
    if (shape->shape.rank == 0 && tensor_index_at(shape, 0) == -1)
        return NULL;
    TRY(tensor_to_shape(shape, ret));
    if (shape->shape.rank == 0 || ret->rank != rank)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "shape has %lld elements, but the result has rank %d", (long long)shape->n,
                         rank);
    return NULL;
}

/* The output's shape: wanted dimensions where they are said, else as long as the longest row. */
static Error *output_shape(const OpContext *c, Shape *ret)
{
    const RaggedKernel *kernel = c->kernel;
    const Tensor *values = op_input(c, 1);
    int first = first_cut(kernel), n_cuts = kernel->n_partitions - first;
    if (values->shape.rank < 1)
        return error_new(ERROR_INVALID_ARGUMENT, "values must have at least one dimension");
    int rank = n_cuts + values->shape.rank;
    if (rank > SHAPE_MAX_RANK)
        return error_new(ERROR_UNIMPLEMENTED, "tensors have at most %d dimensions", SHAPE_MAX_RANK);
    int64_t n_rows = 0, longest = 0;
    TRY(wanted_shape(c, rank, ret));
    TRY(first_dimension(c, &n_rows));
    ret->dims[0] = ret->dims[0] >= 0 ? ret->dims[0] : n_rows;
    for (int i = 0; i < n_cuts; i++) {
        TRY(measure(kernel->kinds[first + i], partition_at(c, first + i), n_rows, &longest,
                    &n_rows));
        ret->dims[1 + i] = ret->dims[1 + i] >= 0 ? ret->dims[1 + i] : longest;
    }
    if (n_rows != values->shape.dims[0])
        return error_new(ERROR_INVALID_ARGUMENT,
                         "the row partitions are of %lld values, but there are %lld",
                         (long long)n_rows, (long long)values->shape.dims[0]);
    for (int d = 1; d < values->shape.rank; d++) {
        int64_t *dim = &ret->dims[n_cuts + d];
        if (*dim >= 0 && *dim != values->shape.dims[d])
            return error_new(ERROR_INVALID_ARGUMENT,
                             "dimension %d of shape is %lld, but that of the values is %lld",
                             n_cuts + d, (long long)*dim, (long long)values->shape.dims[d]);
        *dim = values->shape.dims[d];
    }
    return NULL;
}

/* ---- the elements -------------------------------------------------------------------------- */

/* Places of the rows of the next level. `unit` and `limit` are those of its dimension. */
static void place_rows(PartitionKind kind, const Tensor *partition, const int64_t *places,
                       int64_t unit, int64_t limit, int64_t *next)
{
    if (kind == ROW_SPLITS) {
        for (int64_t r = 0; r + 1 < partition->n; r++) {
            int64_t begin = tensor_index_at(partition, r), end = tensor_index_at(partition, r + 1);
            for (int64_t k = begin; k < end; k++)
                next[k] = places[r] == CUT_OFF || k - begin >= limit
                              ? CUT_OFF
                              : places[r] + (k - begin) * unit;
        }
        return;
    }
    int64_t column = 0;
    for (int64_t k = 0; k < partition->n; k++) {
        int64_t row = tensor_index_at(partition, k);
        column = k > 0 && row == tensor_index_at(partition, k - 1) ? column + 1 : 0;
        next[k] = places[row] == CUT_OFF || column >= limit ? CUT_OFF : places[row] + column * unit;
    }
}

/* Where each row of the values begins, in units of their inner elements. */
static Error *place_values(OpContext *c, const Shape *shape, const int64_t **ret_places)
{
    const RaggedKernel *kernel = c->kernel;
    int first = first_cut(kernel), n_cuts = kernel->n_partitions - first;
    int64_t n_rows = 0;
    TRY(first_dimension(c, &n_rows));
    int64_t *places = op_scratch(c, (size_t)n_rows * sizeof(*places));
    if (places == NULL)
        return error_out_of_memory();
    int64_t unit = 1;
    for (int d = 1; d <= n_cuts; d++)
        unit *= shape->dims[d];
    for (int64_t r = 0; r < n_rows; r++)
        places[r] = r < shape->dims[0] ? r * unit : CUT_OFF;
    for (int i = 0; i < n_cuts; i++) {
        const Tensor *partition = partition_at(c, first + i);
        bool is_splits = kernel->kinds[first + i] == ROW_SPLITS;
        int64_t n = is_splits ? tensor_index_at(partition, partition->n - 1) : partition->n;
        int64_t *next = op_scratch(c, (size_t)n * sizeof(*next));
        if (next == NULL)
            return error_out_of_memory();
        unit = shape->dims[1 + i] > 0 ? unit / shape->dims[1 + i] : 0;
        place_rows(kernel->kinds[first + i], partition, places, unit, shape->dims[1 + i], next);
        places = next;
    }
    *ret_places = places;
    return NULL;
}

/* One block of inner elements of the default value, which may be broadcast. */
static Error *default_block(OpContext *c, const Shape *inner, int64_t n, const void **ret)
{
    const Tensor *fallback = op_input(c, 2);
    size_t size = dtype_size(fallback->dtype);
    char text[2][SHAPE_TEXT_BYTES];
    Broadcast b;
    if (!broadcast_init(&b, 2, (const Shape *const[]){ &fallback->shape, inner }) ||
        !shape_equal(&b.shape, inner))
        return error_new(ERROR_INVALID_ARGUMENT,
                         "default_value of shape %s does not fit values of inner shape %s",
                         shape_text(&fallback->shape, text[0]), shape_text(inner, text[1]));
    char *block = op_scratch(c, (size_t)n * size), *to = block;
    if (block == NULL)
        return error_out_of_memory();
    for (BroadcastWalk w = broadcast_begin(&b); !w.done; broadcast_next(&b, &w)) {
        for (int64_t i = 0; i < b.row; i++, to += size)
            memcpy(to,
                   (const char *)fallback->data +
                       (size_t)(w.offsets[0] + i * b.row_strides[0]) * size,
                   size);
    }
    *ret = block;
    return NULL;
}

Error *ragged_to_tensor_run(OpContext *c)
{
    const Tensor *values = op_input(c, 1);
    Shape shape, inner = { .rank = 0 };
    TRY(output_shape(c, &shape));
    for (int d = 1; d < values->shape.rank; d++)
        inner.dims[inner.rank++] = values->shape.dims[d];
    int64_t n_inner = 0;
    TRY(shape_count(&inner, &n_inner));
    Tensor *output = NULL;
    TRY(op_output(c, 0, values->dtype, &shape, &output));
    if (output->n == 0)
        return NULL;
    const int64_t *places = NULL;
    const void *block = NULL;
    TRY(place_values(c, &shape, &places));
    TRY(default_block(c, &inner, n_inner, &block));
    size_t block_bytes = (size_t)n_inner * dtype_size(values->dtype);
    char *to = output->data;
    for (int64_t i = 0; i < output->n / n_inner; i++)
        memcpy(to + (size_t)i * block_bytes, block, block_bytes);
    for (int64_t i = 0; i < values->shape.dims[0]; i++) {
        if (places[i] != CUT_OFF)
            memcpy(to + (size_t)places[i] * block_bytes,
                   (const char *)values->data + (size_t)i * block_bytes, block_bytes);
    }
    return NULL;
}

/* ---- ragged.h ------------------------------------------------------------------------------ */

Error *splits_set(Tensor *splits, int64_t i, int64_t value)
{
    if (splits->dtype == DT_INT64) {
        ((int64_t *)splits->data)[i] = value;
        return NULL;
    }
    if (value > INT32_MAX)
        return error_new(ERROR_INVALID_ARGUMENT, "%lld rows are more than int32 splits can say",
                         (long long)value);
    ((int32_t *)splits->data)[i] = (int32_t)value;
    return NULL;
}
