/* SPDX-License-Identifier: Apache-2.0
 *
 * grpc.health.v1.Health: what Kubernetes' probes and balancing clients ask.
 */
#ifndef DIGIT_SERVER_SERVICE_HEALTH_H
#define DIGIT_SERVER_SERVICE_HEALTH_H

#include "server/grpc/call.h"

/* Handlers of Methods; `context` is the thread's Worker. */
void health_check_handle(Call *call, void *context);
void health_list_handle(Call *call, void *context);
void health_watch_handle(Call *call, void *context); /* of a subscription */

#endif
