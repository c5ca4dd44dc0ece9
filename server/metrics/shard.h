/* SPDX-License-Identifier: Apache-2.0
 *
 * Shard: what one thread has counted. Only that thread writes, without a lock but for a series that
 * is new; the scrape reads the numbers as they change.
 *
 * Texts that strangers choose meet a limit: a shard has SHARD_MAX_SERIES series. When they are all
 * there, calls to single versions are added up into their models, which keeps a server going whose
 * models get a new version every hour; when that is of no use, new labels become "(other)".
 */
#ifndef DIGIT_SERVER_METRICS_SHARD_H
#define DIGIT_SERVER_METRICS_SHARD_H

#include "server/metrics/family.h"

#define SHARD_MAX_SERIES 1024
#define SHARD_OTHER "(other)"

typedef struct Shard Shard;

/* NULL when memory is out. */
Shard *shard_new(void) _warn_unused_result_;

/* Takes NULL; returns NULL. */
Shard *shard_free(Shard *shard);

/* Whether there are numbers under `key`. The owner's thread. */
bool shard_has(const Shard *shard, const SeriesKey *key);

/* The numbers under `key`, which are there afterwards; those of "(other)" when there are too many.
 * NULL when memory is out. Valid until the next call. The owner's thread. */
Series *shard_series(Shard *shard, const SeriesKey *key);

/* Adds all numbers to those in `totals`, which is the caller's. Any thread. */
Error *shard_sum(Shard *shard, SeriesTable *totals) _warn_unused_result_;

/* Shards in a list, for the registry. */
Shard **shard_link(Shard *shard);

#endif
