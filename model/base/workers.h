/* SPDX-License-Identifier: Apache-2.0
 *
 * Workers: threads that share the iterations of a loop.
 *
 * How iterations are split depends only on `n` and `grain`, never on which thread is free, so a
 * computation whose iterations write apart gives the same bits with any number of threads.
 */
#ifndef DIGIT_BASE_WORKERS_H
#define DIGIT_BASE_WORKERS_H

#include <stddef.h>

#include "model/base/error.h"

typedef struct Workers Workers;

/* `n_threads` threads in all, the caller of workers_for included: 1 makes no thread. */
Error *workers_new(int n_threads, Workers **ret_workers) _warn_unused_result_;

/* The same, but each piece of a loop goes to the thread that is free first, and a thread that is late
 * is not waited for: on a machine that does other things as well, a loop takes hardly longer than the
 * caller alone would, who keeps loops of few pieces. Not for bodies that sum up by `thread`. */
Error *workers_new_eager(int n_threads, Workers **ret_workers) _warn_unused_result_;

/* Waits for the threads to end. Takes NULL; returns NULL. */
Workers *workers_free(Workers *workers);

/* Threads in all; 1 for NULL. */
int workers_count(const Workers *workers);

/* Body of a loop: iterations [begin, end), run by worker number `thread` (0 is the caller). */
typedef void WorkersBody(void *context, size_t begin, size_t end, int thread);

/* Runs body over [0, n) in pieces of `grain` iterations (the last one may be shorter) and returns
 * when all are done. NULL workers, or n <= grain: runs inline. One caller at a time. */
void workers_for(Workers *workers, size_t n, size_t grain, WorkersBody *body, void *context);

/* The number of processors that this process may use: the smaller of the affinity mask and the
 * cgroup's CPU quota (v2 cpu.max, v1 cfs_quota), rounded down, at least 1. */
int workers_processors(void);

static inline void workers_freep(Workers **workers)
{
    workers_free(*workers);
}

#endif
