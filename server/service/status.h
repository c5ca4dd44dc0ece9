/* SPDX-License-Identifier: Apache-2.0
 *
 * ModelService.GetModelStatus: the versions of a model and their states.
 */
#ifndef DIGIT_SERVER_SERVICE_STATUS_H
#define DIGIT_SERVER_SERVICE_STATUS_H

#include "server/grpc/call.h"

/* Handler of a Method; `context` is the thread's Worker. */
void status_handle(Call *call, void *context);

#endif
