/* SPDX-License-Identifier: Apache-2.0
 *
 * A snapshot is one block: rows sorted by model and version, found by binary search; behind them the
 * labels, which are few, and their texts. Models are few and change seldom, so every publication
 * writes all of it anew.
 */
#include "server/manager/roster.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#define CACHE_LINE 64 /* bytes */

typedef struct Row {
    Bytes model;
    int64_t number;
    Version *version;
} Row;

typedef struct Label {
    Bytes model, label;
    int64_t number;
} Label;

typedef struct Snapshot {
    struct Snapshot *next; /* of those that wait for readers, oldest first */
    uint64_t end;          /* the epoch that made it out of date */
    Label *labels;         /* [n_labels] in this block */
    size_t n_labels;
    size_t n;
    Row rows[];
} Snapshot;

/* On a cache line of its own: its thread writes it twice a request. */
struct Reader {
    _Alignas(CACHE_LINE) _Atomic uint64_t mark; /* the epoch it reads in; 0: it does not */
    Roster *roster;
    Reader *next;
};

struct Roster {
    /* atomic; see roster.h for the order. Read by all, written seldom. */
    _Alignas(CACHE_LINE) _Atomic(Snapshot *) snapshot;
    _Atomic uint64_t epoch;    /* from 1 */
    _Atomic(Reader *) readers; /* pushed by any thread, removed never */

    /* loop's thread */
    Snapshot *oldest_replaced;
    Snapshot **replaced_end;
};

/* What stands in the roster when nothing serves: never freed. */
static Snapshot empty_snapshot;

Roster *roster_new(void)
{
    Roster *roster = aligned_alloc(CACHE_LINE, sizeof(Roster));
    if (roster == NULL)
        return NULL;
    atomic_init(&roster->snapshot, &empty_snapshot);
    atomic_init(&roster->epoch, 1);
    atomic_init(&roster->readers, NULL);
    roster->oldest_replaced = NULL;
    roster->replaced_end = &roster->oldest_replaced;
    return roster;
}

static void free_snapshot(Snapshot *snapshot)
{
    if (snapshot != &empty_snapshot)
        free(snapshot);
}

Roster *roster_free(Roster *roster)
{
    if (roster == NULL)
        return NULL;
    Reader *reader = atomic_load(&roster->readers);
    while (reader != NULL) {
        Reader *next = reader->next;
        assert(atomic_load(&reader->mark) == 0);
        free(reader);
        reader = next;
    }
    while (roster->oldest_replaced != NULL) {
        Snapshot *next = roster->oldest_replaced->next;
        free_snapshot(roster->oldest_replaced);
        roster->oldest_replaced = next;
    }
    free_snapshot(atomic_load(&roster->snapshot));
    free(roster);
    return NULL;
}

/* ---- readers' side ------------------------------------------------------------------------- */

Reader *roster_reader_new(Roster *roster)
{
    Reader *reader = aligned_alloc(CACHE_LINE, sizeof(Reader));
    if (reader == NULL)
        return NULL;
    atomic_init(&reader->mark, 0);
    reader->roster = roster;
    reader->next = atomic_load(&roster->readers);
    while (!atomic_compare_exchange_weak(&roster->readers, &reader->next, reader))
        ;
    return reader;
}

static int compare_keys(Bytes model_a, int64_t number_a, Bytes model_b, int64_t number_b)
{
    size_t size = model_a.size < model_b.size ? model_a.size : model_b.size;
    int order = size == 0 ? 0 : memcmp(model_a.data, model_b.data, size);
    if (order != 0)
        return order;
    if (model_a.size != model_b.size)
        return model_a.size < model_b.size ? -1 : 1;
    return number_a < number_b ? -1 : number_a > number_b;
}

/* The last row that is not above the key: of model's rows the one with that number or, asked for
 * the highest possible number, the highest there is. */
static const Row *find_row(const Snapshot *snapshot, Bytes model, int64_t number)
{
    size_t low = 0;
    size_t high = snapshot->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const Row *row = &snapshot->rows[middle];
        if (compare_keys(row->model, row->number, model, number) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || !bytes_equal(snapshot->rows[low - 1].model, model))
        return NULL;
    return &snapshot->rows[low - 1];
}

/* Opens and closes what may be read of the snapshot. */
static const Snapshot *begin_reading(Reader *reader)
{
    Roster *roster = reader->roster;
    assert(atomic_load_explicit(&reader->mark, memory_order_relaxed) == 0);
    atomic_store(&reader->mark, atomic_load(&roster->epoch));
    return atomic_load(&roster->snapshot);
}

static void end_reading(Reader *reader)
{
    /* Release: whoever sees the 0 also sees the references that were taken. */
    atomic_store_explicit(&reader->mark, 0, memory_order_release);
}

static Version *take(const Snapshot *snapshot, Bytes model, const int64_t *number)
{
    const Row *row = find_row(snapshot, model, number == NULL ? INT64_MAX : *number);
    bool is_found = row != NULL && (number == NULL || row->number == *number);
    return is_found ? version_ref(row->version) : NULL;
}

Version *roster_find(Reader *reader, Bytes model, const int64_t *number)
{
    Version *version = take(begin_reading(reader), model, number);
    end_reading(reader);
    return version;
}

bool roster_find_labelled(Reader *reader, Bytes model, Bytes label, int64_t *ret_number,
                          Version **ret_version)
{
    const Snapshot *snapshot = begin_reading(reader);
    bool is_found = false;
    for (size_t i = 0; i < snapshot->n_labels && !is_found; i++) {
        const Label *row = &snapshot->labels[i];
        if (!bytes_equal(row->model, model) || !bytes_equal(row->label, label))
            continue;
        is_found = true;
        *ret_number = row->number;
        *ret_version = take(snapshot, model, &row->number);
    }
    end_reading(reader);
    return is_found;
}

/* ---- writer's side ------------------------------------------------------------------------- */

static int compare_rows(const void *a, const void *b)
{
    const Row *x = a;
    const Row *y = b;
    return compare_keys(x->model, x->number, y->model, y->number);
}

static Bytes put_text(char **at, const char *text)
{
    size_t size = strlen(text);
    Bytes copy = { memcpy(*at, text, size), size };
    *at += size;
    return copy;
}

static Snapshot *new_snapshot(size_t n, const RosterLabel *labels, size_t n_labels)
{
    size_t rows, bytes = sizeof(Snapshot);
    if (!checked_mul(n, sizeof(Row), &rows) || !checked_add(bytes, rows, &bytes))
        return NULL;
    for (size_t i = 0; i < n_labels; i++) {
        size_t texts = strlen(labels[i].model) + strlen(labels[i].label);
        if (!checked_add(bytes, sizeof(Label) + texts, &bytes))
            return NULL;
    }
    Snapshot *snapshot = malloc(bytes);
    if (snapshot == NULL)
        return NULL;
    *snapshot = (Snapshot){ .n = n, .n_labels = n_labels };
    snapshot->labels = (Label *)&snapshot->rows[n];
    char *text = (char *)&snapshot->labels[n_labels];
    for (size_t i = 0; i < n_labels; i++) {
        snapshot->labels[i].model = put_text(&text, labels[i].model);
        snapshot->labels[i].label = put_text(&text, labels[i].label);
        snapshot->labels[i].number = labels[i].number;
    }
    return snapshot;
}

Error *roster_publish(Roster *roster, Version *const *versions, size_t n, const RosterLabel *labels,
                      size_t n_labels, uint64_t *ret_epoch)
{
    Snapshot *fresh = &empty_snapshot;
    if (n + n_labels > 0) {
        fresh = new_snapshot(n, labels, n_labels);
        if (fresh == NULL)
            return error_out_of_memory();
        for (size_t i = 0; i < n; i++)
            fresh->rows[i] = (Row){ bytes_of_text(versions[i]->host->model_name),
                                    versions[i]->number, versions[i] };
        if (n > 1)
            qsort(fresh->rows, n, sizeof(Row), compare_rows);
    }
    Snapshot *replaced = atomic_exchange(&roster->snapshot, fresh);
    uint64_t end = atomic_fetch_add(&roster->epoch, 1) + 1;
    if (replaced != &empty_snapshot) {
        replaced->end = end;
        *roster->replaced_end = replaced;
        roster->replaced_end = &replaced->next;
    }
    *ret_epoch = end;
    return NULL;
}

uint64_t roster_reclaim(Roster *roster)
{
    uint64_t over = atomic_load(&roster->epoch);
    for (Reader *reader = atomic_load(&roster->readers); reader != NULL; reader = reader->next) {
        uint64_t mark = atomic_load(&reader->mark);
        if (mark != 0 && mark < over)
            over = mark;
    }
    while (roster->oldest_replaced != NULL && roster->oldest_replaced->end <= over) {
        Snapshot *snapshot = roster->oldest_replaced;
        roster->oldest_replaced = snapshot->next;
        if (roster->oldest_replaced == NULL)
            roster->replaced_end = &roster->oldest_replaced;
        free(snapshot);
    }
    return over;
}

bool roster_is_waiting(const Roster *roster)
{
    return roster->oldest_replaced != NULL;
}
