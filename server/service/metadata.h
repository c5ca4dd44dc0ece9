/* SPDX-License-Identifier: Apache-2.0
 *
 * PredictionService.GetModelMetadata: the signatures of a version.
 */
#ifndef DIGIT_SERVER_SERVICE_METADATA_H
#define DIGIT_SERVER_SERVICE_METADATA_H

#include "server/grpc/call.h"

/* Handler of a Method; `context` is the thread's Worker. */
void metadata_handle(Call *call, void *context);

#endif
