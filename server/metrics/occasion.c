/* SPDX-License-Identifier: Apache-2.0
 *
 * Occasions, each with its labels in the order that family.h says.
 */
#include "server/metrics/occasion.h"

#include <inttypes.h>
#include <stdio.h>

void metrics_loaded(Metrics *metrics, const char *model, const char *directory, bool is_success,
                    uint64_t took_ns)
{
    if (metrics == NULL)
        return;
    SeriesKey key;
    series_key_begin(&key, SOURCE_LOADS);
    series_key_add_text(&key, model);
    series_key_add_text(&key, directory);
    series_key_add_text(&key, is_success ? "success" : "fail");
    Series *series = shard_series(metrics_lock_common(metrics), &key);
    if (series != NULL) {
        series_add(series, LOADS_COUNT, 1);
        series_add(series, LOADS_NS, took_ns);
    }
    metrics_unlock_common(metrics);
}

void metrics_warmed_up(Metrics *metrics, const char *directory, ErrorCode status,
                       uint64_t n_records, uint64_t took_ns)
{
    if (metrics == NULL)
        return;
    SeriesKey key;
    series_key_begin(&key, SOURCE_WARM_UPS);
    series_key_add_text(&key, directory);
    series_key_add_text(&key, error_code_name(status));
    Series *series = shard_series(metrics_lock_common(metrics), &key);
    if (series != NULL) {
        series_add(series, WARM_UPS_RECORDS, n_records);
        histogram_add(series, WARM_UPS_LATENCY, BUCKETS_LATENCY, took_ns);
    }
    metrics_unlock_common(metrics);
}

void metrics_request_logged(Metrics *metrics, const char *model, ErrorCode status)
{
    if (metrics == NULL)
        return;
    SeriesKey key;
    series_key_begin(&key, SOURCE_REQUEST_LOGS);
    series_key_add_text(&key, model);
    series_key_add_text(&key, error_code_name(status));
    Series *series = shard_series(metrics_lock_common(metrics), &key);
    if (series != NULL)
        series_add(series, REQUEST_LOGS_COUNT, 1);
    metrics_unlock_common(metrics);
}

/* ---- batching -------------------------------------------------------------------------------- */

void shard_count_queued(Shard *shard, const char *pool, uint64_t waited_ns)
{
    SeriesKey key;
    series_key_begin(&key, SOURCE_BATCH_TASKS);
    series_key_add_text(&key, pool);
    Series *series = shard_series(shard, &key);
    if (series != NULL)
        histogram_add(series, BATCH_TASKS_QUEUEING, BUCKETS_QUEUEING, waited_ns);
}

void shard_count_batch(Shard *shard, uint64_t n_rows, uint64_t n_processed)
{
    SeriesKey key;
    char size[24];
    series_key_begin(&key, SOURCE_BATCHES);
    Series *series = shard_series(shard, &key);
    if (series != NULL) {
        series_add(series, BATCHES_COUNT, 1);
        histogram_add(series, BATCHES_INPUT_SIZE, BUCKETS_BATCH, n_rows);
        histogram_add(series, BATCHES_PROCESSED_SIZE, BUCKETS_BATCH, n_processed);
    }
    snprintf(size, sizeof(size), "%" PRIu64, n_processed);
    series_key_begin(&key, SOURCE_PADDINGS);
    series_key_add_text(&key, size);
    series = shard_series(shard, &key);
    if (series != NULL)
        histogram_add(series, PADDINGS_SIZE, BUCKETS_BATCH, n_processed - n_rows);
}
