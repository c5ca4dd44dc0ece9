/* SPDX-License-Identifier: Apache-2.0
 *
 * inference.GRPCInferenceService: KServe's Open Inference Protocol v2, which Triton's clients speak.
 */
#ifndef DIGIT_SERVER_SERVICE_KSERVE_H
#define DIGIT_SERVER_SERVICE_KSERVE_H

#include "server/grpc/call.h"

/* The handlers; `context` is the thread's Worker. */
void server_live_handle(Call *call, void *context);
void server_ready_handle(Call *call, void *context);
void model_ready_handle(Call *call, void *context);
void server_metadata_handle(Call *call, void *context);
void model_metadata_handle(Call *call, void *context);
void model_infer_handle(Call *call, void *context);

#endif
