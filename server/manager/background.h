/* SPDX-License-Identifier: Apache-2.0
 *
 * Background: threads of low priority for loading and unloading, so that neither disturbs serving.
 *
 * They are threads of our own and not libuv's pool, since an unprivileged thread that has lowered
 * its priority cannot raise it again. Being always the same, they also keep to the same malloc
 * arenas, which a reload then finds again instead of growing new ones.
 */
#ifndef DIGIT_SERVER_MANAGER_BACKGROUND_H
#define DIGIT_SERVER_MANAGER_BACKGROUND_H

#include "server/loop.h"

typedef struct Background Background;

/* The submitter's storage, borrowed from background_submit until `done` begins. */
typedef struct BackgroundJob {
    LoopFunction *run;  /* on a background thread */
    LoopFunction *done; /* afterwards on the loop's thread */
    void *data;

    /* the background's, while submitted */
    struct BackgroundJob *next;
    LoopTask task;
} BackgroundJob;

/* `n_threads` threads; 0 counts as 1. The loop's thread, as the others. */
Error *background_new(Loop *loop, unsigned n_threads,
                      Background **ret_background) _warn_unused_result_;

/* Jobs begin in the order of submission. Does not fail. */
void background_submit(Background *background, BackgroundJob *job);

/* Joins the threads. Every job must be done. Takes NULL; returns NULL. */
Background *background_free(Background *background);

#endif
