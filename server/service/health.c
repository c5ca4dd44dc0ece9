/* SPDX-License-Identifier: Apache-2.0
 *
 * Health.Check. A service that there is none of is an error, as the protocol demands of Check.
 * https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 */
#include "server/service/health.h"

#include "grpc/health/v1/health.pb-c.h"
#include "server/service/reply.h"
#include "server/service/request.h"
#include "server/service/worker.h"

static Error *health(Call *call, Worker *worker)
{
    Bytes service;
    TRY(request_read_health(call_request(call), &service));
    HealthStatus status = manager_health(worker->manager, service);
    if (status == HEALTH_UNKNOWN)
        return error_new(ERROR_NOT_FOUND, "unknown service %.*s", SHOWN(service));
    Grpc__Health__V1__HealthCheckResponse response = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
    response.status = (Grpc__Health__V1__HealthCheckResponse__ServingStatus)status;
    return reply_message(call, &response.base);
}

void health_handle(Call *call, void *context)
{
    reply_error(call, health(call, context));
}
