/* SPDX-License-Identifier: Apache-2.0
 *
 * Reductions over axes: Sum, Mean, Prod, Max, Min, All, Any, EuclideanNorm; and L2Loss.
 *
 * The input is walked in the order of memory beside a result whose reduced dimensions are 1, so
 * that Broadcast joins dimensions and gives rows: a row falls into one element of the result, or
 * on a row of it. Sums and products of floating types are kept as double, of integers as uint64_t
 * (which wraps), extremes as they are.
 */
#ifndef __clang__
#pragma GCC optimize("O3") /* vectorises loops whose length is not known */
#endif

#include <math.h>
#include <string.h>

#include "model/op/axes.h"
#include "model/op/broadcast.h"
#include "model/op/elementwise.h"
#include "model/op/float_sums.h"
#include "model/op/kernels.h"
#include "model/op/typed.h"

#define GRAIN 16384 /* elements that one worker takes at a time */

/* state[i * stride] = f(state[i * stride], x[i]); stride is 0 or 1. */
typedef void ReduceLoop(int64_t n, const void *x, void *state, int64_t stride);
typedef void StartLoop(int64_t n, void *state);
/* y[i] = the result of state[i], each from `count` elements. */
typedef void FinishLoop(int64_t n, const void *state, int64_t count, void *y);

typedef struct ReduceRow {
    const char *op;
    DType dtype;
    size_t state_bytes; /* of one element */
    StartLoop *start;
    ReduceLoop *step;
    FinishLoop *finish;
} ReduceRow;

typedef struct ReduceKernel {
    const ReduceRow *row;
    DType dtype;
    bool keep_dims;
} ReduceKernel;

/* ---- loops --------------------------------------------------------------------------------- */

#define LANES 8 /* independent sums in a row, so that additions overlap and vectorise */

#define DEFINE_START(name, state_type, value)                                                      \
    static void name(int64_t n, void *states)                                                      \
    {                                                                                              \
        state_type *state = states;                                                                \
        for (int64_t i = 0; i < n; i++)                                                            \
            state[i] = (value);                                                                    \
    }

/* `expression` combines the state s and the element v; it is associative enough to be done in
 * LANES pieces. */
#define DEFINE_STEP(name, type, state_type, identity, expression)                                  \
    static inline state_type name##_one(state_type s, state_type v)                                \
    {                                                                                              \
        return (expression);                                                                       \
    }                                                                                              \
    static void name(int64_t n, const void *xs, void *states, int64_t stride)                      \
    {                                                                                              \
        const type *x = xs;                                                                        \
        state_type *state = states;                                                                \
        if (stride != 0) {                                                                         \
            INDEPENDENT_ITERATIONS                                                                 \
            for (int64_t i = 0; i < n; i++)                                                        \
                state[i] = name##_one(state[i], (state_type)x[i]);                                 \
            return;                                                                                \
        }                                                                                          \
        state_type lanes[LANES];                                                                   \
        for (int k = 0; k < LANES; k++)                                                            \
            lanes[k] = (identity);                                                                 \
        int64_t i = 0;                                                                             \
        for (; i + LANES <= n; i += LANES) {                                                       \
            for (int k = 0; k < LANES; k++)                                                        \
                lanes[k] = name##_one(lanes[k], (state_type)x[i + k]);                             \
        }                                                                                          \
        for (; i < n; i++)                                                                         \
            lanes[0] = name##_one(lanes[0], (state_type)x[i]);                                     \
        for (int k = 0; k < LANES; k++)                                                            \
            state[0] = name##_one(state[0], lanes[k]);                                             \
    }

#define DEFINE_SQUARES(name, type)                                                                 \
    static void name(int64_t n, const void *xs, void *states, int64_t stride)                      \
    {                                                                                              \
        const type *x = xs;                                                                        \
        double *state = states;                                                                    \
        for (int64_t i = 0; i < n; i++)                                                            \
            state[i * stride] += (double)x[i] * (double)x[i];                                      \
    }

#define DEFINE_FINISH(name, type, state_type, expression)                                          \
    static void name(int64_t n, const void *states, _unused_ int64_t count, void *ys)              \
    {                                                                                              \
        const state_type *state = states;                                                          \
        type *y = ys;                                                                              \
        for (int64_t i = 0; i < n; i++) {                                                          \
            const state_type s = state[i];                                                         \
            y[i] = (type)(expression);                                                             \
        }                                                                                          \
    }

DEFINE_START(start_zero_f64, double, 0)
DEFINE_START(start_one_f64, double, 1)
DEFINE_START(start_zero_u64, uint64_t, 0)
DEFINE_START(start_one_u64, uint64_t, 1)

#define SUM_LOOPS(type, suffix, state_type)                                                        \
    DEFINE_STEP(sum_##suffix, type, state_type, 0, s + v)                                          \
    DEFINE_STEP(prod_##suffix, type, state_type, 1, s *v)                                          \
    DEFINE_FINISH(finish_##suffix, type, state_type, s)

static void sum_f32(int64_t n, const void *xs, void *states, int64_t stride)
{
    double *state = states;
    if (stride != 0)
        float_sums_rows(1, n, n, xs, state);
    else
        state[0] += float_sums_row(n, xs);
}
DEFINE_STEP(sum_f64, double, double, 0, s + v)

#define FLOAT_LOOPS(dt, type, suffix)                                                              \
    DEFINE_STEP(prod_##suffix, type, double, 1, s *v)                                              \
    DEFINE_FINISH(finish_##suffix, type, double, s)                                                \
    DEFINE_FINISH(mean_##suffix, type, double, s / (double)count)                                  \
    DEFINE_SQUARES(squares_##suffix, type)                                                         \
    DEFINE_FINISH(root_##suffix, type, double, sqrt(s))                                            \
    DEFINE_FINISH(half_##suffix, type, double, s / 2)                                              \
    DEFINE_START(start_max_##suffix, type, -INFINITY)                                              \
    DEFINE_START(start_min_##suffix, type, INFINITY)                                               \
    DEFINE_STEP(max_##suffix, type, type, -INFINITY, s > v || s != s ? s : v)                      \
    DEFINE_STEP(min_##suffix, type, type, INFINITY, s < v || s != s ? s : v)                       \
    DEFINE_FINISH(same_##suffix, type, type, s)
FOR_EACH_FLOAT(FLOAT_LOOPS)

/* The mean of none is 0 here and in TensorFlow; the sum is cut to the type before it is divided. */
#define INT_LOOPS(dt, type, suffix)                                                                \
    SUM_LOOPS(type, suffix, uint64_t)                                                              \
    DEFINE_FINISH(mean_##suffix, type, uint64_t, count == 0 ? (type)0 : (type)s / (type)count)     \
    DEFINE_STEP(max_##suffix, type, type, least_##suffix, s > v ? s : v)                           \
    DEFINE_STEP(min_##suffix, type, type, most_##suffix, s < v ? s : v)                            \
    DEFINE_START(start_max_##suffix, type, least_##suffix)                                         \
    DEFINE_START(start_min_##suffix, type, most_##suffix)                                          \
    DEFINE_FINISH(same_##suffix, type, type, s)

enum {
    least_i8 = INT8_MIN,
    most_i8 = INT8_MAX,
    least_u8 = 0,
    most_u8 = UINT8_MAX,
    least_i16 = INT16_MIN,
    most_i16 = INT16_MAX,
    least_u16 = 0,
    most_u16 = UINT16_MAX,
    least_i32 = INT32_MIN,
    most_i32 = INT32_MAX,
    least_u32 = 0,
    least_u64 = 0,
};
#define most_u32 UINT32_MAX
#define most_u64 UINT64_MAX
#define least_i64 INT64_MIN
#define most_i64 INT64_MAX
FOR_EACH_INT(INT_LOOPS)

DEFINE_START(start_true, bool, true)
DEFINE_START(start_false, bool, false)
DEFINE_STEP(all_bool, bool, bool, true, s &v)
DEFINE_STEP(any_bool, bool, bool, false, s | v)
DEFINE_FINISH(same_bool, bool, bool, s)

/* ---- table --------------------------------------------------------------------------------- */

#define SUM_ROWS(dt, suffix, state_type, state_suffix)                                                \
    { "Sum", dt, sizeof(state_type), start_zero_##state_suffix, sum_##suffix, finish_##suffix },      \
        { "Prod", dt, sizeof(state_type), start_one_##state_suffix, prod_##suffix, finish_##suffix }, \
        { "Mean", dt, sizeof(state_type), start_zero_##state_suffix, sum_##suffix, mean_##suffix },
#define EXTREME_ROWS(dt, type, suffix)                                                             \
    { "Max", dt, sizeof(type), start_max_##suffix, max_##suffix, same_##suffix },                  \
        { "Min", dt, sizeof(type), start_min_##suffix, min_##suffix, same_##suffix },
#define FLOAT_ROWS(dt, type, suffix)                                                               \
    { "EuclideanNorm", dt, sizeof(double), start_zero_f64, squares_##suffix, root_##suffix },      \
        { "L2Loss", dt, sizeof(double), start_zero_f64, squares_##suffix, half_##suffix },         \
        SUM_ROWS(dt, suffix, double, f64) EXTREME_ROWS(dt, type, suffix)
#define INT_ROWS(dt, type, suffix)                                                                 \
    SUM_ROWS(dt, suffix, uint64_t, u64) EXTREME_ROWS(dt, type, suffix)

static const ReduceRow rows[] = {
    FOR_EACH_FLOAT(FLOAT_ROWS)
        FOR_EACH_INT(INT_ROWS){ "All", DT_BOOL, sizeof(bool), start_true, all_bool, same_bool },
    { "Any", DT_BOOL, sizeof(bool), start_false, any_bool, same_bool },
};

Error *reduce_prepare(OpPrepare *prepare)
{
    TRY(op_prepare_indices(prepare));
    ReduceKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    kernel->dtype = prepare->input_dtypes[0];
    DType wanted = dtype_is_short_float(kernel->dtype) ? DT_FLOAT : kernel->dtype;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].dtype == wanted && strcmp(rows[i].op, prepare->op->name) == 0)
            kernel->row = &rows[i];
    }
    if (kernel->row == NULL)
        return op_unsupported_type(prepare, kernel->dtype);
    TRY(attrs_bool_or(prepare->attrs, "keep_dims", false, &kernel->keep_dims));
    prepare->kernel = kernel;
    return NULL;
}

/* ---- run ----------------------------------------------------------------------------------- */

static Error *mark_axes(const Tensor *axes, int rank, bool is_reduced[SHAPE_MAX_RANK])
{
    for (int64_t i = 0; i < axes->n; i++) {
        int64_t axis = tensor_index_at(axes, i);
        int d = axis_of(axis, rank);
        if (d < 0)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Invalid reduction dimension (%lld for input with %d dimension(s)",
                             (long long)axis, rank);
        if (is_reduced[d])
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Invalid reduction arguments: Axes contains duplicate dimension: %d",
                             d);
        is_reduced[d] = true;
    }
    return NULL;
}

/* The walk's rows that fall onto the same row of the state, at once. */
static bool is_stack_of_floats(const ReduceRow *row, const Broadcast *b)
{
    int last = b->rank - 1;
    return row->step == sum_f32 && b->row_strides[1] == 1 && last >= 0 && b->strides[1][last] == 0;
}

static void reduce_elements(const ReduceRow *row, const Broadcast *b, const char *x, char *state)
{
    const size_t size = dtype_size(row->dtype);
    Broadcast outer = *b;
    bool is_stack = is_stack_of_floats(row, b);
    outer.rank -= is_stack;
    for (BroadcastWalk w = broadcast_begin(&outer); !w.done; broadcast_next(&outer, &w)) {
        const char *from = x + (size_t)w.offsets[0] * size;
        char *to = state + (size_t)w.offsets[1] * row->state_bytes;
        if (is_stack)
            float_sums_rows(b->dims[outer.rank], b->strides[0][outer.rank], b->row,
                            (const float *)(const void *)from, (double *)(void *)to);
        else
            row->step(b->row, from, to, b->row_strides[1]);
    }
}

/* Part of a reduction whose outermost dimension stays: indices of it fall apart. */
typedef struct ReduceRun {
    const ReduceRow *row;
    const Broadcast *broadcast;
    const char *x;
    char *state;
} ReduceRun;

static void reduce_part(void *context, size_t begin, size_t end, int thread)
{
    const ReduceRun *run = context;
    Broadcast part = *run->broadcast;
    (void)thread;
    part.dims[0] = (int64_t)(end - begin);
    reduce_elements(run->row, &part,
                    run->x + begin * (size_t)part.strides[0][0] * dtype_size(run->row->dtype),
                    run->state + begin * (size_t)part.strides[1][0] * run->row->state_bytes);
}

static void reduce(Workers *workers, const ReduceRow *row, const Broadcast *b, const void *x,
                   void *state)
{
    ReduceRun run = { row, b, x, state };
    if (b->rank == 0 || b->strides[1][0] == 0) {
        reduce_elements(row, b, x, state);
        return;
    }
    int64_t inner = broadcast_rows(b) / b->dims[0] * b->row;
    workers_for(workers, (size_t)b->dims[0], (size_t)(GRAIN / inner + 1), reduce_part, &run);
}

static Error *finish(OpContext *c, const void *state, int64_t count, Tensor *y)
{
    const ReduceKernel *kernel = c->kernel;
    if (!dtype_is_short_float(kernel->dtype)) {
        kernel->row->finish(y->n, state, count, y->data);
        return NULL;
    }
    float *wide = op_scratch(c, (size_t)y->n * sizeof(float));
    if (wide == NULL)
        return error_out_of_memory();
    kernel->row->finish(y->n, state, count, wide);
    shorts_narrow(kernel->dtype, y->n, wide, y->data);
    return NULL;
}

Error *reduce_run(OpContext *c)
{
    const ReduceKernel *kernel = c->kernel;
    const Tensor *x = op_input(c, 0);
    bool is_reduced[SHAPE_MAX_RANK] = { false };
    if (c->n_inputs > 1)
        TRY(mark_axes(op_input(c, 1), x->shape.rank, is_reduced));
    else /* L2Loss: of all elements */
        memset(is_reduced, true, sizeof(is_reduced));
    Shape beside = x->shape; /* the result, with a 1 for each reduced dimension */
    Shape shape = { .rank = 0 };
    int64_t count = 1; /* elements that fall into one */
    for (int d = 0; d < x->shape.rank; d++) {
        if (is_reduced[d]) {
            count *= x->shape.dims[d];
            beside.dims[d] = 1;
        }
        if (!is_reduced[d] || kernel->keep_dims)
            shape.dims[shape.rank++] = beside.dims[d];
    }
    Tensor *y = NULL;
    TRY(op_output(c, 0, kernel->dtype, &shape, &y));
    void *state = op_scratch(c, (size_t)y->n * kernel->row->state_bytes);
    if (state == NULL)
        return error_out_of_memory();
    kernel->row->start(y->n, state);
    Broadcast b;
    const float *wide = NULL;
    TRY(shorts_as_floats(c, x, &wide));
    if (y->n > 0 && x->n > 0) {
        if (!broadcast_init(&b, 2, (const Shape *const[]){ &x->shape, &beside }))
            return error_new(ERROR_INTERNAL, "Reduce: shapes that do not fit");
        reduce(c->workers, kernel->row, &b, wide, state);
    }
    return finish(c, state, count, y);
}
