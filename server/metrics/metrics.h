/* SPDX-License-Identifier: Apache-2.0
 *
 * Metrics: the registry. Threads count into shards of their own; a scrape adds them up, asks the
 * collectors for what is measured rather than counted, and writes Prometheus' text.
 */
#ifndef DIGIT_SERVER_METRICS_METRICS_H
#define DIGIT_SERVER_METRICS_METRICS_H

#include "model/base/buf.h"
#include "server/metrics/shard.h"

typedef struct Metrics Metrics;

/* NULL when memory is out. */
Metrics *metrics_new(void) _warn_unused_result_;

/* Frees it with its shards. Takes NULL; returns NULL. */
Metrics *metrics_free(Metrics *metrics);

/* A shard for one thread, lent as long as the registry. NULL when memory is out. Any thread. */
Shard *metrics_shard(Metrics *metrics) _warn_unused_result_;

/* The shard for what happens rarely on any thread, locked until metrics_unlock_common. */
Shard *metrics_lock_common(Metrics *metrics);
void metrics_unlock_common(Metrics *metrics);

/* Appends metrics of its own: heads and lines (exposition.h). On any thread. */
typedef Error *MetricsCollect(void *data, Buf *text);

/* `collect` is called at every scrape from now on; `data` is borrowed until metrics_forget. */
Error *metrics_collect(Metrics *metrics, MetricsCollect *collect, void *data) _warn_unused_result_;

/* Removes the collectors with that `data`; none of them runs any more when it returns. */
void metrics_forget(Metrics *metrics, const void *data);

/* Appends all metrics. RESOURCE_EXHAUSTED when the buffer is full or memory is out, and what the
 * collectors say. Any thread; one at a time, the others wait. */
Error *metrics_text(Metrics *metrics, Buf *text) _warn_unused_result_;

#endif
