/* SPDX-License-Identifier: Apache-2.0
 *
 * grpc.health.v1.Health.Check: what Kubernetes' probes ask.
 */
#ifndef DIGIT_SERVER_SERVICE_HEALTH_H
#define DIGIT_SERVER_SERVICE_HEALTH_H

#include "server/grpc/call.h"

/* Handler of a Method; `context` is the thread's Worker. */
void health_handle(Call *call, void *context);

#endif
