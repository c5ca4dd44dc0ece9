/* SPDX-License-Identifier: Apache-2.0
 *
 * Elementwise ops of many operands: AddN and AccumulateNV2, the sum of tensors of one shape, and
 * ClipByValue. half and bfloat16 are computed as float and rounded once. Any thread.
 */
#ifndef __clang__
#pragma GCC optimize("O3") /* vectorises loops whose length is not known */
#endif

#include <string.h>

#include "model/op/elementwise.h"
#include "model/op/kernels.h"
#include "model/op/typed.h"

/* sum[i] += x[i] */
typedef void AddLoop(int64_t n, const void *x, void *sum);
/* y[i] = x[i] between low and high, which stand still where their step is 0. */
typedef struct Clip {
    int64_t n;
    const void *x, *low, *high;
    int64_t low_step, high_step;
    void *y;
} Clip;
typedef void ClipLoop(const Clip *clip);

typedef struct MergeKernel {
    AddLoop *add;
    ClipLoop *clip;
} MergeKernel;

/* Integers wrap. A NaN operand of a clip is what std::min and std::max make of it. */
#define ADD_LOOP(type, suffix, wide)                                                               \
    static void add_##suffix(int64_t n, const void *xs, void *sums)                                \
    {                                                                                              \
        const type *x = xs;                                                                        \
        type *sum = sums;                                                                          \
        INDEPENDENT_ITERATIONS                                                                     \
        for (int64_t i = 0; i < n; i++)                                                            \
            sum[i] = (type)((wide)sum[i] + (wide)x[i]);                                            \
    }
#define CLIP_LOOP(type, suffix)                                                                    \
    static void clip_##suffix(const Clip *c)                                                       \
    {                                                                                              \
        const type *x = c->x, *low = c->low, *high = c->high;                                      \
        type *y = c->y;                                                                            \
        for (int64_t i = 0; i < c->n; i++) {                                                       \
            type most = high[i * c->high_step], least = low[i * c->low_step];                      \
            type v = most < x[i] ? most : x[i];                                                    \
            y[i] = v < least ? least : v;                                                          \
        }                                                                                          \
    }
#define FLOAT_LOOPS(dt, type, suffix) ADD_LOOP(type, suffix, type) CLIP_LOOP(type, suffix)
#define INT_LOOPS(dt, type, suffix) ADD_LOOP(type, suffix, uint64_t) CLIP_LOOP(type, suffix)
FOR_EACH_FLOAT(FLOAT_LOOPS)
FOR_EACH_INT(INT_LOOPS)

static Error *prepare_merge(OpPrepare *prepare)
{
    MergeKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    switch (prepare->input_dtypes[0]) {
#define CASE(dt, type, suffix)                                                                     \
    case dt:                                                                                       \
        *kernel = (MergeKernel){ add_##suffix, clip_##suffix };                                    \
        break;
        FOR_EACH_NUMBER(CASE)
    case DT_HALF:
    case DT_BFLOAT16:
        *kernel = (MergeKernel){ add_f32, clip_f32 };
        break;
    default:
        return op_unsupported_type(prepare, prepare->input_dtypes[0]);
    }
    prepare->kernel = kernel;
    return NULL;
}

/* ---- AddN, AccumulateNV2 ------------------------------------------------------------------- */

Error *add_n_prepare(OpPrepare *prepare)
{
    if (prepare->n_inputs < 1)
        return error_new(ERROR_INVALID_ARGUMENT, "%s needs at least one input", prepare->op->name);
    return prepare_merge(prepare);
}

Error *add_n_run(OpContext *c)
{
    const MergeKernel *kernel = c->kernel;
    const Tensor *first = op_input(c, 0);
    char text[SHAPE_TEXT_BYTES], other[SHAPE_TEXT_BYTES];
    for (int i = 1; i < c->n_inputs; i++) {
        if (!shape_equal(&op_input(c, i)->shape, &first->shape))
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Inputs to operation %s of type %s must have the same size and shape. "
                             " Input 0: %s != input %d: %s",
                             c->node_name, c->op->name, shape_text(&first->shape, text), i,
                             shape_text(&op_input(c, i)->shape, other));
    }
    Tensor *y = NULL;
    TRY(op_output_reuse(c, 0, 0, first->dtype, &first->shape, &y));
    bool is_short = dtype_is_short_float(first->dtype);
    void *sum = is_short ? op_scratch(c, (size_t)y->n * sizeof(float)) : y->data;
    if (is_short && sum == NULL)
        return error_out_of_memory();
    if (is_short)
        shorts_widen(first->dtype, y->n, first->data, sum);
    else if (sum != first->data && y->n > 0)
        memcpy(sum, first->data, tensor_bytes(y));
    for (int i = 1; i < c->n_inputs; i++) {
        const float *wide = NULL;
        TRY(shorts_as_floats(c, op_input(c, i), &wide));
        kernel->add(y->n, wide, sum);
    }
    if (is_short)
        shorts_narrow(first->dtype, y->n, sum, y->data);
    return NULL;
}

/* ---- ClipByValue --------------------------------------------------------------------------- */

Error *clip_prepare(OpPrepare *prepare)
{
    return prepare_merge(prepare);
}

Error *clip_run(OpContext *c)
{
    const MergeKernel *kernel = c->kernel;
    const Tensor *x = op_input(c, 0), *low = op_input(c, 1), *high = op_input(c, 2);
    char texts[3][SHAPE_TEXT_BYTES];
    bool low_fits = low->shape.rank == 0 || shape_equal(&low->shape, &x->shape);
    bool high_fits = high->shape.rank == 0 || shape_equal(&high->shape, &x->shape);
    if (!low_fits || !high_fits)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "clip_value_min and clip_value_max must be either of the same shape as "
                         "input, or a scalar. input shape: %sclip_value_min shape: "
                         "%sclip_value_max shape: %s",
                         shape_text(&x->shape, texts[0]), shape_text(&low->shape, texts[1]),
                         shape_text(&high->shape, texts[2]));
    const float *wide[3] = { NULL };
    for (int i = 0; i < 3; i++)
        TRY(shorts_as_floats(c, op_input(c, i), &wide[i]));
    Tensor *y = NULL;
    TRY(op_output_reuse(c, 0, 0, x->dtype, &x->shape, &y));
    Clip clip = { .n = y->n,
                  .x = wide[0],
                  .low = wide[1],
                  .high = wide[2],
                  .low_step = low->shape.rank > 0,
                  .high_step = high->shape.rank > 0,
                  .y = y->data };
    if (!dtype_is_short_float(x->dtype)) {
        kernel->clip(&clip);
        return NULL;
    }
    clip.y = op_scratch(c, (size_t)y->n * sizeof(float));
    if (clip.y == NULL)
        return error_out_of_memory();
    kernel->clip(&clip);
    shorts_narrow(x->dtype, y->n, clip.y, y->data);
    return NULL;
}
