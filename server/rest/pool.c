/* SPDX-License-Identifier: Apache-2.0
 *
 * Pool: one lock, one list, first come first served. A job computes for milliseconds, so that the lock
 * is no burden; it is never held while a job runs.
 */
#include "server/rest/pool.h"

#include <pthread.h>
#include <stdlib.h>

#define ARENA_BLOCK_BYTES (64 * 1024)
#define ARENA_KEEP_BYTES (16 << 20)

typedef struct PoolThread {
    Pool *pool;
    pthread_t thread;
    Worker *worker;
    Arena *arena;
} PoolThread;

struct Pool {
    /* immutable */
    PoolThread *threads; /* [n_threads] those that run */
    size_t n_threads;
    size_t max_waiting;

    /* guarded by lock */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    PoolJob *first, **last;
    size_t n_waiting;
    bool is_ending;
};

/* The next job; NULL when there is none and never will be. */
static PoolJob *take(Pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    while (pool->first == NULL && !pool->is_ending)
        pthread_cond_wait(&pool->changed, &pool->lock);
    PoolJob *job = pool->first;
    if (job != NULL) {
        pool->first = job->next;
        if (pool->first == NULL)
            pool->last = &pool->first;
        pool->n_waiting--;
    }
    pthread_mutex_unlock(&pool->lock);
    return job;
}

static void *thread_main(void *data)
{
    PoolThread *thread = data;
    for (PoolJob *job; (job = take(thread->pool)) != NULL;) {
        job->run(job, thread->worker, thread->arena); /* the job may be gone after this */
        arena_reset(thread->arena, ARENA_KEEP_BYTES);
    }
    return NULL;
}

bool pool_submit(Pool *pool, PoolJob *job)
{
    pthread_mutex_lock(&pool->lock);
    bool has_room = pool->n_waiting < pool->max_waiting;
    if (has_room) {
        job->next = NULL;
        *pool->last = job;
        pool->last = &job->next;
        pool->n_waiting++;
        pthread_cond_signal(&pool->changed);
    }
    pthread_mutex_unlock(&pool->lock);
    return has_room;
}

static Error *start_thread(Pool *pool, const PoolOptions *options, PoolThread *thread)
{
    thread->pool = pool;
    thread->worker = worker_new(options->manager, options->services, NULL, options->crew);
    thread->arena = arena_new(ARENA_BLOCK_BYTES, options->max_arena_bytes);
    if (thread->worker == NULL || thread->arena == NULL ||
        pthread_create(&thread->thread, NULL, thread_main, thread) != 0) {
        worker_free(thread->worker);
        arena_free(thread->arena);
        return error_out_of_memory();
    }
    return NULL;
}

Error *pool_new(const PoolOptions *options, Pool **ret_pool)
{
    Pool *pool = calloc(1, sizeof(*pool));
    PoolThread *threads = calloc(options->n_threads, sizeof(*threads));
    if (pool == NULL || threads == NULL) {
        free(pool);
        free(threads);
        return error_out_of_memory();
    }
    pool->threads = threads;
    pool->max_waiting = options->max_waiting;
    pool->last = &pool->first;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->changed, NULL);
    for (size_t i = 0; i < options->n_threads; i++) {
        Error *error = start_thread(pool, options, &threads[i]);
        if (error != NULL) {
            pool_free(pool);
            return error;
        }
        pool->n_threads++;
    }
    *ret_pool = pool;
    return NULL;
}

Pool *pool_free(Pool *pool)
{
    if (pool == NULL)
        return NULL;
    pthread_mutex_lock(&pool->lock);
    pool->is_ending = true;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < pool->n_threads; i++) {
        pthread_join(pool->threads[i].thread, NULL);
        worker_free(pool->threads[i].worker);
        arena_free(pool->threads[i].arena);
    }
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->lock);
    free(pool->threads);
    free(pool);
    return NULL;
}
