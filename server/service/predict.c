/* SPDX-License-Identifier: Apache-2.0
 *
 * Predict: acquire a version, bind the request's tensors, run, reply: all on the calling thread, or
 * with batching the latter two on a thread of the batcher's.
 * Tensors are borrowed from the request's bytes where these are aligned, and the reply is written
 * straight from the run's outputs: an input or output is copied at most once.
 *
 * Order of the checks, as TensorFlow Serving's: the message; the model; the signature and
 * its method; how many inputs; their bytes; then signature_run's own.
 */
#include "server/service/predict.h"

#include "model/model.h"
#include "model/tensor/tensor_proto.h"
#include "server/service/deferred.h"
#include "server/service/reply.h"

static Error *find_signature(const Model *model, const ModelSpec *spec, const Signature **ret)
{
    Bytes name = spec_signature_name(spec);
    const Signature *signature = model_find_signature(model, name);
    if (signature == NULL)
        return error_new(ERROR_FAILED_PRECONDITION, "Serving signature key \"%.*s\" not found.",
                         SHOWN(name));
    *ret = signature;
    return NULL;
}

Error *predict_check_method(const ServiceOptions *service, const Signature *signature)
{
    static const char *const methods[] = { "tensorflow/serving/predict",
                                           "tensorflow/serving/classify",
                                           "tensorflow/serving/regress" };
    return service_check_method(service, signature, methods, ARRAY_SIZE(methods), ERROR_INTERNAL,
                                "Expected prediction signature method_name to be one of "
                                "{tensorflow/serving/predict, tensorflow/serving/classify, "
                                "tensorflow/serving/regress}");
}

/* The request's TensorProtos as tensors, if there may be that many of them. */
static Error *bind_inputs(Arena *arena, const PredictRequest *request, const Signature *signature,
                          NamedTensor **ret_inputs)
{
    NamedTensor *inputs = arena_calloc(arena, request->n_inputs, sizeof(NamedTensor));
    if (inputs == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < request->n_inputs; i++)
        inputs[i].name = request->inputs[i].name;
    TRY(signature_check_count(signature, inputs, request->n_inputs, arena));
    for (size_t i = 0; i < request->n_inputs; i++) {
        const RequestInput *input = &request->inputs[i];
        Error *error = tensor_from_wire(arena, input->tensor_proto, &inputs[i].tensor);
        if (error != NULL && error->code == ERROR_INVALID_ARGUMENT) {
            error_free(error);
            error =
                error_new(ERROR_INVALID_ARGUMENT, "tensor parsing error: %.*s", SHOWN(input->name));
        } else if (error != NULL && error->code == ERROR_RESOURCE_EXHAUSTED) {
            error_free(error);
            error = error_new(ERROR_RESOURCE_EXHAUSTED,
                              "input %.*s claims more memory than a request may have "
                              "(--max_request_tensor_bytes)",
                              SHOWN(input->name));
        }
        TRY(error);
    }
    *ret_inputs = inputs;
    return NULL;
}

/* All that comes before a run. */
static Error *prepare(const Model *model, const PredictRequest *request,
                      const ServiceOptions *service, Arena *arena, const Signature **ret_signature,
                      NamedTensor **ret_inputs)
{
    TRY(find_signature(model, &request->spec, ret_signature));
    TRY(predict_check_method(service, *ret_signature));
    return bind_inputs(arena, request, *ret_signature, ret_inputs);
}

Error *predict_run(const Model *model, const PredictRequest *request, const ServiceOptions *service,
                   const RunOptions *options, Scratch *scratch, Arena *arena,
                   NamedTensor **ret_outputs, size_t *ret_n)
{
    const Signature *signature;
    NamedTensor *inputs;
    TRY(prepare(model, request, service, arena, &signature, &inputs));
    return signature_run(model, signature, inputs, request->n_inputs, request->output_filter,
                         request->n_filter, options, scratch, arena, ret_outputs, ret_n);
}

/* ---- with batching --------------------------------------------------------------------------- */

typedef struct DeferredPredict {
    Deferred deferred;
    ModelSpec spec;
} DeferredPredict;

static Error *answer(Deferred *deferred, const NamedTensor *outputs, size_t n_outputs)
{
    const DeferredPredict *predict = (const DeferredPredict *)(const void *)deferred;
    return reply_outputs(deferred->call, &predict->spec, deferred->handle.version, outputs,
                         n_outputs, deferred->options->reply_as_tensor_content);
}

static Error *submit(Call *call, const Worker *worker, const PredictRequest *request,
                     Handle *handle)
{
    Arena *arena = call_arena(call);
    const Signature *signature;
    DeferredPredict *predict = arena_calloc(arena, 1, sizeof(*predict));
    if (predict == NULL)
        return error_out_of_memory();
    BatchTask *task = &predict->deferred.task;
    TRY(prepare(handle->model, request, worker->options, arena, &signature, &task->inputs));
    task->n_inputs = request->n_inputs;
    task->output_filter = request->output_filter;
    task->n_filter = request->n_filter;
    predict->spec = request->spec;
    predict->deferred.answer = answer;
    return deferred_submit(&predict->deferred, call, worker, handle, signature);
}

/* ---- the handler ----------------------------------------------------------------------------- */

static Error *predict(Call *call, Worker *worker)
{
    Arena *arena = call_arena(call);
    _cleanup_(handle_release) Handle handle = { 0 };
    PredictRequest request;
    NamedTensor *outputs;
    size_t n_outputs;
    TRY(request_read_predict(arena, call_request(call), &request));
    TRY(spec_acquire(&request.spec, worker->reader, &handle));
    if (deferred_is_wanted(worker, handle.model))
        return submit(call, worker, &request, &handle);
    const RunCancel cancel = { call_is_cancelled, call };
    const RunOptions options = { .deadline_ns = call_deadline_ns(call), .cancel = &cancel };
    TRY(predict_run(handle.model, &request, worker->options, &options, worker_scratch(worker),
                    arena, &outputs, &n_outputs));
    return reply_outputs(call, &request.spec, handle.version, outputs, n_outputs,
                         worker->options->reply_as_tensor_content);
}

void predict_handle(Call *call, void *context)
{
    reply_error(call, predict(call, context));
}
