/* SPDX-License-Identifier: Apache-2.0
 *
 * A queue under one lock, and threads that take from it. Jobs run with no lock held.
 */
#include "server/manager/background.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Nice steps below the threads that serve: a tenth of their share when the machine is full, and all
 * that is left over when it is not. */
#define NICE_STEPS 10

#define MAX_THREADS 64

struct Background {
    /* immutable */
    Loop *loop;

    /* loop's thread */
    pthread_t threads[MAX_THREADS];
    unsigned n_threads;

    /* guarded by lock */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    BackgroundJob *first;
    BackgroundJob **end; /* where the next job is linked */
    bool is_ending;
};

/* A failure only means that loading disturbs more than it need. */
static void lower_priority(void)
{
    const struct sched_param param = { 0 };
    (void)sched_setscheduler(0, SCHED_BATCH, &param);
    int nice_now = getpriority(PRIO_PROCESS, (id_t)gettid());
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), nice_now + NICE_STEPS);
}

static BackgroundJob *wait_for_job(Background *background)
{
    pthread_mutex_lock(&background->lock);
    while (background->first == NULL && !background->is_ending)
        pthread_cond_wait(&background->changed, &background->lock);
    BackgroundJob *job = background->first;
    if (job != NULL) {
        background->first = job->next;
        if (background->first == NULL)
            background->end = &background->first;
    }
    pthread_mutex_unlock(&background->lock);
    return job;
}

static void *thread_main(void *data)
{
    Background *background = data;
    lower_priority();
    BackgroundJob *job;
    while ((job = wait_for_job(background)) != NULL) {
        job->run(job->data);
        job->task = (LoopTask){ .run = job->done, .data = job->data };
        loop_post(background->loop, &job->task);
    }
    return NULL;
}

Error *background_new(Loop *loop, unsigned n_threads, Background **ret_background)
{
    assert_on_loop(loop);
    Background *background = calloc(1, sizeof(*background));
    if (background == NULL)
        return error_out_of_memory();
    background->loop = loop;
    background->end = &background->first;
    pthread_mutex_init(&background->lock, NULL);
    pthread_cond_init(&background->changed, NULL);
    if (n_threads == 0)
        n_threads = 1;
    if (n_threads > MAX_THREADS)
        n_threads = MAX_THREADS;
    for (unsigned i = 0; i < n_threads; i++) {
        int status = pthread_create(&background->threads[i], NULL, thread_main, background);
        if (status != 0) {
            background_free(background);
            return error_new(ERROR_RESOURCE_EXHAUSTED, "cannot start %u threads for loading: %s",
                             n_threads, strerror(status));
        }
        background->n_threads++;
    }
    *ret_background = background;
    return NULL;
}

void background_submit(Background *background, BackgroundJob *job)
{
    assert_on_loop(background->loop);
    job->next = NULL;
    pthread_mutex_lock(&background->lock);
    *background->end = job;
    background->end = &job->next;
    pthread_cond_signal(&background->changed);
    pthread_mutex_unlock(&background->lock);
}

Background *background_free(Background *background)
{
    if (background == NULL)
        return NULL;
    assert_on_loop(background->loop);
    pthread_mutex_lock(&background->lock);
    assert(background->first == NULL);
    background->is_ending = true;
    pthread_cond_broadcast(&background->changed);
    pthread_mutex_unlock(&background->lock);
    for (unsigned i = 0; i < background->n_threads; i++)
        pthread_join(background->threads[i], NULL);
    pthread_cond_destroy(&background->changed);
    pthread_mutex_destroy(&background->lock);
    free(background);
    return NULL;
}
