/* SPDX-License-Identifier: Apache-2.0
 *
 * PredictionService.Predict: any signature, tensors in and out.
 */
#ifndef DIGIT_SERVER_SERVICE_PREDICT_H
#define DIGIT_SERVER_SERVICE_PREDICT_H

#include "server/grpc/call.h"
#include "server/service/request.h"
#include "server/service/worker.h"

/* Handler of a Method; `context` is the thread's Worker. */
void predict_handle(Call *call, void *context);

/* What a request asks of `model`, whose name and version are not looked at any more. Inputs and
 * outputs as signature_run; FAILED_PRECONDITION `Serving signature key "S" not found.`; INVALID_ARGUMENT
 * `tensor parsing error: ALIAS`; RESOURCE_EXHAUSTED when the tensors claim more than the arena may
 * give. */
Error *predict_run(const Model *model, const PredictRequest *request, const ServiceOptions *service,
                   const RunOptions *options, Scratch *scratch, Arena *arena,
                   NamedTensor **ret_outputs, size_t *ret_n) _warn_unused_result_;

/* When the operator wants it: INTERNAL for a signature whose method_name is not that of an RPC that
 * Predict may stand for. */
Error *predict_check_method(const ServiceOptions *service,
                            const Signature *signature) _warn_unused_result_;

#endif
