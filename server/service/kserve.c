/* SPDX-License-Identifier: Apache-2.0
 *
 * The RPCs of GRPCInferenceService. A model that is not there is not ready, which is no error, as
 * Triton has it; everything else about one is NOT_FOUND.
 *
 * Metadata is the default signature's. What TensorFlow knows and the protocol cannot say is said
 * like this: a shape of unknown rank is [-1], and a type without a v2 datatype has TensorFlow's name.
 */
#include "server/service/kserve.h"

#include <inttypes.h>

#include "inference/open_inference_grpc.pb-c.h"
#include "server/service/kserve_infer.h"
#include "server/service/kserve_reply.h"
#include "server/service/kserve_tensor.h"
#include "server/service/reply.h"
#include "server/service/worker.h"

#define PLATFORM "tensorflow_savedmodel"

typedef Inference__ModelMetadataResponse MetadataResponse;
typedef Inference__ModelMetadataResponse__TensorMetadata TensorMetadata;

/* ---- the server ------------------------------------------------------------------------------ */

void server_live_handle(Call *call, _unused_ void *context)
{
    Inference__ServerLiveResponse response = INFERENCE__SERVER_LIVE_RESPONSE__INIT;
    response.live = true;
    reply_error(call, reply_message(call, &response.base));
}

void server_ready_handle(Call *call, void *context)
{
    const Worker *worker = context;
    Inference__ServerReadyResponse response = INFERENCE__SERVER_READY_RESPONSE__INIT;
    response.ready = manager_health(worker->manager, bytes_of_text("")) == HEALTH_SERVING;
    reply_error(call, reply_message(call, &response.base));
}

void server_metadata_handle(Call *call, _unused_ void *context)
{
    Inference__ServerMetadataResponse response = INFERENCE__SERVER_METADATA_RESPONSE__INIT;
    response.name = (char *)"digit";
    response.version = (char *)DIGIT_VERSION;
    reply_error(call, reply_message(call, &response.base));
}

/* ---- ModelReady ------------------------------------------------------------------------------ */

/* Whether the version, or one of them, is up. */
static Error *is_version_up(Call *call, const Worker *worker, const KserveModel *model, bool *ret)
{
    bool is_latest, is_up = false;
    int64_t version;
    VersionStatus *statuses;
    size_t n;
    TRY(kserve_version(model, &is_latest, &version));
    Error *error = manager_status(worker->manager, model->name, is_latest ? NULL : &version,
                                  call_arena(call), &statuses, &n);
    if (error != NULL && error->code == ERROR_NOT_FOUND) {
        error = error_free(error);
        n = 0;
    }
    TRY(error);
    for (size_t i = 0; i < n; i++)
        is_up |= statuses[i].state == VERSION_AVAILABLE;
    *ret = is_up;
    return NULL;
}

static Error *model_ready(Call *call, const Worker *worker)
{
    KserveModel model;
    bool is_up;
    TRY(kserve_request_read_model(call_request(call), &model));
    TRY(is_version_up(call, worker, &model, &is_up));
    Inference__ModelReadyResponse response = INFERENCE__MODEL_READY_RESPONSE__INIT;
    response.ready = is_up && manager_health(worker->manager, model.name) == HEALTH_SERVING;
    return reply_message(call, &response.base);
}

void model_ready_handle(Call *call, void *context)
{
    reply_error(call, model_ready(call, context));
}

/* ---- ModelMetadata --------------------------------------------------------------------------- */

/* The versions that are up, ascending. */
static Error *add_versions(Arena *arena, const Worker *worker, Bytes name,
                           MetadataResponse *response)
{
    VersionStatus *statuses;
    size_t n;
    TRY(manager_status(worker->manager, name, NULL, arena, &statuses, &n));
    response->versions = arena_calloc(arena, n, sizeof(char *));
    if (response->versions == NULL)
        return error_out_of_memory();
    for (size_t i = n; i-- > 0;) {
        if (statuses[i].state != VERSION_AVAILABLE)
            continue;
        char *text = arena_printf(arena, "%" PRId64, statuses[i].version);
        if (text == NULL)
            return error_out_of_memory();
        response->versions[response->n_versions++] = text;
    }
    return NULL;
}

static TensorMetadata *tensor_metadata(Arena *arena, const SignatureTensor *tensor)
{
    TensorMetadata *metadata = arena_alloc(arena, sizeof(*metadata));
    if (metadata == NULL)
        return NULL;
    inference__model_metadata_response__tensor_metadata__init(metadata);
    const char *datatype = kserve_datatype(tensor->dtype);
    Shape shape = tensor->shape.rank == SHAPE_UNKNOWN_RANK ? shape_of(-1) : tensor->shape;
    metadata->name = (char *)tensor->alias;
    metadata->datatype = (char *)(datatype != NULL ? datatype : dtype_enum_name(tensor->dtype));
    metadata->n_shape = (size_t)shape.rank;
    metadata->shape = arena_memdup(arena, shape.dims, sizeof(shape.dims));
    return metadata->shape != NULL ? metadata : NULL;
}

static Error *list_tensors(Arena *arena, const SignatureTensor *tensors, size_t n,
                           TensorMetadata ***ret_list)
{
    TensorMetadata **list = arena_calloc(arena, n, sizeof(*list));
    if (list == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < n; i++) {
        list[i] = tensor_metadata(arena, &tensors[i]);
        if (list[i] == NULL)
            return error_out_of_memory();
    }
    *ret_list = list;
    return NULL;
}

static Error *model_metadata(Call *call, const Worker *worker)
{
    Arena *arena = call_arena(call);
    _cleanup_(handle_release) Handle handle = { 0 };
    MetadataResponse response = INFERENCE__MODEL_METADATA_RESPONSE__INIT;
    const Signature *signature;
    KserveModel model;
    TRY(kserve_request_read_model(call_request(call), &model));
    TRY(kserve_acquire(&model, worker->reader, &handle));
    TRY(error_prefix(kserve_find_signature(handle.model, bytes_of_text(""), arena, &signature),
                     "model %.*s", SHOWN(model.name)));
    TRY(add_versions(arena, worker, model.name, &response));
    TRY(list_tensors(arena, signature->inputs, signature->n_inputs, &response.inputs));
    TRY(list_tensors(arena, signature->outputs, signature->n_outputs, &response.outputs));
    response.name = arena_strndup(arena, (const char *)model.name.data, model.name.size);
    if (response.name == NULL)
        return error_out_of_memory();
    response.n_inputs = signature->n_inputs;
    response.n_outputs = signature->n_outputs;
    response.platform = (char *)PLATFORM;
    return reply_message(call, &response.base);
}

void model_metadata_handle(Call *call, void *context)
{
    reply_error(call, model_metadata(call, context));
}

/* ---- ModelInfer ------------------------------------------------------------------------------ */

static Error *model_infer(Call *call, Worker *worker)
{
    Arena *arena = call_arena(call);
    _cleanup_(handle_release) Handle handle = { 0 };
    KserveRequest request;
    NamedTensor *outputs;
    size_t n_outputs;
    TRY(kserve_request_read(arena, call_request(call), &request));
    TRY(kserve_acquire(&request.model, worker->reader, &handle));
    const RunCancel cancel = { call_is_cancelled, call };
    const RunOptions options = { .deadline_ns = call_deadline_ns(call), .cancel = &cancel };
    TRY(kserve_run(handle.model, &request, &options, worker_scratch(worker), arena, &outputs,
                   &n_outputs));
    return kserve_reply(call, &request, handle.version, outputs, n_outputs);
}

void model_infer_handle(Call *call, void *context)
{
    reply_error(call, model_infer(call, context));
}
