/* SPDX-License-Identifier: Apache-2.0
 *
 * ModelService.HandleReloadConfigRequest: another configuration while the server runs.
 */
#ifndef DIGIT_SERVER_SERVICE_RELOAD_H
#define DIGIT_SERVER_SERVICE_RELOAD_H

#include "server/grpc/call.h"

/* Handler of a Method, which defers its calls; `context` is the thread's Worker. */
void reload_handle(Call *call, void *context);

#endif
