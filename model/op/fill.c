/* SPDX-License-Identifier: Apache-2.0
 *
 * Tensors made from little: Fill, ZerosLike, OnesLike, Range, LinSpace, OneHot.
 */
#include <math.h>
#include <string.h>

#include "model/op/axes.h"
#include "model/op/elementwise.h"
#include "model/op/kernels.h"
#include "model/op/strided.h"
#include "model/op/typed.h"
#include "model/tensor/half.h"

static void fill(const Tensor *y, const void *value)
{
    StridedCopy copy = { 0 };
    strided_add(&copy, y->n, 0, 1);
    if (y->n > 0)
        strided_run(&copy, dtype_size(y->dtype), value, y->data);
}

Error *fill_run(OpContext *c)
{
    const Tensor *dims = op_input(c, 0), *value = op_input(c, 1);
    char text[SHAPE_TEXT_BYTES];
    Shape shape;
    if (dims->shape.rank > 1)
        return error_new(ERROR_INVALID_ARGUMENT, "dims must be a vector, got shape %s",
                         shape_text(&dims->shape, text));
    if (value->n != 1)
        return error_new(ERROR_INVALID_ARGUMENT, "value must be a scalar, got shape %s",
                         shape_text(&value->shape, text));
    TRY(tensor_to_shape(dims, &shape));
    for (int d = 0; d < shape.rank; d++) {
        if (shape.dims[d] < 0)
            return error_new(ERROR_INVALID_ARGUMENT, "Dimension %lld must be >= 0",
                             (long long)shape.dims[d]);
    }
    Tensor *y = NULL;
    TRY(op_output(c, 0, value->dtype, &shape, &y));
    fill(y, value->data);
    return NULL;
}

/* ---- ZerosLike, OnesLike ------------------------------------------------------------------- */

/* Not for handles: a zero would be no handle. */
Error *zeros_like_prepare(OpPrepare *prepare)
{
    DType dtype = prepare->input_dtypes[0];
    if (!dtype_is_plain(dtype) && dtype != DT_STRING)
        return op_unsupported_type(prepare, dtype);
    return NULL;
}

Error *zeros_like_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    Tensor *y = NULL;
    TRY(op_output(c, 0, x->dtype, &x->shape, &y));
    if (y->n > 0)
        memset(y->data, 0, tensor_bytes(y));
    return NULL;
}

typedef union Element { /* of any type that has a one */
    uint8_t bytes[8];
    uint64_t align;
} Element;

#define ONE_OF_TYPE(dt, type, suffix)                                                              \
    case dt: {                                                                                     \
        const type one = 1;                                                                        \
        memcpy(ret->bytes, &one, sizeof(one));                                                     \
        return true;                                                                               \
    }

static bool element_one(DType dtype, Element *ret)
{
    const uint16_t half = float_to_half(1), bfloat16 = float_to_bfloat16(1);
    switch (dtype) {
        FOR_EACH_NUMBER(ONE_OF_TYPE)
        ONE_OF_TYPE(DT_BOOL, bool, b8)
    case DT_HALF:
    case DT_BFLOAT16:
        memcpy(ret->bytes, dtype == DT_HALF ? &half : &bfloat16, sizeof(half));
        return true;
    default:
        return false;
    }
}

Error *ones_like_prepare(OpPrepare *prepare)
{
    Element *one = arena_calloc(prepare->arena, 1, sizeof(*one));
    if (one == NULL)
        return error_out_of_memory();
    if (!element_one(prepare->input_dtypes[0], one))
        return op_unsupported_type(prepare, prepare->input_dtypes[0]);
    prepare->kernel = one;
    return NULL;
}

Error *ones_like_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    Tensor *y = NULL;
    TRY(op_output(c, 0, x->dtype, &x->shape, &y));
    fill(y, c->kernel);
    return NULL;
}

/* ---- Range --------------------------------------------------------------------------------- */

static Error *check_range(bool is_zero, bool is_positive, bool has_far_limit)
{
    if (is_zero)
        return error_new(ERROR_INVALID_ARGUMENT, "Requires delta != 0: 0");
    if (!has_far_limit)
        return error_new(ERROR_INVALID_ARGUMENT, "Requires start %s limit when delta %s 0",
                         is_positive ? "<=" : ">=", is_positive ? ">" : "<");
    return NULL;
}

/* n = ceil(|limit - start| / |delta|), in the type's own arithmetic where that can overflow. */
#define DEFINE_INT_RANGE(type, suffix)                                                             \
    static Error *range_##suffix(OpContext *c)                                                     \
    {                                                                                              \
        const type start = *(const type *)op_input(c, 0)->data;                                    \
        const type limit = *(const type *)op_input(c, 1)->data;                                    \
        const type delta = *(const type *)op_input(c, 2)->data;                                    \
        TRY(check_range(delta == 0, delta > 0, delta > 0 ? start <= limit : start >= limit));      \
        uint64_t span =                                                                            \
            delta > 0 ? (uint64_t)limit - (uint64_t)start : (uint64_t)start - (uint64_t)limit;     \
        uint64_t step = delta > 0 ? (uint64_t)delta : 0 - (uint64_t)delta;                         \
        uint64_t n = span / step + (span % step != 0);                                             \
        if (n > INT64_MAX)                                                                         \
            return error_new(ERROR_INVALID_ARGUMENT, "Requires fewer elements than %lld",          \
                             (long long)INT64_MAX);                                                \
        const Shape shape = shape_of((int64_t)n);                                                  \
        Tensor *y = NULL;                                                                          \
        TRY(op_output(c, 0, op_input(c, 0)->dtype, &shape, &y));                                   \
        for (uint64_t i = 0; i < n; i++)                                                           \
            ((type *)y->data)[i] = (type)((uint64_t)start + i * (uint64_t)delta);                  \
        return NULL;                                                                               \
    }
DEFINE_INT_RANGE(int32_t, i32)
DEFINE_INT_RANGE(int64_t, i64)

/* As TensorFlow: the value is added up in its type. */
#define DEFINE_FLOAT_RANGE(type, suffix)                                                           \
    static Error *range_##suffix(OpContext *c)                                                     \
    {                                                                                              \
        const type start = *(const type *)op_input(c, 0)->data;                                    \
        const type limit = *(const type *)op_input(c, 1)->data;                                    \
        const type delta = *(const type *)op_input(c, 2)->data;                                    \
        TRY(check_range(delta == 0, delta > 0, delta > 0 ? start <= limit : start >= limit));      \
        double n = ceil(fabs((double)((limit - start) / delta)));                                  \
        if (!(n < 0x1p60))                                                                         \
            return error_new(ERROR_INVALID_ARGUMENT, "Requires ((limit - start) / delta) <= %lld", \
                             (long long)INT64_MAX);                                                \
        const Shape shape = shape_of((int64_t)n);                                                  \
        Tensor *y = NULL;                                                                          \
        TRY(op_output(c, 0, op_input(c, 0)->dtype, &shape, &y));                                   \
        type v = start;                                                                            \
        for (int64_t i = 0; i < y->n; i++, v += delta)                                             \
            ((type *)y->data)[i] = v;                                                              \
        return NULL;                                                                               \
    }
DEFINE_FLOAT_RANGE(float, f32)
DEFINE_FLOAT_RANGE(double, f64)

Error *range_prepare(OpPrepare *prepare)
{
    DType dtype = prepare->input_dtypes[0];
    if (dtype != DT_INT32 && dtype != DT_INT64 && dtype != DT_FLOAT && dtype != DT_DOUBLE)
        return op_unsupported_type(prepare, dtype);
    return NULL;
}

Error *range_run(OpContext *c)
{
    static const char *const names[] = { "start", "limit", "delta" };
    char text[SHAPE_TEXT_BYTES];
    for (int k = 0; k < 3; k++) {
        if (op_input(c, k)->n != 1)
            return error_new(ERROR_INVALID_ARGUMENT, "%s must be a scalar, not shape %s", names[k],
                             shape_text(&op_input(c, k)->shape, text));
    }
    switch (op_input(c, 0)->dtype) {
    case DT_INT32:
        return range_i32(c);
    case DT_INT64:
        return range_i64(c);
    case DT_FLOAT:
        return range_f32(c);
    default:
        return range_f64(c);
    }
}

/* ---- LinSpace ------------------------------------------------------------------------------ */

Error *lin_space_prepare(OpPrepare *prepare)
{
    DType dtype = prepare->input_dtypes[0], n = prepare->input_dtypes[2];
    if (dtype != DT_FLOAT && dtype != DT_DOUBLE && !dtype_is_short_float(dtype))
        return op_unsupported_type(prepare, dtype);
    return n == DT_INT32 || n == DT_INT64 ? NULL : op_unsupported_type(prepare, n);
}

/* The ends are exact, whatever rounding or an infinite step make of what is between. */
#define LIN_SPACE(type, suffix)                                                                    \
    static void lin_space_##suffix(const type start, const type stop, int64_t n, type *y)          \
    {                                                                                              \
        const type step = n > 1 ? (stop - start) / (type)(n - 1) : 0;                              \
        for (int64_t i = 1; i < n - 1; i++)                                                        \
            y[i] = start + step * (type)i;                                                         \
        y[n - 1] = stop;                                                                           \
        y[0] = start;                                                                              \
    }
LIN_SPACE(float, f32)
LIN_SPACE(double, f64)

Error *lin_space_run(OpContext *c)
{
    static const char *const names[] = { "start", "stop", "num" };
    char text[SHAPE_TEXT_BYTES];
    for (int k = 0; k < 3; k++) {
        if (op_input(c, k)->shape.rank != 0)
            return error_new(ERROR_INVALID_ARGUMENT, "%s must be a scalar, not shape %s", names[k],
                             shape_text(&op_input(c, k)->shape, text));
    }
    int64_t n = tensor_index_at(op_input(c, 2), 0);
    const void *start = op_input(c, 0)->data, *stop = op_input(c, 1)->data;
    if (n <= 0)
        return error_new(ERROR_INVALID_ARGUMENT, "Requires num > 0: %lld", (long long)n);
    Tensor *y = NULL;
    TRY(op_output(c, 0, op_input(c, 0)->dtype, &shape_of(n), &y));
    if (y->dtype == DT_DOUBLE) {
        lin_space_f64(*(const double *)start, *(const double *)stop, n, y->data);
        return NULL;
    }
    const float *ends[2] = { NULL };
    TRY(shorts_as_floats(c, op_input(c, 0), &ends[0]));
    TRY(shorts_as_floats(c, op_input(c, 1), &ends[1]));
    bool is_short = dtype_is_short_float(y->dtype);
    float *wide = is_short ? op_scratch(c, (size_t)n * sizeof(*wide)) : y->data;
    if (wide == NULL)
        return error_out_of_memory();
    lin_space_f32(*ends[0], *ends[1], n, wide);
    if (is_short)
        shorts_narrow(y->dtype, n, wide, y->data);
    return NULL;
}

/* ---- OneHot -------------------------------------------------------------------------------- */

Error *one_hot_prepare(OpPrepare *prepare)
{
    int64_t *axis = arena_calloc(prepare->arena, 1, sizeof(*axis));
    DType indices = prepare->input_dtypes[0];
    if (axis == NULL)
        return error_out_of_memory();
    if (indices != DT_UINT8 && indices != DT_INT8 && indices != DT_INT32 && indices != DT_INT64)
        return op_unsupported_type(prepare, indices);
    TRY(attrs_int_or(prepare->attrs, "axis", -1, axis));
    prepare->kernel = axis;
    return NULL;
}

static Error *one_hot_shape(const OpContext *c, int *ret_axis, Shape *ret_shape)
{
    const Shape *own = &op_input(c, 0)->shape;
    char text[SHAPE_TEXT_BYTES];
    int64_t wanted = *(const int64_t *)c->kernel;
    if (wanted < -1 || wanted > own->rank)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Expected axis to be -1 or between [0, %d).  But received: %lld",
                         own->rank + 1, (long long)wanted);
    for (int k = 1; k < 4; k++) {
        if (op_input(c, k)->shape.rank != 0)
            return error_new(ERROR_INVALID_ARGUMENT, "%s must be a scalar, but got: %s",
                             k == 1   ? "depth"
                             : k == 2 ? "on_value"
                                      : "off_value",
                             shape_text(&op_input(c, k)->shape, text));
    }
    int64_t depth = tensor_index_at(op_input(c, 1), 0);
    if (depth < 0)
        return error_new(ERROR_INVALID_ARGUMENT, "depth must be non-negative, got: %lld",
                         (long long)depth);
    int axis = wanted < 0 ? own->rank : (int)wanted;
    Shape shape = { .rank = 0 };
    bool fits = true;
    for (int d = 0; d <= own->rank; d++) {
        if (d == axis)
            fits = fits && shape_push(&shape, depth);
        if (d < own->rank)
            fits = fits && shape_push(&shape, own->dims[d]);
    }
    if (!fits)
        return shape_rank_error();
    *ret_axis = axis;
    *ret_shape = shape;
    return NULL;
}

Error *one_hot_run(OpContext *c)
{
    const Tensor *indices = op_input(c, 0), *on = op_input(c, 2), *off = op_input(c, 3);
    int axis = 0;
    Shape shape;
    TRY(one_hot_shape(c, &axis, &shape));
    Tensor *y = NULL;
    TRY(op_output(c, 0, on->dtype, &shape, &y));
    fill(y, off->data);
    int64_t depth = shape.dims[axis], inner = dims_product(&shape, axis + 1, shape.rank);
    size_t size = dtype_size(on->dtype);
    for (int64_t i = 0; i < indices->n; i++) {
        int64_t index = tensor_index_at(indices, i);
        if (index < 0 || index >= depth) /* no element is on then */
            continue;
        int64_t at = (i / inner * depth + index) * inner + i % inner;
        memcpy((char *)y->data + (size_t)at * size, on->data, size);
    }
    return NULL;
}
