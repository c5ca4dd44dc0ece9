/* SPDX-License-Identifier: Apache-2.0
 *
 * Slices found by coordinates: GatherNd, ScatterNd, and TensorScatterUpdate, -Add, -Sub, -Max and
 * -Min. Each row of `indices` [..., depth] is the coordinates of a slice in the first `depth`
 * dimensions of a tensor. All coordinates are checked before a slice is read or written; rows are
 * taken in order, so that the last one of the same coordinates wins. Any thread.
 */
#include <stdio.h>
#include <string.h>

#include "model/op/axes.h"
#include "model/op/elementwise.h"
#include "model/op/kernels.h"
#include "model/op/typed.h"

/* to[i] = f(to[i], update[i]) */
typedef void ScatterLoop(int64_t n, const void *update, void *to);

typedef struct ScatterKernel {
    ScatterLoop *loop; /* NULL: the update takes the place */
} ScatterKernel;

/* `indices` over a tensor of some shape. */
typedef struct Slices {
    int depth;       /* coordinates of a slice */
    int64_t n;       /* rows of indices */
    int64_t size;    /* elements of a slice */
    const Shape *of; /* the tensor's shape */
    const Tensor *indices;
} Slices;

#define LOOPS(type, suffix, wide)                                                                  \
    LOOP(add_##suffix, type, (type)((wide)a + (wide)b))                                            \
    LOOP(sub_##suffix, type, (type)((wide)a - (wide)b))                                            \
    LOOP(max_##suffix, type, a < b ? b : a)                                                        \
    LOOP(min_##suffix, type, b < a ? b : a)
#define LOOP(name, type, expression)                                                               \
    static void name(int64_t n, const void *update, void *to)                                      \
    {                                                                                              \
        for (int64_t i = 0; i < n; i++) {                                                          \
            const type a = ((const type *)to)[i], b = ((const type *)update)[i];                   \
            ((type *)to)[i] = (expression);                                                        \
        }                                                                                          \
    }
#define FLOAT_LOOPS(dt, type, suffix) LOOPS(type, suffix, type)
#define INT_LOOPS(dt, type, suffix) LOOPS(type, suffix, uint64_t)
FOR_EACH_FLOAT(FLOAT_LOOPS)
FOR_EACH_INT(INT_LOOPS)

/* Row k's slice number; -1 when a coordinate is out of range. */
static int64_t slice_at(const Slices *s, int64_t k)
{
    int64_t at = 0;
    for (int d = 0; d < s->depth; d++) {
        int64_t i = tensor_index_at(s->indices, k * s->depth + d);
        if (i < 0 || i >= s->of->dims[d])
            return -1;
        at = at * s->of->dims[d] + i;
    }
    return at;
}

/* Where row k stands and what it says: "indices[0,2] = [5, 1]". */
static void row_text(const Slices *s, int64_t k, char text[SHAPE_TEXT_BYTES * 2])
{
    const Shape *shape = &s->indices->shape;
    size_t size = SHAPE_TEXT_BYTES * 2, used = 0;
    int64_t inside = s->n, left = k;
    used += (size_t)snprintf(text, size, "indices[");
    for (int d = 0; d + 1 < shape->rank; d++) {
        inside /= shape->dims[d];
        used += (size_t)snprintf(text + used, size - used, "%s%lld", d > 0 ? "," : "",
                                 (long long)(left / inside));
        left %= inside;
    }
    used += (size_t)snprintf(text + used, size - used, "] = ["); /* 16 numbers and this fit */
    for (int d = 0; d < s->depth; d++)
        used += (size_t)snprintf(text + used, size - used, "%s%lld", d > 0 ? ", " : "",
                                 (long long)tensor_index_at(s->indices, k * s->depth + d));
    snprintf(text + used, size - used, "]");
}

static void init_slices(const Tensor *indices, const Shape *of, Slices *ret)
{
    int last = indices->shape.rank - 1, depth = (int)indices->shape.dims[last];
    *ret = (Slices){ .depth = depth,
                     .n = dims_product(&indices->shape, 0, last),
                     .size = dims_product(of, depth, of->rank),
                     .of = of,
                     .indices = indices };
}

static Error *check_index_type(const OpPrepare *prepare, int input)
{
    DType dtype = prepare->input_dtypes[input];
    if (dtype != DT_INT16 && dtype != DT_INT32 && dtype != DT_INT64)
        return error_new(ERROR_UNIMPLEMENTED,
                         "%s with indices of type %s is not supported: int16, int32 and int64 are",
                         prepare->op->name, dtype_name(dtype));
    return NULL;
}

/* ---- GatherNd ------------------------------------------------------------------------------ */

Error *gather_nd_prepare(OpPrepare *prepare)
{
    return check_index_type(prepare, 1);
}

Error *gather_nd_run(OpContext *c)
{
    const Tensor *params = op_input(c, 0), *indices = op_input(c, 1);
    const Shape *shape = &indices->shape;
    char text[SHAPE_TEXT_BYTES * 2], of[SHAPE_TEXT_BYTES];
    if (params->shape.rank < 1)
        return error_new(ERROR_INVALID_ARGUMENT, "params must be at least a vector");
    if (shape->rank < 1)
        return error_new(ERROR_INVALID_ARGUMENT, "indices must be at least a vector");
    if (shape->dims[shape->rank - 1] > params->shape.rank)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "index innermost dimension length must be <= params rank; saw: %lld vs. "
                         "%d",
                         (long long)shape->dims[shape->rank - 1], params->shape.rank);
    Slices s;
    init_slices(indices, &params->shape, &s);
    Shape out = { .rank = 0 };
    bool fits = true;
    for (int d = 0; d + 1 < shape->rank; d++)
        fits = fits && shape_push(&out, shape->dims[d]);
    for (int d = s.depth; d < params->shape.rank; d++)
        fits = fits && shape_push(&out, params->shape.dims[d]);
    if (!fits)
        return shape_rank_error();
    Tensor *y = NULL;
    TRY(op_output(c, 0, params->dtype, &out, &y));
    if (s.n > 0 && params->n == 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Requested more than 0 entries, but params is empty.  Params shape: %s",
                         shape_text(&params->shape, of));
    size_t bytes = (size_t)s.size * dtype_size(params->dtype);
    for (int64_t k = 0; y->n > 0 && k < s.n; k++) {
        int64_t at = slice_at(&s, k);
        if (at < 0) {
            row_text(&s, k, text);
            return error_new(ERROR_INVALID_ARGUMENT,
                             "%s does not index into param shape %s, node name: %s", text,
                             shape_text(&params->shape, of), c->node_name);
        }
        memcpy((char *)y->data + (size_t)k * bytes, (const char *)params->data + (size_t)at * bytes,
               bytes);
    }
    return NULL;
}

/* ---- scattering ---------------------------------------------------------------------------- */

static ScatterLoop *find_loop(DType dtype, const char *what)
{
    switch (dtype) {
#define CASE(dt, type, suffix)                                                                     \
    case dt:                                                                                       \
        return strcmp(what, "Add") == 0   ? add_##suffix                                           \
               : strcmp(what, "Sub") == 0 ? sub_##suffix                                           \
               : strcmp(what, "Max") == 0 ? max_##suffix                                           \
                                          : min_##suffix;
        FOR_EACH_NUMBER(CASE)
    default:
        return NULL;
    }
}

static Error *prepare_scatter(OpPrepare *prepare, DType dtype, const char *what)
{
    ScatterKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    if (strcmp(what, "Update") != 0) {
        kernel->loop = find_loop(dtype, what);
        if (kernel->loop == NULL)
            return op_unsupported_type(prepare, dtype);
    }
    prepare->kernel = kernel;
    return NULL;
}

Error *scatter_nd_prepare(OpPrepare *prepare)
{
    TRY(check_index_type(prepare, 0));
    return prepare_scatter(prepare, prepare->input_dtypes[1], "Add");
}

Error *tensor_scatter_prepare(OpPrepare *prepare)
{
    TRY(check_index_type(prepare, 1));
    return prepare_scatter(prepare, prepare->input_dtypes[0],
                           prepare->op->name + strlen("TensorScatter"));
}

/* indices [batch..., depth], updates [batch..., slice...], of [of..., slice...]. */
static Error *check_updates(const Tensor *indices, const Tensor *updates, const Shape *of)
{
    const Shape *is = &indices->shape, *us = &updates->shape;
    char text[SHAPE_TEXT_BYTES], of_text[SHAPE_TEXT_BYTES], indices_text[SHAPE_TEXT_BYTES];
    if (is->rank < 1)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Indices shape must have rank at least one. Found:%s",
                         shape_text(is, text));
    int64_t depth = is->dims[is->rank - 1];
    bool fits = depth <= of->rank && us->rank == is->rank - 1 + of->rank - depth;
    for (int d = 0; fits && d < us->rank; d++)
        fits = us->dims[d] ==
               (d < is->rank - 1 ? is->dims[d] : of->dims[d - (is->rank - 1) + (int)depth]);
    if (!fits)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Inner dimensions of output shape must match inner dimensions of updates "
                         "shape. Output: %s updates: %s indices: %s",
                         shape_text(of, of_text), shape_text(us, text),
                         shape_text(is, indices_text));
    return NULL;
}

static Error *scatter(const OpContext *c, const Tensor *indices, const Tensor *updates, Tensor *y)
{
    const ScatterKernel *kernel = c->kernel;
    char text[SHAPE_TEXT_BYTES * 2], of[SHAPE_TEXT_BYTES];
    Slices s;
    if (y->n == 0 && updates->n > 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Indices and updates specified for empty output shape");
    init_slices(indices, &y->shape, &s);
    size_t bytes = (size_t)s.size * dtype_size(y->dtype);
    for (int64_t k = 0; y->n > 0 && k < s.n; k++) {
        int64_t at = slice_at(&s, k);
        if (at < 0) {
            row_text(&s, k, text);
            return error_new(ERROR_INVALID_ARGUMENT, "%s does not index into shape %s", text,
                             shape_text(&y->shape, of));
        }
        const char *update = (const char *)updates->data + (size_t)k * bytes;
        char *to = (char *)y->data + (size_t)at * bytes;
        if (kernel->loop != NULL)
            kernel->loop(s.size, update, to);
        else
            memcpy(to, update, bytes);
    }
    return NULL;
}

Error *scatter_nd_run(OpContext *c)
{
    const Tensor *indices = op_input(c, 0), *updates = op_input(c, 1);
    Shape shape;
    TRY(tensor_to_shape(op_input(c, 2), &shape));
    int64_t n = 0;
    TRY(shape_count(&shape, &n));
    TRY(check_updates(indices, updates, &shape));
    Tensor *y = NULL;
    TRY(op_output(c, 0, updates->dtype, &shape, &y));
    if (y->n > 0)
        memset(y->data, 0, tensor_bytes(y));
    return scatter(c, indices, updates, y);
}

Error *tensor_scatter_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    TRY(check_updates(op_input(c, 1), op_input(c, 2), &x->shape));
    Tensor *y = NULL;
    TRY(op_output_reuse(c, 0, 0, x->dtype, &x->shape, &y));
    if (y->data != x->data && y->n > 0)
        memcpy(y->data, x->data, tensor_bytes(x));
    return scatter(c, op_input(c, 1), op_input(c, 2), y);
}
