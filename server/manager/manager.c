/* SPDX-License-Identifier: Apache-2.0
 *
 * What the servables have in common: the roster that readers see, the board of states, the
 * background threads, the moment when the server is ready, and a change of the configuration.
 */
#include "server/manager/manager.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/log.h"
#include "server/manager/background.h"
#include "server/manager/board.h"
#include "server/manager/lineup.h"
#include "server/manager/reload.h"
#include "server/manager/roster.h"

/* A reader is in its few instructions, unless the system has stopped it there. */
#define RECLAIM_MS 1
#define SWEEP_MS 20 /* between two looks whether a model that leaves is gone */

struct Manager {
    /* immutable */
    Loop *loop;
    Arena *arena;           /* of the tags */
    ManagerOptions options; /* a copy, but for the models; tags in `arena` */
    ServableHost host;
    Background *background;
    Roster *roster; /* any thread, see there */
    Board *board;   /* any thread, see there */

    /* loop's thread */
    Lineup *lineup;
    ReloadQueue reloads;
    LoopTimer *reclaim;
    LoopTimer *limit;
    LoopTimer *sweep;
    Arena *scratch;    /* of one status */
    Arena *publishing; /* of one publication */
    ManagerReady *on_ready;
    void *ready_data;
    LoopTask ready;
    LoopFunction *on_change; /* NULL: nobody wants to know */
    void *change_data;
    bool is_configuring;
    bool is_ready_posted; /* and not run yet */
    bool is_ready;
    bool is_draining;
};

/* ---- readiness ----------------------------------------------------------------------------- */

static void run_ready(void *data)
{
    Manager *manager = data;
    manager->is_ready_posted = false;
    size_t n = lineup_size(manager->lineup), n_serving = 0;
    for (size_t i = 0; i < n; i++)
        n_serving += servable_is_serving(lineup_at(manager->lineup, i));
    if (!manager->is_draining)
        manager->on_ready(manager->ready_data, n_serving, n);
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
    if (manager->on_ready == NULL)
        return;
    for (size_t i = 0; i < lineup_size(manager->lineup); i++)
        if (!servable_is_settled(lineup_at(manager->lineup, i)))
            return;
    be_ready(manager);
}

/* ---- what servables call ------------------------------------------------------------------- */

static void run_reclaim(void *data)
{
    Manager *manager = data;
    lineup_reclaim(manager->lineup, roster_reclaim(manager->roster));
    if (roster_is_waiting(manager->roster))
        loop_timer_start(manager->reclaim, RECLAIM_MS);
}

static Error *publish(void *data, uint64_t *ret_epoch)
{
    Manager *manager = data;
    Version **versions;
    RosterLabel *labels;
    size_t n, n_labels;
    arena_reset(manager->publishing, 4096);
    TRY(lineup_collect(manager->lineup, manager->publishing, &versions, &n, &labels, &n_labels));
    TRY(roster_publish(manager->roster, versions, n, labels, n_labels, ret_epoch));
    loop_timer_start(manager->reclaim, 0);
    return NULL;
}

/* The board tells something new. */
static void note_change(Manager *manager)
{
    if (manager->on_change != NULL && !manager->is_configuring)
        manager->on_change(manager->change_data);
}

static void update_board(Manager *manager, const char *name)
{
    arena_reset(manager->scratch, 4096);
    VersionStatus *statuses;
    size_t n;
    Error *error = lineup_statuses(manager->lineup, name, manager->scratch, &statuses, &n);
    if (error == NULL)
        error = board_set(manager->board, name, statuses, n);
    log_error_free(LOG_ERROR, "manager", error, "model %s: its status is out of date", name);
    note_change(manager);
}

static void on_servable_changed(void *data, Servable *servable)
{
    Manager *manager = data;
    update_board(manager, servable_settings(servable)->config.name);
    lineup_note_change(manager->lineup, servable);
    check_ready(manager);
    reload_queue_check(&manager->reloads, manager->lineup);
}

/* ---- configuration ------------------------------------------------------------------------- */

static void on_gone(void *data, const char *name)
{
    Manager *manager = data;
    board_remove(manager->board, name);
    note_change(manager);
    log_info("manager", "model %s: gone", name);
}

static void run_sweep(void *data)
{
    Manager *manager = data;
    if (lineup_sweep(manager->lineup, on_gone, manager))
        loop_timer_start(manager->sweep, SWEEP_MS);
}

/* Shows on the board which models are configured. */
static Error *list_models(Manager *manager)
{
    size_t n = lineup_size(manager->lineup);
    arena_reset(manager->scratch, 4096);
    const char **names = arena_calloc(manager->scratch, n, sizeof(*names));
    if (names == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < n; i++)
        names[i] = servable_settings(lineup_at(manager->lineup, i))->config.name;
    return board_configure(manager->board, names, n);
}

static Error *configure(Manager *manager, const ModelConfig *models, size_t n)
{
    /* A model that leaves stops serving a moment before it is seen to have left: nobody is to look
     * between the two. */
    manager->is_configuring = true;
    Error *error = lineup_configure(manager->lineup, models, n);
    manager->is_configuring = false;
    TRY(error);
    log_error_free(LOG_ERROR, "manager", list_models(manager), "new models have no status");
    note_change(manager);
    return NULL;
}

Error *manager_reload(Manager *manager, const ModelConfig *models, size_t n, ManagerReloaded *done,
                      void *data)
{
    assert_on_loop(manager->loop);
    assert(manager->on_ready != NULL);
    if (manager->is_draining)
        return error_new(ERROR_UNAVAILABLE, "the server is stopping");
    Reload *reload;
    TRY(reload_new(manager->lineup, models, n, done, data, &reload));
    Error *error = configure(manager, models, n);
    if (error != NULL) {
        reload_free(reload);
        return error;
    }
    uint64_t epoch; /* labels may have changed */
    log_error_free(LOG_ERROR, "manager", publish(manager, &epoch),
                   "version labels change with the next version");
    loop_timer_start(manager->sweep, SWEEP_MS);
    reload_queue_add(&manager->reloads, reload);
    check_ready(manager);
    reload_queue_check(&manager->reloads, manager->lineup);
    return NULL;
}

/* ---- options ------------------------------------------------------------------------------- */

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

static Error *make_parts(Manager *manager)
{
    manager->arena = arena_new(4096, 0);
    manager->scratch = arena_new(4096, 0);
    manager->publishing = arena_new(4096, 0);
    manager->roster = roster_new();
    manager->board = board_new();
    manager->lineup = lineup_new(&manager->host);
    manager->reclaim = loop_timer_new(manager->loop, run_reclaim, manager);
    manager->limit = loop_timer_new(manager->loop, on_limit, manager);
    manager->sweep = loop_timer_new(manager->loop, run_sweep, manager);
    if (manager->arena == NULL || manager->scratch == NULL || manager->publishing == NULL ||
        manager->roster == NULL || manager->board == NULL || manager->lineup == NULL ||
        manager->reclaim == NULL || manager->limit == NULL || manager->sweep == NULL)
        return error_out_of_memory();
    TRY(copy_tags(manager->arena, &manager->options.load_options));
    TRY(background_new(manager->loop, manager->options.n_load_threads, &manager->background));
    manager->reloads.loop = manager->loop;
    manager->host = (ServableHost){ .loop = manager->loop,
                                    .background = manager->background,
                                    .options = &manager->options,
                                    .publish = publish,
                                    .changed = on_servable_changed,
                                    .manager = manager };
    TRY(configure(manager, manager->options.models, manager->options.n_models));
    manager->options.models = NULL;
    manager->options.n_models = 0;
    return NULL;
}

static void free_parts(Manager *manager)
{
    lineup_free(manager->lineup);
    background_free(manager->background);
    loop_timer_free(manager->limit);
    loop_timer_free(manager->reclaim);
    loop_timer_free(manager->sweep);
    board_free(manager->board);
    roster_free(manager->roster);
    arena_free(manager->publishing);
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
    lineup_start(manager->lineup);
    check_ready(manager);
}

void manager_on_change(Manager *manager, LoopFunction *run, void *data)
{
    assert_on_loop(manager->loop);
    assert(manager->on_change == NULL);
    manager->on_change = run;
    manager->change_data = data;
}

void manager_drain(Manager *manager)
{
    assert_on_loop(manager->loop);
    manager->is_draining = true;
    board_drain(manager->board);
    note_change(manager);
    loop_timer_stop(manager->limit);
    lineup_drain(manager->lineup);
    reload_queue_cancel(&manager->reloads);
}

static bool is_over(void *data)
{
    const Manager *manager = data;
    return lineup_is_empty(manager->lineup) && !manager->is_ready_posted &&
           manager->reloads.n_posted == 0;
}

Manager *manager_free(Manager *manager, uint64_t limit_ms)
{
    if (manager == NULL)
        return NULL;
    manager_drain(manager);
    manager->is_ready = true; /* nobody is to be told any more */
    lineup_unload(manager->lineup);
    if (loop_run_until(manager->loop, is_over, manager, limit_ms)) {
        free_parts(manager);
        return NULL;
    }
    log_warning("manager", "not every version could be unloaded in time");
    loop_timer_stop(manager->reclaim);
    loop_timer_stop(manager->sweep);
    loop_abandon(manager->loop);
    return manager;
}

Loop *manager_loop(Manager *manager)
{
    return manager->loop;
}

Roster *manager_roster(Manager *manager)
{
    return manager->roster;
}

Board *manager_board(Manager *manager)
{
    return manager->board;
}
