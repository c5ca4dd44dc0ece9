/* SPDX-License-Identifier: Apache-2.0
 *
 * One entry a model, in the order in which they came; its statuses and their texts are one block,
 * replaced as a whole.
 */
#include "server/manager/board.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Services that are up when all models are. TensorFlow Serving's own health service knows the last
 * two by these bare names only. */
static const char *const service_names[] = {
    "",
    "tensorflow.serving.PredictionService",
    "tensorflow.serving.ModelService",
    "grpc.health.v1.Health",
    "inference.GRPCInferenceService",
    "PredictionService",
    "ModelService",
};

typedef struct Entry {
    struct Entry *next;
    bool is_configured;
    VersionStatus *statuses; /* the block */
    size_t n;
    char name[];
} Entry;

struct Board {
    pthread_mutex_t lock;

    /* guarded by lock; only the loop's thread writes */
    bool is_draining;
    Entry *entries;
};

Board *board_new(void)
{
    Board *board = calloc(1, sizeof(*board));
    if (board != NULL)
        pthread_mutex_init(&board->lock, NULL);
    return board;
}

static void free_entry(Entry *entry)
{
    free(entry->statuses);
    free(entry);
}

Board *board_free(Board *board)
{
    if (board == NULL)
        return NULL;
    while (board->entries != NULL) {
        Entry *entry = board->entries;
        board->entries = entry->next;
        free_entry(entry);
    }
    pthread_mutex_destroy(&board->lock);
    free(board);
    return NULL;
}

/* The place where the entry is linked in, or where a new one would be. */
static Entry **find_link(Board *board, Bytes name)
{
    Entry **link = &board->entries;
    while (*link != NULL && !bytes_equal(bytes_of_text((*link)->name), name))
        link = &(*link)->next;
    return link;
}

/* ---- writing: reads without the lock, since no other thread writes --------------------------- */

static Entry *entry_new(const char *name)
{
    size_t size = strlen(name) + 1;
    Entry *entry = calloc(1, sizeof(*entry) + size);
    if (entry != NULL)
        memcpy(entry->name, name, size);
    return entry;
}

/* Entries for the names that have none, behind those there are. */
static Error *add_entries(Board *board, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        Entry **link = find_link(board, bytes_of_text(names[i]));
        if (*link != NULL)
            continue;
        Entry *entry = entry_new(names[i]);
        if (entry == NULL)
            return error_out_of_memory();
        pthread_mutex_lock(&board->lock);
        *link = entry; /* shown like a model that has left, until it is configured */
        pthread_mutex_unlock(&board->lock);
    }
    return NULL;
}

Error *board_configure(Board *board, const char *const *names, size_t n)
{
    TRY(add_entries(board, names, n));
    pthread_mutex_lock(&board->lock);
    for (Entry *entry = board->entries; entry != NULL; entry = entry->next)
        entry->is_configured = false;
    for (size_t i = 0; i < n; i++)
        (*find_link(board, bytes_of_text(names[i])))->is_configured = true;
    pthread_mutex_unlock(&board->lock);
    return NULL;
}

void board_remove(Board *board, const char *name)
{
    Entry **link = find_link(board, bytes_of_text(name));
    Entry *entry = *link;
    if (entry == NULL)
        return;
    pthread_mutex_lock(&board->lock);
    *link = entry->next;
    pthread_mutex_unlock(&board->lock);
    free_entry(entry);
}

Error *board_set(Board *board, const char *name, const VersionStatus *statuses, size_t n)
{
    size_t bytes = 1; /* not 0, for which calloc may give NULL */
    for (size_t k = 0; k < n; k++)
        if (!checked_add(bytes, sizeof(VersionStatus) + strlen(statuses[k].text) + 1, &bytes))
            return error_out_of_memory();
    VersionStatus *block = calloc(1, bytes);
    if (block == NULL)
        return error_out_of_memory();
    char *text = (char *)(block + n);
    for (size_t k = 0; k < n; k++) {
        size_t size = strlen(statuses[k].text) + 1;
        block[k] = statuses[k];
        block[k].text = memcpy(text, statuses[k].text, size);
        text += size;
    }
    Entry *entry = *find_link(board, bytes_of_text(name));
    if (entry == NULL) {
        free(block);
        return NULL;
    }
    pthread_mutex_lock(&board->lock);
    VersionStatus *replaced = entry->statuses;
    entry->statuses = block;
    entry->n = n;
    pthread_mutex_unlock(&board->lock);
    free(replaced);
    return NULL;
}

void board_drain(Board *board)
{
    pthread_mutex_lock(&board->lock);
    board->is_draining = true;
    pthread_mutex_unlock(&board->lock);
}

/* ---- reading ------------------------------------------------------------------------------- */

/* Copies those that are asked for; the lock is held. */
static Error *copy_statuses(const Entry *entry, const int64_t *version, Arena *arena,
                            VersionStatus **ret_statuses, size_t *ret_n)
{
    VersionStatus *copies = arena_calloc(arena, entry->n, sizeof(*copies));
    if (copies == NULL)
        return error_out_of_memory();
    size_t n = 0;
    for (size_t i = 0; i < entry->n; i++) {
        if (version != NULL && entry->statuses[i].version != *version)
            continue;
        copies[n] = entry->statuses[i];
        copies[n].text = arena_strdup(arena, entry->statuses[i].text);
        if (copies[n].text == NULL)
            return error_out_of_memory();
        n++;
    }
    *ret_statuses = copies;
    *ret_n = n;
    return NULL;
}

Error *board_models(Board *board, Arena *arena, const char ***ret_names, size_t *ret_n)
{
    pthread_mutex_lock(&board->lock);
    size_t n = 0, room = 0;
    for (const Entry *entry = board->entries; entry != NULL; entry = entry->next)
        room++;
    const char **names = arena_calloc(arena, room, sizeof(*names));
    bool is_full = names == NULL;
    for (const Entry *entry = board->entries; entry != NULL && !is_full; entry = entry->next) {
        if (!entry->is_configured)
            continue;
        names[n] = arena_strdup(arena, entry->name);
        is_full = names[n++] == NULL;
    }
    pthread_mutex_unlock(&board->lock);
    if (is_full)
        return error_out_of_memory();
    *ret_names = names;
    *ret_n = n;
    return NULL;
}

Error *board_read(Board *board, Bytes name, const int64_t *version, Arena *arena,
                  VersionStatus **ret_statuses, size_t *ret_n)
{
    VersionStatus *statuses = NULL;
    size_t n = 0;
    Error *error = NULL;
    pthread_mutex_lock(&board->lock);
    const Entry *entry = *find_link(board, name);
    if (entry != NULL)
        error = copy_statuses(entry, version, arena, &statuses, &n);
    pthread_mutex_unlock(&board->lock);
    TRY(error);
    int size = name.size < 1024 ? (int)name.size : 1024;
    if (n == 0 && version != NULL)
        return error_new(ERROR_NOT_FOUND, "Could not find version %" PRId64 " of model %.*s",
                         *version, size, (const char *)name.data);
    if (n == 0)
        return error_new(ERROR_NOT_FOUND, "Could not find any versions of model %.*s", size,
                         (const char *)name.data);
    *ret_statuses = statuses;
    *ret_n = n;
    return NULL;
}

static bool is_serving(const Entry *entry)
{
    for (size_t i = 0; i < entry->n; i++)
        if (entry->statuses[i].state == VERSION_AVAILABLE)
            return true;
    return false;
}

static bool are_all_serving(const Board *board)
{
    for (const Entry *entry = board->entries; entry != NULL; entry = entry->next)
        if (entry->is_configured && !is_serving(entry))
            return false;
    return true;
}

HealthStatus board_health(Board *board, Bytes service)
{
    bool is_service = false;
    for (size_t i = 0; i < ARRAY_SIZE(service_names); i++)
        is_service |= bytes_equal(bytes_of_text(service_names[i]), service);
    pthread_mutex_lock(&board->lock);
    const Entry *entry = *find_link(board, service);
    bool is_model = entry != NULL && entry->is_configured;
    bool is_up = is_service ? are_all_serving(board) : is_model && is_serving(entry);
    is_up = is_up && !board->is_draining;
    pthread_mutex_unlock(&board->lock);
    if (!is_service && !is_model)
        return HEALTH_UNKNOWN;
    return is_up ? HEALTH_SERVING : HEALTH_NOT_SERVING;
}

const char *const *board_services(size_t *ret_n)
{
    *ret_n = ARRAY_SIZE(service_names);
    return service_names;
}
