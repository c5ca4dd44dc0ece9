/* SPDX-License-Identifier: Apache-2.0
 *
 * One entry a model; its statuses and their texts are one block, replaced as a whole.
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
    "PredictionService",
    "ModelService",
};

typedef struct Entry {
    char *name;
    VersionStatus *statuses; /* the block */
    size_t n;
} Entry;

struct Board {
    pthread_mutex_t lock;

    /* immutable */
    size_t n_models;

    /* guarded by lock, but for the names, which are immutable */
    bool is_draining;
    Entry entries[];
};

Board *board_new(const char *const *names, size_t n_models)
{
    size_t bytes;
    if (!checked_mul(n_models, sizeof(Entry), &bytes) || !checked_add(bytes, sizeof(Board), &bytes))
        return NULL;
    Board *board = calloc(1, bytes);
    if (board == NULL)
        return NULL;
    pthread_mutex_init(&board->lock, NULL);
    for (size_t i = 0; i < n_models; i++) {
        board->n_models++;
        board->entries[i].name = strdup(names[i]);
        if (board->entries[i].name == NULL)
            return board_free(board);
    }
    return board;
}

Board *board_free(Board *board)
{
    if (board == NULL)
        return NULL;
    for (size_t i = 0; i < board->n_models; i++) {
        free(board->entries[i].name);
        free(board->entries[i].statuses);
    }
    pthread_mutex_destroy(&board->lock);
    free(board);
    return NULL;
}

/* ---- writing ------------------------------------------------------------------------------- */

Error *board_set(Board *board, size_t i, const VersionStatus *statuses, size_t n)
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
    Entry *entry = &board->entries[i];
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

static Entry *find_entry(Board *board, Bytes name)
{
    for (size_t i = 0; i < board->n_models; i++)
        if (bytes_equal(bytes_of_text(board->entries[i].name), name))
            return &board->entries[i];
    return NULL;
}

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

Error *board_read(Board *board, Bytes name, const int64_t *version, Arena *arena,
                  VersionStatus **ret_statuses, size_t *ret_n)
{
    VersionStatus *statuses = NULL;
    size_t n = 0;
    Error *error = NULL;
    const Entry *entry = find_entry(board, name);
    if (entry != NULL) {
        pthread_mutex_lock(&board->lock);
        error = copy_statuses(entry, version, arena, &statuses, &n);
        pthread_mutex_unlock(&board->lock);
    }
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
    for (size_t i = 0; i < board->n_models; i++)
        if (!is_serving(&board->entries[i]))
            return false;
    return true;
}

HealthStatus board_health(Board *board, Bytes service)
{
    bool is_service = false;
    for (size_t i = 0; i < ARRAY_SIZE(service_names); i++)
        is_service |= bytes_equal(bytes_of_text(service_names[i]), service);
    const Entry *entry = find_entry(board, service);
    if (!is_service && entry == NULL)
        return HEALTH_UNKNOWN;
    pthread_mutex_lock(&board->lock);
    bool is_up = is_service ? are_all_serving(board) : is_serving(entry);
    is_up = is_up && !board->is_draining;
    pthread_mutex_unlock(&board->lock);
    return is_up ? HEALTH_SERVING : HEALTH_NOT_SERVING;
}
