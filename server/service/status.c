/* SPDX-License-Identifier: Apache-2.0
 *
 * GetModelStatus. Looks at the name and the version alone: a version label is ignored, as
 * TensorFlow Serving does.
 */
#include "server/service/status.h"

#include "server/service/reply.h"
#include "server/service/request.h"
#include "server/service/worker.h"

typedef Tensorflow__Serving__GetModelStatusResponse Response;
typedef Tensorflow__Serving__ModelVersionStatus Status;
typedef Tensorflow__Serving__StatusProto Proto;

static Error *add_status(Arena *arena, const VersionStatus *from, Status **ret_status)
{
    Status *status = arena_alloc(arena, sizeof(*status));
    Proto *proto = arena_alloc(arena, sizeof(*proto));
    char *text = arena_strdup(arena, from->text);
    if (status == NULL || proto == NULL || text == NULL)
        return error_out_of_memory();
    tensorflow__serving__model_version_status__init(status);
    tensorflow__serving__status_proto__init(proto);
    proto->error_code = (Tensorflow__Error__Code)from->code;
    proto->error_message = text;
    status->version = from->version;
    status->state = (Tensorflow__Serving__ModelVersionStatus__State)from->state;
    status->status = proto;
    *ret_status = status;
    return NULL;
}

Error *status_read(Manager *manager, const ModelSpec *spec, Arena *arena, Response *ret_response)
{
    VersionStatus *statuses;
    size_t n;
    TRY(manager_status(manager, spec->name, spec_version(spec), arena, &statuses, &n));
    Response response = TENSORFLOW__SERVING__GET_MODEL_STATUS_RESPONSE__INIT;
    response.model_version_status = arena_calloc(arena, n, sizeof(Status *));
    if (response.model_version_status == NULL)
        return error_out_of_memory();
    for (; response.n_model_version_status < n; response.n_model_version_status++) {
        size_t i = response.n_model_version_status;
        TRY(add_status(arena, &statuses[i], &response.model_version_status[i]));
    }
    *ret_response = response;
    return NULL;
}

static Error *model_status(Call *call, Worker *worker)
{
    ModelSpec spec;
    Response response;
    TRY(request_read_status(call_request(call), &spec));
    if (!spec.is_there)
        return spec_missing();
    TRY(status_read(worker->manager, &spec, call_arena(call), &response));
    return reply_message(call, &response.base);
}

void status_handle(Call *call, void *context)
{
    reply_error(call, model_status(call, context));
}
