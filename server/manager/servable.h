/* SPDX-License-Identifier: Apache-2.0
 *
 * Servable: one configured model: its source, its versions, and the history of those that have
 * ended. Brings them, step by step, to what the policy wants of what the disk has.
 *
 * Internal to server/manager. Loop's thread.
 */
#ifndef DIGIT_SERVER_MANAGER_SERVABLE_H
#define DIGIT_SERVER_MANAGER_SERVABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/manager/manager.h"
#include "server/manager/settings.h"
#include "server/manager/version.h"

typedef struct Servable Servable;

/* What the manager does for its servables; borrowed by all of them. */
typedef struct ServableHost {
    Loop *loop;
    Background *background;
    const ManagerOptions *options;

    /* Makes the AVAILABLE versions of all servables what readers see; as roster_publish. Calls
     * servable_reclaim later, never from inside. */
    Error *(*publish)(void *manager, uint64_t *ret_epoch);

    /* The state of a version or of the base path may have changed. */
    void (*changed)(void *manager, Servable *servable);
    void *manager;
} ServableHost;

/* Borrows `host`, copies `config`: INVALID_ARGUMENT as model_config_copy. */
Error *servable_new(const ServableHost *host, const ModelConfig *config,
                    Servable **ret_servable) _warn_unused_result_;

void servable_start(Servable *servable);

/* Puts `settings`, which it takes, in the place of those in force; they have the servable's name and
 * base path. The disk is looked at anew, and what the policy wants follows; labels change with the
 * next publication. */
void servable_configure(Servable *servable, Settings *settings);

/* Loads no more; what serves goes on serving. */
void servable_drain(Servable *servable);

/* After servable_drain: unloads every version; done when servable_is_empty. */
void servable_unload(Servable *servable);

/* No version is left, and nothing is under way. */
bool servable_is_empty(const Servable *servable);

/* Servables that are empty or have never been started. Takes NULL; returns NULL. */
Servable *servable_free(Servable *servable);

/* ---- what the manager asks ----------------------------------------------------------------- */

/* Those in force. Lent until the next servable_configure. */
const Settings *servable_settings(const Servable *servable);

/* What the labels stand for, now that versions may have come or gone. Lent until the next change. */
const LabelSet *servable_labels(Servable *servable);

/* All versions that have not ended for good. Lent until the next change. */
Version *const *servable_versions(const Servable *servable, size_t *ret_n);

/* Some version is AVAILABLE. */
bool servable_is_serving(const Servable *servable);

/* Startup need not wait any longer: the base path is missing or has no version to serve, or one of
 * those to serve is AVAILABLE, or all of them have failed. */
bool servable_is_settled(const Servable *servable);

/* The versions that no reader can find any more since epoch `over` may go. */
void servable_reclaim(Servable *servable, uint64_t over);

/* Of all versions, ended ones included, descending; in `arena`, texts lent until the next change.
 */
Error *servable_statuses(const Servable *servable, Arena *arena, VersionStatus **ret_statuses,
                         size_t *ret_n) _warn_unused_result_;

#endif
