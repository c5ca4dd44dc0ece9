/* SPDX-License-Identifier: Apache-2.0
 *
 * Quantisation that stays in floating point, which a network trained for integers has between its
 * layers: FakeQuantWithMinMaxArgs, -Vars and -VarsPerChannel, QuantizeAndDequantizeV2, V3 and V4.
 * Each element becomes the nearest of 2^bits evenly spaced numbers of which 0 is one. Any thread.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "model/op/axes.h"
#include "model/op/elementwise.h"
#include "model/op/kernels.h"

/* ---- FakeQuant ----------------------------------------------------------------------------- */

typedef struct FakeQuantKernel {
    int64_t least, most; /* of the integers */
    float min, max;      /* of -Args */
    bool is_per_channel;
} FakeQuantKernel;

typedef struct Grid {
    float min, max, scale, inverse, zero; /* zero: the integer of 0 */
} Grid;

Error *fake_quant_prepare(OpPrepare *prepare)
{
    FakeQuantKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    int64_t bits = 0;
    bool is_narrow = false;
    if (kernel == NULL)
        return error_out_of_memory();
    TRY(attrs_int_or(prepare->attrs, "num_bits", 8, &bits));
    TRY(attrs_bool_or(prepare->attrs, "narrow_range", false, &is_narrow));
    if (bits < 2 || bits > 16)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "num_bits must be between 2 and 16, inclusive, not %lld", (long long)bits);
    kernel->least = is_narrow;
    kernel->most = (1 << bits) - 1;
    kernel->is_per_channel = strstr(prepare->op->name, "PerChannel") != NULL;
    if (prepare->n_inputs == 1) {
        TRY(attrs_float_or(prepare->attrs, "min", -6, &kernel->min));
        TRY(attrs_float_or(prepare->attrs, "max", 6, &kernel->max));
        if (!(kernel->min < kernel->max))
            return error_new(ERROR_INVALID_ARGUMENT,
                             "min has to be smaller than max, was: %g >= %g", (double)kernel->min,
                             (double)kernel->max);
    }
    prepare->kernel = kernel;
    return NULL;
}

/* The grid nearest to [min, max] on which 0 stands. */
static Grid nudged_grid(const FakeQuantKernel *kernel, float min, float max)
{
    float least = (float)kernel->least, most = (float)kernel->most;
    float scale = (max - min) / (most - least), from_min = least - min / scale;
    float zero = from_min < least ? least : from_min > most ? most : roundf(from_min);
    Grid g = { .min = (least - zero) * scale,
               .max = (most - zero) * scale,
               .scale = scale,
               .inverse = 1 / scale };
    g.zero = floorf(-g.min * g.inverse + 0.5F);
    return g;
}

static float on_grid(const Grid *g, float x)
{
    float clamped = x < g->max ? x : g->max;
    clamped = clamped > g->min ? clamped : g->min;
    return floorf((clamped - g->min) * g->inverse - g->zero + 0.5F) * g->scale;
}

/* Elements first, first + step...: one channel, or all. A range of nothing gives zeros. */
static void quantize_line(const FakeQuantKernel *kernel, const float range[2], int64_t step,
                          const Tensor *x, int64_t first, Tensor *y)
{
    float *to = y->data;
    const float *from = x->data;
    const Grid grid = nudged_grid(kernel, range[0], range[1]);
    bool is_nothing = range[0] == 0 && range[1] == 0;
    for (int64_t i = first; i < y->n; i += step)
        to[i] = is_nothing ? 0 : on_grid(&grid, from[i]);
}

static Error *check_channels(const OpContext *c, int64_t depth)
{
    for (int i = 1; i < 3; i++) {
        const Tensor *t = op_input(c, i);
        if (t->shape.rank != 1)
            return error_new(ERROR_INVALID_ARGUMENT, "Shape must be rank 1 but is rank %d for '%s'",
                             t->shape.rank, i == 1 ? "min" : "max");
        if (t->n != depth)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "%s has incorrect size, expected %lld was %lld",
                             i == 1 ? "min" : "max", (long long)depth, (long long)t->n);
    }
    return NULL;
}

Error *fake_quant_run(OpContext *c)
{
    const FakeQuantKernel *kernel = c->kernel;
    const Tensor *x = op_input(c, 0);
    int64_t n_lines = 1;
    if (kernel->is_per_channel) {
        if (x->shape.rank < 1)
            return error_new(ERROR_INVALID_ARGUMENT, "input must be at least a vector");
        n_lines = x->shape.dims[x->shape.rank - 1];
        TRY(check_channels(c, n_lines));
    } else if (c->n_inputs > 1 && (op_input(c, 1)->n != 1 || op_input(c, 2)->n != 1)) {
        return error_new(ERROR_INVALID_ARGUMENT, "`min` and `max` must be rank 0");
    }
    Tensor *y = NULL;
    TRY(op_output_reuse(c, 0, 0, DT_FLOAT, &x->shape, &y));
    for (int64_t k = 0; y->n > 0 && k < n_lines; k++) {
        float range[2] = { kernel->min, kernel->max };
        for (int i = 1; i < c->n_inputs; i++)
            range[i - 1] = ((const float *)op_input(c, i)->data)[k];
        quantize_line(kernel, range, n_lines, x, k, y);
    }
    return NULL;
}

/* ---- QuantizeAndDequantize ----------------------------------------------------------------- */

typedef struct QuantizeKernel {
    bool is_signed, is_narrow, has_range, rounds_up;
    int64_t bits, axis; /* axis -1: one range for all */
} QuantizeKernel;

static Error *check_bits(const QuantizeKernel *kernel, int64_t bits)
{
    if (bits < 1 || bits >= (kernel->is_signed ? 62 : 63))
        return error_new(ERROR_INVALID_ARGUMENT,
                         "num_bits is out of range: %lld with signed_input %d", (long long)bits,
                         kernel->is_signed);
    return NULL;
}

Error *quantize_and_dequantize_prepare(OpPrepare *prepare)
{
    QuantizeKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    DType dtype = prepare->input_dtypes[0];
    const char *round_mode = NULL;
    if (kernel == NULL)
        return error_out_of_memory();
    if (dtype != DT_FLOAT && dtype != DT_DOUBLE)
        return op_unsupported_type(prepare, dtype);
    TRY(attrs_bool_or(prepare->attrs, "signed_input", true, &kernel->is_signed));
    TRY(attrs_bool_or(prepare->attrs, "narrow_range", false, &kernel->is_narrow));
    TRY(attrs_int_or(prepare->attrs, "axis", -1, &kernel->axis));
    TRY(attrs_text_or(prepare->attrs, "round_mode", "HALF_TO_EVEN", &round_mode));
    bool is_v3 = prepare->n_inputs == 4; /* bits come as an input, and a range is usual */
    TRY(attrs_bool_or(prepare->attrs, "range_given", is_v3, &kernel->has_range));
    TRY(attrs_int_or(prepare->attrs, "num_bits", 8, &kernel->bits));
    kernel->rounds_up = strcmp(round_mode, "HALF_UP") == 0;
    if (!kernel->rounds_up && strcmp(round_mode, "HALF_TO_EVEN") != 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Round mode string must be 'HALF_TO_EVEN' or 'HALF_UP', is '%s'",
                         round_mode);
    if (kernel->axis < -1)
        return error_new(ERROR_INVALID_ARGUMENT, "Axis must be at least -1. Found %lld",
                         (long long)kernel->axis);
    TRY(check_bits(kernel, kernel->bits));
    prepare->kernel = kernel;
    return NULL;
}

/* One range: elements (o, k, i) of [outer, n, inner]. */
typedef struct QuantizeLine {
    const QuantizeKernel *kernel;
    int64_t outer, n, inner, k, bits;
    const void *x;
    void *y;
} QuantizeLine;

/* The scale that takes the range into the integers without moving 0, from the side that needs the
 * smaller one; the other side of the range follows. */
#define QUANTIZE_LINE(type, suffix, largest, round_even)                                           \
    static type rounded_##suffix(const QuantizeKernel *kernel, type v)                             \
    {                                                                                              \
        return kernel->rounds_up ? (type)floor((double)(v + (type)0.5)) : round_even(v);           \
    }                                                                                              \
    static void quantize_##suffix(const QuantizeLine *q, type min, type max)                       \
    {                                                                                              \
        const QuantizeKernel *kernel = q->kernel;                                                  \
        const type one = 1;                                                                        \
        const type half = (type)((uint64_t)1 << (q->bits - 1));                                    \
        const type least = kernel->is_signed ? (kernel->is_narrow ? one - half : -half) : 0;       \
        const type most = kernel->is_signed ? half - one : 2 * half - one;                         \
        const type below = least * min > 0 ? least / min : largest;                                \
        const type above = most * max > 0 ? most / max : largest;                                  \
        const bool by_min = below < above;                                                         \
        const type scale = by_min ? below : above, step = by_min ? min / least : max / most;       \
        if (by_min)                                                                                \
            max = most * step;                                                                     \
        else                                                                                       \
            min = least * step;                                                                    \
        for (int64_t at = 0; at < q->outer * q->inner; at++) {                                     \
            int64_t i = (at / q->inner * q->n + q->k) * q->inner + at % q->inner;                  \
            type v = ((const type *)q->x)[i];                                                      \
            if (kernel->has_range) {                                                               \
                v = v < max ? v : max;                                                             \
                v = v > min ? v : min;                                                             \
            }                                                                                      \
            ((type *)q->y)[i] = rounded_##suffix(kernel, v * scale) * step;                        \
        }                                                                                          \
    }                                                                                              \
    static Error *quantize_range_##suffix(const QuantizeLine *q, const OpContext *c)               \
    {                                                                                              \
        type min = INFINITY, max = -INFINITY;                                                      \
        for (int64_t at = 0; !q->kernel->has_range && at < q->outer * q->inner; at++) {            \
            type v =                                                                               \
                ((const type *)q->x)[(at / q->inner * q->n + q->k) * q->inner + at % q->inner];    \
            min = v < min ? v : min;                                                               \
            max = v > max ? v : max;                                                               \
        }                                                                                          \
        if (q->kernel->has_range) {                                                                \
            min = ((const type *)op_input(c, 1)->data)[q->k];                                      \
            max = ((const type *)op_input(c, 2)->data)[q->k];                                      \
            if (!(min <= max))                                                                     \
                return error_new(ERROR_INVALID_ARGUMENT,                                           \
                                 "Invalid range: input_min %g > input_max %g", (double)min,        \
                                 (double)max);                                                     \
        }                                                                                          \
        quantize_##suffix(q, min, max);                                                            \
        return NULL;                                                                               \
    }
QUANTIZE_LINE(float, f32, FLT_MAX, rintf)
QUANTIZE_LINE(double, f64, DBL_MAX, rint)

/* V2 and V4 take one range, even along an axis; only V3 takes one for each of its elements. */
static Error *check_ranges(const OpContext *c, int64_t n)
{
    for (int i = 1; i < 3; i++) {
        const Shape *shape = &op_input(c, i)->shape;
        if (c->n_inputs == 3 && shape->rank != 0)
            return error_new(ERROR_INVALID_ARGUMENT, "input_%s must be a scalar.",
                             i == 1 ? "min" : "max");
        if (op_input(c, i)->n != n || shape->rank > 1)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Shape must be rank %d and of %lld elements for input_%s", n > 1,
                             (long long)n, i == 1 ? "min" : "max");
    }
    return NULL;
}

Error *quantize_and_dequantize_run(OpContext *c)
{
    const QuantizeKernel *kernel = c->kernel;
    const Tensor *x = op_input(c, 0);
    QuantizeLine q = { .kernel = kernel, .outer = 1, .n = 1, .inner = x->n, .bits = kernel->bits };
    if (kernel->axis >= x->shape.rank)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Axis should be -1 or 0 or a positive value less than %d but given axis "
                         "value was %lld",
                         x->shape.rank, (long long)kernel->axis);
    if (kernel->axis >= 0) {
        int axis = (int)kernel->axis;
        q.outer = dims_product(&x->shape, 0, axis);
        q.n = x->shape.dims[axis];
        q.inner = dims_product(&x->shape, axis + 1, x->shape.rank);
    }
    if (kernel->has_range)
        TRY(check_ranges(c, q.n));
    if (c->n_inputs == 4) {
        if (op_input(c, 3)->n != 1)
            return error_new(ERROR_INVALID_ARGUMENT, "num_bits must be a scalar");
        q.bits = tensor_index_at(op_input(c, 3), 0);
        TRY(check_bits(kernel, q.bits));
    }
    Tensor *y = NULL;
    TRY(op_output(c, 0, x->dtype, &x->shape, &y));
    q.x = x->data;
    q.y = y->data;
    for (q.k = 0; y->n > 0 && q.k < q.n; q.k++)
        TRY(x->dtype == DT_FLOAT ? quantize_range_f32(&q, c) : quantize_range_f64(&q, c));
    return NULL;
}
