/* SPDX-License-Identifier: Apache-2.0
 *
 * Shapes as values (Shape, ShapeN, Size, Rank) and the same elements under another shape (Reshape,
 * ExpandDims, Squeeze), which copies nothing.
 */
#include "model/op/axes.h"
#include "model/op/kernels.h"

/* ---- shapes as values ---------------------------------------------------------------------- */

/* The type of the numbers, which is int32 unless the attribute says int64. */
Error *shape_value_prepare(OpPrepare *prepare)
{
    DType *type = arena_calloc(prepare->arena, 1, sizeof(*type));
    if (type == NULL)
        return error_out_of_memory();
    TRY(attrs_type_or(prepare->attrs, "out_type", DT_INT32, type));
    if (*type != DT_INT32 && *type != DT_INT64)
        return error_new(ERROR_INVALID_ARGUMENT, "out_type is %s, but must be int32 or int64",
                         dtype_name(*type));
    prepare->kernel = type;
    return NULL;
}

static Error *set_number(Tensor *tensor, int64_t i, int64_t value)
{
    if (tensor->dtype == DT_INT64) {
        ((int64_t *)tensor->data)[i] = value;
        return NULL;
    }
    if (value > INT32_MAX)
        return error_new(ERROR_INVALID_ARGUMENT, "%lld does not fit int32: use out_type int64",
                         (long long)value);
    ((int32_t *)tensor->data)[i] = (int32_t)value;
    return NULL;
}

/* Shape, ShapeN */
Error *shape_run(OpContext *c)
{
    for (int i = 0; i < c->n_inputs; i++) {
        const Shape *shape = &op_input(c, i)->shape;
        const Shape vector = shape_of(shape->rank);
        Tensor *output = NULL;
        TRY(op_output(c, i, *(const DType *)c->kernel, &vector, &output));
        for (int d = 0; d < shape->rank; d++)
            TRY(set_number(output, d, shape->dims[d]));
    }
    return NULL;
}

static Error *give_scalar(OpContext *c, int64_t value)
{
    const Shape scalar = shape_of();
    Tensor *output = NULL;
    TRY(op_output(c, 0, *(const DType *)c->kernel, &scalar, &output));
    return set_number(output, 0, value);
}

Error *size_run(OpContext *c)
{
    return give_scalar(c, op_input(c, 0)->n);
}

Error *rank_run(OpContext *c)
{
    return give_scalar(c, op_input(c, 0)->shape.rank);
}

/* ---- other shapes -------------------------------------------------------------------------- */

/* Fills in the size that is -1, if there is one. A dimension of 0 beside it leaves it open: as
 * TensorFlow, take what the sizes and dimensions other than 0 say. */
static Error *infer_size(const Tensor *tensor, Shape *shape, int unknown)
{
    int64_t known = 1, input = 1;
    bool has_zero = false;
    for (int d = 0; d < shape->rank; d++) {
        if (shape->dims[d] == 0)
            has_zero = true;
        else if (d != unknown && __builtin_mul_overflow(known, shape->dims[d], &known))
            return error_new(ERROR_INVALID_ARGUMENT, "Shape is too large");
    }
    for (int d = 0; d < tensor->shape.rank; d++) {
        if (tensor->shape.dims[d] > 0 || !has_zero)
            input *= tensor->shape.dims[d];
    }
    if (unknown >= 0 && tensor->n > 0 && input % known != 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Input to reshape is a tensor with %lld values, but the requested shape "
                         "requires a multiple of %lld",
                         (long long)input, (long long)known);
    if (unknown >= 0)
        shape->dims[unknown] = input / known;
    int64_t n = 0;
    TRY(shape_count(shape, &n));
    if (n != tensor->n)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Input to reshape is a tensor with %lld values, but the requested shape "
                         "has %lld",
                         (long long)tensor->n, (long long)n);
    return NULL;
}

static Error *reshape_to(OpContext *c, Shape *shape)
{
    int unknown = -1;
    for (int d = 0; d < shape->rank; d++) {
        if (shape->dims[d] < -1)
            return error_new(ERROR_INVALID_ARGUMENT, "Size %d must be non-negative, not %lld", d,
                             (long long)shape->dims[d]);
        if (shape->dims[d] == -1 && unknown >= 0)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Only one input size may be -1, not both %d and %d", unknown, d);
        if (shape->dims[d] == -1)
            unknown = d;
    }
    TRY(infer_size(op_input(c, 0), shape, unknown));
    return op_output_alias(c, 0, 0, shape);
}

Error *reshape_run(OpContext *c)
{
    const Tensor *sizes = op_input(c, 1);
    char text[SHAPE_TEXT_BYTES];
    Shape shape;
    if (sizes->shape.rank != 1)
        return error_new(ERROR_INVALID_ARGUMENT, "sizes input must be 1-D, not %s",
                         shape_text(&sizes->shape, text));
    TRY(tensor_to_shape(sizes, &shape));
    return reshape_to(c, &shape);
}

/* _Reshape: sizes that name dimensions of the input are looked up. */
typedef struct ReshapeKernel {
    size_t n;
    const int64_t *sizes; /* [n] */
} ReshapeKernel;

Error *fused_reshape_prepare(OpPrepare *prepare)
{
    ReshapeKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    TRY(attrs_ints(prepare->attrs, "sizes", &kernel->n, &kernel->sizes));
    if (kernel->n > SHAPE_MAX_RANK)
        return shape_rank_error();
    prepare->kernel = kernel;
    return NULL;
}

Error *fused_reshape_run(OpContext *c)
{
    const ReshapeKernel *kernel = c->kernel;
    const Shape *old = &op_input(c, 0)->shape;
    Shape shape = { .rank = (int)kernel->n };
    for (int d = 0; d < shape.rank; d++) {
        int64_t size = kernel->sizes[d];
        if (size < -1 && -2 - size >= old->rank)
            return error_new(ERROR_INVALID_ARGUMENT, "_Reshape: the input has no dimension %lld",
                             (long long)(-2 - size));
        shape.dims[d] = size < -1 ? old->dims[-2 - size] : size;
    }
    return reshape_to(c, &shape);
}

Error *expand_dims_run(OpContext *c)
{
    const Shape *old = &op_input(c, 0)->shape;
    const Tensor *dim = op_input(c, 1);
    if (dim->n != 1)
        return error_new(ERROR_INVALID_ARGUMENT, "'dim' must be a tensor with a single value");
    int axis = axis_of(tensor_index_at(dim, 0), old->rank + 1);
    if (axis < 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Tried to expand dim index %lld for tensor with %d dimensions.",
                         (long long)tensor_index_at(dim, 0), old->rank);
    if (old->rank == SHAPE_MAX_RANK)
        return error_new(ERROR_UNIMPLEMENTED, "ExpandDims: tensors have at most %d dimensions",
                         SHAPE_MAX_RANK);
    Shape shape = { .rank = old->rank + 1 };
    for (int d = 0, k = 0; d < shape.rank; d++)
        shape.dims[d] = d == axis ? 1 : old->dims[k++];
    return op_output_alias(c, 0, 0, &shape);
}

typedef struct SqueezeKernel {
    size_t n;
    const int64_t *axes; /* [n]; none: every dimension of size 1 */
} SqueezeKernel;

Error *squeeze_prepare(OpPrepare *prepare)
{
    SqueezeKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    TRY(attrs_ints(prepare->attrs, "squeeze_dims", &kernel->n, &kernel->axes));
    prepare->kernel = kernel;
    return NULL;
}

Error *squeeze_run(OpContext *c)
{
    const SqueezeKernel *kernel = c->kernel;
    const Shape *old = &op_input(c, 0)->shape;
    bool is_squeezed[SHAPE_MAX_RANK] = { false };
    for (size_t i = 0; i < kernel->n; i++) {
        int axis = axis_of(kernel->axes[i], old->rank);
        if (axis < 0)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Tried to squeeze dim index %lld for tensor with %d dimensions.",
                             (long long)kernel->axes[i], old->rank);
        if (old->dims[axis] != 1)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Can not squeeze dim[%d], expected a dimension of 1, got %lld", axis,
                             (long long)old->dims[axis]);
        is_squeezed[axis] = true;
    }
    Shape shape = { .rank = 0 };
    for (int d = 0; d < old->rank; d++) {
        bool goes = kernel->n > 0 ? is_squeezed[d] : old->dims[d] == 1;
        if (!goes)
            shape.dims[shape.rank++] = old->dims[d];
    }
    return op_output_alias(c, 0, 0, &shape);
}
