/* SPDX-License-Identifier: Apache-2.0
 *
 * Loop: the one thread that owns time, signals and directories. The door to libuv: nothing else in
 * the server includes uv.h.
 *
 * Timers, polls and watches live until they are freed; the memory goes in libuv's close callback, so one
 * may be freed inside its own callback. A task is the poster's storage, which the loop borrows
 * until it has called back: posting needs no memory and cannot fail.
 *
 * The thread that calls loop_new is the loop's thread: loop_run and everything not marked "any
 * thread" is for it alone, and asserts so.
 */
#ifndef DIGIT_SERVER_LOOP_H
#define DIGIT_SERVER_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/error.h"

typedef struct Loop Loop;

Error *loop_new(Loop **ret_loop) _warn_unused_result_;

/* Runs the tasks that are still posted and frees. Every timer, poll and watch must have been freed, and
 * no other thread be inside loop_post. Work whose `run` has not returned (a disk that hangs) keeps
 * the loop's memory until the process ends. Takes NULL; returns NULL. */
Loop *loop_free(Loop *loop);

/* Runs until loop_stop. */
void loop_run(Loop *loop);

/* Makes loop_run return when the callbacks that are due now have run. When the loop is not running,
 * the next loop_run returns at once. */
void loop_stop(Loop *loop);

/* Runs the loop until `is_done(data)` says so after a callback (true), or `limit_ms` have passed
 * (false). For shutting down, after loop_run has returned, and for tests; not inside a callback. */
typedef bool LoopCondition(void *data);
bool loop_run_until(Loop *loop, LoopCondition *is_done, void *data, uint64_t limit_ms);

/* Milliseconds of CLOCK_MONOTONIC. Any thread. */
uint64_t loop_now_ms(void);

/* From now on loop_free leaves the loop as it is, since a thread that could not be stopped may
 * still post to it. */
void loop_abandon(Loop *loop);

/* True on the loop's thread. Any thread. */
bool loop_is_current(const Loop *loop);

/* First line of every function that is bound to the loop's thread. */
#define assert_on_loop(loop) assert(loop_is_current(loop))

/* ---- tasks: a call handed to the loop's thread --------------------------------------------- */

typedef void LoopFunction(void *data);

typedef struct LoopTask {
    LoopFunction *run;
    void *data;
    struct LoopTask *next; /* the loop's, while posted */
} LoopTask;

/* Has `task->run(task->data)` called on the loop's thread; the tasks of one thread keep their
 * order. Borrows `task` until the call begins: it may be posted again, or freed, from inside it,
 * and must not be posted twice at a time. Never called from inside loop_post. Any thread; does not
 * fail. */
void loop_post(Loop *loop, LoopTask *task);

/* ---- work: a call on a thread of libuv's pool ---------------------------------------------- */

/* Has `run(data)` called on a pool thread, and afterwards `done(data)` on the loop's thread. For
 * what may wait on a disk, such as reading a directory; not for long computation, since the pool
 * has four threads. */
Error *loop_submit(Loop *loop, LoopFunction *run, LoopFunction *done,
                   void *data) _warn_unused_result_;

/* ---- signals ------------------------------------------------------------------------------- */

/* Calls `run(data, count)` on SIGTERM and on SIGINT; `count` is 1 for the first signal of either
 * kind, 2 for the second, and so on. Once a loop. Ends with the loop. */
typedef void LoopSignal(void *data, unsigned count);
Error *loop_on_terminate(Loop *loop, LoopSignal *run, void *data) _warn_unused_result_;

/* Calls `run(data)` on SIGHUP, which asks a daemon to look at its configuration. Once a loop. */
Error *loop_on_hangup(Loop *loop, LoopFunction *run, void *data) _warn_unused_result_;

/* ---- timers -------------------------------------------------------------------------------- */

typedef struct LoopTimer LoopTimer;

/* A stopped timer; NULL when memory is out. Owned by the caller. */
LoopTimer *loop_timer_new(Loop *loop, LoopFunction *run, void *data) _warn_unused_result_;

/* Calls back once after `delay_ms`, from now on; an earlier start is forgotten. */
void loop_timer_start(LoopTimer *timer, uint64_t delay_ms);
void loop_timer_stop(LoopTimer *timer);
bool loop_timer_is_active(const LoopTimer *timer);

/* Takes NULL; returns NULL. */
LoopTimer *loop_timer_free(LoopTimer *timer);

/* ---- polls: a file descriptor is readable ---------------------------------------------------- */

typedef struct LoopPoll LoopPoll;

/* Calls back whenever `fd` can be read, again and again until it cannot. For a library with an event
 * loop of its own that shows as one descriptor (epoll), which must stay open until the poll is
 * freed. */
Error *loop_poll_new(Loop *loop, int fd, LoopFunction *run, void *data,
                     LoopPoll **ret_poll) _warn_unused_result_;

/* Takes NULL; returns NULL. */
LoopPoll *loop_poll_free(LoopPoll *poll);

/* ---- watches: something has changed in a directory ----------------------------------------- */

typedef struct LoopWatch LoopWatch;

/* Calls back when an entry of the directory `path` is made, removed or renamed, or the directory
 * itself is. Several changes may give one call, and a network volume gives none: who must not miss
 * a change polls too. UNAVAILABLE when the system has no watch left or the path cannot be opened.
 */
Error *loop_watch_new(Loop *loop, const char *path, LoopFunction *run, void *data,
                      LoopWatch **ret_watch) _warn_unused_result_;

/* Takes NULL; returns NULL. */
LoopWatch *loop_watch_free(LoopWatch *watch);

#endif
