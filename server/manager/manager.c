/* SPDX-License-Identifier: Apache-2.0
 *
 * What the servables have in common: the roster that readers see, the board of states, the
 * background threads, and the moment when the server is ready.
 */
#include "server/manager/manager.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/log.h"
#include "model/base/map.h"
#include "server/manager/background.h"
#include "server/manager/board.h"
#include "server/manager/roster.h"
#include "server/manager/servable.h"

#define RECLAIM_MS                                                                                 \
    1 /* a reader is in its few instructions, unless the system has stopped it there */

struct Manager {
    /* immutable */
    Loop *loop;
    Arena *arena;           /* of the options */
    ManagerOptions options; /* a copy in `arena` */
    ServableHost host;
    Background *background;
    Roster *roster; /* any thread, see there */
    Board *board;   /* any thread, see there */

    /* loop's thread */
    Servable **servables; /* in the order of options.models */
    size_t n_servables;
    LoopTimer *reclaim;
    LoopTimer *limit;
    Arena *scratch; /* of one status */
    ManagerReady *on_ready;
    void *ready_data;
    LoopTask ready;
    bool is_ready_posted; /* and not run yet */
    bool is_ready;
    bool is_draining;
};

/* ---- readiness ----------------------------------------------------------------------------- */

static void run_ready(void *data)
{
    Manager *manager = data;
    manager->is_ready_posted = false;
    size_t n_serving = 0;
    for (size_t i = 0; i < manager->n_servables; i++)
        n_serving += servable_is_serving(manager->servables[i]);
    if (!manager->is_draining)
        manager->on_ready(manager->ready_data, n_serving, manager->n_servables);
}

static void be_ready(Manager *manager)
{
    if (manager->is_ready)
        return;
    manager->is_ready = true;
    manager->is_ready_posted = true;
    loop_timer_stop(manager->limit);
    loop_post(manager->loop, &manager->ready);
}

static void on_limit(void *data)
{
    log_warning("manager", "not every model has been loaded in time: serving the others");
    be_ready(data);
}

static void check_ready(Manager *manager)
{
    for (size_t i = 0; i < manager->n_servables; i++)
        if (!servable_is_settled(manager->servables[i]))
            return;
    be_ready(manager);
}

/* ---- what servables call ------------------------------------------------------------------- */

static void run_reclaim(void *data)
{
    Manager *manager = data;
    uint64_t over = roster_reclaim(manager->roster);
    for (size_t i = 0; i < manager->n_servables; i++)
        servable_reclaim(manager->servables[i], over);
    if (roster_is_waiting(manager->roster))
        loop_timer_start(manager->reclaim, RECLAIM_MS);
}

static size_t collect_available(const Manager *manager, Version **available)
{
    size_t n = 0;
    for (size_t i = 0; i < manager->n_servables; i++) {
        size_t n_versions;
        Version *const *versions = servable_versions(manager->servables[i], &n_versions);
        for (size_t k = 0; k < n_versions; k++) {
            if (versions[k]->state != VERSION_AVAILABLE)
                continue;
            if (available != NULL)
                available[n] = versions[k];
            n++;
        }
    }
    return n;
}

static Error *publish(void *data, uint64_t *ret_epoch)
{
    Manager *manager = data;
    size_t n = collect_available(manager, NULL);
    _cleanup_(freep) Version **available = calloc(n + 1, sizeof(*available));
    if (available == NULL)
        return error_out_of_memory();
    collect_available(manager, available);
    TRY(roster_publish(manager->roster, available, n, ret_epoch));
    loop_timer_start(manager->reclaim, 0);
    return NULL;
}

static size_t index_of(const Manager *manager, const Servable *servable)
{
    size_t i = 0;
    while (manager->servables[i] != servable)
        i++;
    return i;
}

static void on_servable_changed(void *data, Servable *servable)
{
    Manager *manager = data;
    arena_reset(manager->scratch, 4096);
    VersionStatus *statuses;
    size_t n;
    Error *error = servable_statuses(servable, manager->scratch, &statuses, &n);
    size_t i = index_of(manager, servable);
    if (error == NULL)
        error = board_set(manager->board, i, statuses, n);
    log_error_free(LOG_ERROR, "manager", error, "model %s: its status is out of date",
                   manager->options.models[i].name);
    check_ready(manager);
}

/* ---- options ------------------------------------------------------------------------------- */

static Error *copy_config(Arena *arena, const ModelConfig *config, ModelConfig *copy)
{
    if (config->name == NULL || config->name[0] == '\0')
        return error_new(ERROR_INVALID_ARGUMENT, "a model of the configuration has no name");
    if (config->base_path == NULL || config->base_path[0] == '\0')
        return error_new(ERROR_INVALID_ARGUMENT, "model %s has no base path", config->name);
    *copy = *config;
    copy->name = arena_strdup(arena, config->name);
    copy->base_path = arena_strdup(arena, config->base_path);
    const VersionPolicy *policy = &config->policy;
    copy->policy.versions =
        arena_memdup(arena, policy->versions, policy->n_versions * sizeof(*policy->versions));
    if (copy->name == NULL || copy->base_path == NULL || copy->policy.versions == NULL)
        return error_out_of_memory();
    return NULL;
}

static Error *copy_models(Arena *arena, ManagerOptions *options)
{
    _cleanup_(map_freep) Map *names = map_new();
    ModelConfig *copies = arena_calloc(arena, options->n_models, sizeof(*copies));
    if (names == NULL || copies == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < options->n_models; i++) {
        TRY(copy_config(arena, &options->models[i], &copies[i]));
        if (map_has(names, copies[i].name))
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Illegal to list model %s multiple times in config list",
                             copies[i].name);
        TRY(map_set(names, copies[i].name, &copies[i]));
    }
    options->models = copies;
    return NULL;
}

static Error *copy_tags(Arena *arena, ModelOptions *options)
{
    if (options->tags == NULL)
        return NULL;
    const char **copies = arena_calloc(arena, options->n_tags, sizeof(*copies));
    if (copies == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < options->n_tags; i++) {
        copies[i] = arena_strdup(arena, options->tags[i]);
        if (copies[i] == NULL)
            return error_out_of_memory();
    }
    options->tags = copies;
    return NULL;
}

/* ---- life ---------------------------------------------------------------------------------- */

static Error *make_board(Manager *manager)
{
    size_t n = manager->options.n_models;
    const char **names = arena_calloc(manager->arena, n, sizeof(*names));
    if (names == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < n; i++)
        names[i] = manager->options.models[i].name;
    manager->board = board_new(names, n);
    return manager->board == NULL ? error_out_of_memory() : NULL;
}

static Error *make_parts(Manager *manager)
{
    manager->arena = arena_new(4096, 0);
    manager->scratch = arena_new(4096, 0);
    manager->roster = roster_new();
    manager->reclaim = loop_timer_new(manager->loop, run_reclaim, manager);
    manager->limit = loop_timer_new(manager->loop, on_limit, manager);
    if (manager->arena == NULL || manager->scratch == NULL || manager->roster == NULL ||
        manager->reclaim == NULL || manager->limit == NULL)
        return error_out_of_memory();
    TRY(copy_models(manager->arena, &manager->options));
    TRY(copy_tags(manager->arena, &manager->options.load_options));
    TRY(make_board(manager));
    TRY(background_new(manager->loop, manager->options.n_load_threads, &manager->background));
    manager->host = (ServableHost){ .loop = manager->loop,
                                    .background = manager->background,
                                    .options = &manager->options,
                                    .publish = publish,
                                    .changed = on_servable_changed,
                                    .manager = manager };
    manager->servables =
        arena_calloc(manager->arena, manager->options.n_models, sizeof(*manager->servables));
    if (manager->servables == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < manager->options.n_models; i++) {
        TRY(servable_new(&manager->host, &manager->options.models[i], &manager->servables[i]));
        manager->n_servables++;
    }
    return NULL;
}

static void free_parts(Manager *manager)
{
    for (size_t i = 0; i < manager->n_servables; i++)
        servable_free(manager->servables[i]);
    background_free(manager->background);
    loop_timer_free(manager->limit);
    loop_timer_free(manager->reclaim);
    board_free(manager->board);
    roster_free(manager->roster);
    arena_free(manager->scratch);
    arena_free(manager->arena);
    free(manager);
}

Error *manager_new(Loop *loop, const ManagerOptions *options, Manager **ret_manager)
{
    assert_on_loop(loop);
    assert(options->loader != NULL);
    Manager *manager = calloc(1, sizeof(*manager));
    if (manager == NULL)
        return error_out_of_memory();
    manager->loop = loop;
    manager->options = *options;
    manager->ready = (LoopTask){ .run = run_ready, .data = manager };
    Error *error = make_parts(manager);
    if (error != NULL) {
        free_parts(manager);
        return error;
    }
    *ret_manager = manager;
    return NULL;
}

void manager_start(Manager *manager, uint64_t limit_ms, ManagerReady *on_ready, void *data)
{
    assert_on_loop(manager->loop);
    assert(manager->on_ready == NULL);
    manager->on_ready = on_ready;
    manager->ready_data = data;
    if (limit_ms > 0)
        loop_timer_start(manager->limit, limit_ms);
    for (size_t i = 0; i < manager->n_servables; i++)
        servable_start(manager->servables[i]);
    check_ready(manager);
}

void manager_drain(Manager *manager)
{
    assert_on_loop(manager->loop);
    manager->is_draining = true;
    board_drain(manager->board);
    loop_timer_stop(manager->limit);
    for (size_t i = 0; i < manager->n_servables; i++)
        servable_drain(manager->servables[i]);
}

static bool is_over(void *data)
{
    const Manager *manager = data;
    for (size_t i = 0; i < manager->n_servables; i++)
        if (!servable_is_empty(manager->servables[i]))
            return false;
    return !manager->is_ready_posted;
}

Manager *manager_free(Manager *manager, uint64_t limit_ms)
{
    if (manager == NULL)
        return NULL;
    manager_drain(manager);
    manager->is_ready = true; /* nobody is to be told any more */
    for (size_t i = 0; i < manager->n_servables; i++)
        servable_unload(manager->servables[i]);
    if (loop_run_until(manager->loop, is_over, manager, limit_ms)) {
        free_parts(manager);
        return NULL;
    }
    log_warning("manager", "not every version could be unloaded in time");
    loop_timer_stop(manager->reclaim);
    loop_abandon(manager->loop);
    return NULL;
}

Roster *manager_roster(Manager *manager)
{
    return manager->roster;
}

Board *manager_board(Manager *manager)
{
    return manager->board;
}
