/* SPDX-License-Identifier: Apache-2.0
 *
 * The registry: names, labels and bounds as TensorFlow Serving has them (contract of its
 * prometheus_exporter.cc), sums over shards while threads count, collectors.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "server/metrics/exposition.h"
#include "server/metrics/occasion.h"
#include "server/metrics/process.h"
#include "tests/unit/server/metrics/metrics_fixture.h"

/* The lines of one metric, its head included. */
static void assert_metric(const char *text, const char *name, const char *expected)
{
    char head[128];
    snprintf(head, sizeof(head), "# TYPE %s ", name);
    const char *start = strstr(text, head);
    assert_non_null(start);
    const char *end = strstr(start + 1, "\n# ");
    size_t n = end != NULL ? (size_t)(end + 1 - start) : strlen(start);
    char *found = strndup(start, n);
    assert_string_equal(found, expected);
    free(found);
}

static void test_counters(void **state _unused_)
{
    Metrics *metrics = metrics_new();
    Telemetry telemetry;
    assert_ok(telemetry_init(&telemetry, metrics, 0));
    CallRecord call = A_CALL;
    telemetry_record(&telemetry, &call);
    telemetry_record(&telemetry, &call);
    call.version = 4;
    telemetry_record(&telemetry, &call);
    call.status = ERROR_INVALID_ARGUMENT;
    telemetry_record(&telemetry, &call);
    call = A_CALL;
    call.method = "GetModelMetadata"; /* not counted by TensorFlow Serving */
    telemetry_record(&telemetry, &call);
    char *text = scrape(metrics);
    assert_metric(text, ":tensorflow:serving:request_count",
                  "# TYPE :tensorflow:serving:request_count counter\n"
                  ":tensorflow:serving:request_count{model_name=\"digits\",status=\"OK\"} 3\n"
                  ":tensorflow:serving:request_count{model_name=\"digits\","
                  "status=\"INVALID_ARGUMENT\"} 1\n");
    assert_metric(text, "digit_request_bytes_total",
                  "# TYPE digit_request_bytes_total counter\n"
                  "digit_request_bytes_total{model=\"digits\",method=\"Predict\","
                  "entrypoint=\"GRPC\"} 400\n"
                  "digit_request_bytes_total{model=\"digits\",method=\"GetModelMetadata\","
                  "entrypoint=\"GRPC\"} 100\n");
    assert_int_equal(value_of(text, "digit_requests_total{model=\"digits\",version=\"3\","
                                    "signature=\"serving_default\",method=\"Predict\","
                                    "entrypoint=\"GRPC\",status=\"OK\"}"),
                     2);
    assert_non_null(strstr(text, "# HELP digit_requests_total Calls"));
    free(text);
    metrics_free(metrics);
}

static void test_histogram(void **state _unused_)
{
    static const char *const bounds[] = {
        "10",          "18",          "32.4",        "58.32",       "104.976",     "188.957",
        "340.122",     "612.22",      "1102",        "1983.59",     "3570.47",     "6426.84",
        "11568.3",     "20823",       "37481.3",     "67466.4",     "121440",      "218591",
        "393464",      "708235",      "1.27482e+06", "2.29468e+06", "4.13043e+06", "7.43477e+06",
        "1.33826e+07", "2.40887e+07", "4.33596e+07", "7.80473e+07", "1.40485e+08", "2.52873e+08",
        "4.55172e+08", "8.19309e+08", "1.47476e+09", "+Inf",
    };
    Metrics *metrics = metrics_new();
    Telemetry telemetry;
    assert_ok(telemetry_init(&telemetry, metrics, 0));
    CallRecord call = A_CALL;
    telemetry_record(&telemetry, &call); /* on a bound: in its bucket */
    call.latency_ns++;                   /* above it */
    telemetry_record(&telemetry, &call);
    call.latency_ns = 0;
    telemetry_record(&telemetry, &call);
    call.latency_ns = UINT64_C(2000) * 1000000000; /* above all */
    telemetry_record(&telemetry, &call);
    call.status = ERROR_ABORTED; /* not counted */
    telemetry_record(&telemetry, &call);
#define LABELS "model_name=\"digits\",API=\"Predict\",entrypoint=\"GRPC\""
    char expected[8192] = "# TYPE :tensorflow:serving:request_latency histogram\n";
    for (size_t i = 0; i < ARRAY_SIZE(bounds); i++) {
        size_t at = strlen(expected);
        snprintf(expected + at, sizeof(expected) - at,
                 ":tensorflow:serving:request_latency_bucket{" LABELS ",le=\"%s\"} %d\n", bounds[i],
                 i < 2    ? 1
                 : i == 2 ? 2
                 : i < 33 ? 3
                          : 4);
    }
    strcat(expected, ":tensorflow:serving:request_latency_sum{" LABELS "} 2000000064.801\n"
                     ":tensorflow:serving:request_latency_count{" LABELS "} 4\n");
    char *text = scrape(metrics);
    assert_metric(text, ":tensorflow:serving:request_latency", expected);
    /* The same numbers in seconds. */
    assert_int_equal(value_of(text, "digit_request_seconds_bucket{model=\"digits\",version=\"3\","
                                    "signature=\"serving_default\",method=\"Predict\","
                                    "entrypoint=\"GRPC\",le=\"3.24e-05\"}"),
                     2);
    assert_int_equal(value_of(text, ":tensorflow:serving:runtime_latency_count{model_name="
                                    "\"digits\",API=\"Predict\",runtime=\"TF1\"}"),
                     4);
    free(text);
    metrics_free(metrics);
}

static void test_labels_are_escaped(void **state _unused_)
{
    static const uint8_t name[] = { 'a', '\\', '"', '\n', 0xff, 0xc3, 0xa9, 0 };
    Buf text;
    buf_init(&text, 1000);
    const MetricLabel labels[] = { { "x", { name, sizeof(name) - 1 } }, { "y", { NULL, 0 } } };
    assert_ok(exposition_line(&text, "m", labels, 2, 1e15));
    assert_ok(exposition_single(&text, "s", "gauge", "What it is.", 0.25));
    assert_string_equal(buf_text(&text), "m{x=\"a\\\\\\\"\\n\xef\xbf\xbd\xc3\xa9\",y=\"\"} 1e+15\n"
                                         "# HELP s What it is.\n# TYPE s gauge\ns{} 0.25\n");
    buf_done(&text);
}

static void test_occasions(void **state _unused_)
{
    Metrics *metrics = metrics_new();
    metrics_loaded(NULL, "digits", "/m/1", true, 1);
    metrics_loaded(metrics, "digits", "/m/1", false, 2000);
    metrics_loaded(metrics, "digits", "/m/1", true, 3500);
    metrics_warmed_up(metrics, "/m/1", ERROR_OK, 5, 7000);
    metrics_request_logged(metrics, "digits", ERROR_OK);
    Shard *shard = metrics_shard(metrics);
    shard_count_queued(shard, "pool", 100 * 1000);
    shard_count_batch(shard, 5, 8);
    char *text = scrape(metrics);
    static const struct {
        const char *line;
        double value;
    } cases[] = {
        { ":tensorflow:cc:saved_model:load_attempt_count{model_path=\"/m/1\",status=\"fail\"}", 1 },
        { ":tensorflow:cc:saved_model:load_attempt_count{model_path=\"/m/1\",status=\"success\"}",
          1 },
        { ":tensorflow:cc:saved_model:load_latency{model_path=\"/m/1\"}", 5.5 },
        { "digit_model_loads_total{model=\"digits\",outcome=\"fail\"}", 1 },
        { ":tensorflow:serving:model_warmup_records_read{model_path=\"/m/1\",status=\"OK\"}", 5 },
        { ":tensorflow:serving:model_warmup_latency_sum{model_path=\"/m/1\",status=\"OK\"}", 7 },
        { ":tensorflow:serving:request_log_count{model_name=\"digits\",status_code=\"OK\"}", 1 },
        { ":tensorflow:serving:batching_session:queuing_latency_bucket{thread_pool_name=\"pool\","
          "le=\"100\"}",
          1 },
        { ":tensorflow:serving:batching_session:wrapped_run_count{}", 1 },
        { ":tensorflow:serving:batching_session:input_batch_size_bucket{le=\"4\"}", 0 },
        { ":tensorflow:serving:batching_session:input_batch_size_bucket{le=\"8\"}", 1 },
        { ":tensorflow:serving:batching_session:processed_batch_size_sum{}", 8 },
        { ":tensorflow:serving:batching_session:padding_size_sum{execution_batch_size=\"8\"}", 3 },
        { "digit_batch_size_bucket{le=\"8192\"}", 1 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_float_equal(value_of(text, cases[i].line), cases[i].value, 1e-9);
    free(text);
    metrics_free(metrics);
}

static Error *collect_one(void *data, Buf *text)
{
    return exposition_single(text, "one", "gauge", NULL, *(int *)data);
}

static Error *collect_failing(void *data _unused_, Buf *text _unused_)
{
    return error_new(ERROR_ABORTED, "cannot collect");
}

static void test_collectors(void **state _unused_)
{
    Metrics *metrics = metrics_new();
    int one = 1, other;
    assert_ok(metrics_collect(metrics, collect_one, &one));
    assert_ok(metrics_collect(metrics, collect_failing, &other));
    Buf text;
    buf_init(&text, 1 << 20);
    assert_error(metrics_text(metrics, &text), ERROR_ABORTED, "cannot collect");
    buf_done(&text);
    metrics_forget(metrics, &other);
    char *again = scrape(metrics);
    assert_int_equal(value_of(again, "one{}"), 1);
    free(again);
    buf_init(&text, 10);
    assert_error(metrics_text(metrics, &text), ERROR_RESOURCE_EXHAUSTED, "the limit is 10");
    buf_done(&text);
    metrics_free(metrics);
}

static void test_process(void **state _unused_)
{
    Metrics *metrics = metrics_new();
    assert_ok(metrics_collect(metrics, process_collect, NULL));
    char *text = scrape(metrics);
    assert_true(value_of(text, "process_resident_memory_bytes{}") > 100e3);
    assert_true(value_of(text, "process_virtual_memory_bytes{}") > 100e3);
    assert_true(value_of(text, "process_cpu_seconds_total{}") >= 0);
    assert_true(value_of(text, "process_threads{}") >= 1);
    assert_true(value_of(text, "process_start_time_seconds{}") > 1.7e9);
    double n_open = value_of(text, "process_open_fds{}");
    free(text);
    FILE *file = tmpfile();
    assert_non_null(file);
    text = scrape(metrics);
    assert_float_equal(value_of(text, "process_open_fds{}"), n_open + 1, 0);
    assert_true(value_of(text, "process_max_fds{}") > n_open);
    fclose(file);
    free(text);
    metrics_free(metrics);
}

/* ---- threads --------------------------------------------------------------------------------- */

#define N_THREADS 4
#define N_CALLS 20000
#define N_MODELS 50

static void *count_calls(void *data)
{
    Telemetry *telemetry = data;
    for (int i = 0; i < N_CALLS; i++) {
        char model[16];
        snprintf(model, sizeof(model), "m%d", i % N_MODELS);
        CallRecord call = A_CALL;
        call.model = bytes_of_text(model);
        telemetry_record(telemetry, &call);
    }
    return NULL;
}

/* What a scrape tells never shrinks, and in the end nothing is lost. */
static void test_scrapes_while_threads_count(void **state _unused_)
{
    Metrics *metrics = metrics_new();
    Telemetry telemetry[N_THREADS];
    pthread_t threads[N_THREADS];
    for (int i = 0; i < N_THREADS; i++) {
        assert_ok(telemetry_init(&telemetry[i], metrics, 0));
        assert_int_equal(pthread_create(&threads[i], NULL, count_calls, &telemetry[i]), 0);
    }
    double before = 0;
    for (int i = 0; i < 10; i++) {
        char *text = scrape(metrics);
        double n = sum_of(text, ":tensorflow:serving:request_count{");
        free(text);
        assert_true(n >= before && n <= (double)N_THREADS * N_CALLS);
        before = n;
        metrics_loaded(metrics, "m0", "/m", true, 1);
    }
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    char *text = scrape(metrics);
    assert_int_equal(sum_of(text, ":tensorflow:serving:request_count{"), N_THREADS * N_CALLS);
    assert_int_equal(lines_of(text, ":tensorflow:serving:request_count{"), N_MODELS);
    assert_int_equal(value_of(text, ":tensorflow:serving:request_latency_count{model_name=\"m7\","
                                    "API=\"Predict\",entrypoint=\"GRPC\"}"),
                     N_THREADS * N_CALLS / N_MODELS);
    free(text);
    metrics_free(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counters),
        cmocka_unit_test(test_histogram),
        cmocka_unit_test(test_labels_are_escaped),
        cmocka_unit_test(test_occasions),
        cmocka_unit_test(test_collectors),
        cmocka_unit_test(test_process),
        cmocka_unit_test(test_scrapes_while_threads_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
