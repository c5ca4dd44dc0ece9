/* SPDX-License-Identifier: Apache-2.0
 *
 * Random ops whose numbers are a function of their inputs: StatelessRandomUniform and its like of a
 * seed, their V2 of a key and a counter, the ops that make a key and a counter of a seed; and
 * RngReadAndSkip, which takes steps from a generator that is kept in a variable. Any thread.
 */
#include <string.h>

#include "model/op/axes.h"
#include "model/op/elementwise.h"
#include "model/op/kernels.h"
#include "model/op/random_draw.h"
#include "model/op/resource.h"

#define ALGORITHM_PHILOX 1
#define ALGORITHM_AUTO 3 /* on a CPU: Philox */
#define STATE_INTS 3     /* in a variable: the counter's two words, and the key */

static Error *check_algorithm(const Tensor *algorithm)
{
    if (algorithm->shape.rank != 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "algorithm must be of shape [], not of %lld elements",
                         (long long)algorithm->n);
    int64_t number = tensor_index_at(algorithm, 0);
    if (number != ALGORITHM_PHILOX && number != ALGORITHM_AUTO)
        return error_new(ERROR_INVALID_ARGUMENT, "Unsupported algorithm id: %lld",
                         (long long)number);
    return NULL;
}

/* The two numbers of a seed, scrambled: the user need not know which bits are strong. */
static Error *generator_of_seed(const Tensor *seed, Philox *ret)
{
    char text[SHAPE_TEXT_BYTES];
    if (seed->shape.rank != 1 || seed->n != 2)
        return error_new(ERROR_INVALID_ARGUMENT, "seed must have shape [2], not %s",
                         shape_text(&seed->shape, text));
    Philox mixer = { .key = 0x02461e293ec8f720,
                     .low = (uint64_t)tensor_index_at(seed, 0),
                     .high = (uint64_t)tensor_index_at(seed, 1) };
    uint32_t mix[4];
    philox_next(&mixer, mix);
    *ret =
        (Philox){ .key = mix[0] | (uint64_t)mix[1] << 32, .high = mix[2] | (uint64_t)mix[3] << 32 };
    return NULL;
}

/* Inputs 1 to 3 of the V2 ops. */
static Error *generator_of_key(const OpContext *c, Philox *ret)
{
    const Tensor *key = op_input(c, 1), *counter = op_input(c, 2);
    char text[SHAPE_TEXT_BYTES];
    TRY(check_algorithm(op_input(c, 3)));
    if (key->shape.rank != 1 || key->n < 1)
        return error_new(ERROR_INVALID_ARGUMENT, "key must have shape [1], not %s",
                         shape_text(&key->shape, text));
    if (counter->shape.rank != 1 || counter->n < 2)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "counter must be a vector with length at least 2, not of shape %s",
                         shape_text(&counter->shape, text));
    const uint64_t *words = counter->data;
    *ret = (Philox){ .key = *(const uint64_t *)key->data, .low = words[0], .high = words[1] };
    return NULL;
}

/* ---- distributions ------------------------------------------------------------------------- */

typedef struct StatelessKernel {
    Draw draw;
    bool has_key; /* V2: a key and a counter; else a seed */
} StatelessKernel;

static Error *check_index_input(const OpPrepare *prepare, int i)
{
    DType dtype = prepare->input_dtypes[i];
    return dtype == DT_INT32 || dtype == DT_INT64 ? NULL : op_unsupported_type(prepare, dtype);
}

Error *stateless_prepare(OpPrepare *prepare)
{
    static const struct {
        const char *part; /* of the op's name; the first that fits */
        Distribution distribution;
    } rows[] = { { "FullInt", RANDOM_FULL_INT },
                 { "UniformInt", RANDOM_INT },
                 { "Uniform", RANDOM_UNIFORM },
                 { "Truncated", RANDOM_TRUNCATED },
                 { "Normal", RANDOM_NORMAL } };
    StatelessKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    const char *name = prepare->op->name;
    size_t k = 0;
    if (kernel == NULL)
        return error_out_of_memory();
    while (strstr(name, rows[k].part) == NULL)
        k++;
    kernel->draw.distribution = rows[k].distribution;
    kernel->has_key = strstr(name, "V2") != NULL;
    TRY(check_index_input(prepare, 0));
    if (!kernel->has_key)
        TRY(check_index_input(prepare, 1));
    bool is_float =
        kernel->draw.distribution != RANDOM_INT && kernel->draw.distribution != RANDOM_FULL_INT;
    if (kernel->draw.distribution == RANDOM_INT)
        kernel->draw.dtype = prepare->input_dtypes[prepare->n_inputs - 1];
    else
        TRY(attrs_type_or(prepare->attrs, "dtype", is_float ? DT_FLOAT : DT_UINT64,
                          &kernel->draw.dtype));
    prepare->kernel = kernel;
    return draw_prepare(prepare, &kernel->draw);
}

Error *stateless_run(OpContext *c)
{
    const StatelessKernel *kernel = c->kernel;
    Draw draw = kernel->draw;
    Philox generator;
    Shape shape;
    Tensor *y = NULL;
    TRY(draw_shape(c, &shape));
    if (kernel->has_key)
        TRY(generator_of_key(c, &generator));
    else
        TRY(generator_of_seed(op_input(c, 1), &generator));
    if (draw.distribution == RANDOM_INT)
        TRY(draw_range(c, c->n_inputs - 2, &draw));
    TRY(op_output(c, 0, draw.dtype, &shape, &y));
    draw_fill(&draw, generator, y);
    return NULL;
}

Error *stateless_multinomial_prepare(OpPrepare *prepare)
{
    DType *output = arena_calloc(prepare->arena, 1, sizeof(*output));
    if (output == NULL)
        return error_out_of_memory();
    TRY(check_index_input(prepare, 2));
    TRY(attrs_type_or(prepare->attrs, "output_dtype", DT_INT64, output));
    if (*output != DT_INT32 && *output != DT_INT64)
        return op_unsupported_type(prepare, *output);
    if (!dtype_is_floating(prepare->input_dtypes[0]))
        return op_unsupported_type(prepare, prepare->input_dtypes[0]);
    prepare->kernel = output;
    return NULL;
}

Error *stateless_multinomial_run(OpContext *c)
{
    Philox generator;
    int64_t n = 0;
    TRY(generator_of_seed(op_input(c, 2), &generator));
    TRY(draw_check_classes(c, &n));
    return draw_classes(c, *(const DType *)c->kernel, generator);
}

/* ---- keys and counters --------------------------------------------------------------------- */

Error *key_counter_prepare(OpPrepare *prepare)
{
    return check_index_input(prepare, 0);
}

static Error *output_algorithm(OpContext *c, int i)
{
    Tensor *y = NULL;
    TRY(op_output(c, i, DT_INT32, &shape_of(), &y));
    *(int32_t *)y->data = ALGORITHM_PHILOX;
    return NULL;
}

/* StatelessRandomGetKeyCounter, and StatelessRandomGetKeyCounterAlg with one more output. */
Error *key_counter_run(OpContext *c)
{
    Philox generator;
    Tensor *key = NULL, *counter = NULL;
    TRY(generator_of_seed(op_input(c, 0), &generator));
    TRY(op_output(c, 0, DT_UINT64, &shape_of(1), &key));
    TRY(op_output(c, 1, DT_UINT64, &shape_of(2), &counter));
    ((uint64_t *)key->data)[0] = generator.key;
    ((uint64_t *)counter->data)[0] = generator.low;
    ((uint64_t *)counter->data)[1] = generator.high;
    return c->n_outputs > 2 ? output_algorithm(c, 2) : NULL;
}

Error *random_algorithm_run(OpContext *c)
{
    return output_algorithm(c, 0);
}

/* ---- a generator in a variable ------------------------------------------------------------- */

typedef struct Skip {
    uint64_t elements;
    int64_t before[STATE_INTS];
} Skip;

/* Called under the variable's lock. */
static Error *skip_state(const Tensor *value, void *data)
{
    Skip *skip = data;
    int64_t *state = value->data;
    char text[SHAPE_TEXT_BYTES];
    if (value->dtype != DT_INT64 || value->shape.rank != 1 || value->n < STATE_INTS)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "The state of a generator must be a vector of at least %d int64, not %s%s",
                         STATE_INTS, dtype_name(value->dtype), shape_text(&value->shape, text));
    memcpy(skip->before, state, sizeof(skip->before));
    Philox generator = { .low = (uint64_t)state[0], .high = (uint64_t)state[1] };
    philox_skip(&generator, skip->elements * RANDOM_RESERVED_STEPS);
    state[0] = (int64_t)generator.low;
    state[1] = (int64_t)generator.high;
    return NULL;
}

Error *rng_read_and_skip_run(OpContext *c)
{
    Resource *resource = NULL;
    const Tensor *delta = op_input(c, 2);
    Tensor *y = NULL;
    TRY(resource_of_input(c, &resource));
    TRY(check_algorithm(op_input(c, 1)));
    if (delta->shape.rank != 0)
        return error_new(ERROR_INVALID_ARGUMENT, "delta must be of shape [], not of %lld elements",
                         (long long)delta->n);
    Skip skip = { .elements = *(const uint64_t *)delta->data };
    TRY(resource_change(resource, skip_state, &skip));
    TRY(op_output(c, 0, DT_INT64, &shape_of(STATE_INTS), &y));
    memcpy(y->data, skip.before, sizeof(skip.before));
    return NULL;
}
