/* SPDX-License-Identifier: Apache-2.0
 *
 * Crew: two atomics around Workers.
 *
 *     n_entered   threads that compute now; only a hint, so nothing is ordered by it
 *     is_taken    acquire when it becomes true, release when it becomes false: what one holder did
 *                 with the workers is before what the next one does
 */
#include "model/base/crew.h"

#include <stdatomic.h>
#include <stdbool.h>

struct Crew {
    Workers *workers; /* of whoever set is_taken */
    int most;         /* threads that may compute while one of them has the workers */
    atomic_int n_entered;
    atomic_bool is_taken;
};

Error *crew_new(int n_threads, int n_processors, Crew **ret_crew)
{
    _cleanup_(crew_freep) Crew *crew = calloc(1, sizeof *crew);
    if (crew == NULL)
        return error_out_of_memory();
    TRY(workers_new_eager(n_threads, &crew->workers));
    int spare = n_processors - (n_threads - 1);
    crew->most = spare > 1 ? spare : 1;
    *ret_crew = TAKE(crew);
    return NULL;
}

Crew *crew_free(Crew *crew)
{
    if (crew != NULL)
        workers_free(crew->workers);
    free(crew);
    return NULL;
}

void crew_enter(Crew *crew)
{
    if (crew != NULL)
        atomic_fetch_add_explicit(&crew->n_entered, 1, memory_order_relaxed);
}

void crew_leave(Crew *crew)
{
    if (crew != NULL)
        atomic_fetch_sub_explicit(&crew->n_entered, 1, memory_order_relaxed);
}

Workers *crew_take(Crew *crew)
{
    if (crew == NULL || atomic_load_explicit(&crew->n_entered, memory_order_relaxed) > crew->most)
        return NULL;
    if (atomic_exchange_explicit(&crew->is_taken, true, memory_order_acquire))
        return NULL;
    return crew->workers;
}

void crew_give(Crew *crew, Workers *workers)
{
    if (workers != NULL)
        atomic_store_explicit(&crew->is_taken, false, memory_order_release);
}
