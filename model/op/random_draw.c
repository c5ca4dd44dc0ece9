/* SPDX-License-Identifier: Apache-2.0
 *
 * Draw: see random_draw.h. Elements come in groups: what four 32-bit numbers make, four elements or
 * two of 64 bits. A truncated normal distribution takes as many numbers as it needs from steps that
 * are set aside for the group. Any thread.
 */
#include "model/op/random_draw.h"

#include <math.h>
#include <string.h>

#include "model/op/elementwise.h"
#include "model/op/kernels.h"
#include "model/tensor/half.h"

#define GROUP 4
#define LEAST_UNIFORM 1e-7 /* keeps the logarithm finite */
#define TRUNCATED_AT 2

typedef union Group {
    float f32[GROUP];
    double f64[GROUP / 2];
    uint32_t u32[GROUP];
    uint64_t u64[GROUP / 2];
    uint16_t u16[GROUP];
} Group;

/* ---- numbers ------------------------------------------------------------------------------- */

/* The bits become the fraction of a number in [1, 2). */
static float uniform_f32(uint32_t x)
{
    return float_of_bits(0x3F800000 | (x & 0x7FFFFF)) - 1;
}

static double uniform_f64(uint32_t high, uint32_t low)
{
    uint64_t bits = (uint64_t)1023 << 52 | (uint64_t)(high & 0xFFFFF) << 32 | low;
    double v = 0;
    memcpy(&v, &bits, sizeof(v));
    return v - 1;
}

/* A 16-bit type has as many random bits as its fraction. */
static float uniform_short(DType dtype, uint32_t x)
{
    return dtype == DT_HALF ? (float)(x & 0x3FF) / 0x400 : (float)(x & 0x7F) / 0x80;
}

/* Two normal numbers of two uniform ones (Box and Muller, 1958). */
static void normal_f32(uint32_t x, uint32_t y, float ret[2])
{
    float u = uniform_f32(x), angle = (float)(2 * M_PI * (double)uniform_f32(y));
    float radius = sqrtf(-2 * logf(u < (float)LEAST_UNIFORM ? (float)LEAST_UNIFORM : u));
    ret[0] = sinf(angle) * radius;
    ret[1] = cosf(angle) * radius;
}

static void normal_f64(const uint32_t x[4], double ret[2])
{
    double u = uniform_f64(x[0], x[1]), angle = 2 * M_PI * uniform_f64(x[2], x[3]);
    double radius = sqrt(-2 * log(u < LEAST_UNIFORM ? LEAST_UNIFORM : u));
    ret[0] = sin(angle) * radius;
    ret[1] = cos(angle) * radius;
}

/* ---- groups -------------------------------------------------------------------------------- */

static void draw_floats(const Draw *draw, const uint32_t x[4], Group *group)
{
    for (int i = 0; i < GROUP; i++) {
        if (draw->distribution == RANDOM_UNIFORM)
            group->f32[i] =
                draw->dtype == DT_FLOAT ? uniform_f32(x[i]) : uniform_short(draw->dtype, x[i]);
        else if (i % 2 == 0)
            normal_f32(x[i], x[i + 1], &group->f32[i]);
    }
}

static void draw_doubles(const Draw *draw, const uint32_t x[4], Group *group)
{
    if (draw->distribution == RANDOM_NORMAL) {
        normal_f64(x, group->f64);
    } else {
        group->f64[0] = uniform_f64(x[0], x[1]);
        group->f64[1] = uniform_f64(x[2], x[3]);
    }
}

static void draw_ints(const Draw *draw, const uint32_t x[4], Group *group)
{
    bool is_wide = dtype_size(draw->dtype) == sizeof(uint64_t);
    for (int i = 0; i < (is_wide ? GROUP / 2 : GROUP); i++) {
        uint64_t v = is_wide ? x[2 * i] | (uint64_t)x[2 * i + 1] << 32 : x[i];
        if (draw->distribution == RANDOM_INT)
            v = draw->low + v % draw->range;
        if (is_wide)
            group->u64[i] = v;
        else
            group->u32[i] = (uint32_t)v;
    }
}

/* Pairs of normal numbers until the group is full of those within the limits. */
static void draw_truncated(const Draw *draw, Philox generator, Group *group)
{
    PhiloxSingles singles = { .generator = &generator, .used = 4 };
    bool is_double = draw->dtype == DT_DOUBLE;
    for (int n = 0; n < (is_double ? GROUP / 2 : GROUP);) {
        double pair[2];
        float narrow[2];
        uint32_t x[4];
        for (int i = 0; i < (is_double ? 4 : 2); i++)
            x[i] = philox_single(&singles);
        if (is_double) {
            normal_f64(x, pair);
        } else {
            normal_f32(x[0], x[1], narrow);
            pair[0] = (double)narrow[0];
            pair[1] = (double)narrow[1];
        }
        for (int i = 0; i < 2; i++) {
            if (fabs(pair[i]) >= TRUNCATED_AT || n == (is_double ? GROUP / 2 : GROUP))
                continue;
            if (is_double)
                group->f64[n++] = pair[i];
            else
                group->f32[n++] = narrow[i];
        }
    }
}

static void draw_group(const Draw *draw, Philox generator, Group *group)
{
    uint32_t x[4];
    if (draw->distribution == RANDOM_TRUNCATED) {
        draw_truncated(draw, generator, group);
    } else {
        philox_next(&generator, x);
        if (draw->distribution == RANDOM_INT || draw->distribution == RANDOM_FULL_INT)
            draw_ints(draw, x, group);
        else if (draw->dtype == DT_DOUBLE)
            draw_doubles(draw, x, group);
        else
            draw_floats(draw, x, group);
    }
    if (dtype_is_short_float(draw->dtype)) {
        float wide[GROUP];
        memcpy(wide, group->f32, sizeof(wide));
        shorts_narrow(draw->dtype, GROUP, wide, group->u16);
    }
}

void draw_fill(const Draw *draw, Philox generator, Tensor *tensor)
{
    size_t size = dtype_size(draw->dtype);
    int64_t n = size == sizeof(uint64_t) ? GROUP / 2 : GROUP;
    uint64_t steps =
        draw->distribution == RANDOM_TRUNCATED ? (uint64_t)n * RANDOM_RESERVED_STEPS / GROUP : 1;
    for (int64_t i = 0; i < tensor->n; i += n, philox_skip(&generator, steps)) {
        Group group;
        draw_group(draw, generator, &group);
        int64_t taken = tensor->n - i < n ? tensor->n - i : n;
        memcpy((char *)tensor->data + (size_t)i * size, &group, (size_t)taken * size);
    }
}

/* ---- what the ops share -------------------------------------------------------------------- */

Error *draw_prepare(const OpPrepare *prepare, const Draw *draw)
{
    bool is_32 = draw->dtype == DT_INT32 || draw->dtype == DT_INT64;
    bool is_unsigned_32 = draw->dtype == DT_UINT32 || draw->dtype == DT_UINT64;
    bool known = draw->distribution == RANDOM_FULL_INT || draw->distribution == RANDOM_INT
                     ? is_32 || is_unsigned_32
                     : dtype_is_floating(draw->dtype);
    return known ? NULL : op_unsupported_type(prepare, draw->dtype);
}

Error *draw_shape(const OpContext *c, Shape *ret)
{
    const Tensor *dims = op_input(c, 0);
    char text[SHAPE_TEXT_BYTES];
    if (dims->shape.rank != 1)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "shape must be a vector of {int32,int64}, got shape %s",
                         shape_text(&dims->shape, text));
    TRY(tensor_to_shape(dims, ret));
    for (int d = 0; d < ret->rank; d++) {
        if (ret->dims[d] < 0)
            return error_new(ERROR_INVALID_ARGUMENT, "Dimension %lld must be >= 0",
                             (long long)ret->dims[d]);
    }
    return NULL;
}

/* Sign-extended where the type has a sign. */
static uint64_t int_at(const Tensor *t)
{
    switch (t->dtype) {
    case DT_UINT32:
        return *(const uint32_t *)t->data;
    case DT_UINT64:
        return *(const uint64_t *)t->data;
    default:
        return (uint64_t)tensor_index_at(t, 0);
    }
}

Error *draw_range(const OpContext *c, int first, Draw *draw)
{
    char text[SHAPE_TEXT_BYTES];
    for (int i = 0; i < 2; i++) {
        const Tensor *t = op_input(c, first + i);
        if (t->shape.rank != 0)
            return error_new(ERROR_INVALID_ARGUMENT, "%s must be 0-D, got shape %s",
                             i == 0 ? "minval" : "maxval", shape_text(&t->shape, text));
    }
    uint64_t low = int_at(op_input(c, first)), high = int_at(op_input(c, first + 1));
    bool is_unsigned = draw->dtype == DT_UINT32 || draw->dtype == DT_UINT64;
    if (is_unsigned ? low >= high : (int64_t)low >= (int64_t)high)
        return error_new(ERROR_INVALID_ARGUMENT, "Need minval < maxval, got %lld >= %lld",
                         (long long)low, (long long)high);
    draw->low = low;
    draw->range = high - low;
    return NULL;
}

/* ---- classes ------------------------------------------------------------------------------- */

Error *draw_check_classes(const OpContext *c, int64_t *ret_n)
{
    const Tensor *logits = op_input(c, 0), *count = op_input(c, 1);
    char text[SHAPE_TEXT_BYTES];
    if (logits->shape.rank != 2)
        return error_new(ERROR_INVALID_ARGUMENT, "logits should be a matrix, got shape %s",
                         shape_text(&logits->shape, text));
    if (count->shape.rank != 0)
        return error_new(ERROR_INVALID_ARGUMENT, "num_samples should be a scalar, got shape %s",
                         shape_text(&count->shape, text));
    int64_t n = tensor_index_at(count, 0);
    if (n < 0)
        return error_new(ERROR_INVALID_ARGUMENT, "num_samples should be nonnegative, got %lld",
                         (long long)n);
    if (logits->shape.dims[0] > 0 && logits->shape.dims[1] == 0)
        return error_new(ERROR_INVALID_ARGUMENT, "num_classes should be positive, got 0");
    Shape shape = shape_of(logits->shape.dims[0], (n + 3) / 4 * 4);
    return shape_count(&shape, ret_n);
}

/* sums[k] = the sum of exp(row[j]) over the finite j <= k, in units of the largest one. */
static double sum_row(const Tensor *logits, const float *wide, int64_t first, double *sums)
{
    int64_t n = logits->shape.dims[1];
    double largest = -INFINITY, sum = 0;
    for (int64_t j = 0; j < n; j++) {
        double v =
            wide != NULL ? (double)wide[first + j] : ((const double *)logits->data)[first + j];
        sums[j] = v;
        if (isfinite(v) && v > largest)
            largest = v;
    }
    for (int64_t j = 0; j < n; j++) {
        sum += isfinite(sums[j]) ? exp(sums[j] - largest) : 0;
        sums[j] = sum;
    }
    return sum;
}

/* The first class whose sum is greater; n when there is none. */
static int64_t find_class(const double *sums, int64_t n, double v)
{
    int64_t low = 0, high = n;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (v < sums[middle])
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

Error *draw_classes(OpContext *c, DType output, Philox generator)
{
    const Tensor *logits = op_input(c, 0);
    int64_t n_rows = logits->shape.dims[0], n_classes = logits->shape.dims[1];
    int64_t n = tensor_index_at(op_input(c, 1), 0);
    Tensor *y = NULL;
    TRY(op_output(c, 0, output, &shape_of(n_rows, n), &y));
    const float *wide = NULL;
    if (logits->dtype != DT_DOUBLE)
        TRY(shorts_as_floats(c, logits, &wide));
    double *sums = op_scratch(c, (size_t)n_classes * sizeof(*sums));
    if (sums == NULL)
        return error_out_of_memory();
    PhiloxSingles singles = { .generator = &generator, .used = 4 };
    for (int64_t row = 0; y->n > 0 && row < n_rows; row++) {
        double total = sum_row(logits, wide, row * n_classes, sums);
        for (int64_t k = row * n; k < (row + 1) * n; k++) {
            uint32_t high = philox_single(&singles), low = philox_single(&singles);
            int64_t found = find_class(sums, n_classes, uniform_f64(high, low) * total);
            if (output == DT_INT32)
                ((int32_t *)y->data)[k] = (int32_t)found;
            else
                ((int64_t *)y->data)[k] = found;
        }
    }
    return NULL;
}
