/* SPDX-License-Identifier: Apache-2.0
 *
 * Worker. With as many workers as cores, each run has a core when all are busy; the crew, which all of
 * them share, is for a run that is alone.
 */
#include "server/service/worker.h"

#include <stdlib.h>
#include <string.h>

#define RUNS_BETWEEN_TRIMS 256

Worker *worker_new(Manager *manager, const ServiceOptions *options, Batching *batching, Crew *crew)
{
    Worker *worker = calloc(1, sizeof(*worker));
    if (worker == NULL)
        return NULL;
    worker->manager = manager;
    worker->options = options;
    worker->batching = batching;
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

Error *service_check_method(const ServiceOptions *options, const Signature *signature,
                            const char *const *methods, size_t n, ErrorCode code,
                            const char *expected)
{
    if (!options->check_method_names)
        return NULL;
    for (size_t i = 0; i < n; i++)
        if (strcmp(signature->method_name, methods[i]) == 0)
            return NULL;
    return error_new(code, "%s. Was: %s", expected, signature->method_name);
}
