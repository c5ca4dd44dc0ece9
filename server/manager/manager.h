/* SPDX-License-Identifier: Apache-2.0
 *
 * Manager: keeps the versions of the configured models as the disk and the policy want them.
 *
 *     source (what is on disk) -> policy (what should serve) -> version (START, LOADING, AVAILABLE,
 *     UNLOADING, END) -> roster (what handles see)
 *
 * A new version is published by one pointer swap after its warm-up, and the old one goes when its
 * last handle has been released. A version that does not load is logged and shown with its reason,
 * tried again (by time, and when its files have changed), and never replaces one that serves.
 *
 * Everything here is for the loop's thread. What other threads may call is in handle.h.
 */
#ifndef DIGIT_SERVER_MANAGER_MANAGER_H
#define DIGIT_SERVER_MANAGER_MANAGER_H

#include <stddef.h>
#include <stdint.h>

#include "model/base/error.h"
#include "server/loop.h"
#include "server/manager/handle.h"
#include "server/manager/loader.h"
#include "server/manager/model_config.h"
#include "server/manager/policy.h"

/* Defaults are those of TensorFlow Serving's flags; zero values are what they say, not defaults. */
typedef struct ManagerOptions {
    const ModelConfig *models;
    size_t n_models;
    double poll_wait_seconds;        /* --file_system_poll_wait_seconds; 0: look once; < 0: never */
    unsigned max_load_retries;       /* --max_num_load_retries, after the first try */
    uint64_t load_retry_interval_ms; /* --load_retry_interval_micros */
    unsigned n_load_threads;         /* --num_load_threads; 0 counts as 1 */
    TransitionRule rule;
    bool allow_labels_for_unavailable; /* --allow_version_labels_for_unavailable_models */
    ModelOptions load_options;         /* tags */
    const VersionLoader *loader;       /* &loader_of_bundles; not NULL */
} ManagerOptions;

/* poll_wait_seconds 1, 5 retries a minute apart, one load thread, tag serve; no models, no loader.
 */
#define MANAGER_OPTIONS_DEFAULT                                                                    \
    {                                                                                              \
        .poll_wait_seconds = 1, .max_load_retries = 5, .load_retry_interval_ms = 60 * 1000         \
    }

/* Copies all of `options` but the loader, which must outlive the manager. INVALID_ARGUMENT for a
 * model with no name or no base path, or one that is there twice (`Illegal to list model M multiple
 * times in config list`). Borrows `loop`. */
Error *manager_new(Loop *loop, const ManagerOptions *options,
                   Manager **ret_manager) _warn_unused_result_;

/* How many of the configured models have a version up. */
typedef void ManagerReady(void *data, size_t n_serving, size_t n_models);

/* Starts to watch and load. Calls `on_ready` once, on the loop, when for each model one of the
 * versions that should serve is AVAILABLE or all of them have failed. A model whose base path is
 * missing, unreadable or without versions is not waited for, and nothing longer than `limit_ms`
 * (0: no limit). Not called from inside manager_start. Once a manager. */
void manager_start(Manager *manager, uint64_t limit_ms, ManagerReady *on_ready, void *data);

/* What has become of a reload; takes `error`: NULL when all models that are new, or have a new base
 * path, serve; UNKNOWN `N model(s) did not become available: {{name: M version: V} due to error: E},
 * }`; UNAVAILABLE when the manager drains meanwhile. */
typedef void ManagerReloaded(void *data, Error *error);

/* Replaces the configuration by models[0..n), which is copied: models that are not in it are
 * unloaded, new ones loaded, those with a new base path served from the old one until the new one is
 * up. Takes all or nothing: the errors are those of lineup_configure, and `done` is then not called;
 * else it is called once, later, on the loop. UNAVAILABLE while draining. After manager_start. */
Error *manager_reload(Manager *manager, const ModelConfig *models, size_t n, ManagerReloaded *done,
                      void *data) _warn_unused_result_;

/* Has `run(data)` called on the loop after each change of what manager_status, manager_models or
 * manager_health tell. It must not call the manager. Once a manager. */
void manager_on_change(Manager *manager, LoopFunction *run, void *data);

/* From now on health is NOT_SERVING and nothing new is loaded; what serves goes on serving. */
void manager_drain(Manager *manager);

/* Drains, unloads every version and frees. Runs the loop until all handles have been released and
 * loads under way have ended, but no longer than `limit_ms`: what is still in use then is left to
 * the end of the process, the loop too, and its handles may still be released. No thread may
 * take handles any more. Not inside a callback of the loop. Takes NULL; returns NULL, or the manager
 * that was left. */
Manager *manager_free(Manager *manager, uint64_t limit_ms);

/* The loop that the manager belongs to. Any thread. */
Loop *manager_loop(Manager *manager);

/* Parts, for handle.c. Lent as long as the manager; any thread. */
struct Roster *manager_roster(Manager *manager);
struct Board *manager_board(Manager *manager);

#endif
