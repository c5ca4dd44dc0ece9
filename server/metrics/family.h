/* SPDX-License-Identifier: Apache-2.0
 *
 * Families: what is counted (sources), and what is shown of it (families). One source feeds several
 * families, so that a call is counted once and TensorFlow Serving's names and Digit's are both
 * sums over the same numbers.
 */
#ifndef DIGIT_SERVER_METRICS_FAMILY_H
#define DIGIT_SERVER_METRICS_FAMILY_H

#include "server/metrics/series.h"

/* ---- buckets --------------------------------------------------------------------------------- */

/* Upper bounds FIRST * GROWTH^i, in the unit that is counted; one more bucket is without bound. */
typedef enum Buckets {
    BUCKETS_LATENCY,  /* ns: 10 us * 1.8^i */
    BUCKETS_QUEUEING, /* ns: 100 us * 1.2^i */
    BUCKETS_EXAMPLES, /* 2^i */
    BUCKETS_BATCH,    /* 2^i */
    N_BUCKETS,
} Buckets;

#define BUCKETS_MAX 53
#define LATENCY_BUCKETS 34 /* with the unbounded one */
#define QUEUEING_BUCKETS 53
#define EXAMPLE_BUCKETS 16
#define BATCH_BUCKETS 15

/* Computes the bounds; before anything else here. Any thread, any number of times. */
void buckets_init(void);

/* The bounds and their number. */
const double *buckets_bounds(Buckets buckets, size_t *ret_n);

/* Counts `value` in the histogram that begins at values[first]: the sum, then the buckets. A value
 * that equals a bound is below it, as Prometheus' `le` says. */
void histogram_add(Series *series, size_t first, Buckets buckets, uint64_t value);

/* ---- sources: labels in the order of the key, and numbers ------------------------------------ */

typedef enum MetricSource {
    SOURCE_CALLS,        /* model, version, signature, method, entrypoint, status */
    SOURCE_LOADS,        /* model, directory, "success" or "fail" */
    SOURCE_WARM_UPS,     /* directory, status */
    SOURCE_REQUEST_LOGS, /* model, status */
    SOURCE_BATCH_TASKS,  /* thread pool */
    SOURCE_BATCHES,      /* none */
    SOURCE_PADDINGS,     /* execution batch size */
    N_SOURCES,
} MetricSource;

#define HISTOGRAM(name, n) name, name##_END = (name) + (n)

enum { /* SOURCE_CALLS; the version label is 8 bytes, little-endian, or empty */
       CALLS_COUNT,
       CALLS_REQUEST_BYTES,
       CALLS_REPLY_BYTES,
       CALLS_EXAMPLES_TOTAL,
       HISTOGRAM(CALLS_LATENCY, LATENCY_BUCKETS),
       HISTOGRAM(CALLS_RUNTIME, LATENCY_BUCKETS),
       HISTOGRAM(CALLS_EXAMPLES, EXAMPLE_BUCKETS),
       CALLS_N_VALUES,
};
enum { CALLS_MODEL, CALLS_VERSION, CALLS_SIGNATURE, CALLS_METHOD, CALLS_ENTRYPOINT, CALLS_STATUS };
enum { LOADS_COUNT, LOADS_NS, LOADS_N_VALUES };
enum { WARM_UPS_RECORDS, HISTOGRAM(WARM_UPS_LATENCY, LATENCY_BUCKETS), WARM_UPS_N_VALUES };
enum { REQUEST_LOGS_COUNT, REQUEST_LOGS_N_VALUES };
enum { HISTOGRAM(BATCH_TASKS_QUEUEING, QUEUEING_BUCKETS), BATCH_TASKS_N_VALUES };
enum {
    BATCHES_COUNT,
    HISTOGRAM(BATCHES_INPUT_SIZE, BATCH_BUCKETS),
    HISTOGRAM(BATCHES_PROCESSED_SIZE, BATCH_BUCKETS),
    BATCHES_N_VALUES,
};
enum { HISTOGRAM(PADDINGS_SIZE, BATCH_BUCKETS), PADDINGS_N_VALUES };

/* How many numbers a series of `source` has. */
size_t metric_source_n_values(MetricSource source);

/* ---- families -------------------------------------------------------------------------------- */

typedef struct FamilyLabel {
    const char *name;     /* NULL: no more labels */
    unsigned pick;        /* the source's label */
    const char *constant; /* in place of it; may be NULL */
} FamilyLabel;

typedef struct Family {
    const char *name; /* as it is shown */
    const char *help; /* NULL: TensorFlow Serving's, which has none */
    MetricSource source;
    size_t value;      /* the number, or where the histogram begins */
    bool is_histogram; /* else a counter */
    Buckets buckets;
    double scale; /* from the unit that is counted to the one that is shown */
    FamilyLabel labels[SERIES_MAX_LABELS];
    bool (*takes)(const Series *series); /* NULL: every series of the source */
} Family;

extern const Family families[];
extern const size_t families_n;

#endif
