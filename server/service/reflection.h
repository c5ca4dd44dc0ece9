/* SPDX-License-Identifier: Apache-2.0
 *
 * grpc.reflection.v1 and v1alpha, which are the same on the wire: clients learn services and
 * messages from the server, so that grpcurl and its like need no .proto files.
 */
#ifndef DIGIT_SERVER_SERVICE_REFLECTION_H
#define DIGIT_SERVER_SERVICE_REFLECTION_H

#include "server/grpc/call.h"

/* Handler of a chat. */
void reflection_handle(Call *call, void *context);

#endif
