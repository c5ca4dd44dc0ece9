/* SPDX-License-Identifier: Apache-2.0
 *
 * Classify. The examples are passed on as the bytes that came: a bad one fails only where the graph
 * parses it. What a classify signature is, and all its checks, is model/heads.c.
 */
#include "server/service/classify.h"

#include "model/heads.h"
#include "server/service/reply.h"
#include "server/service/request.h"
#include "server/service/worker.h"

static Error *classify(Call *call, Worker *worker)
{
    Arena *arena = call_arena(call);
    _cleanup_(handle_release) Handle handle = { 0 };
    ClassificationRequest request;
    Classification classification;
    TRY(request_read_classification(arena, call_request(call), &request));
    TRY(spec_acquire(&request.spec, worker->reader, &handle));
    RunOptions options = { .deadline_ns = call_deadline_ns(call) };
    TRY(heads_classify(handle.model, request.spec.signature_name, request.examples,
                       request.n_examples, &options, worker_scratch(worker), arena,
                       &classification));
    return reply_classification(call, &request.spec, handle.version, &classification);
}

void classify_handle(Call *call, void *context)
{
    reply_error(call, classify(call, context));
}
