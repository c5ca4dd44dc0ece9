/* SPDX-License-Identifier: Apache-2.0
 *
 * Series and their table: open addressing with linear probing over pointers, so that a series stays
 * where it is while the table grows. Nothing is removed.
 */
#include "server/metrics/series.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 64

/* ---- keys ------------------------------------------------------------------------------------ */

void series_key_begin(SeriesKey *key, unsigned source)
{
    key->bytes[0] = (uint8_t)source;
    key->size = 1;
}

void series_key_add(SeriesKey *key, Bytes label)
{
    size_t size = label.size < SERIES_LABEL_MAX ? label.size : SERIES_LABEL_MAX;
    key->bytes[key->size] = (uint8_t)size;
    if (size > 0)
        memcpy(key->bytes + key->size + 1, label.data, size);
    key->size += 1 + size;
}

void series_key_add_text(SeriesKey *key, const char *label)
{
    series_key_add(key, bytes_of_text(label));
}

/* Eight bytes a step: keys are some 60 bytes, and this runs once a call. */
static uint64_t hash_of(const SeriesKey *key)
{
    const uint64_t prime = 0x9e3779b97f4a7c15u;
    uint64_t hash = key->size;
    for (size_t at = 0; at < key->size; at += 8) {
        uint64_t word = 0;
        size_t left = key->size - at;
        memcpy(&word, key->bytes + at, left < 8 ? left : 8);
        hash = (hash ^ word) * prime;
        hash ^= hash >> 32;
    }
    return hash;
}

static Bytes label_of(const uint8_t *key, size_t size, unsigned i)
{
    for (size_t at = 1; at < size; at += 1u + key[at])
        if (i-- == 0)
            return (Bytes){ key + at + 1, key[at] };
    return (Bytes){ (const uint8_t *)"", 0 };
}

Bytes series_key_label(const SeriesKey *key, unsigned i)
{
    return label_of(key->bytes, key->size, i);
}

unsigned series_key_n_labels(const SeriesKey *key)
{
    unsigned n = 0;
    for (size_t at = 1; at < key->size; at += 1u + key->bytes[at])
        n++;
    return n;
}

Bytes series_label(const Series *series, unsigned i)
{
    return label_of(series->key, series->key_bytes, i);
}

unsigned series_source(const Series *series)
{
    return series->key[0];
}

void series_key_of(const Series *series, SeriesKey *ret_key)
{
    ret_key->size = series->key_bytes;
    memcpy(ret_key->bytes, series->key, series->key_bytes);
}

/* ---- the table ------------------------------------------------------------------------------- */

static Series *find_hashed(const SeriesTable *table, const SeriesKey *key, uint64_t hash)
{
    if (table->n_slots == 0)
        return NULL;
    for (size_t i = hash & (table->n_slots - 1); table->slots[i] != NULL;
         i = (i + 1) & (table->n_slots - 1)) {
        Series *series = table->slots[i];
        if (series->hash == hash && series->key_bytes == key->size &&
            memcmp(series->key, key->bytes, key->size) == 0)
            return series;
    }
    return NULL;
}

Series *series_find(const SeriesTable *table, const SeriesKey *key)
{
    return find_hashed(table, key, hash_of(key));
}

static void put(Series **slots, size_t n_slots, Series *series)
{
    size_t i = series->hash & (n_slots - 1);
    while (slots[i] != NULL)
        i = (i + 1) & (n_slots - 1);
    slots[i] = series;
}

/* Room for one more. */
static bool grow(SeriesTable *table)
{
    if (table->n < table->n_slots / 2)
        return true;
    size_t n_slots = table->n_slots == 0 ? FIRST_SLOTS : table->n_slots * 2;
    Series **slots = calloc(n_slots, sizeof(*slots));
    if (slots == NULL)
        return false;
    for (Series *series = table->first; series != NULL; series = series->next)
        put(slots, n_slots, series);
    free(table->slots);
    table->slots = slots;
    table->n_slots = n_slots;
    return true;
}

Series *series_insert(SeriesTable *table, const SeriesKey *key, size_t n_values)
{
    if (!grow(table))
        return NULL;
    size_t values = n_values * sizeof(_Atomic uint64_t);
    Series *series = calloc(1, sizeof(*series) + values + key->size);
    if (series == NULL)
        return NULL;
    series->hash = hash_of(key);
    series->n_values = n_values;
    series->key = memcpy((uint8_t *)(series + 1) + values, key->bytes, key->size);
    series->key_bytes = key->size;
    put(table->slots, table->n_slots, series);
    if (table->last != NULL)
        table->last->next = series;
    else
        table->first = series;
    table->last = series;
    table->n++;
    return series;
}

void series_table_done(SeriesTable *table)
{
    while (table->first != NULL) {
        Series *series = table->first;
        table->first = series->next;
        free(series);
    }
    free(table->slots);
    *table = (SeriesTable){ 0 };
}
