/* SPDX-License-Identifier: Apache-2.0
 *
 * Occasions: what happens rarely, or to no call in particular, and is counted: loads, warm-ups,
 * logged requests, batches. Any thread; `metrics` may be NULL, and nothing is counted then.
 */
#ifndef DIGIT_SERVER_METRICS_OCCASION_H
#define DIGIT_SERVER_METRICS_OCCASION_H

#include "server/metrics/metrics.h"

/* A try to load a version from `directory`, which took so long. */
void metrics_loaded(Metrics *metrics, const char *model, const char *directory, bool is_success,
                    uint64_t took_ns);

/* A warm-up with the requests of `directory`. */
void metrics_warmed_up(Metrics *metrics, const char *directory, ErrorCode status,
                       uint64_t n_records, uint64_t took_ns);

/* A request that went into its model's request log, or failed to. */
void metrics_request_logged(Metrics *metrics, const char *model, ErrorCode status);

/* ---- batching: for the thread that runs batches, into its own shard ---------------------------- */

/* A request left the queue of `pool` for a batch after so long. */
void shard_count_queued(Shard *shard, const char *pool, uint64_t waited_ns);

/* A batch ran: `n_rows` rows of requests, `n_processed` with the padding. */
void shard_count_batch(Shard *shard, uint64_t n_rows, uint64_t n_processed);

#endif
