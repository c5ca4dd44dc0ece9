/* SPDX-License-Identifier: Apache-2.0
 *
 * Telemetry: what strangers and time can fill a shard with, and the access log.
 */
#include <unistd.h>

#include "model/base/log.h"
#include "tests/unit/server/metrics/metrics_fixture.h"

static void record_model(Telemetry *telemetry, const char *model, bool is_known)
{
    CallRecord call = A_CALL;
    call.model = bytes_of_text(model);
    call.is_known = is_known;
    call.has_version = is_known;
    call.status = is_known ? ERROR_OK : ERROR_NOT_FOUND;
    telemetry_record(telemetry, &call);
}

static void test_strangers_are_few(void **state _unused_)
{
    Metrics *metrics = metrics_new();
    Telemetry telemetry;
    char name[24];
    assert_ok(telemetry_init(&telemetry, metrics, 0));
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 1000; i++) {
            snprintf(name, sizeof(name), "stranger %d", i);
            record_model(&telemetry, name, false);
        }
    }
    record_model(&telemetry, "digits", true);
    char *text = scrape(metrics);
    assert_int_equal(lines_of(text, ":tensorflow:serving:request_count{"), 64 + 1 + 1);
    assert_int_equal(value_of(text, ":tensorflow:serving:request_count{model_name=\"stranger 63\","
                                    "status=\"NOT_FOUND\"}"),
                     2);
    assert_int_equal(value_of(text, ":tensorflow:serving:request_count{model_name=\"(other)\","
                                    "status=\"NOT_FOUND\"}"),
                     2 * (1000 - 64));
    assert_int_equal(
        value_of(text, ":tensorflow:serving:request_count{model_name=\"digits\",status=\"OK\"}"),
        1);
    free(text);
    metrics_free(metrics);
}

/* A model with a new version every hour for years: sums over versions stay right, and the newest
 * version is always shown. */
static void test_versions_come_and_go(void **state _unused_)
{
    Metrics *metrics = metrics_new();
    Telemetry telemetry;
    assert_ok(telemetry_init(&telemetry, metrics, 0));
    CallRecord call = A_CALL;
    for (int i = 0; i < 10 * SHARD_MAX_SERIES; i++) {
        call.version = i;
        telemetry_record(&telemetry, &call);
    }
    char *text = scrape(metrics);
    assert_int_equal(
        value_of(text, ":tensorflow:serving:request_count{model_name=\"digits\",status=\"OK\"}"),
        10 * SHARD_MAX_SERIES);
    assert_int_equal(sum_of(text, "digit_requests_total{"), 10 * SHARD_MAX_SERIES);
    assert_true(lines_of(text, "digit_requests_total{") <= SHARD_MAX_SERIES);
    char newest[160];
    snprintf(newest, sizeof(newest),
             "digit_requests_total{model=\"digits\",version=\"%d\",signature=\"serving_default\","
             "method=\"Predict\",entrypoint=\"GRPC\",status=\"OK\"}",
             10 * SHARD_MAX_SERIES - 1);
    assert_int_equal(value_of(text, newest), 1);
    free(text);
    metrics_free(metrics);
}

/* More models than a shard has room for: what there is no room for is counted all the same. */
static void test_a_full_shard_counts_others(void **state _unused_)
{
    Metrics *metrics = metrics_new();
    Telemetry telemetry;
    char name[24];
    assert_ok(telemetry_init(&telemetry, metrics, 0));
    for (int i = 0; i < 3 * SHARD_MAX_SERIES; i++) {
        snprintf(name, sizeof(name), "model %d", i);
        record_model(&telemetry, name, true);
    }
    char *text = scrape(metrics);
    assert_int_equal(sum_of(text, ":tensorflow:serving:request_count{"), 3 * SHARD_MAX_SERIES);
    assert_int_equal(lines_of(text, "digit_requests_total{"), SHARD_MAX_SERIES + 1);
    assert_int_equal(
        value_of(text, ":tensorflow:serving:request_count{model_name=\"(other)\",status=\"OK\"}"),
        2 * SHARD_MAX_SERIES);
    free(text);
    metrics_free(metrics);
}

static void test_long_names_are_cut(void **state _unused_)
{
    Metrics *metrics = metrics_new();
    Telemetry telemetry;
    static uint8_t name[70000];
    memset(name, 'x', sizeof(name));
    assert_ok(telemetry_init(&telemetry, metrics, 0));
    CallRecord call = A_CALL;
    call.model = (Bytes){ name, sizeof(name) };
    telemetry_record(&telemetry, &call);
    char *text = scrape(metrics);
    const char *x = strchr(strstr(text, "model_name=\"x"), 'x');
    assert_int_equal(strspn(x, "x"), SERIES_LABEL_MAX);
    free(text);
    metrics_free(metrics);
}

/* ---- the access log -------------------------------------------------------------------------- */

/* Records `n` calls and gives what they write to standard error. */
static char *logged(double rate, const CallRecord *call, int n)
{
    static char text[1 << 16];
    Telemetry telemetry;
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);
    assert_true(file != NULL && saved >= 0);
    dup2(fileno(file), STDERR_FILENO);
    Error *error = telemetry_init(&telemetry, NULL, rate);
    for (int i = 0; i < n && error == NULL; i++)
        telemetry_record(&telemetry, call);
    dup2(saved, STDERR_FILENO);
    close(saved);
    assert_ok(error);
    ssize_t size = pread(fileno(file), text, sizeof(text) - 1, 0);
    assert_true(size >= 0);
    text[size] = '\0';
    fclose(file);
    return text;
}

static size_t count_lines(const char *text)
{
    size_t n = 0;
    for (; *text != '\0'; text++)
        n += *text == '\n';
    return n;
}

static void test_sampling(void **state _unused_)
{
    CallRecord call = A_CALL;
    static const struct {
        double rate;
        size_t lines;
    } cases[] = { { 0, 0 }, { 0.25, 25 }, { 0.01, 1 }, { 1, 100 } };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(count_lines(logged(cases[i].rate, &call, 100)), cases[i].lines);
}

static void test_access_lines(void **state _unused_)
{
    CallRecord call = A_CALL;
    assert_non_null(strstr(logged(1, &call, 1),
                           " INFO access: GRPC Predict model=digits version=3 "
                           "signature=serving_default status=OK ms=0.032 request_bytes=100 "
                           "reply_bytes=7 trace_id= request_id=\n"));
    log_set_format(LOG_JSON);
    call.trace_id = bytes_of_text("4bf92f3577b34da6a3ce929d0e0e4736");
    call.request_id = bytes_of_text("a \"b\"");
    const char *line = logged(1, &call, 1);
    log_set_format(LOG_HUMAN);
    assert_non_null(strstr(line, "\"entrypoint\":\"GRPC\",\"method\":\"Predict\","
                                 "\"model\":\"digits\",\"signature\":\"serving_default\","
                                 "\"status\":\"OK\",\"ms\":0.0324,\"request_bytes\":100,"
                                 "\"reply_bytes\":7,\"version\":\"3\","
                                 "\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\","
                                 "\"request_id\":\"a \\\"b\\\"\"}\n"));
    /* Nothing known of the call, and a name that would begin a line of its own. */
    CallRecord stranger = { .model = bytes_of_text("x\n2026-01-01 ERROR"),
                            .method = "Predict",
                            .entrypoint = "GRPC",
                            .status = ERROR_NOT_FOUND };
    const char *text = logged(1, &stranger, 1);
    assert_int_equal(count_lines(text), 1);
    assert_non_null(strstr(text, "model=x\\n2026-01-01 ERROR version= signature= "
                                 "status=NOT_FOUND"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strangers_are_few),
        cmocka_unit_test(test_versions_come_and_go),
        cmocka_unit_test(test_a_full_shard_counts_others),
        cmocka_unit_test(test_long_names_are_cut),
        cmocka_unit_test(test_sampling),
        cmocka_unit_test(test_access_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
