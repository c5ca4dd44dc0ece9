/* SPDX-License-Identifier: Apache-2.0
 *
 * A snapshot is one block: rows sorted by model and version, found by binary search. Models are few
 * and change seldom, so every publication writes all rows anew.
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

typedef struct Snapshot {
    struct Snapshot *next; /* of those that wait for readers, oldest first */
    uint64_t end;          /* the epoch that made it out of date */
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

Version *roster_find(Reader *reader, Bytes model, const int64_t *number)
{
    Roster *roster = reader->roster;
    assert(atomic_load_explicit(&reader->mark, memory_order_relaxed) == 0);
    atomic_store(&reader->mark, atomic_load(&roster->epoch));
    const Snapshot *snapshot = atomic_load(&roster->snapshot);
    const Row *row = find_row(snapshot, model, number == NULL ? INT64_MAX : *number);
    Version *version = NULL;
    if (row != NULL && (number == NULL || row->number == *number))
        version = version_ref(row->version);
    /* Release: whoever sees the 0 also sees the reference. */
    atomic_store_explicit(&reader->mark, 0, memory_order_release);
    return version;
}

/* ---- writer's side ------------------------------------------------------------------------- */

static int compare_rows(const void *a, const void *b)
{
    const Row *x = a;
    const Row *y = b;
    return compare_keys(x->model, x->number, y->model, y->number);
}

Error *roster_publish(Roster *roster, Version *const *versions, size_t n, uint64_t *ret_epoch)
{
    Snapshot *fresh = &empty_snapshot;
    if (n > 0) {
        size_t bytes;
        if (!checked_mul(n, sizeof(Row), &bytes) || !checked_add(bytes, sizeof(Snapshot), &bytes))
            return error_out_of_memory();
        fresh = malloc(bytes);
        if (fresh == NULL)
            return error_out_of_memory();
        *fresh = (Snapshot){ .n = n };
        for (size_t i = 0; i < n; i++)
            fresh->rows[i] = (Row){ bytes_of_text(versions[i]->host->model_name),
                                    versions[i]->number, versions[i] };
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
