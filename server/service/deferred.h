/* SPDX-License-Identifier: Apache-2.0
 *
 * Deferred: a call that the batcher answers, on a thread of its own, after the handler has returned.
 */
#ifndef DIGIT_SERVER_SERVICE_DEFERRED_H
#define DIGIT_SERVER_SERVICE_DEFERRED_H

#include "server/batch/batcher.h"
#include "server/grpc/call.h"
#include "server/service/worker.h"

typedef struct Deferred Deferred;

/* The first member of what a handler keeps of a call, in its arena. */
struct Deferred {
    Call *call;
    Batcher *batcher;
    Handle handle; /* so that the version stays while the task waits */
    BatchTask task;
    const ServiceOptions *options;

    /* Ends the call with what the run gave, or gives an Error and leaves it. On a thread of the
     * batcher's. */
    Error *(*answer)(Deferred *deferred, const NamedTensor *outputs, size_t n_outputs);
};

/* Whether requests for the model wait to be run with others. */
bool deferred_is_wanted(const Worker *worker, const Model *model);

/* Starts a deferred call over a signature of `handle`, which becomes empty when this succeeds. Inputs,
 * filter and `answer` are the caller's to fill: `deferred` is zero besides that. From then on nothing
 * of the call may be touched. With an error the call is still to be ended: those of signature_check
 * and batcher_submit. */
Error *deferred_submit(Deferred *deferred, Call *call, const Worker *worker, Handle *handle,
                       const Signature *signature) _warn_unused_result_;

#endif
