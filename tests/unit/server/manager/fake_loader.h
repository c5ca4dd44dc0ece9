/* SPDX-License-Identifier: Apache-2.0
 *
 * A loader without bundles, for the manager's tests. What it does is the text of
 * DIRECTORY/saved_model.pb:
 *
 *     ok N        gives a model whose value is N
 *     bad WHY     fails with INVALID_ARGUMENT, text WHY
 *     flaky K     fails the first K times with UNAVAILABLE, then gives a model
 *     gate N      waits for fake_gate_open, then as ok
 *
 * A model that is used after it was unloaded has lost its magic number, and the address sanitizer
 * sees it too.
 */
#ifndef DIGIT_TESTS_FAKE_LOADER_H
#define DIGIT_TESTS_FAKE_LOADER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "server/manager/loader.h"
#include "tests/support/check.h"

#define FAKE_MAGIC 0x600dcafe
#define FAKE_COLD (-1) /* the value of a model whose warm-up fails */
#define FAKE_WEIGHT_BYTES (1024 * 1024)

typedef struct FakeModel {
    unsigned magic;
    int value;
    char *weights;
} FakeModel;

static atomic_int fake_n_loads; /* tries */
static atomic_int fake_n_alive;
static atomic_int fake_n_warm;
static atomic_int fake_n_waiting; /* at the gate */
static bool fake_gate_is_open;
static pthread_mutex_t fake_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t fake_changed = PTHREAD_COND_INITIALIZER;

static inline void fake_reset(void)
{
    atomic_store(&fake_n_loads, 0);
    atomic_store(&fake_n_warm, 0);
    pthread_mutex_lock(&fake_lock);
    fake_gate_is_open = false;
    pthread_mutex_unlock(&fake_lock);
}

static inline void fake_gate_open(void)
{
    pthread_mutex_lock(&fake_lock);
    fake_gate_is_open = true;
    pthread_cond_broadcast(&fake_changed);
    pthread_mutex_unlock(&fake_lock);
}

static inline void fake_gate_wait(void)
{
    atomic_fetch_add(&fake_n_waiting, 1);
    pthread_mutex_lock(&fake_lock);
    while (!fake_gate_is_open)
        pthread_cond_wait(&fake_changed, &fake_lock);
    pthread_mutex_unlock(&fake_lock);
    atomic_fetch_sub(&fake_n_waiting, 1);
}

static inline Error *fake_model_new(int value, Model **ret_model)
{
    FakeModel *model = malloc(sizeof(*model));
    char *weights = malloc(FAKE_WEIGHT_BYTES);
    if (model == NULL || weights == NULL) {
        free(model);
        free(weights);
        return error_out_of_memory();
    }
    memset(weights, value, FAKE_WEIGHT_BYTES);
    *model = (FakeModel){ FAKE_MAGIC, value, weights };
    atomic_fetch_add(&fake_n_alive, 1);
    *ret_model = (Model *)model;
    return NULL;
}

static inline Error *fake_load(const char *directory, const ModelOptions *options,
                               Model **ret_model)
{
    (void)options;
    int n_loads = atomic_fetch_add(&fake_n_loads, 1) + 1;
    _cleanup_(arena_freep) Arena *arena = arena_new(1024, 0);
    uint8_t *data;
    size_t size;
    TRY(file_read(arena, file_join(arena, directory, "saved_model.pb"), 1000, &data, &size));
    char *text = (char *)data;
    if (strncmp(text, "bad ", 4) == 0)
        return error_new(ERROR_INVALID_ARGUMENT, "%s", text + 4);
    if (strncmp(text, "flaky ", 6) == 0 && n_loads <= strtol(text + 6, NULL, 10))
        return error_new(ERROR_UNAVAILABLE, "not in the mood");
    if (strncmp(text, "gate ", 5) == 0)
        fake_gate_wait();
    char *space = strchr(text, ' ');
    return fake_model_new(space == NULL ? 0 : (int)strtol(space + 1, NULL, 10), ret_model);
}

static inline Error *fake_warm_up(const Model *model, const char *directory, const void *data)
{
    (void)directory;
    (void)data;
    assert_int_equal(((const FakeModel *)model)->magic, FAKE_MAGIC);
    atomic_fetch_add(&fake_n_warm, 1);
    if (((const FakeModel *)model)->value == FAKE_COLD)
        return error_new(ERROR_INVALID_ARGUMENT, "it stays cold");
    return NULL;
}

static inline Model *fake_unload(Model *model)
{
    FakeModel *fake = (FakeModel *)model;
    fake->magic = 0;
    free(fake->weights);
    free(fake);
    atomic_fetch_sub(&fake_n_alive, 1);
    return NULL;
}

static const VersionLoader fake_loader = { fake_load, fake_warm_up, NULL, fake_unload, NULL };

/* The value of a model that is alive. Any thread. */
static inline int fake_value(const Model *model)
{
    const FakeModel *fake = (const FakeModel *)model;
    if (fake->magic != FAKE_MAGIC)
        abort(); /* cmocka's assertions are for the main thread */
    return fake->value;
}

#endif
