/* SPDX-License-Identifier: Apache-2.0
 *
 * A wait is over when each of its models is settled: serving, or known not to (see
 * servable_is_settled). Whoever waits is called from the loop, never from inside what ended it.
 */
#include "server/manager/reload.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/buf.h"

#define TEXT_MAX_BYTES (64 << 10)

struct Reload {
    Reload *next;
    ReloadQueue *queue;
    ManagerReloaded *done;
    void *data;
    LoopTask task;
    Error *error; /* what `done` is to be told */
    Arena *arena;
    const char **names; /* [n] of the models that are awaited */
    size_t n;
};

Reload *reload_free(Reload *reload)
{
    if (reload != NULL) {
        error_free(reload->error);
        arena_free(reload->arena);
        free(reload);
    }
    return NULL;
}

static bool is_new(const Lineup *lineup, const ModelConfig *model)
{
    const Servable *servable = lineup_find(lineup, model->name);
    return servable == NULL ||
           strcmp(servable_settings(servable)->config.base_path, model->base_path) != 0;
}

static Error *note_names(Reload *reload, const Lineup *lineup, const ModelConfig *models, size_t n)
{
    reload->names = arena_calloc(reload->arena, n, sizeof(*reload->names));
    if (reload->names == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < n; i++) {
        if (models[i].name == NULL || models[i].base_path == NULL || !is_new(lineup, &models[i]))
            continue;
        reload->names[reload->n] = arena_strdup(reload->arena, models[i].name);
        if (reload->names[reload->n++] == NULL)
            return error_out_of_memory();
    }
    return NULL;
}

Error *reload_new(const Lineup *lineup, const ModelConfig *models, size_t n, ManagerReloaded *done,
                  void *data, Reload **ret_reload)
{
    Reload *reload = calloc(1, sizeof(*reload));
    if (reload == NULL)
        return error_out_of_memory();
    reload->done = done;
    reload->data = data;
    reload->arena = arena_new(1024, 0);
    Error *error =
        reload->arena != NULL ? note_names(reload, lineup, models, n) : error_out_of_memory();
    if (error != NULL) {
        reload_free(reload);
        return error;
    }
    *ret_reload = reload;
    return NULL;
}

/* ---- the result ---------------------------------------------------------------------------- */

static Error *add_failure(const Reload *reload, const char *name, const Servable *servable,
                          Buf *text)
{
    if (servable == NULL)
        return buf_printf(text,
                          "{{name: %s} due to error: CANCELLED: a later configuration does not "
                          "have it}, ",
                          name);
    VersionStatus *statuses;
    size_t n;
    TRY(servable_statuses(servable, reload->arena, &statuses, &n));
    for (size_t i = 0; i < n; i++)
        if (statuses[i].code != ERROR_OK)
            return buf_printf(text, "{{name: %s version: %" PRId64 "} due to error: %s: %s}, ",
                              name, statuses[i].version, error_code_name(statuses[i].code),
                              statuses[i].text);
    return buf_printf(text,
                      "{{name: %s} due to error: NOT_FOUND: no version to serve was found under "
                      "base path %s}, ",
                      name, servable_settings(servable)->config.base_path);
}

/* UNKNOWN with TensorFlow Serving's words, or NULL when all models serve. */
static Error *result_of(const Reload *reload, const Lineup *lineup)
{
    _cleanup_(buf_done) Buf text;
    buf_init(&text, TEXT_MAX_BYTES);
    size_t n_failed = 0;
    for (size_t i = 0; i < reload->n; i++) {
        const Servable *servable = lineup_find(lineup, reload->names[i]);
        if (servable != NULL && servable_is_serving(servable))
            continue;
        n_failed++;
        TRY(add_failure(reload, reload->names[i], servable, &text));
    }
    if (n_failed == 0)
        return NULL;
    const char *list = buf_text(&text);
    return error_new(ERROR_UNKNOWN, "%zu model(s) did not become available: {%s}", n_failed,
                     list != NULL ? list : "out of memory");
}

/* ---- waiting ------------------------------------------------------------------------------- */

static void run_done(void *data)
{
    Reload *reload = data;
    reload->queue->n_posted--;
    reload->done(reload->data, TAKE(reload->error));
    reload_free(reload);
}

/* Takes `error`. */
static void finish(Reload *reload, Error *error)
{
    reload->error = error;
    reload->queue->n_posted++;
    reload->task = (LoopTask){ .run = run_done, .data = reload };
    loop_post(reload->queue->loop, &reload->task);
}

void reload_queue_add(ReloadQueue *queue, Reload *reload)
{
    reload->queue = queue;
    reload->next = queue->waiting;
    queue->waiting = reload;
}

static bool is_over(const Reload *reload, const Lineup *lineup)
{
    for (size_t i = 0; i < reload->n; i++) {
        const Servable *servable = lineup_find(lineup, reload->names[i]);
        if (servable != NULL && !servable_is_settled(servable))
            return false;
    }
    return true;
}

void reload_queue_check(ReloadQueue *queue, const Lineup *lineup)
{
    for (Reload **link = &queue->waiting; *link != NULL;) {
        Reload *reload = *link;
        if (!is_over(reload, lineup)) {
            link = &reload->next;
            continue;
        }
        *link = reload->next;
        finish(reload, result_of(reload, lineup));
    }
}

void reload_queue_cancel(ReloadQueue *queue)
{
    while (queue->waiting != NULL) {
        Reload *reload = queue->waiting;
        queue->waiting = reload->next;
        finish(reload, error_new(ERROR_UNAVAILABLE, "the server is stopping"));
    }
}
