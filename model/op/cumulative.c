/* SPDX-License-Identifier: Apache-2.0
 *
 * Cumsum, Cumprod and CumulativeLogsumexp: running sums, products and logarithms of sums of
 * exponentials along one axis, from either end, with the element itself or (exclusive) without it.
 * half and bfloat16 run as float. Any thread.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "model/op/axes.h"
#include "model/op/elementwise.h"
#include "model/op/kernels.h"
#include "model/op/typed.h"

/* The tensor as [outer, length, inner]; the scan goes along `length`. */
typedef struct Scan {
    int64_t outer, length, inner;
    bool exclusive, reverse;
    const void *x;
    void *y;
} Scan;
typedef void ScanLoop(const Scan *scan);

typedef struct ScanKernel {
    ScanLoop *loop;
    bool exclusive, reverse;
} ScanKernel;

/* `expression` combines what has run so far, s, and the element v, both of type `wide`. Each line
 * of the inner dimension is y[at], read from x before it is written: both may be one memory. */
#define SCAN_LOOP(name, type, wide, identity, expression)                                          \
    static void name(const Scan *scan)                                                             \
    {                                                                                              \
        const type *x = scan->x;                                                                   \
        type *y = scan->y;                                                                         \
        const int64_t length = scan->length, inner = scan->inner;                                  \
        for (int64_t line = 0; line < scan->outer * inner; line++) {                               \
            int64_t first = line / inner * length * inner + line % inner;                          \
            wide s = identity;                                                                     \
            for (int64_t k = 0; k < length; k++) {                                                 \
                int64_t at = first + (scan->reverse ? length - 1 - k : k) * inner;                 \
                const wide v = (wide)x[at], before = s;                                            \
                s = (wide)(expression);                                                            \
                y[at] = (type)(scan->exclusive ? before : s);                                      \
            }                                                                                      \
        }                                                                                          \
    }
/* log(e^a + e^b). TensorFlow begins with the lowest number, not with minus infinity. */
static inline float log_add_f32(float a, float b)
{
    float high = a > b ? a : b, low = a > b ? b : a;
    return isnan(a) || isnan(b) ? NAN : isinf(high) ? high : high + log1pf(expf(low - high));
}

static inline double log_add_f64(double a, double b)
{
    double high = a > b ? a : b, low = a > b ? b : a;
    return isnan(a) || isnan(b) ? NAN : isinf(high) ? high : high + log1p(exp(low - high));
}

SCAN_LOOP(log_add_scan_f32, float, float, -FLT_MAX, log_add_f32(s, v))
SCAN_LOOP(log_add_scan_f64, double, double, -DBL_MAX, log_add_f64(s, v))

#define FLOAT_LOOPS(dt, type, suffix)                                                              \
    SCAN_LOOP(sum_##suffix, type, type, 0, s + v)                                                  \
    SCAN_LOOP(product_##suffix, type, type, 1, s *v)
#define INT_LOOPS(dt, type, suffix)                                                                \
    SCAN_LOOP(sum_##suffix, type, uint64_t, 0, s + v)                                              \
    SCAN_LOOP(product_##suffix, type, uint64_t, 1, s *v)
FOR_EACH_FLOAT(FLOAT_LOOPS)
FOR_EACH_INT(INT_LOOPS)

static ScanLoop *find_loop(DType dtype, const char *op)
{
    bool is_sum = strcmp(op, "Cumsum") == 0;
    if (strcmp(op, "CumulativeLogsumexp") == 0)
        return dtype == DT_FLOAT || dtype_is_short_float(dtype) ? log_add_scan_f32
               : dtype == DT_DOUBLE                             ? log_add_scan_f64
                                                                : NULL;
    switch (dtype) {
#define CASE(dt, type, suffix)                                                                     \
    case dt:                                                                                       \
        return is_sum ? sum_##suffix : product_##suffix;
        FOR_EACH_NUMBER(CASE)
    case DT_HALF:
    case DT_BFLOAT16:
        return is_sum ? sum_f32 : product_f32;
    default:
        return NULL;
    }
}

Error *cumulative_prepare(OpPrepare *prepare)
{
    TRY(op_prepare_indices(prepare));
    ScanKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    kernel->loop = find_loop(prepare->input_dtypes[0], prepare->op->name);
    if (kernel->loop == NULL)
        return op_unsupported_type(prepare, prepare->input_dtypes[0]);
    TRY(attrs_bool_or(prepare->attrs, "exclusive", false, &kernel->exclusive));
    TRY(attrs_bool_or(prepare->attrs, "reverse", false, &kernel->reverse));
    prepare->kernel = kernel;
    return NULL;
}

static Error *read_axis(const Tensor *x, const Tensor *axis, int *ret)
{
    char text[SHAPE_TEXT_BYTES];
    if (axis->shape.rank != 0)
        return error_new(ERROR_INVALID_ARGUMENT, "ScanOp: axis must be a scalar, not %s",
                         shape_text(&axis->shape, text));
    int64_t value = tensor_index_at(axis, 0);
    *ret = axis_of(value, x->shape.rank);
    if (*ret < 0) /* a negative axis is named as TensorFlow names it: from the front */
        return error_new(ERROR_INVALID_ARGUMENT,
                         "ScanOp: Expected scan axis in the range [%d, %d), but got %lld",
                         -x->shape.rank, x->shape.rank,
                         (long long)(value < 0 ? value + x->shape.rank : value));
    return NULL;
}

Error *cumulative_run(OpContext *c)
{
    const ScanKernel *kernel = c->kernel;
    const Tensor *x = op_input(c, 0);
    Tensor *y = NULL;
    int axis = 0;
    TRY(read_axis(x, op_input(c, 1), &axis));
    TRY(op_output_reuse(c, 0, 0, x->dtype, &x->shape, &y));
    if (y->n == 0)
        return NULL;
    const float *wide = NULL;
    TRY(shorts_as_floats(c, x, &wide));
    Scan scan = { .outer = dims_product(&x->shape, 0, axis),
                  .length = x->shape.dims[axis],
                  .inner = dims_product(&x->shape, axis + 1, x->shape.rank),
                  .exclusive = kernel->exclusive,
                  .reverse = kernel->reverse,
                  .x = wide,
                  .y = y->data };
    if (!dtype_is_short_float(x->dtype)) {
        kernel->loop(&scan);
        return NULL;
    }
    scan.y = op_scratch(c, (size_t)y->n * sizeof(float));
    if (scan.y == NULL)
        return error_out_of_memory();
    kernel->loop(&scan);
    shorts_narrow(x->dtype, y->n, scan.y, y->data);
    return NULL;
}
