/* SPDX-License-Identifier: Apache-2.0
 *
 * Random ops that keep a state of their own: RandomUniform, RandomStandardNormal, TruncatedNormal,
 * RandomUniformInt, Multinomial, RandomShuffle. The state is how many steps of the generator have
 * been taken: one atomic counter, from which each run takes what it needs, so that runs at the same
 * time draw different numbers. With seeds, the first run after loading draws what TensorFlow's first
 * run draws, and so on; without, the system gives them. Any thread.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>

#include "model/op/axes.h"
#include "model/op/elementwise.h"
#include "model/op/kernels.h"
#include "model/op/random_draw.h"

typedef struct RandomKernel {
    Draw draw;
    Philox generator;
    /* Steps taken. Relaxed: no other memory depends on it. */
    _Atomic uint64_t *taken;
} RandomKernel;

static Error *system_seeds(int64_t seeds[2])
{
    size_t size = 2 * sizeof(seeds[0]);
    ssize_t got = getrandom(seeds, size, 0);
    if (got != (ssize_t)size)
        return error_new(ERROR_INTERNAL, "cannot get random bytes from the system: %s",
                         strerror(errno));
    return NULL;
}

static Error *prepare_generator(OpPrepare *prepare, RandomKernel **ret)
{
    RandomKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    _Atomic uint64_t *taken = arena_calloc(prepare->arena, 1, sizeof(*taken));
    int64_t seeds[2] = { 0 };
    if (kernel == NULL || taken == NULL)
        return error_out_of_memory();
    TRY(attrs_int_or(prepare->attrs, "seed", 0, &seeds[0]));
    TRY(attrs_int_or(prepare->attrs, "seed2", 0, &seeds[1]));
    if (seeds[0] == 0 && seeds[1] == 0)
        TRY(system_seeds(seeds));
    kernel->generator = (Philox){ .key = (uint64_t)seeds[0], .high = (uint64_t)seeds[1] };
    kernel->taken = taken;
    prepare->kernel = kernel;
    *ret = kernel;
    return NULL;
}

/* A generator of which nobody else takes the next `steps`. */
static Philox take_steps(const RandomKernel *kernel, uint64_t steps)
{
    Philox generator = kernel->generator;
    philox_skip(&generator, atomic_fetch_add_explicit(kernel->taken, steps, memory_order_relaxed));
    return generator;
}

/* ---- one distribution ---------------------------------------------------------------------- */

static Distribution distribution_of(const char *op)
{
    if (strcmp(op, "RandomUniformInt") == 0)
        return RANDOM_INT;
    if (strcmp(op, "RandomStandardNormal") == 0)
        return RANDOM_NORMAL;
    return strcmp(op, "TruncatedNormal") == 0 ? RANDOM_TRUNCATED : RANDOM_UNIFORM;
}

static Error *check_shape_type(const OpPrepare *prepare)
{
    DType dtype = prepare->input_dtypes[0];
    return dtype == DT_INT32 || dtype == DT_INT64 ? NULL : op_unsupported_type(prepare, dtype);
}

Error *random_prepare(OpPrepare *prepare)
{
    RandomKernel *kernel = NULL;
    TRY(check_shape_type(prepare));
    TRY(prepare_generator(prepare, &kernel));
    kernel->draw.distribution = distribution_of(prepare->op->name);
    if (kernel->draw.distribution == RANDOM_INT)
        kernel->draw.dtype = prepare->input_dtypes[1];
    else
        TRY(attrs_type(prepare->attrs, "dtype", &kernel->draw.dtype));
    return draw_prepare(prepare, &kernel->draw);
}

Error *random_run(OpContext *c)
{
    const RandomKernel *kernel = c->kernel;
    Draw draw = kernel->draw;
    Shape shape;
    Tensor *y = NULL;
    TRY(draw_shape(c, &shape));
    TRY(op_output(c, 0, draw.dtype, &shape, &y));
    if (y->n == 0)
        return NULL;
    if (draw.distribution == RANDOM_INT)
        TRY(draw_range(c, 1, &draw));
    draw_fill(&draw, take_steps(kernel, (uint64_t)y->n * RANDOM_RESERVED_STEPS), y);
    return NULL;
}

/* ---- Multinomial --------------------------------------------------------------------------- */

Error *multinomial_prepare(OpPrepare *prepare)
{
    RandomKernel *kernel = NULL;
    TRY(prepare_generator(prepare, &kernel));
    TRY(attrs_type_or(prepare->attrs, "output_dtype", DT_INT64, &kernel->draw.dtype));
    if (kernel->draw.dtype != DT_INT32 && kernel->draw.dtype != DT_INT64)
        return op_unsupported_type(prepare, kernel->draw.dtype);
    if (!dtype_is_floating(prepare->input_dtypes[0]))
        return op_unsupported_type(prepare, prepare->input_dtypes[0]);
    return NULL;
}

Error *multinomial_run(OpContext *c)
{
    const RandomKernel *kernel = c->kernel;
    int64_t n = 0;
    TRY(draw_check_classes(c, &n));
    /* A sample is a double, and that is two numbers. */
    Philox generator = take_steps(kernel, (uint64_t)n * 2 * RANDOM_RESERVED_STEPS);
    return draw_classes(c, kernel->draw.dtype, generator);
}

/* ---- RandomShuffle ------------------------------------------------------------------------- */

Error *random_shuffle_prepare(OpPrepare *prepare)
{
    RandomKernel *kernel = NULL;
    return prepare_generator(prepare, &kernel);
}

/* The slices of the first dimension in another order (Fisher and Yates, from the front). */
Error *random_shuffle_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    int64_t n = x->shape.rank > 0 ? x->shape.dims[0] : 1;
    if (x->n <= 1 || n <= 1)
        return op_output_alias(c, 0, 0, &x->shape);
    Philox generator = take_steps(c->kernel, ((uint64_t)n - 1 + 3) / 4);
    PhiloxSingles singles = { .generator = &generator, .used = 4 };
    int64_t *order = op_scratch(c, (size_t)n * sizeof(*order));
    Tensor *y = NULL;
    if (order == NULL)
        return error_out_of_memory();
    TRY(op_output(c, 0, x->dtype, &x->shape, &y));
    for (int64_t i = 0; i < n; i++)
        order[i] = i;
    size_t bytes = (size_t)(x->n / n) * dtype_size(x->dtype);
    for (int64_t i = 0; i < n; i++) {
        int64_t other = i < n - 1 ? i + philox_single(&singles) % (uint32_t)(n - i) : i;
        int64_t slice = order[other];
        order[other] = order[i];
        memcpy((char *)y->data + (size_t)i * bytes, (const char *)x->data + (size_t)slice * bytes,
               bytes);
    }
    return NULL;
}
