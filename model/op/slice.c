/* SPDX-License-Identifier: Apache-2.0
 *
 * Slice and StridedSlice: a box out of a tensor, one StridedCopy.
 *
 * StridedSlice is Python's x[a:b:c, ..., newaxis, i]: for each element of begin, end and strides a
 * bit in the masks says what it means (tensorflow/core/util/strided_slice_op.cc):
 *
 *   begin_mask, end_mask   from the start, to the end
 *   ellipsis_mask          as many whole dimensions as are left
 *   new_axis_mask          a dimension of 1 more
 *   shrink_axis_mask       one index: the dimension goes
 */
#include "model/op/axes.h"
#include "model/op/kernels.h"
#include "model/op/strided.h"

/* ---- Slice --------------------------------------------------------------------------------- */

/* Where the box begins, and its shape. */
static Error *read_box(const OpContext *c, int64_t begin[SHAPE_MAX_RANK], Shape *ret_shape)
{
    const Tensor *x = op_input(c, 0), *begins = op_input(c, 1), *sizes = op_input(c, 2);
    char text[2][SHAPE_TEXT_BYTES];
    if (begins->shape.rank != 1 || sizes->shape.rank != 1 || begins->n != x->shape.rank ||
        sizes->n != x->shape.rank)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Expected begin and size arguments to be 1-D tensors of size %d, but got "
                         "shapes %s and %s instead.",
                         x->shape.rank, shape_text(&begins->shape, text[0]),
                         shape_text(&sizes->shape, text[1]));
    ret_shape->rank = x->shape.rank;
    for (int d = 0; d < x->shape.rank; d++) {
        int64_t dim = x->shape.dims[d], size = tensor_index_at(sizes, d);
        begin[d] = tensor_index_at(begins, d);
        if (begin[d] < 0 || begin[d] > dim)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Expected begin[%d] in [0, %lld], but got %lld", d, (long long)dim,
                             (long long)begin[d]);
        if (size == -1)
            size = dim - begin[d];
        if (size < 0 || size > dim - begin[d])
            return error_new(ERROR_INVALID_ARGUMENT, "Expected size[%d] in [0, %lld], but got %lld",
                             d, (long long)(dim - begin[d]), (long long)size);
        ret_shape->dims[d] = size;
    }
    return NULL;
}

Error *slice_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    int64_t begin[SHAPE_MAX_RANK], from[SHAPE_MAX_RANK], to[SHAPE_MAX_RANK], first = 0;
    Shape shape;
    TRY(read_box(c, begin, &shape));
    Tensor *y = NULL;
    TRY(op_output(c, 0, x->dtype, &shape, &y));
    if (y->n == 0)
        return NULL;
    StridedCopy copy = { 0 };
    shape_strides(&x->shape, from);
    shape_strides(&shape, to);
    for (int d = 0; d < shape.rank; d++) {
        first += begin[d] * from[d];
        strided_add(&copy, shape.dims[d], from[d], to[d]);
    }
    size_t size = dtype_size(x->dtype);
    strided_run(&copy, size, element_after(x->data, first, size), y->data);
    return NULL;
}

/* ---- StridedSlice -------------------------------------------------------------------------- */

#define MAX_SPECS 32 /* elements of begin: bits of a mask */

typedef struct StridedSliceKernel {
    uint64_t begin_mask, end_mask, ellipsis_mask, new_axis_mask, shrink_axis_mask;
} StridedSliceKernel;

static Error *read_mask(const Attrs *attrs, const char *name, uint64_t *ret)
{
    int64_t mask = 0;
    TRY(attrs_int_or(attrs, name, 0, &mask));
    *ret = (uint64_t)mask & UINT32_MAX;
    return NULL;
}

Error *strided_slice_prepare(OpPrepare *prepare)
{
    StridedSliceKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    TRY(read_mask(prepare->attrs, "begin_mask", &kernel->begin_mask));
    TRY(read_mask(prepare->attrs, "end_mask", &kernel->end_mask));
    TRY(read_mask(prepare->attrs, "ellipsis_mask", &kernel->ellipsis_mask));
    TRY(read_mask(prepare->attrs, "new_axis_mask", &kernel->new_axis_mask));
    TRY(read_mask(prepare->attrs, "shrink_axis_mask", &kernel->shrink_axis_mask));
    if ((kernel->ellipsis_mask & (kernel->ellipsis_mask - 1)) != 0)
        return error_new(ERROR_INVALID_ARGUMENT, "Multiple ellipses in slice spec not allowed");
    DType index = prepare->input_dtypes[1];
    if (index != DT_INT16 && index != DT_INT32 && index != DT_INT64)
        return error_new(ERROR_UNIMPLEMENTED, "there is no kernel of StridedSlice for type %s",
                         dtype_name(index));
    prepare->kernel = kernel;
    return NULL;
}

/* The slice while it is put together: where to start, and the steps and sizes. */
typedef struct SliceWalk {
    const Shape *input;
    int64_t steps[SHAPE_MAX_RANK]; /* of the input */
    int next;                      /* dimension of the input */
    int64_t first;                 /* element */
    StridedCopy copy;              /* `to` is filled in last */
    Shape shape;                   /* of the output */
    int64_t from[SHAPE_MAX_RANK];  /* steps in the input, of each dimension of the output */
} SliceWalk;

static Error *add_dim(SliceWalk *walk, int64_t dim, int64_t from)
{
    if (!shape_push(&walk->shape, dim))
        return shape_rank_error();
    walk->from[walk->shape.rank - 1] = from;
    return NULL;
}

static int64_t clamp(int64_t v, int64_t low, int64_t high)
{
    return v < low ? low : v > high ? high : v;
}

/* One dimension of the input from element i of begin, end and strides. */
static Error *add_range(const OpContext *c, SliceWalk *walk, int i)
{
    const StridedSliceKernel *kernel = c->kernel;
    int d = walk->next++;
    if (d >= walk->input->rank)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Index out of range using input dim %d; input has only %d dims", d,
                         walk->input->rank);
    int64_t dim = walk->input->dims[d], step = walk->steps[d];
    int64_t begin = tensor_index_at(op_input(c, 1), i), end = tensor_index_at(op_input(c, 2), i),
            stride = tensor_index_at(op_input(c, 3), i);
    if (stride == 0)
        return error_new(ERROR_INVALID_ARGUMENT, "strides[%d] must be non-zero", i);
    if (kernel->shrink_axis_mask >> i & 1) {
        int64_t index = begin < 0 ? begin + dim : begin;
        if (stride < 0)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "only stride 1 allowed on non-range indexing.");
        if (index < 0 || index >= dim)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "slice index %lld of dimension %d out of bounds.", (long long)index,
                             d);
        walk->first += index * step;
        return NULL;
    }
    int64_t low = stride > 0 ? 0 : -1, high = stride > 0 ? dim : dim - 1;
    begin = clamp(begin < 0 ? begin + dim : begin, low, high);
    end = clamp(end < 0 ? end + dim : end, low, high);
    if (kernel->begin_mask >> i & 1)
        begin = stride > 0 ? low : high;
    if (kernel->end_mask >> i & 1)
        end = stride > 0 ? high : low;
    int64_t span = end - begin, n = 0;
    if (span != 0 && (span < 0) == (stride < 0))
        n = span / stride + (span % stride != 0);
    if (n > 0)
        walk->first += begin * step;
    return add_dim(walk, n, n > 1 ? stride * step : 0);
}

static Error *add_whole_dims(SliceWalk *walk, int n)
{
    for (; n > 0; n--, walk->next++)
        TRY(add_dim(walk, walk->input->dims[walk->next], walk->steps[walk->next]));
    return NULL;
}

static Error *walk_specs(const OpContext *c, SliceWalk *walk)
{
    const StridedSliceKernel *kernel = c->kernel;
    int n = (int)op_input(c, 1)->n;
    int n_used = 0; /* dimensions of the input that the specs use, but for the ellipsis */
    bool has_ellipsis = false;
    for (int i = 0; i < n; i++) {
        bool is_ellipsis = kernel->ellipsis_mask >> i & 1;
        has_ellipsis |= is_ellipsis;
        n_used += !is_ellipsis && !(kernel->new_axis_mask >> i & 1);
    }
    int left = n_used < walk->input->rank ? walk->input->rank - n_used : 0;
    for (int i = 0; i < n; i++) {
        if (kernel->ellipsis_mask >> i & 1)
            TRY(add_whole_dims(walk, left));
        else if (kernel->new_axis_mask >> i & 1)
            TRY(add_dim(walk, 1, 0));
        else
            TRY(add_range(c, walk, i));
    }
    return has_ellipsis ? NULL : add_whole_dims(walk, left);
}

Error *strided_slice_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    for (int k = 1; k < 4; k++) {
        if (op_input(c, k)->shape.rank != 1 || op_input(c, k)->n != op_input(c, 1)->n ||
            op_input(c, k)->n > MAX_SPECS)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Expected begin, end, and strides to be 1D equal size tensors, of at "
                             "most %d elements",
                             MAX_SPECS);
    }
    SliceWalk walk = { .input = &x->shape };
    int64_t to[SHAPE_MAX_RANK];
    shape_strides(&x->shape, walk.steps);
    TRY(walk_specs(c, &walk));
    Tensor *y = NULL;
    TRY(op_output(c, 0, x->dtype, &walk.shape, &y));
    if (y->n == 0)
        return NULL;
    shape_strides(&walk.shape, to);
    for (int d = 0; d < walk.shape.rank; d++)
        strided_add(&walk.copy, walk.shape.dims[d], walk.from[d], to[d]);
    size_t size = dtype_size(x->dtype);
    strided_run(&walk.copy, size, element_after(x->data, walk.first, size), y->data);
    return NULL;
}
