/* SPDX-License-Identifier: Apache-2.0
 *
 * THE table of metrics that are counted; gauges are in process.c and with what they are about.
 * Names, labels and bounds of the first half are TensorFlow Serving's, in which `/` became `:`.
 */
#include "server/metrics/family.h"

#include <math.h>
#include <pthread.h>

/* ---- buckets --------------------------------------------------------------------------------- */

static const struct {
    double first, growth;
    size_t n; /* bounds */
} shapes[N_BUCKETS] = {
    [BUCKETS_LATENCY] = { 10e3, 1.8, LATENCY_BUCKETS - 1 },
    [BUCKETS_QUEUEING] = { 100e3, 1.2, QUEUEING_BUCKETS - 1 },
    [BUCKETS_EXAMPLES] = { 1, 2, EXAMPLE_BUCKETS - 1 },
    [BUCKETS_BATCH] = { 1, 2, BATCH_BUCKETS - 1 },
};

static double bounds[N_BUCKETS][BUCKETS_MAX]; /* immutable after buckets_init */

static void compute_bounds(void)
{
    for (size_t b = 0; b < N_BUCKETS; b++)
        for (size_t i = 0; i < shapes[b].n; i++)
            bounds[b][i] = shapes[b].first * pow(shapes[b].growth, (double)i);
}

void buckets_init(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, compute_bounds);
}

const double *buckets_bounds(Buckets buckets, size_t *ret_n)
{
    *ret_n = shapes[buckets].n;
    return bounds[buckets];
}

void histogram_add(Series *series, size_t first, Buckets buckets, uint64_t value)
{
    size_t low = 0, high = shapes[buckets].n; /* the first bound that is not below the value */
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (bounds[buckets][middle] < (double)value)
            low = middle + 1;
        else
            high = middle;
    }
    series_add(series, first, value);
    series_add(series, first + 1 + low, 1);
}

/* ---- sources --------------------------------------------------------------------------------- */

size_t metric_source_n_values(MetricSource source)
{
    static const size_t n[N_SOURCES] = {
        [SOURCE_CALLS] = CALLS_N_VALUES,
        [SOURCE_LOADS] = LOADS_N_VALUES,
        [SOURCE_WARM_UPS] = WARM_UPS_N_VALUES,
        [SOURCE_REQUEST_LOGS] = REQUEST_LOGS_N_VALUES,
        [SOURCE_BATCH_TASKS] = BATCH_TASKS_N_VALUES,
        [SOURCE_BATCHES] = BATCHES_N_VALUES,
        [SOURCE_PADDINGS] = PADDINGS_N_VALUES,
    };
    return n[source];
}

/* ---- which calls a family takes -------------------------------------------------------------- */

static bool label_is(const Series *series, unsigned label, const char *text)
{
    return bytes_equal(series_label(series, label), bytes_of_text(text));
}

/* The methods of which TensorFlow Serving counts latencies; REST has small letters. */
static bool is_inference(const Series *series)
{
    static const char *const methods[] = { "Predict", "Classify", "Regress",
                                           "predict", "classify", "regress" };
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
        if (label_is(series, CALLS_METHOD, methods[i]))
            return true;
    return false;
}

/* Of gRPC the three inferences, of REST everything. */
static bool is_counted_by_tensorflow(const Series *series)
{
    return label_is(series, CALLS_ENTRYPOINT, "REST") || is_inference(series);
}

static bool is_ok(const Series *series)
{
    return label_is(series, CALLS_STATUS, "OK");
}

static bool is_answered_inference(const Series *series)
{
    return is_ok(series) && is_inference(series);
}

static bool has_examples(const Series *series)
{
    return series_value(series, CALLS_EXAMPLES_TOTAL) > 0;
}

/* ---- the table ------------------------------------------------------------------------------- */

#define SERVING ":tensorflow:serving:"
#define SAVED_MODEL ":tensorflow:cc:saved_model:"
#define BATCHING SERVING "batching_session:"

#define COUNTER_OF(src, number) .source = (src), .value = (number), .scale = 1
#define HISTOGRAM_OF(src, number, bounds_, scale_)                                                 \
    .source = (src), .value = (number), .is_histogram = true, .buckets = (bounds_),                \
    .scale = (scale_)
#define MICROS 1e-3 /* from nanoseconds */
#define SECONDS 1e-9

/* clang-format off: rows of a table */
const Family families[] = {
    { SERVING "request_count", COUNTER_OF(SOURCE_CALLS, CALLS_COUNT),
      .labels = { { "model_name", CALLS_MODEL, NULL }, { "status", CALLS_STATUS, NULL } },
      .takes = is_counted_by_tensorflow },
    { SERVING "request_latency", HISTOGRAM_OF(SOURCE_CALLS, CALLS_LATENCY, BUCKETS_LATENCY, MICROS),
      .labels = { { "model_name", CALLS_MODEL, NULL },
                  { "API", CALLS_METHOD, NULL },
                  { "entrypoint", CALLS_ENTRYPOINT, NULL } },
      .takes = is_answered_inference },
    { SERVING "runtime_latency", HISTOGRAM_OF(SOURCE_CALLS, CALLS_RUNTIME, BUCKETS_LATENCY, MICROS),
      .labels = { { "model_name", CALLS_MODEL, NULL },
                  { "API", CALLS_METHOD, NULL },
                  { "runtime", 0, "TF1" } },
      .takes = is_answered_inference },
    { SERVING "request_example_counts",
      HISTOGRAM_OF(SOURCE_CALLS, CALLS_EXAMPLES, BUCKETS_EXAMPLES, 1),
      .labels = { { "model", CALLS_MODEL, NULL } }, .takes = has_examples },
    { SERVING "request_example_count_total", COUNTER_OF(SOURCE_CALLS, CALLS_EXAMPLES_TOTAL),
      .labels = { { "model", CALLS_MODEL, NULL } }, .takes = has_examples },
    { SERVING "request_log_count", COUNTER_OF(SOURCE_REQUEST_LOGS, REQUEST_LOGS_COUNT),
      .labels = { { "model_name", 0, NULL }, { "status_code", 1, NULL } } },
    { SERVING "model_warmup_latency",
      HISTOGRAM_OF(SOURCE_WARM_UPS, WARM_UPS_LATENCY, BUCKETS_LATENCY, MICROS),
      .labels = { { "model_path", 0, NULL }, { "status", 1, NULL } } },
    { SERVING "model_warmup_records_read", COUNTER_OF(SOURCE_WARM_UPS, WARM_UPS_RECORDS),
      .labels = { { "model_path", 0, NULL }, { "status", 1, NULL } } },
    { BATCHING "queuing_latency",
      HISTOGRAM_OF(SOURCE_BATCH_TASKS, BATCH_TASKS_QUEUEING, BUCKETS_QUEUEING, MICROS),
      .labels = { { "thread_pool_name", 0, NULL } } },
    { BATCHING "wrapped_run_count", COUNTER_OF(SOURCE_BATCHES, BATCHES_COUNT) },
    { BATCHING "input_batch_size",
      HISTOGRAM_OF(SOURCE_BATCHES, BATCHES_INPUT_SIZE, BUCKETS_BATCH, 1) },
    { BATCHING "processed_batch_size",
      HISTOGRAM_OF(SOURCE_BATCHES, BATCHES_PROCESSED_SIZE, BUCKETS_BATCH, 1) },
    { BATCHING "padding_size", HISTOGRAM_OF(SOURCE_PADDINGS, PADDINGS_SIZE, BUCKETS_BATCH, 1),
      .labels = { { "execution_batch_size", 0, NULL } } },
    { SAVED_MODEL "load_attempt_count", COUNTER_OF(SOURCE_LOADS, LOADS_COUNT),
      .labels = { { "model_path", 1, NULL }, { "status", 2, NULL } } },
    { SAVED_MODEL "load_latency", .source = SOURCE_LOADS, .value = LOADS_NS, .scale = MICROS,
      .labels = { { "model_path", 1, NULL } } },

    { "digit_requests_total", "Calls that a handler has ended, by status.",
      COUNTER_OF(SOURCE_CALLS, CALLS_COUNT),
      .labels = { { "model", CALLS_MODEL, NULL },
                  { "version", CALLS_VERSION, NULL },
                  { "signature", CALLS_SIGNATURE, NULL },
                  { "method", CALLS_METHOD, NULL },
                  { "entrypoint", CALLS_ENTRYPOINT, NULL },
                  { "status", CALLS_STATUS, NULL } } },
    { "digit_request_seconds", "From the handler's start to the end of the run; OK calls only.",
      HISTOGRAM_OF(SOURCE_CALLS, CALLS_LATENCY, BUCKETS_LATENCY, SECONDS),
      .labels = { { "model", CALLS_MODEL, NULL },
                  { "version", CALLS_VERSION, NULL },
                  { "signature", CALLS_SIGNATURE, NULL },
                  { "method", CALLS_METHOD, NULL },
                  { "entrypoint", CALLS_ENTRYPOINT, NULL } },
      .takes = is_ok },
    { "digit_request_bytes_total", "Bytes of requests, without headers.",
      COUNTER_OF(SOURCE_CALLS, CALLS_REQUEST_BYTES),
      .labels = { { "model", CALLS_MODEL, NULL },
                  { "method", CALLS_METHOD, NULL },
                  { "entrypoint", CALLS_ENTRYPOINT, NULL } } },
    { "digit_reply_bytes_total", "Bytes of replies, without headers.",
      COUNTER_OF(SOURCE_CALLS, CALLS_REPLY_BYTES),
      .labels = { { "model", CALLS_MODEL, NULL },
                  { "method", CALLS_METHOD, NULL },
                  { "entrypoint", CALLS_ENTRYPOINT, NULL } } },
    { "digit_model_loads_total", "Tries to load a version, by outcome.",
      COUNTER_OF(SOURCE_LOADS, LOADS_COUNT),
      .labels = { { "model", 0, NULL }, { "outcome", 2, NULL } } },
    { "digit_batch_queue_seconds", "Time that requests wait for their batch.",
      HISTOGRAM_OF(SOURCE_BATCH_TASKS, BATCH_TASKS_QUEUEING, BUCKETS_QUEUEING, SECONDS),
      .labels = { { "pool", 0, NULL } } },
    { "digit_batch_size", "Rows of the batches that ran, padding included.",
      HISTOGRAM_OF(SOURCE_BATCHES, BATCHES_PROCESSED_SIZE, BUCKETS_BATCH, 1) },
};
/* clang-format on */

const size_t families_n = ARRAY_SIZE(families);
