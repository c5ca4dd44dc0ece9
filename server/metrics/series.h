/* SPDX-License-Identifier: Apache-2.0
 *
 * Series: numbers that are counted up under a key, and a table of them.
 *
 * A key is a source (what is counted) and the values of its labels. One thread at a time changes a
 * table; the numbers may be read by others meanwhile.
 */
#ifndef DIGIT_SERVER_METRICS_SERIES_H
#define DIGIT_SERVER_METRICS_SERIES_H

#include <stdatomic.h>

#include "model/base/bytes.h"
#include "model/base/error.h"

#define SERIES_MAX_LABELS 6
#define SERIES_LABEL_MAX 255 /* bytes; what is longer is cut */

/* Source, then each label as length and bytes. */
typedef struct SeriesKey {
    size_t size;
    uint8_t bytes[1 + SERIES_MAX_LABELS * (1 + SERIES_LABEL_MAX)];
} SeriesKey;

void series_key_begin(SeriesKey *key, unsigned source);
void series_key_add(SeriesKey *key, Bytes label);
void series_key_add_text(SeriesKey *key, const char *label);

/* The i-th label; empty past the last one. Lent by the key. */
Bytes series_key_label(const SeriesKey *key, unsigned i);
unsigned series_key_n_labels(const SeriesKey *key);

typedef struct Series {
    struct Series *next; /* in order of insertion */
    uint64_t hash;
    const uint8_t *key;
    size_t key_bytes;
    size_t n_values;
    _Atomic uint64_t values[]; /* relaxed: no number orders another */
} Series;

unsigned series_source(const Series *series);

void series_key_of(const Series *series, SeriesKey *ret_key);

/* The i-th label; empty past the last one. Lent by the series. */
Bytes series_label(const Series *series, unsigned i);

static inline uint64_t series_value(const Series *series, size_t i)
{
    return atomic_load_explicit(&series->values[i], memory_order_relaxed);
}

/* For the table's one writer: no locked instruction is needed. */
static inline void series_add(Series *series, size_t i, uint64_t amount)
{
    atomic_store_explicit(&series->values[i], series_value(series, i) + amount,
                          memory_order_relaxed);
}

/* ---- the table ------------------------------------------------------------------------------- */

/* All zero is an empty table. */
typedef struct SeriesTable {
    Series **slots; /* [n_slots] a power of two, at most half full */
    size_t n_slots;
    size_t n;
    Series *first;
    Series *last;
} SeriesTable;

/* NULL when there is none. */
Series *series_find(const SeriesTable *table, const SeriesKey *key);

/* A new series, all zeros, for a key that is not there. NULL when memory is out. */
Series *series_insert(SeriesTable *table, const SeriesKey *key,
                      size_t n_values) _warn_unused_result_;

void series_table_done(SeriesTable *table);

#endif
