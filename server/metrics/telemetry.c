/* SPDX-License-Identifier: Apache-2.0
 *
 * One series holds everything that is counted of calls with the same labels, so that a call costs one
 * look into a table and a handful of additions. Sampling is by turns, not by chance: a rate of 0.1 is
 * every tenth call of each thread.
 */
#include "server/metrics/telemetry.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "model/base/log.h"

#define MAX_STRANGERS 64 /* names of models that are not here, a thread */
#define MAX_FIELDS 16

Error *telemetry_init(Telemetry *telemetry, Metrics *metrics, double sample_rate)
{
    *telemetry = (Telemetry){ .sample_rate = sample_rate };
    if (metrics == NULL)
        return NULL;
    telemetry->shard = metrics_shard(metrics);
    return telemetry->shard != NULL ? NULL : error_out_of_memory();
}

uint64_t telemetry_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- metrics --------------------------------------------------------------------------------- */

static void make_key(const CallRecord *record, Bytes model, SeriesKey *key)
{
    uint8_t version[8];
    store_le64(version, (uint64_t)record->version);
    series_key_begin(key, SOURCE_CALLS);
    series_key_add(key, model);
    series_key_add(key, (Bytes){ version, record->has_version ? sizeof(version) : 0 });
    series_key_add(key, record->signature);
    series_key_add_text(key, record->method);
    series_key_add_text(key, record->entrypoint);
    series_key_add_text(key, error_code_name(record->status));
}

static Series *find_series(Telemetry *telemetry, const CallRecord *record)
{
    SeriesKey key;
    make_key(record, record->model, &key);
    if (!record->is_known && record->model.size > 0 && !shard_has(telemetry->shard, &key)) {
        if (telemetry->n_strangers < MAX_STRANGERS)
            telemetry->n_strangers++;
        else
            make_key(record, bytes_of_text(SHARD_OTHER), &key);
    }
    return shard_series(telemetry->shard, &key);
}

static void count(Telemetry *telemetry, const CallRecord *record)
{
    Series *series = find_series(telemetry, record);
    if (series == NULL)
        return;
    series_add(series, CALLS_COUNT, 1);
    series_add(series, CALLS_REQUEST_BYTES, record->request_bytes);
    series_add(series, CALLS_REPLY_BYTES, record->reply_bytes);
    if (record->status != ERROR_OK)
        return;
    histogram_add(series, CALLS_LATENCY, BUCKETS_LATENCY, record->latency_ns);
    if (record->runtime_ns > 0)
        histogram_add(series, CALLS_RUNTIME, BUCKETS_LATENCY, record->runtime_ns);
    if (record->n_examples > 0) {
        series_add(series, CALLS_EXAMPLES_TOTAL, record->n_examples);
        histogram_add(series, CALLS_EXAMPLES, BUCKETS_EXAMPLES, record->n_examples);
    }
}

/* ---- the access log -------------------------------------------------------------------------- */

#define SHOWN(bytes)                                                                               \
    (int)((bytes).size < SERIES_LABEL_MAX ? (bytes).size : SERIES_LABEL_MAX),                      \
        (bytes).size > 0 ? (const char *)(bytes).data : ""

static Bytes cut(Bytes text)
{
    return (Bytes){ text.data != NULL ? text.data : (const uint8_t *)"",
                    text.size < SERIES_LABEL_MAX ? text.size : SERIES_LABEL_MAX };
}

static void write_access(const CallRecord *record)
{
    double ms = (double)record->latency_ns * 1e-6;
    char version[24] = "";
    if (record->has_version)
        snprintf(version, sizeof(version), "%" PRId64, record->version);
    LogField fields[MAX_FIELDS] = {
        LOG_TEXT("entrypoint", bytes_of_text(record->entrypoint)),
        LOG_TEXT("method", bytes_of_text(record->method)),
        LOG_TEXT("model", cut(record->model)),
        LOG_TEXT("signature", cut(record->signature)),
        LOG_TEXT("status", bytes_of_text(error_code_name(record->status))),
        LOG_NUMBER("ms", ms),
        LOG_NUMBER("request_bytes", record->request_bytes),
        LOG_NUMBER("reply_bytes", record->reply_bytes),
    };
    size_t n = 8;
    if (record->has_version)
        fields[n++] = LOG_TEXT("version", bytes_of_text(version));
    if (record->trace_id.size > 0)
        fields[n++] = LOG_TEXT("trace_id", cut(record->trace_id));
    if (record->request_id.size > 0)
        fields[n++] = LOG_TEXT("request_id", cut(record->request_id));
    log_event(LOG_INFO, "access", fields, n,
              "%s %s model=%.*s version=%s signature=%.*s status=%s ms=%.3f request_bytes=%" PRIu64
              " reply_bytes=%" PRIu64 " trace_id=%.*s request_id=%.*s",
              record->entrypoint, record->method, SHOWN(record->model), version,
              SHOWN(record->signature), error_code_name(record->status), ms, record->request_bytes,
              record->reply_bytes, SHOWN(record->trace_id), SHOWN(record->request_id));
}

void telemetry_record(Telemetry *telemetry, const CallRecord *record)
{
    if (telemetry->shard != NULL)
        count(telemetry, record);
    telemetry->sample_due += telemetry->sample_rate;
    if (telemetry->sample_due < 1)
        return;
    telemetry->sample_due -= 1;
    write_access(record);
}
