/* SPDX-License-Identifier: Apache-2.0
 *
 * Worker. With as many workers as cores, each run has a core when all are busy; the crew, which all of
 * them share, is for a run that is alone.
 */
#include "server/service/worker.h"

#include <stdlib.h>

#define RUNS_BETWEEN_TRIMS 256

Worker *worker_new(Manager *manager, Crew *crew)
{
    Worker *worker = calloc(1, sizeof(*worker));
    if (worker == NULL)
        return NULL;
    worker->manager = manager;
    worker->reader = handle_reader_new(manager);
    worker->scratch = scratch_new_shared(crew);
    if (worker->reader == NULL || worker->scratch == NULL)
        return worker_free(worker);
    return worker;
}

Worker *worker_free(Worker *worker)
{
    if (worker != NULL) {
        scratch_free(worker->scratch);
        free(worker);
    }
    return NULL;
}

Scratch *worker_scratch(Worker *worker)
{
    if (++worker->n_runs >= RUNS_BETWEEN_TRIMS) {
        scratch_trim(worker->scratch);
        worker->n_runs = 0;
    }
    return worker->scratch;
}
