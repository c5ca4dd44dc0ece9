/* SPDX-License-Identifier: Apache-2.0
 *
 * Params: from the text of a file, with the defaults and the checks of TensorFlow's scheduler
 * (tensorflow/core/kernels/batching_util/shared_batch_scheduler.h) and of TensorFlow Serving
 * (tensorflow_serving/servables/tensorflow/bundle_factory_util.cc). Upper limits are ours: they keep
 * products of parameters within an int64_t.
 */
#include "server/batch/params.h"

#include <inttypes.h>

#include "model/base/message_parse.h"
#include "model/base/workers.h"
#include "tensorflow_serving/servables/tensorflow/session_bundle_config.pb-c.h"

#define DEFAULT_BATCH_ROWS 1000
#define DEFAULT_QUEUED_BATCHES 10
#define MAX_ROWS ((int64_t)1 << 30)
#define MAX_THREADS 1024
#define MAX_TIMEOUT_MICROS ((int64_t)1000000 * 3600)

BatchParams batch_params_default(void)
{
    return (BatchParams){ .max_task_rows = DEFAULT_BATCH_ROWS,
                          .max_rows = DEFAULT_BATCH_ROWS,
                          .max_queued_batches = DEFAULT_QUEUED_BATCHES,
                          .n_threads = workers_processors() };
}

/* Sets `*value` to what the file says, if it says something. */
static Error *read_int(const char *name, const Google__Protobuf__Int64Value *given, int64_t min,
                       int64_t max, int64_t *value)
{
    if (given == NULL)
        return NULL;
    if (given->value < min || given->value > max)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "%s must be between %" PRId64 " and %" PRId64 "; was %" PRId64, name, min,
                         max, given->value);
    *value = given->value;
    return NULL;
}

static Error *read_allowed(Arena *arena, const int64_t *sizes, size_t n, BatchParams *params)
{
    if (n == 0)
        return NULL;
    for (size_t i = 0; i < n; i++)
        if (sizes[i] < 1 || (i > 0 && sizes[i] <= sizes[i - 1]))
            return error_new(ERROR_INVALID_ARGUMENT,
                             "allowed_batch_sizes must be positive and ascending; entry %zu is "
                             "%" PRId64,
                             i, sizes[i]);
    if (sizes[n - 1] != params->max_rows)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Last entry in allowed_batch_sizes must match %s; last entry was %" PRId64
                         "; expected %" PRId64,
                         params->splits ? "max_execution_batch_size" : "max_batch_size",
                         sizes[n - 1], params->max_rows);
    params->allowed = arena_memdup(arena, sizes, n * sizeof(*sizes));
    params->n_allowed = n;
    return params->allowed != NULL ? NULL : error_out_of_memory();
}

Error *batch_params_parse(Arena *arena, Bytes text, BatchParams *ret_params)
{
    ProtobufCMessage *message;
    TRY(message_from_text(arena, &tensorflow__serving__batching_parameters__descriptor,
                          (const char *)text.data, text.size, &message));
    const Tensorflow__Serving__BatchingParameters *given =
        (const Tensorflow__Serving__BatchingParameters *)(const void *)message;
    BatchParams params = batch_params_default();
    int64_t timeout_micros = 0;
    TRY(read_int("max_batch_size", given->max_batch_size, 1, MAX_ROWS, &params.max_task_rows));
    TRY(read_int("batch_timeout_micros", given->batch_timeout_micros, 0, MAX_TIMEOUT_MICROS,
                 &timeout_micros));
    TRY(read_int("max_enqueued_batches", given->max_enqueued_batches, 1, MAX_ROWS,
                 &params.max_queued_batches));
    TRY(read_int("num_batch_threads", given->num_batch_threads, 1, MAX_THREADS, &params.n_threads));
    params.timeout_ns = timeout_micros * 1000;
    params.max_rows = params.max_task_rows;
    params.pads = given->pad_variable_length_inputs;
    params.splits =
        given->enable_large_batch_splitting != NULL && given->enable_large_batch_splitting->value;
    if (params.splits)
        TRY(read_int("max_execution_batch_size", given->max_execution_batch_size, 1,
                     params.max_task_rows, &params.max_rows));
    TRY(read_allowed(arena, given->allowed_batch_sizes, given->n_allowed_batch_sizes, &params));
    *ret_params = params;
    return NULL;
}

int64_t batch_params_round_up(const BatchParams *params, int64_t n_rows)
{
    for (size_t i = 0; i < params->n_allowed; i++)
        if (params->allowed[i] >= n_rows)
            return params->allowed[i];
    return n_rows;
}
