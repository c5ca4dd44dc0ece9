/* SPDX-License-Identifier: Apache-2.0
 *
 * Crew: worker threads that many threads share, one of them at a time, and only while few compute.
 *
 * Who computes says so (crew_enter, crew_leave). While there are cores left over, whoever asks first
 * has the workers (crew_take) until they are given back; all others compute alone. When every core
 * has a request of its own nobody gets them: helping one request would only stop another. As a loop
 * gives the same bits with any number of threads (workers.h), it does not matter who got them when.
 */
#ifndef DIGIT_BASE_CREW_H
#define DIGIT_BASE_CREW_H

#include "model/base/workers.h"

typedef struct Crew Crew;

/* `n_threads` threads for one computation, the one that asks included, on a machine where
 * `n_processors` may be busy. Errors of workers_new. */
Error *crew_new(int n_threads, int n_processors, Crew **ret_crew) _warn_unused_result_;

/* Nobody has the workers any more. Takes NULL; returns NULL. */
Crew *crew_free(Crew *crew);

/* The calling thread begins and ends to compute. Both take NULL. Any thread. */
void crew_enter(Crew *crew);
void crew_leave(Crew *crew);

/* The workers, to be given back soon; NULL when they are taken, when too many threads compute, or
 * for a NULL crew: compute alone. Between enter and leave. Takes no lock. */
Workers *crew_take(Crew *crew);

/* Gives back what crew_take gave. Takes NULL workers. */
void crew_give(Crew *crew, Workers *workers);

static inline void crew_freep(Crew **crew)
{
    crew_free(*crew);
}

#endif
