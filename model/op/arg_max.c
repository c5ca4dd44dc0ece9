/* SPDX-License-Identifier: Apache-2.0
 *
 * ArgMax and ArgMin: the index of the extreme element along one dimension; the first of several.
 */
#include <math.h>
#include <string.h>

#include "model/op/axes.h"
#include "model/op/elementwise.h"
#include "model/op/kernels.h"
#include "model/op/typed.h"

/* The index of the extreme of x[0], x[stride], ... x[(n-1) * stride]. */
typedef int64_t ArgLoop(int64_t n, int64_t stride, const void *x);

typedef struct ArgKernel {
    ArgLoop *loop;
    DType dtype;  /* of the elements */
    DType output; /* int16, uint16, int32 or int64 */
} ArgKernel;

/* `worst` is what a NaN that comes first counts as; later ones never win a comparison. */
#define DEFINE_ARG(name, type, worst, better)                                                      \
    static int64_t name(int64_t n, int64_t stride, const void *xs)                                 \
    {                                                                                              \
        const type *x = xs;                                                                        \
        int64_t best = 0;                                                                          \
        type b = x[0] == x[0] ? x[0] : (type)(worst);                                              \
        for (int64_t i = 1; i < n; i++) {                                                          \
            const type v = x[i * stride];                                                          \
            if (v better b) {                                                                      \
                best = i;                                                                          \
                b = v;                                                                             \
            }                                                                                      \
        }                                                                                          \
        return best;                                                                               \
    }

#define FLOAT_LOOPS(dt, type, suffix)                                                              \
    DEFINE_ARG(arg_max_##suffix, type, -INFINITY, >)                                               \
    DEFINE_ARG(arg_min_##suffix, type, INFINITY, <)
#define INT_LOOPS(dt, type, suffix)                                                                \
    DEFINE_ARG(arg_max_##suffix, type, 0, >)                                                       \
    DEFINE_ARG(arg_min_##suffix, type, 0, <)
FOR_EACH_FLOAT(FLOAT_LOOPS)
FOR_EACH_INT(INT_LOOPS)
INT_LOOPS(DT_BOOL, bool, b8)

#define ARG_ROW(dt, type, suffix) [dt] = { arg_max_##suffix, arg_min_##suffix },
static ArgLoop *const loops[DTYPE_MAX + 1][2] = { FOR_EACH_NUMBER(ARG_ROW)
                                                      ARG_ROW(DT_BOOL, bool, b8) };

Error *arg_max_prepare(OpPrepare *prepare)
{
    TRY(op_prepare_indices(prepare));
    ArgKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    kernel->dtype = prepare->input_dtypes[0];
    TRY(attrs_type_or(prepare->attrs, "output_type", DT_INT64, &kernel->output));
    bool is_min = strcmp(prepare->op->name, "ArgMin") == 0;
    kernel->loop = loops[dtype_is_short_float(kernel->dtype) ? DT_FLOAT : kernel->dtype][is_min];
    if (kernel->loop == NULL)
        return op_unsupported_type(prepare, kernel->dtype);
    if (kernel->output != DT_INT16 && kernel->output != DT_UINT16 && kernel->output != DT_INT32 &&
        kernel->output != DT_INT64)
        return op_unsupported_type(prepare, kernel->output);
    prepare->kernel = kernel;
    return NULL;
}

static Error *check_axis(const Tensor *x, const Tensor *dimension, int *ret_axis)
{
    char text[SHAPE_TEXT_BYTES];
    if (dimension->n != 1)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "dim must be a scalar, but received tensor of shape: %s",
                         shape_text(&dimension->shape, text));
    int axis = axis_of(tensor_index_at(dimension, 0), x->shape.rank);
    if (axis < 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Expected dimension in the range [%d, %d), but got %lld", -x->shape.rank,
                         x->shape.rank, (long long)tensor_index_at(dimension, 0));
    if (x->shape.dims[axis] == 0)
        return error_new(ERROR_INVALID_ARGUMENT, "Reduction axis %lld is empty in shape %s",
                         (long long)tensor_index_at(dimension, 0), shape_text(&x->shape, text));
    *ret_axis = axis;
    return NULL;
}

/* As TensorFlow, what does not fit loses its upper bits. */
static void store_index(const Tensor *y, int64_t i, int64_t index)
{
    if (y->dtype == DT_INT64)
        ((int64_t *)y->data)[i] = index;
    else if (y->dtype == DT_INT32)
        ((int32_t *)y->data)[i] = (int32_t)index;
    else
        ((uint16_t *)y->data)[i] = (uint16_t)index;
}

Error *arg_max_run(OpContext *c)
{
    const ArgKernel *kernel = c->kernel;
    const Tensor *x = op_input(c, 0);
    int axis = 0;
    TRY(check_axis(x, op_input(c, 1), &axis));
    Shape shape = { .rank = 0 };
    for (int d = 0; d < x->shape.rank; d++) {
        if (d != axis)
            shape.dims[shape.rank++] = x->shape.dims[d];
    }
    Tensor *y = NULL;
    TRY(op_output(c, 0, kernel->output, &shape, &y));
    const float *wide = NULL;
    TRY(shorts_as_floats(c, x, &wide));
    size_t size = dtype_is_short_float(x->dtype) ? sizeof(float) : dtype_size(x->dtype);
    int64_t length = x->shape.dims[axis], inner = dims_product(&x->shape, axis + 1, x->shape.rank);
    for (int64_t i = 0; i < y->n; i++) {
        int64_t first = i / inner * inner * length + i % inner;
        int64_t best = kernel->loop(length, inner, (const char *)wide + (size_t)first * size);
        store_index(y, i, best);
    }
    return NULL;
}
