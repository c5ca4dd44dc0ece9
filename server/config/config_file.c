/* SPDX-License-Identifier: Apache-2.0
 *
 * A look reads the whole file, on a pool thread since its disk may hang, and compares it with what
 * was read last: what is the same is not parsed again, and what is wrong is said once. Reading by
 * path each time follows a symbolic link that is swapped, as Kubernetes does with a ConfigMap.
 */
#include "server/config/config_file.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/file.h"
#include "model/base/log.h"

#define FILE_MAX_BYTES ((size_t)64 << 20)

struct ConfigFile {
    /* immutable */
    Loop *loop;
    char *path;

    /* loop's thread */
    Manager *manager;
    LoopTimer *timer;
    uint64_t poll_ms; /* 0: no polling */
    Arena *arena;     /* of the text that was read last, and of what it says */
    Bytes text;
    bool is_looking;
    bool is_asked; /* for a look, while one was under way */
    bool is_stopped;
    unsigned n_reloads; /* under way */

    /* the pool's while is_looking, else the loop's */
    Arena *new_arena;
    Bytes new_text;
    Error *error;
};

/* ---- reading ------------------------------------------------------------------------------- */

static void run_read(void *data)
{
    ConfigFile *file = data;
    uint8_t *bytes;
    size_t size;
    file->error = file_read(file->new_arena, file->path, FILE_MAX_BYTES, &bytes, &size);
    if (file->error == NULL)
        file->new_text = (Bytes){ bytes, size };
}

/* What was just read becomes what was read last. */
static void keep_text(ConfigFile *file)
{
    Arena *old = file->arena;
    file->arena = file->new_arena;
    file->text = file->new_text;
    file->new_arena = old;
}

/* ---- looking ------------------------------------------------------------------------------- */

static void on_reloaded(void *data, Error *error)
{
    ConfigFile *file = data;
    file->n_reloads--;
    if (error != NULL)
        log_error_free(LOG_ERROR, "config", error, "%s: not every model of the new configuration",
                       file->path);
    else
        log_info("config", "%s: the new configuration is in effect", file->path);
}

static Error *apply(ConfigFile *file)
{
    ModelList list;
    TRY(model_list_of_text(file->arena, file->text, &list));
    TRY(manager_reload(file->manager, list.models, list.n, on_reloaded, file));
    file->n_reloads++;
    log_info("config", "%s: changed, %zu models", file->path, list.n);
    return NULL;
}

static void finish_look(void *data)
{
    ConfigFile *file = data;
    file->is_looking = false;
    Error *error = TAKE(file->error);
    if (file->is_stopped) {
        error_free(error);
        return;
    }
    /* An empty file is one that is being written: no configuration empties the server by accident. */
    if (error == NULL && file->new_text.size > 0 && !bytes_equal(file->new_text, file->text)) {
        keep_text(file);
        error = apply(file);
    }
    log_error_free(LOG_WARNING, "config", error, "%s: keeping the configuration in effect",
                   file->path);
    if (file->is_asked)
        config_file_look(file);
    else if (file->poll_ms > 0)
        loop_timer_start(file->timer, file->poll_ms);
}

static void on_timer(void *data)
{
    config_file_look(data);
}

void config_file_look(ConfigFile *file)
{
    if (file->is_stopped)
        return;
    file->is_asked = file->is_looking;
    if (file->is_looking)
        return;
    arena_reset(file->new_arena, 4096);
    Error *error = loop_submit(file->loop, run_read, finish_look, file);
    file->is_looking = error == NULL;
    if (error == NULL)
        return;
    log_error_free(LOG_WARNING, "config", error, "%s: cannot be looked at now", file->path);
    if (file->poll_ms > 0)
        loop_timer_start(file->timer, file->poll_ms);
}

/* ---- life ---------------------------------------------------------------------------------- */

static Error *open_parts(ConfigFile *file, const char *path, ModelList *ret_list)
{
    file->path = strdup(path);
    file->arena = arena_new(4096, 0);
    file->new_arena = arena_new(4096, 0);
    file->timer = loop_timer_new(file->loop, on_timer, file);
    if (file->path == NULL || file->arena == NULL || file->new_arena == NULL || file->timer == NULL)
        return error_out_of_memory();
    run_read(file);
    TRY(TAKE(file->error));
    keep_text(file);
    return error_prefix(model_list_of_text(file->arena, file->text, ret_list),
                        "Invalid protobuf file: '%s'", path);
}

Error *config_file_open(Loop *loop, const char *path, ConfigFile **ret_file, ModelList *ret_list)
{
    assert_on_loop(loop);
    ConfigFile *file = calloc(1, sizeof(*file));
    if (file == NULL)
        return error_out_of_memory();
    file->loop = loop;
    Error *error = open_parts(file, path, ret_list);
    if (error != NULL) {
        config_file_stop(file);
        config_file_free(file);
        return error;
    }
    *ret_file = file;
    return NULL;
}

void config_file_follow(ConfigFile *file, Manager *manager, double poll_seconds)
{
    assert_on_loop(file->loop);
    file->manager = manager;
    if (poll_seconds > 0) {
        double ms = poll_seconds * 1000;
        file->poll_ms = ms < 1 ? 1 : (uint64_t)ms;
        loop_timer_start(file->timer, file->poll_ms);
    }
}

void config_file_stop(ConfigFile *file)
{
    file->is_stopped = true;
    file->timer = loop_timer_free(file->timer);
}

bool config_file_is_idle(const ConfigFile *file)
{
    return !file->is_looking && file->n_reloads == 0;
}

ConfigFile *config_file_free(ConfigFile *file)
{
    if (file == NULL)
        return NULL;
    assert(file->is_stopped && config_file_is_idle(file));
    arena_free(file->arena);
    arena_free(file->new_arena);
    free(file->path);
    free(file);
    return NULL;
}
