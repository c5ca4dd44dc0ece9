/* SPDX-License-Identifier: Apache-2.0
 *
 * The lock guards the table's structure: the owner changes it under the lock and reads it without,
 * others read it under the lock. The numbers themselves are atomics.
 */
#include "server/metrics/shard.h"

#include <pthread.h>
#include <stdlib.h>

struct Shard {
    Shard *link;
    pthread_mutex_t lock;
    SeriesTable table;
    bool is_full; /* folding is of no more use; owner's */
};

Shard *shard_new(void)
{
    Shard *shard = calloc(1, sizeof(*shard));
    if (shard != NULL)
        pthread_mutex_init(&shard->lock, NULL);
    return shard;
}

Shard *shard_free(Shard *shard)
{
    if (shard != NULL) {
        series_table_done(&shard->table);
        pthread_mutex_destroy(&shard->lock);
        free(shard);
    }
    return NULL;
}

Shard **shard_link(Shard *shard)
{
    return &shard->link;
}

bool shard_has(const Shard *shard, const SeriesKey *key)
{
    return series_find(&shard->table, key) != NULL;
}

/* Adds the numbers of `from` to those under `key`. False when memory is out. */
static bool add_to(SeriesTable *table, const SeriesKey *key, const Series *from)
{
    Series *to = series_find(table, key);
    if (to == NULL)
        to = series_insert(table, key, from->n_values);
    if (to == NULL)
        return false;
    for (size_t i = 0; i < from->n_values; i++)
        series_add(to, i, series_value(from, i));
    return true;
}

/* The key without the version that it has. */
static void drop_version(SeriesKey *key)
{
    SeriesKey whole = *key;
    if (whole.bytes[0] != SOURCE_CALLS)
        return;
    series_key_begin(key, SOURCE_CALLS);
    for (unsigned i = 0; i < series_key_n_labels(&whole); i++)
        series_key_add(key, i == CALLS_VERSION ? bytes_of_text("") : series_key_label(&whole, i));
}

/* Adds versions up into their models. Counters of versions start again from 0, as after a restart;
 * sums over all versions stay what they were. */
static void fold(Shard *shard)
{
    SeriesTable folded = { 0 };
    SeriesKey key;
    for (const Series *series = shard->table.first; series != NULL; series = series->next) {
        series_key_of(series, &key);
        drop_version(&key);
        if (!add_to(&folded, &key, series)) {
            series_table_done(&folded);
            shard->is_full = true;
            return;
        }
    }
    series_table_done(&shard->table);
    shard->table = folded;
    shard->is_full = folded.n > SHARD_MAX_SERIES / 2;
}

/* The key with "(other)" for every text that has no end of values. */
static void make_other(const SeriesKey *key, SeriesKey *ret_key)
{
    bool is_call = key->bytes[0] == SOURCE_CALLS;
    series_key_begin(ret_key, key->bytes[0]);
    for (unsigned i = 0; i < series_key_n_labels(key); i++) {
        if (is_call && i >= CALLS_METHOD)
            series_key_add(ret_key, series_key_label(key, i));
        else
            series_key_add_text(ret_key, is_call && i == CALLS_VERSION ? "" : SHARD_OTHER);
    }
}

static Series *insert(Shard *shard, const SeriesKey *key)
{
    SeriesKey other;
    if (shard->table.n >= SHARD_MAX_SERIES && !shard->is_full)
        fold(shard);
    if (shard->table.n >= SHARD_MAX_SERIES || shard->is_full) {
        make_other(key, &other);
        key = &other;
    }
    Series *series = series_find(&shard->table, key);
    return series != NULL
               ? series
               : series_insert(&shard->table, key, metric_source_n_values(key->bytes[0]));
}

Series *shard_series(Shard *shard, const SeriesKey *key)
{
    Series *series = series_find(&shard->table, key);
    if (series != NULL)
        return series;
    pthread_mutex_lock(&shard->lock);
    series = insert(shard, key);
    pthread_mutex_unlock(&shard->lock);
    return series;
}

Error *shard_sum(Shard *shard, SeriesTable *totals)
{
    bool is_done = true;
    SeriesKey key;
    pthread_mutex_lock(&shard->lock);
    for (const Series *series = shard->table.first; series != NULL && is_done;
         series = series->next) {
        series_key_of(series, &key);
        is_done = add_to(totals, &key, series);
    }
    pthread_mutex_unlock(&shard->lock);
    return is_done ? NULL : error_out_of_memory();
}
