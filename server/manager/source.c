/* SPDX-License-Identifier: Apache-2.0
 *
 * When to look: at the start, after an event, when the poll time is over, and once more when an
 * event came during a look. The watch is on the base path or, while that is missing, on its closest
 * ancestor that is there, and moves when that changes.
 */
#include "server/manager/source.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/log.h"

#define SETTLE_MS 20   /* events come in bursts: one look for all of them */
#define DISTANT_MS 200 /* the same while the watch is on an ancestor, which may be busy */
#define SCAN_ARENA_BYTES (16 * 1024)
#define SCAN_ARENA_MAX_BYTES (32 * 1024 * 1024)
#define FIRST_QUIET_MS (60 * 1000)  /* an error that lasts is logged again after this, */
#define LAST_QUIET_MS (3600 * 1000) /* then ever more seldom up to this */

struct Source {
    /* immutable */
    SourceOptions options;
    uint64_t poll_ms; /* 0: no polling */

    /* loop's thread */
    LoopTimer *timer;
    LoopWatch *watch;
    WatchTarget watched; /* path owned; device and inode tell when it was replaced */
    bool is_scanning;
    bool is_stopped;
    bool is_settling; /* the timer runs for an event, not for the poll time */
    bool is_changed;  /* an event came during the look */
    bool has_warned_of_watch;
    unsigned random;

    /* loop's thread; what the log has been told */
    uint64_t n_failures; /* in a row */
    uint64_t quiet_until_ms;
    uint64_t quiet_ms;
    size_t n_listed; /* SIZE_MAX: nothing yet */
    size_t n_duplicates;

    /* the pool's while is_scanning, else the loop's */
    Scan scan;
    Arena *arena;
    int64_t suspects[SOURCE_MAX_SUSPECTS];

    /* loop's thread: the next scan's */
    int64_t next_suspects[SOURCE_MAX_SUSPECTS];
    size_t n_next_suspects;
};

/* ---- watching ------------------------------------------------------------------------------ */

/* Looks soon. Further events do not put it off, or else a busy directory would never be looked at. */
static void settle(Source *source)
{
    if (source->is_settling)
        return;
    source->is_settling = true;
    const char *path = source->watched.path;
    bool is_distant = path != NULL && strcmp(path, source->options.base_path) != 0;
    uint64_t settle_ms = is_distant ? DISTANT_MS : SETTLE_MS;
    loop_timer_start(source->timer, settle_ms < source->poll_ms ? settle_ms : source->poll_ms);
}

static void on_event(void *data)
{
    Source *source = data;
    if (source->is_scanning)
        source->is_changed = true;
    else
        settle(source);
}

static void stop_watch(Source *source)
{
    source->watch = loop_watch_free(source->watch);
    free((char *)source->watched.path);
    source->watched = (WatchTarget){ 0 };
}

static bool is_watched(const Source *source, const WatchTarget *target)
{
    const WatchTarget *watched = &source->watched;
    if (watched->path == NULL || target->path == NULL)
        return watched->path == target->path;
    return watched->device == target->device && watched->inode == target->inode &&
           strcmp(watched->path, target->path) == 0;
}

/* Moves the watch to where the scan found that it belongs. True when there is a new one: what
 * changed between the scan and now has been missed. */
static bool move_watch(Source *source, const WatchTarget *target)
{
    if (source->poll_ms == 0 || is_watched(source, target))
        return false;
    stop_watch(source);
    if (target->path == NULL)
        return false;
    source->watched = *target;
    source->watched.path = strdup(target->path);
    if (source->watched.path == NULL)
        return false; /* polling will do, and the next look tries again */
    Error *error =
        loop_watch_new(source->options.loop, target->path, on_event, source, &source->watch);
    if (error == NULL)
        return true;
    /* Left as watched, so that not every look tries again. */
    if (!source->has_warned_of_watch)
        log_error_free(LOG_WARNING, "manager", TAKE(error), "model %s: only polling from now on",
                       source->options.model_name);
    source->has_warned_of_watch = true;
    error_free(error);
    return false;
}

/* ---- what the log is told ------------------------------------------------------------------ */

static void log_failure(Source *source, Error *error)
{
    uint64_t now_ms = loop_now_ms();
    if (source->n_failures++ == 0) {
        source->quiet_ms = FIRST_QUIET_MS;
    } else if (now_ms < source->quiet_until_ms) {
        error_free(error);
        return;
    } else {
        source->quiet_ms =
            source->quiet_ms * 2 < LAST_QUIET_MS ? source->quiet_ms * 2 : LAST_QUIET_MS;
    }
    source->quiet_until_ms = now_ms + source->quiet_ms;
    bool has_listed = source->n_listed != SIZE_MAX;
    log_error_free(LOG_WARNING, "manager", error, "model %s: %s", source->options.model_name,
                   has_listed ? "keeping the versions as they are" : "no versions yet");
}

static void log_listing(Source *source)
{
    const Scan *scan = &source->scan;
    if (source->n_failures > 0)
        log_info("manager", "model %s: %s can be listed again", source->options.model_name,
                 source->options.base_path);
    source->n_failures = 0;
    if (scan->n_versions == 0 && source->n_listed != 0)
        log_warning("manager", "model %s: no versions found under base path %s",
                    source->options.model_name, source->options.base_path);
    source->n_listed = scan->n_versions;
    if (scan->n_duplicates > source->n_duplicates)
        log_warning("manager",
                    "model %s: %zu directories of %s have a number that another one has "
                    "too, such as 1 and 001: the name sorted last counts",
                    source->options.model_name, scan->n_duplicates, source->options.base_path);
    source->n_duplicates = scan->n_duplicates;
}

/* ---- looking ------------------------------------------------------------------------------- */

static void run_scan(void *data)
{
    Source *source = data;
    scan_run(&source->scan, source->arena);
}

/* The poll time and up to a tenth more, so that many sources on one volume spread out. */
static uint64_t jittered_poll_ms(Source *source)
{
    return source->poll_ms + (uint64_t)rand_r(&source->random) % (source->poll_ms / 10 + 1);
}

static void finish_scan(void *data)
{
    Source *source = data;
    assert_on_loop(source->options.loop);
    source->is_scanning = false;
    Error *error = TAKE(source->scan.error);
    if (source->is_stopped) {
        error_free(error);
        return;
    }
    if (move_watch(source, &source->scan.target) || source->is_changed)
        settle(source);
    else if (source->poll_ms > 0)
        loop_timer_start(source->timer, jittered_poll_ms(source));
    bool is_clean = error == NULL;
    if (is_clean)
        log_listing(source);
    else
        log_failure(source, error);
    source->options.report(source->options.data, source->scan.versions, source->scan.n_versions,
                           is_clean);
}

static void look(void *data)
{
    Source *source = data;
    assert_on_loop(source->options.loop);
    assert(!source->is_scanning && !source->is_stopped);
    arena_reset(source->arena, SCAN_ARENA_BYTES);
    memcpy(source->suspects, source->next_suspects, sizeof(source->suspects));
    source->scan = (Scan){ .base_path = source->options.base_path,
                           .suspects = source->suspects,
                           .n_suspects = source->n_next_suspects };
    source->is_changed = false;
    source->is_settling = false;
    Error *error = loop_submit(source->options.loop, run_scan, finish_scan, source);
    source->is_scanning = error == NULL;
    if (error != NULL) {
        log_failure(source, error);
        loop_timer_start(source->timer, source->poll_ms > 0 ? source->poll_ms : 1000);
    }
}

void source_start(Source *source)
{
    assert_on_loop(source->options.loop);
    if (source->options.poll_seconds >= 0)
        loop_timer_start(source->timer, 0);
}

void source_look(Source *source)
{
    assert_on_loop(source->options.loop);
    if (source->is_scanning)
        source->is_changed = true;
    else if (!source->is_stopped)
        source_start(source);
}

void source_suspect(Source *source, const int64_t *numbers, size_t n)
{
    assert_on_loop(source->options.loop);
    if (n > SOURCE_MAX_SUSPECTS)
        n = SOURCE_MAX_SUSPECTS;
    if (n > 0)
        memcpy(source->next_suspects, numbers, n * sizeof(*numbers));
    source->n_next_suspects = n;
}

/* ---- life ---------------------------------------------------------------------------------- */

Error *source_new(const SourceOptions *options, Source **ret_source)
{
    assert_on_loop(options->loop);
    Source *source = calloc(1, sizeof(*source));
    if (source == NULL)
        return error_out_of_memory();
    source->options = *options;
    source->n_listed = SIZE_MAX;
    source->random = (unsigned)(uintptr_t)source ^ (unsigned)loop_now_ms();
    if (options->poll_seconds > 0) {
        double poll_ms = options->poll_seconds * 1000;
        source->poll_ms = poll_ms < 1 ? 1 : poll_ms > 1e15 ? (uint64_t)1e15 : (uint64_t)poll_ms;
    }
    source->arena = arena_new(SCAN_ARENA_BYTES, SCAN_ARENA_MAX_BYTES);
    source->timer = loop_timer_new(options->loop, look, source);
    if (source->arena == NULL || source->timer == NULL) {
        source_stop(source);
        source_free(source);
        return error_out_of_memory();
    }
    *ret_source = source;
    return NULL;
}

void source_stop(Source *source)
{
    assert_on_loop(source->options.loop);
    source->is_stopped = true;
    source->timer = loop_timer_free(source->timer);
    stop_watch(source);
}

bool source_is_idle(const Source *source)
{
    return !source->is_scanning;
}

Source *source_free(Source *source)
{
    if (source == NULL)
        return NULL;
    assert_on_loop(source->options.loop);
    assert(source->is_stopped && !source->is_scanning);
    arena_free(source->arena);
    free(source);
    return NULL;
}
