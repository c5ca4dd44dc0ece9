/* SPDX-License-Identifier: Apache-2.0
 *
 * A scrape in three steps: the shards are added up by key; for each family these totals are added up
 * again by the labels that it shows; each of those is a line, or a histogram's lines.
 */
#include "server/metrics/metrics.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/metrics/exposition.h"

#define MAX_COLLECTORS 8

struct Metrics {
    pthread_mutex_t lock; /* guards the lists; held while a scrape runs */
    Shard *shards;
    struct {
        MetricsCollect *collect;
        void *data;
    } collectors[MAX_COLLECTORS];
    size_t n_collectors;

    pthread_mutex_t common_lock; /* makes its holder the owner of `common` */
    Shard *common;
};

/* ---- one family ------------------------------------------------------------------------------ */

static unsigned n_labels(const Family *family)
{
    unsigned n = 0;
    while (n < SERIES_MAX_LABELS && family->labels[n].name != NULL)
        n++;
    return n;
}

/* What the label of the series looks like; `storage` holds a number's digits. */
static Bytes shown_label(const Series *series, const FamilyLabel *label, char storage[24])
{
    if (label->constant != NULL)
        return bytes_of_text(label->constant);
    Bytes value = series_label(series, label->pick);
    bool is_version = series_source(series) == SOURCE_CALLS && label->pick == CALLS_VERSION;
    if (!is_version || value.size != sizeof(uint64_t))
        return value;
    snprintf(storage, 24, "%" PRId64, (int64_t)load_le64(value.data));
    return bytes_of_text(storage);
}

static size_t n_numbers(const Family *family)
{
    size_t n_bounds;
    if (!family->is_histogram)
        return 1;
    buckets_bounds(family->buckets, &n_bounds);
    return n_bounds + 2;
}

/* Adds the totals up by the labels that the family shows. */
static Error *project(const Family *family, const SeriesTable *totals, SeriesTable *shown)
{
    unsigned n = n_labels(family);
    for (const Series *series = totals->first; series != NULL; series = series->next) {
        SeriesKey key;
        char storage[24];
        if (series_source(series) != family->source ||
            (family->takes != NULL && !family->takes(series)))
            continue;
        series_key_begin(&key, family->source);
        for (unsigned i = 0; i < n; i++)
            series_key_add(&key, shown_label(series, &family->labels[i], storage));
        Series *to = series_find(shown, &key);
        if (to == NULL)
            to = series_insert(shown, &key, n_numbers(family));
        if (to == NULL)
            return error_out_of_memory();
        for (size_t i = 0; i < to->n_values; i++)
            series_add(to, i, series_value(series, family->value + i));
    }
    return NULL;
}

static Error *append_histogram(Buf *text, const Family *family, const Series *series,
                               const char *labels)
{
    size_t n;
    const double *bounds = buckets_bounds(family->buckets, &n);
    uint64_t count = 0;
    for (size_t i = 0; i <= n; i++) {
        count += series_value(series, 1 + i);
        TRY(buf_printf(text, "%s_bucket{%s%sle=\"", family->name, labels,
                       labels[0] != '\0' ? "," : ""));
        /* Six digits, as TensorFlow Serving prints bounds. */
        if (i < n)
            TRY(buf_printf(text, "%g", bounds[i] * family->scale));
        else
            TRY(buf_append_text(text, "+Inf"));
        TRY(buf_printf(text, "\"} %" PRIu64 "\n", count));
    }
    TRY(buf_printf(text, "%s_sum{%s} ", family->name, labels));
    TRY(exposition_number(text, (double)series_value(series, 0) * family->scale));
    return buf_printf(text, "\n%s_count{%s} %" PRIu64 "\n", family->name, labels, count);
}

static Error *append_series(Buf *text, const Family *family, const Series *series)
{
    MetricLabel labels[SERIES_MAX_LABELS];
    unsigned n = n_labels(family);
    for (unsigned i = 0; i < n; i++)
        labels[i] = (MetricLabel){ family->labels[i].name, series_label(series, i) };
    if (!family->is_histogram)
        return exposition_line(text, family->name, labels, n,
                               (double)series_value(series, 0) * family->scale);
    Buf shown;
    buf_init(&shown, SIZE_MAX);
    Error *error = exposition_labels(&shown, labels, n);
    if (error == NULL) {
        const char *label_text = buf_text(&shown);
        error = label_text == NULL ? error_out_of_memory()
                                   : append_histogram(text, family, series, label_text);
    }
    buf_done(&shown);
    return error;
}

static Error *append_family(Buf *text, const Family *family, const SeriesTable *totals)
{
    SeriesTable shown = { 0 };
    Error *error = project(family, totals, &shown);
    if (error == NULL)
        error = exposition_head(text, family->name, family->is_histogram ? "histogram" : "counter",
                                family->help);
    for (const Series *series = shown.first; series != NULL && error == NULL; series = series->next)
        error = append_series(text, family, series);
    series_table_done(&shown);
    return error;
}

/* ---- the scrape ------------------------------------------------------------------------------ */

static Error *sum_shards(Metrics *metrics, SeriesTable *totals)
{
    TRY(shard_sum(metrics->common, totals));
    for (Shard *shard = metrics->shards; shard != NULL; shard = *shard_link(shard))
        TRY(shard_sum(shard, totals));
    return NULL;
}

static Error *append_all(Metrics *metrics, Buf *text, SeriesTable *totals)
{
    TRY(sum_shards(metrics, totals));
    for (size_t i = 0; i < families_n; i++)
        TRY(append_family(text, &families[i], totals));
    for (size_t i = 0; i < metrics->n_collectors; i++)
        TRY(metrics->collectors[i].collect(metrics->collectors[i].data, text));
    return NULL;
}

Error *metrics_text(Metrics *metrics, Buf *text)
{
    SeriesTable totals = { 0 };
    pthread_mutex_lock(&metrics->lock);
    Error *error = append_all(metrics, text, &totals);
    pthread_mutex_unlock(&metrics->lock);
    series_table_done(&totals);
    return error;
}

/* ---- life ------------------------------------------------------------------------------------ */

Metrics *metrics_new(void)
{
    buckets_init();
    Metrics *metrics = calloc(1, sizeof(*metrics));
    if (metrics == NULL)
        return NULL;
    pthread_mutex_init(&metrics->lock, NULL);
    pthread_mutex_init(&metrics->common_lock, NULL);
    metrics->common = shard_new();
    return metrics->common != NULL ? metrics : metrics_free(metrics);
}

Metrics *metrics_free(Metrics *metrics)
{
    if (metrics == NULL)
        return NULL;
    while (metrics->shards != NULL) {
        Shard *shard = metrics->shards;
        metrics->shards = *shard_link(shard);
        shard_free(shard);
    }
    shard_free(metrics->common);
    pthread_mutex_destroy(&metrics->common_lock);
    pthread_mutex_destroy(&metrics->lock);
    free(metrics);
    return NULL;
}

Shard *metrics_shard(Metrics *metrics)
{
    Shard *shard = shard_new();
    if (shard == NULL)
        return NULL;
    pthread_mutex_lock(&metrics->lock);
    *shard_link(shard) = metrics->shards;
    metrics->shards = shard;
    pthread_mutex_unlock(&metrics->lock);
    return shard;
}

Shard *metrics_lock_common(Metrics *metrics)
{
    pthread_mutex_lock(&metrics->common_lock);
    return metrics->common;
}

void metrics_unlock_common(Metrics *metrics)
{
    pthread_mutex_unlock(&metrics->common_lock);
}

Error *metrics_collect(Metrics *metrics, MetricsCollect *collect, void *data)
{
    Error *error = NULL;
    pthread_mutex_lock(&metrics->lock);
    if (metrics->n_collectors < MAX_COLLECTORS) {
        metrics->collectors[metrics->n_collectors].collect = collect;
        metrics->collectors[metrics->n_collectors++].data = data;
    } else {
        error = error_new(ERROR_RESOURCE_EXHAUSTED, "more than %d collectors of metrics",
                          MAX_COLLECTORS);
    }
    pthread_mutex_unlock(&metrics->lock);
    return error;
}

void metrics_forget(Metrics *metrics, const void *data)
{
    pthread_mutex_lock(&metrics->lock);
    size_t kept = 0;
    for (size_t i = 0; i < metrics->n_collectors; i++)
        if (metrics->collectors[i].data != data)
            metrics->collectors[kept++] = metrics->collectors[i];
    metrics->n_collectors = kept;
    pthread_mutex_unlock(&metrics->lock);
}
