/* SPDX-License-Identifier: Apache-2.0
 *
 * Everything comes in by one of four doors: the source reports (on_report), a version has loaded or
 * ended (on_changed), a retry is due (on_retry), the manager shuts down (servable_unload). Each
 * notes what is new and then takes the steps of the policy until there is none.
 */
#include "server/manager/servable.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/log.h"
#include "server/manager/history.h"
#include "server/manager/retry.h"
#include "server/manager/source.h"
#include "server/manager/version_set.h"

struct Servable {
    /* immutable */
    const ServableHost *host;
    char *name;
    char *base_path;
    VersionHost version_host;

    /* loop's thread */
    Settings *settings;
    Source *source;
    LoopTimer *retry;
    VersionSet versions;
    History history;
    Arena *scratch; /* of one report */
    bool has_looked;
    bool is_draining;
};

/* ---- the set of versions ------------------------------------------------------------------- */

static Error *add_version(Servable *servable, const ListedVersion *listed)
{
    char *directory = arena_printf(servable->scratch, "%s/%s", servable->base_path, listed->name);
    if (directory == NULL)
        return error_out_of_memory();
    Version *version;
    TRY(version_new(&servable->version_host, listed->number, directory, &version));
    version->is_aspired = true;
    TRY(version_set_add(&servable->versions, version));
    history_remove(&servable->history, listed->number);
    return NULL;
}

/* Versions that are no longer wanted and have nothing to unload go into the history. */
static void end_idle_versions(Servable *servable)
{
    for (size_t i = servable->versions.n; i-- > 0;) {
        Version *version = servable->versions.items[i];
        bool is_idle = version->state == VERSION_START || version->state == VERSION_END;
        if (!is_idle || version->is_aspired)
            continue;
        version_set_take(&servable->versions, i);
        history_add(&servable->history, version->number, TAKE(version->error));
        version_free(version);
    }
}

/* ---- steps --------------------------------------------------------------------------------- */

/* False when memory is out: the version serves on, and the next report tries again. */
static bool unpublish(Servable *servable, Version *version)
{
    version_retire(version);
    uint64_t epoch;
    Error *error = servable->host->publish(servable->host->manager, &epoch);
    if (error != NULL) {
        version->state = VERSION_AVAILABLE;
        log_error_free(LOG_ERROR, "manager", error,
                       "model %s version %" PRId64 ": not unloaded yet", servable->name,
                       version->number);
        return false;
    }
    version->unpublished_epoch = epoch;
    return true;
}

/* Takes one step of the policy; false when there is none to take. */
static bool take_step(Servable *servable)
{
    Action action = policy_next(servable->host->options->rule,
                                version_set_snapshots(&servable->versions), servable->versions.n);
    switch (action.kind) {
    case ACTION_LOAD:
        if (servable->is_draining)
            return false;
        version_load(version_set_find(&servable->versions, action.version));
        return true;
    case ACTION_UNLOAD:
        return unpublish(servable, version_set_find(&servable->versions, action.version));
    case ACTION_NONE:
        break;
    }
    return false;
}

/* The source is to tell when the files of a version change that has failed; retries by time are to
 * wake us. */
static void arm_retries(Servable *servable)
{
    if (servable->is_draining)
        return;
    int64_t suspects[SOURCE_MAX_SUSPECTS] = { 0 };
    size_t n_suspects = 0;
    uint64_t next_ms = UINT64_MAX;
    for (size_t i = 0; i < servable->versions.n; i++) {
        const Version *version = servable->versions.items[i];
        if (version->state != VERSION_END)
            continue;
        if (n_suspects < SOURCE_MAX_SUSPECTS)
            suspects[n_suspects++] = version->number;
        if (version->retry_at_ms != 0 && version->retry_at_ms < next_ms)
            next_ms = version->retry_at_ms;
    }
    source_suspect(servable->source, suspects, n_suspects);
    if (next_ms == UINT64_MAX) {
        loop_timer_stop(servable->retry);
    } else {
        uint64_t now_ms = loop_now_ms();
        loop_timer_start(servable->retry, next_ms > now_ms ? next_ms - now_ms : 0);
    }
}

static void take_steps(Servable *servable)
{
    end_idle_versions(servable);
    while (take_step(servable))
        ;
    arm_retries(servable);
    servable->host->changed(servable->host->manager, servable);
}

/* ---- what happens to versions -------------------------------------------------------------- */

static void on_retry(void *data)
{
    Servable *servable = data;
    uint64_t now_ms = loop_now_ms();
    for (size_t i = 0; i < servable->versions.n; i++)
        retry_note_time(servable->versions.items[i], now_ms);
    take_steps(servable);
}

static void on_changed(void *data, Version *version)
{
    Servable *servable = data;
    if (version->state == VERSION_AVAILABLE) {
        uint64_t epoch;
        Error *error = servable->host->publish(servable->host->manager, &epoch);
        if (error != NULL) {
            version->error = error; /* it ends with this one */
            version_retire(version);
            version_unpublished(version);
        }
    } else if (version->error != NULL) {
        retry_note_failure(version, servable->host->options,
                           version_set_find_highest_available(&servable->versions));
    } else {
        version->is_aspired = false; /* wanted again, it comes back as a new one */
    }
    take_steps(servable);
}

/* ---- reports ------------------------------------------------------------------------------- */

static Error *note_listing(Servable *servable, const ListedVersion *listed, size_t n)
{
    arena_reset(servable->scratch, 0);
    int64_t *numbers = arena_calloc(servable->scratch, n, sizeof(*numbers));
    bool *aspired = arena_calloc(servable->scratch, n, sizeof(*aspired));
    if (numbers == NULL || aspired == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < n; i++)
        numbers[i] = listed[i].number;
    policy_aspire(&servable->settings->config.policy, numbers, n, aspired);

    for (size_t i = 0; i < servable->versions.n; i++)
        servable->versions.items[i]->is_aspired = false;
    Error *first = NULL;
    for (size_t i = 0; i < n; i++) {
        if (!aspired[i])
            continue;
        Version *version = version_set_find(&servable->versions, listed[i].number);
        Error *error = NULL;
        if (version == NULL) {
            error = add_version(servable, &listed[i]);
        } else {
            version->is_aspired = true;
            retry_note_fingerprint(version, listed[i].fingerprint);
        }
        if (first == NULL)
            first = error;
        else
            error_free(error);
    }
    return first;
}

static void on_report(void *data, const ListedVersion *listed, size_t n, bool is_clean)
{
    Servable *servable = data;
    servable->has_looked = true;
    if (is_clean) {
        Error *error = note_listing(servable, listed, n);
        log_error_free(LOG_ERROR, "manager", error, "model %s: not every version is taken up",
                       servable->name);
    }
    take_steps(servable);
}

/* ---- what the manager asks ----------------------------------------------------------------- */

const LabelSet *servable_labels(Servable *servable)
{
    label_set_settle(&servable->settings->labels, &servable->versions);
    return &servable->settings->labels;
}

Version *const *servable_versions(const Servable *servable, size_t *ret_n)
{
    *ret_n = servable->versions.n;
    return servable->versions.items;
}

bool servable_is_serving(const Servable *servable)
{
    return version_set_find_highest_available(&servable->versions) != NULL;
}

bool servable_is_settled(const Servable *servable)
{
    if (servable->host->options->poll_wait_seconds < 0)
        return true;
    bool is_pending = false;
    for (size_t i = 0; i < servable->versions.n; i++) {
        const Version *version = servable->versions.items[i];
        if (version->is_aspired && version->state == VERSION_AVAILABLE)
            return true;
        is_pending |= version->is_aspired && version->state != VERSION_END;
    }
    return servable->has_looked && !is_pending;
}

void servable_reclaim(Servable *servable, uint64_t over)
{
    for (size_t i = 0; i < servable->versions.n; i++) {
        Version *version = servable->versions.items[i];
        if (version->unpublished_epoch == 0 || version->unpublished_epoch > over)
            continue;
        version->unpublished_epoch = 0;
        version_unpublished(version);
    }
}

static int compare_descending(const void *a, const void *b)
{
    int64_t x = ((const VersionStatus *)a)->version;
    int64_t y = ((const VersionStatus *)b)->version;
    return x > y ? -1 : x < y;
}

static VersionStatus status_of(int64_t number, VersionState state, const Error *error)
{
    return (VersionStatus){ .version = number,
                            .state = state,
                            .code = error == NULL ? ERROR_OK : error->code,
                            .text = error == NULL ? "" : error->text };
}

Error *servable_statuses(const Servable *servable, Arena *arena, VersionStatus **ret_statuses,
                         size_t *ret_n)
{
    const History *history = &servable->history;
    size_t n = servable->versions.n + history->n;
    VersionStatus *statuses = arena_calloc(arena, n, sizeof(*statuses));
    if (statuses == NULL)
        return error_out_of_memory();
    VersionStatus *status = statuses;
    for (size_t i = 0; i < servable->versions.n; i++) {
        const Version *version = servable->versions.items[i];
        *status++ = status_of(version->number, version->state, version->error);
    }
    for (size_t i = 0; i < history->n; i++)
        *status++ = status_of(history->ended[i].number, VERSION_END, history->ended[i].error);
    if (n > 1)
        qsort(statuses, n, sizeof(*statuses), compare_descending);
    *ret_statuses = statuses;
    *ret_n = n;
    return NULL;
}

const Settings *servable_settings(const Servable *servable)
{
    return servable->settings;
}

void servable_configure(Servable *servable, Settings *settings)
{
    settings_free(servable->settings);
    servable->settings = settings;
    source_look(servable->source);
}

/* ---- life ---------------------------------------------------------------------------------- */

static Error *make_parts(Servable *servable, const ModelConfig *config)
{
    const ServableHost *host = servable->host;
    servable->name = strdup(config->name != NULL ? config->name : "");
    servable->base_path = strdup(config->base_path != NULL ? config->base_path : "");
    servable->scratch = arena_new(4096, 0);
    servable->retry = loop_timer_new(host->loop, on_retry, servable);
    if (servable->name == NULL || servable->base_path == NULL || servable->scratch == NULL ||
        servable->retry == NULL)
        return error_out_of_memory();
    TRY(settings_new(config, NULL, &servable->settings));
    servable->version_host = (VersionHost){ .loop = host->loop,
                                            .background = host->background,
                                            .loader = host->options->loader,
                                            .load_options = &host->options->load_options,
                                            .model_name = servable->name,
                                            .changed = on_changed,
                                            .data = servable };
    const SourceOptions options = { .loop = host->loop,
                                    .model_name = servable->name,
                                    .base_path = servable->base_path,
                                    .poll_seconds = host->options->poll_wait_seconds,
                                    .report = on_report,
                                    .data = servable };
    return source_new(&options, &servable->source);
}

Error *servable_new(const ServableHost *host, const ModelConfig *config, Servable **ret_servable)
{
    Servable *servable = calloc(1, sizeof(*servable));
    if (servable == NULL)
        return error_out_of_memory();
    servable->host = host;
    Error *error = make_parts(servable, config);
    if (error != NULL) {
        servable_free(servable);
        return error;
    }
    *ret_servable = servable;
    return NULL;
}

void servable_start(Servable *servable)
{
    source_start(servable->source);
}

void servable_drain(Servable *servable)
{
    if (servable->is_draining)
        return;
    servable->is_draining = true;
    source_stop(servable->source);
    loop_timer_stop(servable->retry);
}

void servable_unload(Servable *servable)
{
    assert(servable->is_draining);
    for (size_t i = 0; i < servable->versions.n; i++)
        servable->versions.items[i]->is_aspired = false;
    take_steps(servable);
}

bool servable_is_empty(const Servable *servable)
{
    return servable->versions.n == 0 && source_is_idle(servable->source);
}

Servable *servable_free(Servable *servable)
{
    if (servable == NULL)
        return NULL;
    if (servable->source != NULL && !servable->is_draining)
        source_stop(servable->source);
    source_free(servable->source);
    loop_timer_free(servable->retry);
    history_done(&servable->history);
    arena_free(servable->scratch);
    version_set_done(&servable->versions);
    settings_free(servable->settings);
    free(servable->name);
    free(servable->base_path);
    free(servable);
    return NULL;
}
