/* SPDX-License-Identifier: Apache-2.0
 *
 * Deferred calls. With the answer the call's memory goes, this structure in it: so what is needed
 * afterwards is taken out of it before.
 */
#include "server/service/deferred.h"

#include "server/service/reply.h"

static void on_done(BatchTask *task, Error *error, const NamedTensor *outputs, size_t n)
{
    Deferred *deferred = task->data;
    Call *call = deferred->call;
    Handle handle = deferred->handle; /* the names of the outputs are the version's */
    if (error == NULL)
        error = deferred->answer(deferred, outputs, n);
    reply_error(call, error);
    handle_release(&handle);
}

static void on_gone(void *data)
{
    Deferred *deferred = data;
    batcher_cancel(deferred->batcher, &deferred->task);
}

bool deferred_is_wanted(const Worker *worker, const Model *model)
{
    return worker->batching != NULL && batching_params(worker->batching, model) != NULL;
}

Error *deferred_submit(Deferred *deferred, Call *call, const Worker *worker, Handle *handle,
                       const Signature *signature)
{
    BatchTask *task = &deferred->task;
    TRY(signature_check(signature, task->inputs, task->n_inputs, task->output_filter,
                        task->n_filter, call_arena(call)));
    task->model = handle->model;
    task->signature = signature;
    task->params = batching_params(worker->batching, handle->model);
    task->deadline_ns = call_deadline_ns(call);
    task->is_repeatable = signature_is_pure(signature);
    task->arena = call_arena(call);
    task->done = on_done;
    task->data = deferred;
    deferred->call = call;
    deferred->batcher = batching_batcher(worker->batching);
    deferred->options = worker->options;
    deferred->handle = *handle;
    call_defer(call);
    call_on_gone(call, on_gone, deferred);
    Error *error = batcher_submit(deferred->batcher, task);
    if (error == NULL)
        *handle = (Handle){ 0 };
    return error;
}
