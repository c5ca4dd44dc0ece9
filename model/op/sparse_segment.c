/* SPDX-License-Identifier: Apache-2.0
 *
 * SparseSegmentSum, -Mean, -SqrtN and their forms WithNumSegments: sums of chosen rows of a tensor
 * by segment (what an embedding of several ids a row is), divided by their number or its root. The
 * segment numbers do not fall; a segment without rows is zeros.
 *
 * half and bfloat16 are added up as float. Any thread.
 */
#include <math.h>
#include <string.h>

#include "model/op/axes.h"
#include "model/op/elementwise.h"
#include "model/op/kernels.h"
#include "model/op/typed.h"

/* to[i] += row[i] */
typedef void AddRow(int64_t n, const void *row, void *to);
/* to[i] /= by */
typedef void DivideRow(int64_t n, double by, void *to);

typedef struct SparseSegmentKernel {
    AddRow *add;
    DivideRow *divide; /* NULL for integers, which are only summed */
    bool is_mean, is_root;
} SparseSegmentKernel;

#define ADD_ROW(type, suffix, wide)                                                                \
    static void add_##suffix(int64_t n, const void *row, void *to)                                 \
    {                                                                                              \
        for (int64_t i = 0; i < n; i++)                                                            \
            ((type *)to)[i] = (type)((wide)((type *)to)[i] + (wide)((const type *)row)[i]);        \
    }
#define FLOAT_ROWS(dt, type, suffix)                                                               \
    ADD_ROW(type, suffix, type)                                                                    \
    static void divide_##suffix(int64_t n, double by, void *to)                                    \
    {                                                                                              \
        for (int64_t i = 0; i < n; i++)                                                            \
            ((type *)to)[i] /= (type)by;                                                           \
    }
#define INT_ROWS(dt, type, suffix) ADD_ROW(type, suffix, uint64_t)
FOR_EACH_FLOAT(FLOAT_ROWS)
FOR_EACH_INT(INT_ROWS)

static void find_rows(DType dtype, SparseSegmentKernel *kernel)
{
    switch (dtype) {
#define FLOAT_CASE(dt, type, suffix)                                                               \
    case dt:                                                                                       \
        kernel->add = add_##suffix;                                                                \
        kernel->divide = divide_##suffix;                                                          \
        break;
#define INT_CASE(dt, type, suffix)                                                                 \
    case dt:                                                                                       \
        kernel->add = add_##suffix;                                                                \
        break;
        FOR_EACH_FLOAT(FLOAT_CASE)
        FOR_EACH_INT(INT_CASE)
    default:
        break;
    }
}

Error *sparse_segment_prepare(OpPrepare *prepare)
{
    SparseSegmentKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    DType dtype = prepare->input_dtypes[0];
    if (kernel == NULL)
        return error_out_of_memory();
    TRY(op_prepare_indices(prepare));
    find_rows(dtype_is_short_float(dtype) ? DT_FLOAT : dtype, kernel);
    kernel->is_mean = strstr(prepare->op->name, "Mean") != NULL;
    kernel->is_root = strstr(prepare->op->name, "SqrtN") != NULL;
    if (kernel->add == NULL || ((kernel->is_mean || kernel->is_root) && kernel->divide == NULL))
        return op_unsupported_type(prepare, dtype);
    prepare->kernel = kernel;
    return NULL;
}

/* Checks all that the loop relies on, and gives the number of segments. */
static Error *check_sparse(const OpContext *c, int64_t *ret_n)
{
    const Tensor *data = op_input(c, 0), *indices = op_input(c, 1), *ids = op_input(c, 2);
    if (indices->shape.rank != 1)
        return error_new(ERROR_INVALID_ARGUMENT, "indices should be a vector.");
    if (ids->shape.rank != 1)
        return error_new(ERROR_INVALID_ARGUMENT, "segment_ids should be a vector.");
    if (indices->n != ids->n)
        return error_new(ERROR_INVALID_ARGUMENT, "segment_ids and indices should have same size.");
    if (data->shape.rank < 1)
        return error_new(ERROR_INVALID_ARGUMENT, "Shape must be at least rank 1");
    int64_t last = ids->n > 0 ? tensor_index_at(ids, ids->n - 1) : -1, n = last + 1;
    if (last < -1 || last >= INT32_MAX || (ids->n > 0 && last < 0))
        return error_new(ERROR_INVALID_ARGUMENT, "segment ids must be >= 0");
    if (c->n_inputs > 3) {
        const Tensor *count = op_input(c, 3);
        if (count->shape.rank != 0)
            return error_new(ERROR_INVALID_ARGUMENT, "num_segments should be a scalar.");
        n = tensor_index_at(count, 0);
        if (n < 0)
            return error_new(ERROR_INVALID_ARGUMENT, "num_segments should be >= 0, not %lld",
                             (long long)n);
        if (last >= n)
            return error_new(ERROR_INVALID_ARGUMENT, "segment ids must be < num_segments");
    }
    for (int64_t i = 0; i < ids->n; i++) {
        int64_t index = tensor_index_at(indices, i), id = tensor_index_at(ids, i);
        if (id < 0 || (i > 0 && id < tensor_index_at(ids, i - 1)))
            return error_new(ERROR_INVALID_ARGUMENT, "segment ids are not increasing");
        if (index < 0 || index >= data->shape.dims[0])
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Bad: indices[%lld] == %lld out of range [0, %lld)", (long long)i,
                             (long long)index, (long long)data->shape.dims[0]);
    }
    *ret_n = n;
    return NULL;
}

static void sum_segments(const OpContext *c, const void *data, int64_t row, void *to)
{
    const SparseSegmentKernel *kernel = c->kernel;
    const Tensor *indices = op_input(c, 1), *ids = op_input(c, 2);
    DType dtype = op_input(c, 0)->dtype;
    size_t bytes = (size_t)row * (dtype_is_short_float(dtype) ? sizeof(float) : dtype_size(dtype));
    for (int64_t i = 0; i < ids->n;) {
        int64_t id = tensor_index_at(ids, i), count = 0;
        char *segment = (char *)to + (size_t)id * bytes;
        for (; i < ids->n && tensor_index_at(ids, i) == id; i++, count++)
            kernel->add(row, (const char *)data + (size_t)tensor_index_at(indices, i) * bytes,
                        segment);
        if (kernel->is_mean)
            kernel->divide(row, (double)count, segment);
        else if (kernel->is_root)
            kernel->divide(row, sqrt((double)count), segment);
    }
}

Error *sparse_segment_run(OpContext *c)
{
    const Tensor *data = op_input(c, 0);
    Shape shape = data->shape;
    int64_t n = 0;
    TRY(check_sparse(c, &n));
    shape.dims[0] = n;
    Tensor *y = NULL;
    TRY(op_output(c, 0, data->dtype, &shape, &y));
    const float *wide = NULL;
    TRY(shorts_as_floats(c, data, &wide));
    if (y->n == 0)
        return NULL;
    bool is_short = dtype_is_short_float(data->dtype);
    void *to = is_short ? op_scratch(c, (size_t)y->n * sizeof(float)) : y->data;
    if (to == NULL)
        return error_out_of_memory();
    memset(to, 0, is_short ? (size_t)y->n * sizeof(float) : tensor_bytes(y));
    sum_segments(c, wide, dims_product(&shape, 1, shape.rank), to);
    if (is_short)
        shorts_narrow(data->dtype, y->n, to, y->data);
    return NULL;
}
