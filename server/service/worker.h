/* SPDX-License-Identifier: Apache-2.0
 *
 * Worker: what one thread of the server needs to answer calls; the `context` of every handler.
 */
#ifndef DIGIT_SERVER_SERVICE_WORKER_H
#define DIGIT_SERVER_SERVICE_WORKER_H

#include "model/model.h"
#include "server/manager/handle.h"

typedef struct Worker {
    Manager *manager; /* borrowed */
    Reader *reader;   /* the manager's; this thread's */
    Scratch *scratch; /* owned */
    unsigned n_runs;  /* since the scratch was trimmed */
} Worker;

/* A worker for one thread, which need not be the caller's. NULL when memory is out. The manager and
 * the crew, which helps with its runs and may be NULL, must outlive it. */
Worker *worker_new(Manager *manager, Crew *crew) _warn_unused_result_;

/* Takes NULL; returns NULL. */
Worker *worker_free(Worker *worker);

/* The scratch for a run; forgets now and then what belongs to versions that are gone. */
Scratch *worker_scratch(Worker *worker);

#endif
