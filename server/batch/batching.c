/* SPDX-License-Identifier: Apache-2.0
 *
 * Batching. The parameters of versions are a short list behind a lock of its own, which a request
 * takes only with --enable_per_model_batching_parameters.
 */
#include "server/batch/batching.h"

#include <pthread.h>
#include <stdlib.h>

#include "model/base/file.h"

#define FILE_NAME "batching_params.pbtxt"
#define FILE_MAX_BYTES ((size_t)1 << 20)

/* A version that has parameters of its own. */
typedef struct ModelParams {
    const Model *model;
    Arena *arena;
    BatchParams params;
    struct ModelParams *next;
} ModelParams;

struct Batching {
    /* immutable */
    bool per_model;
    Arena *arena;
    BatchParams params;
    Batcher *batcher; /* until batching_stop */

    pthread_mutex_t lock;
    ModelParams *models;
};

static Error *read_params(Arena *arena, const char *path, BatchParams *ret_params)
{
    uint8_t *data;
    size_t size;
    TRY(file_read(arena, path, FILE_MAX_BYTES, &data, &size));
    return error_prefix(batch_params_parse(arena, (Bytes){ data, size }, ret_params), "%s", path);
}

static Error *begin(Batching *batching, const BatchingOptions *options)
{
    batching->arena = arena_new(4096, 0);
    if (batching->arena == NULL)
        return error_out_of_memory();
    batching->per_model = options->per_model;
    batching->params = batch_params_default();
    if (options->file[0] != '\0')
        TRY(read_params(batching->arena, options->file, &batching->params));
    const BatcherOptions batcher = { .n_threads = (int)batching->params.n_threads,
                                     .max_bytes = options->max_bytes,
                                     .crew = options->crew,
                                     .run = signature_run };
    return batcher_new(&batcher, &batching->batcher);
}

Error *batching_new(const BatchingOptions *options, Batching **ret_batching)
{
    Batching *batching = calloc(1, sizeof(*batching));
    if (batching == NULL)
        return error_out_of_memory();
    pthread_mutex_init(&batching->lock, NULL);
    Error *error = begin(batching, options);
    if (error != NULL) {
        batching_free(batching);
        return error;
    }
    *ret_batching = batching;
    return NULL;
}

void batching_stop(Batching *batching)
{
    if (batching != NULL)
        batching->batcher = batcher_free(batching->batcher);
}

static ModelParams *model_params_free(ModelParams *own)
{
    if (own != NULL) {
        arena_free(own->arena);
        free(own);
    }
    return NULL;
}

Batching *batching_free(Batching *batching)
{
    if (batching == NULL)
        return NULL;
    batching_stop(batching);
    while (batching->models != NULL) {
        ModelParams *own = batching->models;
        batching->models = own->next;
        model_params_free(own);
    }
    pthread_mutex_destroy(&batching->lock);
    arena_free(batching->arena);
    free(batching);
    return NULL;
}

Batcher *batching_batcher(const Batching *batching)
{
    return batching->batcher;
}

const BatchParams *batching_params(Batching *batching, const Model *model)
{
    if (!batching->per_model)
        return &batching->params;
    pthread_mutex_lock(&batching->lock);
    const ModelParams *own = batching->models;
    while (own != NULL && own->model != model)
        own = own->next;
    pthread_mutex_unlock(&batching->lock);
    return own != NULL ? &own->params : NULL;
}

static Error *read_own(const Model *model, const char *directory, ModelParams *own)
{
    own->model = model;
    own->arena = arena_new(4096, 0);
    if (own->arena == NULL)
        return error_out_of_memory();
    char *path = file_join(own->arena, directory, FILE_NAME);
    return path != NULL ? read_params(own->arena, path, &own->params) : error_out_of_memory();
}

Error *batching_add(Batching *batching, const Model *model, const char *directory)
{
    if (!batching->per_model)
        return NULL;
    ModelParams *own = calloc(1, sizeof(*own));
    if (own == NULL)
        return error_out_of_memory();
    Error *error = read_own(model, directory, own);
    if (error != NULL) {
        model_params_free(own);
        if (error->code == ERROR_NOT_FOUND)
            error = error_free(error);
        return error;
    }
    pthread_mutex_lock(&batching->lock);
    own->next = batching->models;
    batching->models = own;
    pthread_mutex_unlock(&batching->lock);
    return NULL;
}

void batching_remove(Batching *batching, const Model *model)
{
    ModelParams *own = NULL;
    pthread_mutex_lock(&batching->lock);
    ModelParams **link = &batching->models;
    while (*link != NULL && (*link)->model != model)
        link = &(*link)->next;
    if (*link != NULL) {
        own = *link;
        *link = own->next;
    }
    pthread_mutex_unlock(&batching->lock);
    model_params_free(own);
}
