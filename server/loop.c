/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop over libuv.
 *
 * uv_run is called for one round at a time (UV_RUN_ONCE), so that conditions can be checked between
 * rounds. The wake-up handle is always active, so a round waits until something happens.
 *
 * Posted tasks are a stack that any thread pushes on with one compare-and-swap; the loop takes the
 * whole stack with one exchange, so no node is ever popped alone and there is no ABA problem.
 */
#include "server/loop.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <uv.h>

struct Loop {
    /* immutable */
    pthread_t thread;

    /* atomic: pushed with release, taken with acquire, so that the task's run sees all that its
     * poster had written. */
    _Atomic(LoopTask *) posted;

    /* loop's thread, but for uv_async_send(&wake) */
    uv_loop_t uv;
    uv_async_t wake;
    uv_timer_t limit; /* of loop_run_until */
    uv_signal_t terminate;
    uv_signal_t interrupt;
    uv_signal_t hangup;
    LoopFunction *on_hangup;
    void *hangup_data;
    LoopSignal *on_signal;
    void *signal_data;
    unsigned n_signals;
    unsigned n_submitted;
    bool is_limit_over;
    bool is_stopped;
    bool is_abandoned;
};

struct LoopTimer {
    uv_timer_t uv;
    Loop *loop;
    LoopFunction *run;
    void *data;
};

struct LoopWatch {
    uv_fs_event_t uv;
    Loop *loop;
    LoopFunction *run;
    void *data;
};

struct LoopPoll {
    uv_poll_t uv;
    Loop *loop;
    LoopFunction *run;
    void *data;
};

typedef struct Submission {
    uv_work_t uv;
    Loop *loop;
    LoopFunction *run;
    LoopFunction *done;
    void *data;
} Submission;

static Error *uv_error(int status, const char *what)
{
    if (status == UV_ENOMEM)
        return error_out_of_memory();
    return error_new(ERROR_UNAVAILABLE, "%s: %s", what, uv_strerror(status));
}

/* ---- tasks --------------------------------------------------------------------------------- */

static void run_posted(Loop *loop)
{
    LoopTask *newest = atomic_exchange_explicit(&loop->posted, NULL, memory_order_acquire);
    LoopTask *oldest = NULL;
    while (newest != NULL) {
        LoopTask *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest != NULL) {
        LoopTask *task = oldest;
        oldest = task->next; /* read before the call, which may free or post the task */
        task->run(task->data);
    }
}

static void on_wake(uv_async_t *wake)
{
    run_posted(wake->data);
}

void loop_post(Loop *loop, LoopTask *task)
{
    LoopTask *head = atomic_load_explicit(&loop->posted, memory_order_relaxed);
    do {
        task->next = head;
    } while (!atomic_compare_exchange_weak_explicit(&loop->posted, &head, task,
                                                    memory_order_release, memory_order_relaxed));
    int status = uv_async_send(&loop->wake);
    assert(status == 0); /* fails only for another type of handle */
    (void)status;
}

/* ---- work ---------------------------------------------------------------------------------- */

static void on_pool_thread(uv_work_t *work)
{
    Submission *submission = work->data;
    submission->run(submission->data);
}

static void on_work_done(uv_work_t *work, int status)
{
    (void)status; /* never cancelled */
    Submission *submission = work->data;
    LoopFunction *done = submission->done;
    void *data = submission->data;
    submission->loop->n_submitted--;
    free(submission);
    done(data);
}

Error *loop_submit(Loop *loop, LoopFunction *run, LoopFunction *done, void *data)
{
    assert_on_loop(loop);
    Submission *submission = calloc(1, sizeof(*submission));
    if (submission == NULL)
        return error_out_of_memory();
    *submission = (Submission){ .loop = loop, .run = run, .done = done, .data = data };
    submission->uv.data = submission;
    int status = uv_queue_work(&loop->uv, &submission->uv, on_pool_thread, on_work_done);
    if (status != 0) {
        free(submission);
        return uv_error(status, "cannot hand work to the thread pool");
    }
    loop->n_submitted++;
    return NULL;
}

/* ---- signals ------------------------------------------------------------------------------- */

static void on_uv_signal(uv_signal_t *handle, int number)
{
    (void)number;
    Loop *loop = handle->data;
    loop->on_signal(loop->signal_data, ++loop->n_signals);
}

Error *loop_on_terminate(Loop *loop, LoopSignal *run, void *data)
{
    assert_on_loop(loop);
    assert(loop->on_signal == NULL);
    loop->on_signal = run;
    loop->signal_data = data;
    int status = uv_signal_start(&loop->terminate, on_uv_signal, SIGTERM);
    if (status == 0)
        status = uv_signal_start(&loop->interrupt, on_uv_signal, SIGINT);
    return status == 0 ? NULL : uv_error(status, "cannot catch SIGTERM and SIGINT");
}

static void on_uv_hangup(uv_signal_t *handle, int number)
{
    (void)number;
    Loop *loop = handle->data;
    loop->on_hangup(loop->hangup_data);
}

Error *loop_on_hangup(Loop *loop, LoopFunction *run, void *data)
{
    assert_on_loop(loop);
    loop->on_hangup = run;
    loop->hangup_data = data;
    int status = uv_signal_start(&loop->hangup, on_uv_hangup, SIGHUP);
    return status == 0 ? NULL : uv_error(status, "cannot catch SIGHUP");
}

/* ---- timers -------------------------------------------------------------------------------- */

static void on_uv_timer(uv_timer_t *handle)
{
    LoopTimer *timer = handle->data;
    timer->run(timer->data);
}

static void on_handle_closed(uv_handle_t *handle)
{
    free(handle->data);
}

LoopTimer *loop_timer_new(Loop *loop, LoopFunction *run, void *data)
{
    assert_on_loop(loop);
    LoopTimer *timer = calloc(1, sizeof(*timer));
    if (timer == NULL)
        return NULL;
    timer->loop = loop;
    timer->run = run;
    timer->data = data;
    uv_timer_init(&loop->uv, &timer->uv); /* always 0 */
    timer->uv.data = timer;
    return timer;
}

void loop_timer_start(LoopTimer *timer, uint64_t delay_ms)
{
    assert_on_loop(timer->loop);
    /* libuv counts from the start of the round, which a slow callback may have left far behind. */
    uv_update_time(&timer->loop->uv);
    uv_timer_start(&timer->uv, on_uv_timer, delay_ms, 0);
}

void loop_timer_stop(LoopTimer *timer)
{
    assert_on_loop(timer->loop);
    uv_timer_stop(&timer->uv);
}

bool loop_timer_is_active(const LoopTimer *timer)
{
    return uv_is_active((const uv_handle_t *)&timer->uv) != 0;
}

LoopTimer *loop_timer_free(LoopTimer *timer)
{
    if (timer != NULL) {
        assert_on_loop(timer->loop);
        uv_close((uv_handle_t *)&timer->uv, on_handle_closed);
    }
    return NULL;
}

/* ---- polls --------------------------------------------------------------------------------- */

static void on_uv_poll(uv_poll_t *handle, int status, int events)
{
    (void)status; /* an error is for the descriptor's owner to find */
    (void)events;
    LoopPoll *poll = handle->data;
    poll->run(poll->data);
}

Error *loop_poll_new(Loop *loop, int fd, LoopFunction *run, void *data, LoopPoll **ret_poll)
{
    assert_on_loop(loop);
    LoopPoll *poll = calloc(1, sizeof(*poll));
    if (poll == NULL)
        return error_out_of_memory();
    *poll = (LoopPoll){ .loop = loop, .run = run, .data = data };
    int status = uv_poll_init(&loop->uv, &poll->uv, fd);
    if (status != 0) {
        free(poll);
        return uv_error(status, "cannot poll a descriptor");
    }
    poll->uv.data = poll;
    status = uv_poll_start(&poll->uv, UV_READABLE, on_uv_poll);
    if (status != 0) {
        loop_poll_free(poll);
        return uv_error(status, "cannot poll a descriptor");
    }
    *ret_poll = poll;
    return NULL;
}

LoopPoll *loop_poll_free(LoopPoll *poll)
{
    if (poll != NULL) {
        assert_on_loop(poll->loop);
        uv_close((uv_handle_t *)&poll->uv, on_handle_closed);
    }
    return NULL;
}

/* ---- watches ------------------------------------------------------------------------------- */

static void on_uv_fs_event(uv_fs_event_t *handle, const char *name, int events, int status)
{
    (void)name;
    (void)events;
    (void)status; /* an error is a reason to look, too */
    LoopWatch *watch = handle->data;
    watch->run(watch->data);
}

Error *loop_watch_new(Loop *loop, const char *path, LoopFunction *run, void *data,
                      LoopWatch **ret_watch)
{
    assert_on_loop(loop);
    LoopWatch *watch = calloc(1, sizeof(*watch));
    if (watch == NULL)
        return error_out_of_memory();
    watch->loop = loop;
    watch->run = run;
    watch->data = data;
    uv_fs_event_init(&loop->uv, &watch->uv); /* always 0 */
    watch->uv.data = watch;
    int status = uv_fs_event_start(&watch->uv, on_uv_fs_event, path, 0);
    if (status != 0) {
        loop_watch_free(watch);
        return error_prefix(uv_error(status, "cannot watch the directory"), "%s", path);
    }
    *ret_watch = watch;
    return NULL;
}

LoopWatch *loop_watch_free(LoopWatch *watch)
{
    if (watch != NULL) {
        assert_on_loop(watch->loop);
        uv_close((uv_handle_t *)&watch->uv, on_handle_closed);
    }
    return NULL;
}

/* ---- running ------------------------------------------------------------------------------- */

void loop_run(Loop *loop)
{
    assert_on_loop(loop);
    while (!loop->is_stopped)
        uv_run(&loop->uv, UV_RUN_ONCE);
    loop->is_stopped = false;
}

void loop_stop(Loop *loop)
{
    assert_on_loop(loop);
    loop->is_stopped = true;
}

static void on_limit(uv_timer_t *handle)
{
    Loop *loop = handle->data;
    loop->is_limit_over = true;
}

bool loop_run_until(Loop *loop, LoopCondition *is_done, void *data, uint64_t limit_ms)
{
    assert_on_loop(loop);
    loop->is_limit_over = false;
    uv_update_time(&loop->uv);
    uv_timer_start(&loop->limit, on_limit, limit_ms, 0);
    bool done = is_done(data);
    while (!done && !loop->is_limit_over) {
        uv_run(&loop->uv, UV_RUN_ONCE);
        done = is_done(data);
    }
    uv_timer_stop(&loop->limit);
    return done;
}

void loop_abandon(Loop *loop)
{
    assert_on_loop(loop);
    loop->is_abandoned = true;
}

uint64_t loop_now_ms(void)
{
    return uv_hrtime() / 1000000;
}

bool loop_is_current(const Loop *loop)
{
    return pthread_equal(loop->thread, pthread_self()) != 0;
}

/* ---- life ---------------------------------------------------------------------------------- */

static void close_handle(uv_handle_t *handle, void *data)
{
    if (uv_is_closing(handle))
        return;
    assert(handle->data == data && "a timer, a poll or a watch outlives its loop");
    uv_close(handle, NULL);
}

/* Closes the loop's own handles; close callbacks come in the next round. False when the pool still
 * works for it. */
static bool close_loop(Loop *loop)
{
    uv_walk(&loop->uv, close_handle, loop);
    uv_run(&loop->uv, UV_RUN_NOWAIT);
    int status = uv_loop_close(&loop->uv);
    assert(status == 0 || loop->n_submitted > 0);
    return status == 0;
}

Error *loop_new(Loop **ret_loop)
{
    _cleanup_(freep) Loop *loop = calloc(1, sizeof(*loop));
    if (loop == NULL)
        return error_out_of_memory();
    loop->thread = pthread_self();
    int status = uv_loop_init(&loop->uv);
    if (status != 0)
        return uv_error(status, "cannot make an event loop");
    loop->wake.data = loop->limit.data = loop->terminate.data = loop->interrupt.data = loop;
    loop->hangup.data = loop;
    status = uv_async_init(&loop->uv, &loop->wake, on_wake);
    if (status == 0)
        status = uv_timer_init(&loop->uv, &loop->limit);
    if (status == 0)
        status = uv_signal_init(&loop->uv, &loop->terminate);
    if (status == 0)
        status = uv_signal_init(&loop->uv, &loop->interrupt);
    if (status == 0)
        status = uv_signal_init(&loop->uv, &loop->hangup);
    if (status != 0) {
        close_loop(loop);
        return uv_error(status, "cannot make the handles of the event loop");
    }
    *ret_loop = TAKE(loop);
    return NULL;
}

Loop *loop_free(Loop *loop)
{
    if (loop == NULL)
        return NULL;
    assert_on_loop(loop);
    run_posted(loop);
    if (!loop->is_abandoned && close_loop(loop))
        free(loop);
    return NULL;
}
