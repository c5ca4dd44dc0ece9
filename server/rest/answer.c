/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers. What a request means, from its body to the run, is what gRPC's services do with theirs;
 * here are only the JSON around it and the texts that TensorFlow Serving has for REST alone.
 */
#include "server/rest/answer.h"

#include "model/base/message.h"
#include "server/rest/examples_json.h"
#include "server/rest/json_write.h"
#include "server/rest/message_json.h"
#include "server/rest/predict_json.h"
#include "server/service/infer.h"
#include "server/service/predict.h"
#include "server/service/status.h"
#include "tensorflow_serving/apis/get_model_metadata.pb-c.h"

/* ---- predict, classify, regress -------------------------------------------------------------- */

static Error *find_signature(const Model *model, const ModelSpec *spec, const Signature **ret)
{
    Bytes name = spec_signature_name(spec);
    *ret = model_find_signature(model, name);
    return *ret != NULL ? NULL
                        : error_new(ERROR_INVALID_ARGUMENT,
                                    "Serving signature name: \"%.*s\" not found in signature def",
                                    SHOWN(name));
}

static Error *predict(const Route *route, Bytes body, const RunOptions *options, Worker *worker,
                      Arena *arena, Buf *reply)
{
    _cleanup_(handle_release) Handle handle = { 0 };
    ModelSpec spec = route->spec;
    PredictJson request;
    const Signature *signature;
    NamedTensor *inputs, *outputs;
    size_t n_inputs, n_outputs;
    TRY(predict_json_open(arena, (const char *)body.data, body.size, &request));
    spec.signature_name = request.signature_name;
    TRY(spec_acquire(&spec, worker->reader, &handle));
    TRY(find_signature(handle.model, &spec, &signature));
    TRY(predict_json_inputs(arena, &request, signature, &inputs, &n_inputs));
    TRY(predict_check_method(worker->options, signature));
    TRY(signature_run(handle.model, signature, inputs, n_inputs, NULL, 0, options,
                      worker_scratch(worker), arena, &outputs, &n_outputs));
    return predict_json_reply(&request, outputs, n_outputs, reply);
}

static Error *infer(const Route *route, Bytes body, const RunOptions *options, Worker *worker,
                    Arena *arena, Buf *reply)
{
    _cleanup_(handle_release) Handle handle = { 0 };
    bool is_regression = route->kind == ROUTE_REGRESS;
    ModelSpec spec = route->spec;
    Inference inference = { .spec = &spec, .is_regression = is_regression };
    Json document;
    Bytes *examples;
    size_t n_examples;
    TRY(body_json_open(arena, (const char *)body.data, body.size, &document, &spec.signature_name));
    TRY(examples_from_json(arena, document, is_regression ? "regress" : "classify", &examples,
                           &n_examples));
    TRY(spec_acquire(&spec, worker->reader, &handle));
    TRY(infer_run(handle.model, examples, n_examples, worker->options, options,
                  worker_scratch(worker), arena, &inference));
    return is_regression ? regression_to_json(&inference.regression, reply)
                         : classification_to_json(&inference.classification, reply);
}

/* ---- metadata -------------------------------------------------------------------------------- */

static Error *metadata(const Route *route, Worker *worker, Arena *arena, Buf *reply)
{
    _cleanup_(handle_release) Handle handle = { 0 };
    ProtobufCMessage *map;
    TRY(spec_acquire(&route->spec, worker->reader, &handle));
    Bytes signatures = model_signature_def_map(handle.model);
    TRY(message_unpack(arena, &tensorflow__serving__signature_def_map__descriptor, "the signatures",
                       signatures.data, signatures.size, &map));
    TRY(buf_append_text(reply, "{\n    \"model_spec\": {\n        \"name\": "));
    TRY(json_write_string(reply, route->spec.name));
    TRY(buf_printf(reply,
                   ",\n        \"signature_name\": \"\",\n        \"version\": \"%lld\"\n    },\n"
                   "    \"metadata\": {\n        \"signature_def\": ",
                   (long long)handle.version));
    TRY(message_to_json(map, 8, reply));
    return buf_append_text(reply, "\n    }\n}");
}

/* ---- states ---------------------------------------------------------------------------------- */

static Error *status(Manager *manager, const ModelSpec *spec, Arena *arena, int indent, Buf *reply)
{
    Tensorflow__Serving__GetModelStatusResponse response;
    TRY(status_read(manager, spec, arena, &response));
    return message_to_json(&response.base, indent, reply);
}

/* A model that has no version yet is one without status. */
static Error *list_model(Manager *manager, const char *name, Arena *arena, Buf *reply)
{
    ModelSpec spec = { .is_there = true, .name = bytes_of_text(name) };
    TRY(buf_append_text(reply, "\n        {\"name\": "));
    TRY(json_write_string(reply, spec.name));
    TRY(buf_append_text(reply, ", \"status\": "));
    Error *error = status(manager, &spec, arena, 8, reply);
    if (error != NULL && error->code == ERROR_NOT_FOUND) {
        error_free(error);
        error = buf_append_text(reply, "{\"model_version_status\": []}");
    }
    TRY(error);
    return buf_append_text(reply, "}");
}

static Error *list(Manager *manager, Arena *arena, Buf *reply)
{
    const char **names;
    size_t n;
    TRY(manager_models(manager, arena, &names, &n));
    TRY(buf_append_text(reply, "{\n    \"models\": ["));
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            TRY(buf_append_text(reply, ","));
        TRY(list_model(manager, names[i], arena, reply));
    }
    return buf_append_text(reply, "\n    ]\n}");
}

static Error *ready(Manager *manager, Buf *reply)
{
    if (manager_health(manager, bytes_of_text("")) != HEALTH_SERVING)
        return error_new(ERROR_UNAVAILABLE,
                         "not ready: a model has no version up, or the server is stopping");
    return buf_append_text(reply, "{\n    \"status\": \"ready\"\n}");
}

/* ---- the door -------------------------------------------------------------------------------- */

bool answer_computes(const Route *route)
{
    return route->kind == ROUTE_PREDICT || route->kind == ROUTE_CLASSIFY ||
           route->kind == ROUTE_REGRESS || route->kind == ROUTE_METADATA;
}

Error *answer_compute(const Route *route, Bytes body, uint64_t deadline_ns, Worker *worker,
                      Arena *arena, Buf *reply)
{
    RunOptions options = { .deadline_ns = deadline_ns };
    if (route->kind == ROUTE_METADATA)
        return metadata(route, worker, arena, reply);
    if (route->kind == ROUTE_PREDICT)
        return predict(route, body, &options, worker, arena, reply);
    return infer(route, body, &options, worker, arena, reply);
}

Error *answer_state(const Route *route, Manager *manager, Arena *arena, Buf *reply)
{
    switch (route->kind) {
    case ROUTE_LIST:
        return list(manager, arena, reply);
    case ROUTE_READY:
        return ready(manager, reply);
    case ROUTE_LIVE:
        return buf_append_text(reply, "{\n    \"status\": \"alive\"\n}");
    default:
        return status(manager, &route->spec, arena, 0, reply);
    }
}

static Error *write_error(const Error *error, Buf *reply)
{
    TRY(buf_append_text(reply, "{\n    \"error\": "));
    TRY(json_write_string(reply, bytes_of_text(error->text)));
    return buf_append_text(reply, "\n}");
}

void answer_error(const Error *error, Buf *reply)
{
    reply->size = 0;
    error_free(write_error(error, reply));
}

unsigned answer_http_status(ErrorCode code)
{
    static const unsigned short statuses[] = {
        [ERROR_OK] = 200,
        [ERROR_CANCELLED] = 499,
        [ERROR_UNKNOWN] = 500,
        [ERROR_INVALID_ARGUMENT] = 400,
        [ERROR_DEADLINE_EXCEEDED] = 504,
        [ERROR_NOT_FOUND] = 404,
        [ERROR_ALREADY_EXISTS] = 409,
        [ERROR_PERMISSION_DENIED] = 403,
        [ERROR_RESOURCE_EXHAUSTED] = 429,
        [ERROR_FAILED_PRECONDITION] = 400,
        [ERROR_ABORTED] = 409,
        [ERROR_OUT_OF_RANGE] = 400,
        [ERROR_UNIMPLEMENTED] = 501,
        [ERROR_INTERNAL] = 500,
        [ERROR_UNAVAILABLE] = 503,
        [ERROR_DATA_LOSS] = 500,
        [ERROR_UNAUTHENTICATED] = 401,
    };
    return (unsigned)code < ARRAY_SIZE(statuses) ? statuses[code] : 500;
}
