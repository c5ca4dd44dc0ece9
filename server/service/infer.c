/* SPDX-License-Identifier: Apache-2.0
 *
 * Classify, Regress, and both at once. The examples are passed on as the bytes that came: a bad one
 * fails only where the graph parses it. What a signature of either kind is, and all its checks, is
 * model/heads.c.
 *
 * MultiInference runs its tasks one after the other on the version that the first one asks for. The
 * order of its checks, and its texts, are those of TensorFlow Serving's multi_inference.cc.
 */
#include "server/service/infer.h"

#include <string.h>

#include "server/service/deferred.h"

#define CLASSIFY "tensorflow/serving/classify"
#define REGRESS "tensorflow/serving/regress"

/* A signature that is not there is for heads.c to complain of. */
static Error *check_method(const ServiceOptions *service, const Model *model,
                           const Inference *inference)
{
    const Signature *signature = model_find_signature(model, spec_signature_name(inference->spec));
    if (signature == NULL)
        return NULL;
    static const char *const classify = CLASSIFY, *const regress = REGRESS;
    return service_check_method(
        service, signature, inference->is_regression ? &regress : &classify, 1,
        ERROR_INVALID_ARGUMENT,
        inference->is_regression ? "Expected regression signature method_name to be " REGRESS
                                 : "Expected classification signature method_name to be " CLASSIFY);
}

Error *infer_run(const Model *model, const Bytes *examples, size_t n_examples,
                 const ServiceOptions *service, const RunOptions *options, Scratch *scratch,
                 Arena *arena, Inference *inference)
{
    Bytes signature = inference->spec->signature_name;
    TRY(check_method(service, model, inference));
    if (inference->is_regression)
        return heads_regress(model, signature, examples, n_examples, options, scratch, arena,
                             &inference->regression);
    return heads_classify(model, signature, examples, n_examples, options, scratch, arena,
                          &inference->classification);
}

/* ---- with batching --------------------------------------------------------------------------- */

typedef struct DeferredInfer {
    Deferred deferred;
    ExamplesRequest request;
    HeadRun run;
    Inference inference;
} DeferredInfer;

static Error *answer(Deferred *deferred, const NamedTensor *outputs, size_t n_outputs)
{
    DeferredInfer *infer = (DeferredInfer *)(void *)deferred;
    Inference *inference = &infer->inference;
    size_t n = infer->request.n_examples;
    if (inference->is_regression)
        TRY(heads_regress_read(outputs, n_outputs, n, &inference->regression));
    else
        TRY(heads_classify_read(outputs, n_outputs, n, &inference->classification));
    return reply_inference(deferred->call, inference);
}

static Error *submit(Call *call, const Worker *worker, const ExamplesRequest *request,
                     bool is_regression, Handle *handle)
{
    DeferredInfer *infer = arena_calloc(call_arena(call), 1, sizeof(*infer));
    if (infer == NULL)
        return error_out_of_memory();
    infer->request = *request;
    infer->inference = (Inference){ .spec = &infer->request.spec,
                                    .version = handle->version,
                                    .is_regression = is_regression };
    Bytes name = request->spec.signature_name;
    TRY(check_method(worker->options, handle->model, &infer->inference));
    TRY((is_regression ? heads_regress_prepare : heads_classify_prepare)(
        handle->model, name, request->examples, request->n_examples, &infer->run));
    BatchTask *task = &infer->deferred.task;
    task->inputs = &infer->run.input;
    task->n_inputs = 1;
    task->output_filter = infer->run.filter;
    task->n_filter = infer->run.n_filter;
    infer->deferred.answer = answer;
    return deferred_submit(&infer->deferred, call, worker, handle, infer->run.signature);
}

/* ---- the handlers ---------------------------------------------------------------------------- */

static Error *infer(Call *call, Worker *worker, bool is_regression)
{
    _cleanup_(handle_release) Handle handle = { 0 };
    ExamplesRequest request;
    TRY(request_read_examples(call_arena(call), call_request(call), &request));
    TRY(spec_acquire(&request.spec, worker->reader, &handle));
    if (deferred_is_wanted(worker, handle.model))
        return submit(call, worker, &request, is_regression, &handle);
    Inference inference = { .spec = &request.spec,
                            .version = handle.version,
                            .is_regression = is_regression };
    const RunCancel cancel = { call_is_cancelled, call };
    const RunOptions options = { .deadline_ns = call_deadline_ns(call), .cancel = &cancel };
    TRY(infer_run(handle.model, request.examples, request.n_examples, worker->options, &options,
                  worker_scratch(worker), call_arena(call), &inference));
    return reply_inference(call, &inference);
}

void classify_handle(Call *call, void *context)
{
    reply_error(call, infer(call, context, false));
}

void regress_handle(Call *call, void *context)
{
    reply_error(call, infer(call, context, true));
}

/* ---- MultiInference -------------------------------------------------------------------------- */

/* What the next run on the scratch would overwrite, copied into the arena. */
static Error *keep_result(Arena *arena, Inference *inference)
{
    if (inference->is_regression) {
        Regression *r = &inference->regression;
        r->values = arena_memdup(arena, r->values, (size_t)r->n * sizeof(float));
        return r->values != NULL ? NULL : error_out_of_memory();
    }
    Classification *c = &inference->classification;
    size_t n = (size_t)(c->n * c->k);
    if (c->scores != NULL) {
        c->scores = arena_memdup(arena, c->scores, n * sizeof(float));
        if (c->scores == NULL)
            return error_out_of_memory();
    }
    if (c->classes == NULL)
        return NULL;
    Bytes *classes = arena_memdup(arena, c->classes, n * sizeof(Bytes));
    if (classes == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < n; i++) {
        classes[i].data = arena_memdup(arena, classes[i].data, classes[i].size);
        if (classes[i].data == NULL)
            return error_out_of_memory();
    }
    c->classes = classes;
    return NULL;
}

/* Checks one task against those before it and starts its result. */
static Error *begin_task(const MultiInferenceRequest *request, size_t i, Inference *inferences)
{
    const InferenceTask *task = &request->tasks[i];
    if (task->spec.name.size == 0)
        return error_new(ERROR_INVALID_ARGUMENT, "Found ModelSpec with an empty model name.");
    if (!bytes_equal(task->spec.name, request->tasks[0].spec.name))
        return error_new(ERROR_INVALID_ARGUMENT,
                         "All ModelSpecs in a MultiInferenceRequest must access the same model "
                         "name.");
    Bytes signature = spec_signature_name(&task->spec);
    for (size_t k = 0; k < i; k++)
        if (bytes_equal(spec_signature_name(&request->tasks[k].spec), signature))
            return error_new(ERROR_INVALID_ARGUMENT, "Duplicate evaluation of signature: %.*s",
                             SHOWN(signature));
    bool is_regression = bytes_equal(task->method_name, bytes_of_text(REGRESS));
    if (!is_regression && !bytes_equal(task->method_name, bytes_of_text(CLASSIFY)))
        return error_new(ERROR_UNIMPLEMENTED, "Unsupported signature method_name: %.*s",
                         SHOWN(task->method_name));
    inferences[i] = (Inference){ .spec = &task->spec, .is_regression = is_regression };
    return NULL;
}

Error *infer_run_multi(const Model *model, const MultiInferenceRequest *request,
                       const ServiceOptions *service, const RunOptions *options, Scratch *scratch,
                       Arena *arena, Inference **ret_inferences)
{
    Inference *inferences = arena_calloc(arena, request->n_tasks, sizeof(*inferences));
    if (inferences == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < request->n_tasks; i++) {
        Bytes signature = spec_signature_name(&request->tasks[i].spec);
        TRY(begin_task(request, i, inferences));
        if (model_find_signature(model, signature) == NULL)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Requested signature not found in model graph: %.*s",
                             SHOWN(signature));
    }
    for (size_t i = 0; i < request->n_tasks; i++) {
        TRY(infer_run(model, request->examples, request->n_examples, service, options, scratch,
                      arena, &inferences[i]));
        TRY(keep_result(arena, &inferences[i]));
    }
    *ret_inferences = inferences;
    return NULL;
}

static Error *multi_inference(Call *call, Worker *worker)
{
    Arena *arena = call_arena(call);
    _cleanup_(handle_release) Handle handle = { 0 };
    MultiInferenceRequest request;
    Inference *inferences;
    TRY(request_read_multi_inference(arena, call_request(call), &request));
    if (request.n_tasks == 0 || request.tasks[0].spec.name.size == 0)
        return error_new(ERROR_INVALID_ARGUMENT, "ModelSpec has no name specified.");
    TRY(spec_acquire(&request.tasks[0].spec, worker->reader, &handle));
    const RunCancel cancel = { call_is_cancelled, call };
    const RunOptions options = { .deadline_ns = call_deadline_ns(call), .cancel = &cancel };
    TRY(infer_run_multi(handle.model, &request, worker->options, &options, worker_scratch(worker),
                        arena, &inferences));
    for (size_t i = 0; i < request.n_tasks; i++)
        inferences[i].version = handle.version;
    return reply_inferences(call, inferences, request.n_tasks);
}

void multi_inference_handle(Call *call, void *context)
{
    reply_error(call, multi_inference(call, context));
}
