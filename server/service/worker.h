/* SPDX-License-Identifier: Apache-2.0
 *
 * Worker: what one thread of the server needs to answer calls; the `context` of every handler.
 */
#ifndef DIGIT_SERVER_SERVICE_WORKER_H
#define DIGIT_SERVER_SERVICE_WORKER_H

#include "model/model.h"
#include "server/batch/batching.h"
#include "server/manager/handle.h"

/* What the operator says of all services. */
typedef struct ServiceOptions {
    bool check_method_names;      /* --enable_signature_method_name_check */
    bool reply_as_tensor_content; /* --enable_serialization_as_tensor_content */
} ServiceOptions;

typedef struct Worker {
    Manager *manager;              /* borrowed */
    Batching *batching;            /* borrowed; NULL: every request is run by itself */
    const ServiceOptions *options; /* borrowed */
    Reader *reader;                /* the manager's; this thread's */
    Scratch *scratch;              /* owned */
    unsigned n_runs;               /* since the scratch was trimmed */
} Worker;

/* A worker for one thread, which need not be the caller's. NULL when memory is out. The manager, the
 * options, the batching, and the crew, which helps with its runs, must outlive it; the latter two may
 * be NULL. */
Worker *worker_new(Manager *manager, const ServiceOptions *options, Batching *batching,
                   Crew *crew) _warn_unused_result_;

/* When the operator wants it: an error of `code` with the text `EXPECTED. Was: METHOD_NAME` for a
 * signature whose method_name is none of methods[0..n). */
Error *service_check_method(const ServiceOptions *options, const Signature *signature,
                            const char *const *methods, size_t n, ErrorCode code,
                            const char *expected) _warn_unused_result_;

/* Takes NULL; returns NULL. */
Worker *worker_free(Worker *worker);

/* The scratch for a run; forgets now and then what belongs to versions that are gone. */
Scratch *worker_scratch(Worker *worker);

#endif
