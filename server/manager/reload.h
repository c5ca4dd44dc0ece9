/* SPDX-License-Identifier: Apache-2.0
 *
 * ReloadQueue: those who wait for the models of a new configuration to be up.
 *
 * Internal to server/manager. Loop's thread.
 */
#ifndef DIGIT_SERVER_MANAGER_RELOAD_H
#define DIGIT_SERVER_MANAGER_RELOAD_H

#include "server/manager/lineup.h"

typedef struct Reload Reload;

typedef struct ReloadQueue {
    Loop *loop;
    Reload *waiting;
    size_t n_posted; /* have been told of, but not called yet */
} ReloadQueue;

/* Notes which of models[0..n) are new, or have a new base path, as seen from `lineup`, which has not
 * been configured yet. */
Error *reload_new(const Lineup *lineup, const ModelConfig *models, size_t n, ManagerReloaded *done,
                  void *data, Reload **ret_reload) _warn_unused_result_;

/* Takes NULL; returns NULL. Not those in the queue. */
Reload *reload_free(Reload *reload);

/* Takes `reload`: its `done` is called once its models have come up or failed. */
void reload_queue_add(ReloadQueue *queue, Reload *reload);

/* Looks whether some wait is over. */
void reload_queue_check(ReloadQueue *queue, const Lineup *lineup);

/* Ends every wait with UNAVAILABLE. */
void reload_queue_cancel(ReloadQueue *queue);

#endif
