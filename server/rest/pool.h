/* SPDX-License-Identifier: Apache-2.0
 *
 * Pool: threads that run jobs, each with a Worker and an arena, behind a queue of bounded length.
 */
#ifndef DIGIT_SERVER_REST_POOL_H
#define DIGIT_SERVER_REST_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "model/base/arena.h"
#include "model/base/error.h"
#include "server/service/worker.h"

typedef struct Pool Pool;

/* A job is its poster's storage, borrowed until `run` has been called with it. */
typedef struct PoolJob {
    void (*run)(struct PoolJob *job, Worker *worker, Arena *arena);
    struct PoolJob *next; /* the pool's, while it waits */
} PoolJob;

typedef struct PoolOptions {
    Manager *manager;               /* this and the next two are borrowed, and outlive the pool */
    const ServiceOptions *services; /* of the workers */
    Crew *crew;                     /* may be NULL */
    size_t n_threads;               /* at least 1 */
    size_t max_waiting;             /* jobs that wait for a thread */
    size_t max_arena_bytes;         /* of a job */
} PoolOptions;

Error *pool_new(const PoolOptions *options, Pool **ret_pool) _warn_unused_result_;

/* Has `job->run` called on a thread of the pool, with an arena that is reset afterwards. False when
 * too many jobs wait already. Any thread. */
bool pool_submit(Pool *pool, PoolJob *job) _warn_unused_result_;

/* Runs what still waits, ends the threads and frees. Takes NULL; returns NULL. */
Pool *pool_free(Pool *pool);

#endif
