/* SPDX-License-Identifier: Apache-2.0
 *
 * HandleReloadConfigRequest. The request is read on the queue's thread; the loop, to which the
 * manager belongs, takes it from there, and ends the call when the models of the new configuration
 * are up or have failed. Nobody waits meanwhile. A client that goes away changes nothing: what it
 * has asked for is done.
 *
 * metric_names is not looked at: no metric is told of in the reply.
 */
#include "server/service/reload.h"

#include "model/base/log.h"
#include "model/base/message.h"
#include "server/config/model_list.h"
#include "server/manager/manager.h"
#include "server/service/reply.h"
#include "server/service/worker.h"
#include "tensorflow_serving/apis/model_management.pb-c.h"

typedef Tensorflow__Serving__ReloadConfigRequest Request;
typedef Tensorflow__Serving__ReloadConfigResponse Response;
typedef Tensorflow__Serving__ModelServerConfig Config;

/* In its call's arena. */
typedef struct Change {
    LoopTask task;
    Call *call;
    Manager *manager;
    ModelList list;
} Change;

static void on_reloaded(void *data, Error *error)
{
    Call *call = ((Change *)data)->call; /* the change goes with the call */
    if (error == NULL) {
        Tensorflow__Serving__StatusProto status = TENSORFLOW__SERVING__STATUS_PROTO__INIT;
        Response response = TENSORFLOW__SERVING__RELOAD_CONFIG_RESPONSE__INIT;
        response.status = &status;
        error = reply_message(call, &response.base);
    }
    reply_error(call, error);
}

static void run_reload(void *data)
{
    Change *change = data;
    log_info("config", "a client changes the configuration: %zu models", change->list.n);
    Error *error =
        manager_reload(change->manager, change->list.models, change->list.n, on_reloaded, change);
    if (error != NULL)
        on_reloaded(change, error);
}

static Error *read_change(Call *call, Change *change)
{
    Arena *arena = call_arena(call);
    Bytes wire = call_request(call);
    ProtobufCMessage *message;
    TRY(message_unpack(arena, &tensorflow__serving__reload_config_request__descriptor,
                       "the request", wire.data, wire.size, &message));
    const Config *config = ((const Request *)message)->config;
    if (config == NULL ||
        config->config_case != TENSORFLOW__SERVING__MODEL_SERVER_CONFIG__CONFIG_MODEL_CONFIG_LIST)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "ServerModelConfig type not supported by HandleReloadConfigRequest. Only "
                         "ModelConfigList is currently supported");
    return model_list_of_message(arena, config, &change->list);
}

static Error *reload(Call *call, Worker *worker)
{
    Change *change = arena_calloc(call_arena(call), 1, sizeof(*change));
    if (change == NULL)
        return error_out_of_memory();
    TRY(read_change(call, change));
    change->call = call;
    change->manager = worker->manager;
    change->task = (LoopTask){ .run = run_reload, .data = change };
    call_defer(call);
    loop_post(manager_loop(worker->manager), &change->task);
    return NULL;
}

void reload_handle(Call *call, void *context)
{
    reply_error(call, reload(call, context));
}
