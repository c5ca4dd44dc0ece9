/* SPDX-License-Identifier: Apache-2.0
 *
 * Health. A service that there is none of is an error of Check, but a status of Watch, since it may
 * come: its stream stays open.
 * https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 */
#include "server/service/health.h"

#include "grpc/health/v1/health.pb-c.h"
#include "server/service/reply.h"
#include "server/service/request.h"
#include "server/service/worker.h"

typedef Grpc__Health__V1__HealthCheckResponse Response;
typedef Grpc__Health__V1__HealthCheckResponse__ServingStatus ServingStatus;
typedef Grpc__Health__V1__HealthListResponse__StatusesEntry Entry;

static Error *answer(Call *call, Worker *worker, bool may_be_unknown)
{
    Bytes service;
    TRY(request_read_health(call_request(call), &service));
    HealthStatus status = manager_health(worker->manager, service);
    if (status == HEALTH_UNKNOWN && !may_be_unknown)
        return error_new(ERROR_NOT_FOUND, "unknown service %.*s", SHOWN(service));
    Response response = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
    response.status = (ServingStatus)status;
    return reply_message(call, &response.base);
}

/* An entry of the map; a model may have gone since its name was read, and is unknown then. */
static Error *add_entry(Call *call, Worker *worker, const char *name, Entry **ret_entry)
{
    Entry *entry = arena_alloc(call_arena(call), sizeof(*entry));
    Response *response = arena_alloc(call_arena(call), sizeof(*response));
    char *key = arena_strdup(call_arena(call), name);
    if (entry == NULL || response == NULL || key == NULL)
        return error_out_of_memory();
    grpc__health__v1__health_list_response__statuses_entry__init(entry);
    grpc__health__v1__health_check_response__init(response);
    response->status = (ServingStatus)manager_health(worker->manager, bytes_of_text(name));
    entry->key = key;
    entry->value = response;
    *ret_entry = entry;
    return NULL;
}

static Error *list(Call *call, Worker *worker)
{
    const char **models;
    size_t n_models, n_services;
    const char *const *services = manager_services(&n_services);
    TRY(manager_models(worker->manager, call_arena(call), &models, &n_models));
    size_t n = n_services + n_models;
    Grpc__Health__V1__HealthListResponse response = GRPC__HEALTH__V1__HEALTH_LIST_RESPONSE__INIT;
    response.statuses = arena_calloc(call_arena(call), n, sizeof(Entry *));
    if (response.statuses == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < n; i++)
        TRY(add_entry(call, worker, i < n_services ? services[i] : models[i - n_services],
                      &response.statuses[i]));
    response.n_statuses = n;
    return reply_message(call, &response.base);
}

void health_check_handle(Call *call, void *context)
{
    reply_error(call, answer(call, context, false));
}

void health_watch_handle(Call *call, void *context)
{
    reply_error(call, answer(call, context, true));
}

void health_list_handle(Call *call, void *context)
{
    reply_error(call, list(call, context));
}
