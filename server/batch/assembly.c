/* SPDX-License-Identifier: Apache-2.0
 *
 * Assembly. The checks and texts are those of TensorFlow Serving's batching_session.cc and
 * batching_util.cc, but that tasks whose shapes differ are not an error: they are not put into the
 * same batch.
 *
 * A tensor is [rows, inner...], row-major, so that rows are runs of bytes; only padding looks at the
 * inner dimensions.
 */
#include "server/batch/assembly.h"

#include <assert.h>
#include <inttypes.h>

#define MAX_PADDED_RANK 6

/* ---- tasks --------------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
    const Bytes *x = &((const NamedTensor *)a)->name, *y = &((const NamedTensor *)b)->name;
    size_t n = x->size < y->size ? x->size : y->size;
    int order = n > 0 ? memcmp(x->data, y->data, n) : 0;
    return order != 0 ? order : (x->size > y->size) - (x->size < y->size);
}

Error *assembly_measure(BatchTask *task)
{
    if (task->n_inputs == 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Batching Run() must have at least one input tensor");
    task->n_bytes = 0;
    for (size_t i = 0; i < task->n_inputs; i++) {
        const Tensor *tensor = &task->inputs[i].tensor;
        if (tensor->shape.rank == 0)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Batching Run() input tensors must have at least one dimension");
        if (tensor->shape.dims[0] != task->inputs[0].tensor.shape.dims[0])
            return error_new(ERROR_INVALID_ARGUMENT, "Batching Run() input tensors must have equal "
                                                     "0th-dimension size");
        task->n_bytes += tensor_bytes(tensor);
    }
    task->n_rows = task->inputs[0].tensor.shape.dims[0];
    if (task->n_rows > task->params->max_task_rows)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Task size %" PRId64 " is larger than maximum input batch size %" PRId64,
                         task->n_rows, task->params->max_task_rows);
    qsort(task->inputs, task->n_inputs, sizeof(task->inputs[0]), compare_names);
    return NULL;
}

static bool same_inner(const Shape *a, const Shape *b)
{
    for (int i = 1; i < a->rank; i++)
        if (a->dims[i] != b->dims[i])
            return false;
    return true;
}

static bool tensors_join(const Tensor *a, const Tensor *b, bool pads)
{
    if (a->dtype != b->dtype || a->shape.rank != b->shape.rank)
        return false;
    return same_inner(&a->shape, &b->shape) ||
           (pads && a->shape.rank <= MAX_PADDED_RANK && a->n > 0 && b->n > 0);
}

bool assembly_joins(const BatchTask *a, const BatchTask *b)
{
    if (a->model != b->model || a->signature != b->signature || a->params != b->params ||
        a->n_inputs != b->n_inputs || a->n_filter != b->n_filter)
        return false;
    for (size_t i = 0; i < a->n_filter; i++)
        if (!bytes_equal(a->output_filter[i], b->output_filter[i]))
            return false;
    for (size_t i = 0; i < a->n_inputs; i++)
        if (!bytes_equal(a->inputs[i].name, b->inputs[i].name) ||
            !tensors_join(&a->inputs[i].tensor, &b->inputs[i].tensor, a->params->pads))
            return false;
    return true;
}

bool assembly_fits(const BatchTask *a, const BatchTask *b)
{
    for (size_t i = 0; i < a->n_inputs; i++)
        if (!same_inner(&a->inputs[i].tensor.shape, &b->inputs[i].tensor.shape))
            return false;
    return true;
}

/* ---- shapes of a batch --------------------------------------------------------------------- */

void assembly_grow(const BatchTask *task, Shape *shapes)
{
    for (size_t i = 0; i < task->n_inputs; i++) {
        const Shape *shape = &task->inputs[i].tensor.shape;
        if (shapes[i].rank == 0)
            shapes[i] = *shape;
        for (int k = 1; k < shape->rank; k++)
            if (shape->dims[k] > shapes[i].dims[k])
                shapes[i].dims[k] = shape->dims[k];
    }
}

/* Elements of a row; SIZE_MAX when that overflows. */
static size_t row_size(const Shape *shape)
{
    size_t n = 1;
    for (int i = 1; i < shape->rank; i++)
        if (!checked_mul(n, (size_t)shape->dims[i], &n))
            return SIZE_MAX;
    return n;
}

size_t assembly_bytes(const BatchTask *task, const Shape *shapes, int64_t n_rows)
{
    size_t sum = 0;
    for (size_t i = 0; i < task->n_inputs; i++) {
        size_t bytes = row_size(&shapes[i]);
        if (!checked_mul(bytes, (size_t)n_rows, &bytes) ||
            !checked_mul(bytes, dtype_size(task->inputs[i].tensor.dtype), &bytes) ||
            !checked_add(sum, bytes, &sum))
            return SIZE_MAX;
    }
    return sum;
}

/* ---- inputs -------------------------------------------------------------------------------- */

/* Fills `n` elements of `size` bytes with the one at `element`. */
static char *fill(char *out, const void *element, size_t size, size_t n)
{
    for (size_t i = 0; i < n; i++, out += size)
        memcpy(out, element, size);
    return out;
}

/* Writes the block from[0..) of the dimensions `dim`... of `shape` as one of `padded`, what is
 * missing filled with `value`. Returns the end of what was written. */
static char *put_padded(char *out, const char *from, const Shape *shape, const Shape *padded,
                        int dim, const void *value, size_t size)
{
    size_t n = (size_t)shape->dims[dim], missing = (size_t)padded->dims[dim] - n;
    if (dim == shape->rank - 1) {
        memcpy(out, from, n * size);
        return fill(out + n * size, value, size, missing);
    }
    size_t stride = size, wide = 1;
    for (int i = dim + 1; i < shape->rank; i++) {
        stride *= (size_t)shape->dims[i];
        wide *= (size_t)padded->dims[i];
    }
    for (size_t i = 0; i < n; i++)
        out = put_padded(out, from + i * stride, shape, padded, dim + 1, value, size);
    return fill(out, value, size, missing * wide);
}

/* Writes rows [begin, begin + n) of `tensor` as rows of the shape `padded`. */
static char *put_rows(char *out, const Tensor *tensor, int64_t begin, int64_t n,
                      const Shape *padded)
{
    size_t size = dtype_size(tensor->dtype), row = row_size(&tensor->shape) * size;
    const char *from = (const char *)tensor->data + (size_t)begin * row;
    if (row_size(padded) == 0 || n == 0)
        return out;
    if (same_inner(&tensor->shape, padded)) {
        memcpy(out, from, (size_t)n * row);
        return out + (size_t)n * row;
    }
    for (int64_t i = 0; i < n; i++)
        out =
            put_padded(out, from + (size_t)i * row, &tensor->shape, padded, 1, tensor->data, size);
    return out;
}

static Error *copy_strings(Arena *arena, Bytes *strings, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        strings[i].data = arena_memdup(arena, strings[i].data, strings[i].size);
        if (strings[i].data == NULL)
            return error_out_of_memory();
    }
    return NULL;
}

/* Input number `i` of the batch. */
static Error *join_input(Arena *arena, const BatchPart *parts, size_t n_parts, size_t i,
                         const Shape *shape, Tensor *ret_tensor)
{
    TRY(tensor_new(arena, parts[0].task->inputs[i].tensor.dtype, shape, ret_tensor));
    char *out = ret_tensor->data;
    const Tensor *last = NULL;
    int64_t n_put = 0;
    for (size_t k = 0; k < n_parts; k++) {
        const Tensor *tensor = &parts[k].task->inputs[i].tensor;
        out = put_rows(out, tensor, parts[k].begin, parts[k].n_rows, shape);
        n_put += parts[k].n_rows;
        if (parts[k].n_rows > 0)
            last = tensor;
    }
    for (; last != NULL && n_put < shape->dims[0]; n_put++)
        out = put_rows(out, last, 0, 1, shape);
    /* An op may move strings between rows, and tasks do not end together. */
    return ret_tensor->dtype == DT_STRING ? copy_strings(arena, ret_tensor->data, ret_tensor->n)
                                          : NULL;
}

Error *assembly_inputs(Arena *arena, const BatchPart *parts, size_t n_parts, int64_t n_rows,
                       NamedTensor **ret_inputs)
{
    const BatchTask *first = parts[0].task;
    size_t n = first->n_inputs;
    if (n_parts == 1 && batch_part_is_whole(parts) && n_rows == first->n_rows) {
        *ret_inputs = first->inputs;
        return NULL;
    }
    NamedTensor *inputs = arena_calloc(arena, n, sizeof(*inputs));
    Shape *shapes = arena_calloc(arena, n, sizeof(*shapes));
    if (inputs == NULL || shapes == NULL)
        return error_out_of_memory();
    for (size_t k = 0; k < n_parts; k++)
        assembly_grow(parts[k].task, shapes);
    for (size_t i = 0; i < n; i++) {
        shapes[i].dims[0] = n_rows;
        inputs[i].name = first->inputs[i].name;
        TRY(join_input(arena, parts, n_parts, i, &shapes[i], &inputs[i].tensor));
    }
    *ret_inputs = inputs;
    return NULL;
}

/* ---- outputs ------------------------------------------------------------------------------- */

Error *assembly_check_outputs(const NamedTensor *outputs, size_t n, int64_t n_rows)
{
    for (size_t i = 0; i < n; i++) {
        const Shape *shape = &outputs[i].tensor.shape;
        if (shape->rank == 0)
            return error_new(ERROR_FAILED_PRECONDITION, "Batched output tensor has 0 dimensions");
        if (shape->dims[0] != n_rows)
            return error_new(ERROR_FAILED_PRECONDITION,
                             "Batched output tensor's 0th dimension does not equal the sum of the "
                             "0th dimension sizes of the input tensors");
    }
    return NULL;
}

void assembly_rows(const NamedTensor *outputs, size_t n, int64_t begin, int64_t n_rows,
                   NamedTensor *rows)
{
    for (size_t i = 0; i < n; i++) {
        Tensor tensor = outputs[i].tensor;
        size_t row = row_size(&tensor.shape);
        tensor.shape.dims[0] = n_rows;
        tensor.n = n_rows * (int64_t)row;
        if (tensor.n > 0)
            tensor.data = (char *)tensor.data + (size_t)begin * row * dtype_size(tensor.dtype);
        rows[i] = (NamedTensor){ outputs[i].name, tensor };
    }
}

Error *assembly_outputs_new(BatchTask *task, const NamedTensor *outputs, size_t n)
{
    NamedTensor *made = arena_calloc(task->arena, n, sizeof(*made));
    if (made == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < n; i++) {
        Shape shape = outputs[i].tensor.shape;
        shape.dims[0] = task->n_rows;
        made[i].name = outputs[i].name;
        TRY(tensor_new(task->arena, outputs[i].tensor.dtype, &shape, &made[i].tensor));
    }
    task->outputs = made;
    task->n_outputs = n;
    return NULL;
}

Error *assembly_join_rows(Arena *arena, const BatchPart *part, const NamedTensor *rows, size_t n)
{
    const BatchTask *task = part->task;
    assert(n == task->n_outputs);
    for (size_t i = 0; i < n; i++) {
        const Tensor *from = &rows[i].tensor, *to = &task->outputs[i].tensor;
        if (from->dtype != to->dtype || from->shape.rank != to->shape.rank ||
            !same_inner(&from->shape, &to->shape))
            return error_new(ERROR_FAILED_PRECONDITION,
                             "output %.*s has another shape in one part of the request than in "
                             "another: it cannot be split into batches",
                             (int)rows[i].name.size, (const char *)rows[i].name.data);
        if (from->n == 0)
            continue;
        char *out =
            (char *)to->data + (size_t)part->begin * row_size(&to->shape) * dtype_size(to->dtype);
        memcpy(out, from->data, tensor_bytes(from));
        if (to->dtype == DT_STRING)
            TRY(copy_strings(arena, (Bytes *)(void *)out, from->n));
    }
    return NULL;
}
