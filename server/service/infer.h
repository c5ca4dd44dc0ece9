/* SPDX-License-Identifier: Apache-2.0
 *
 * Classify, Regress and MultiInference: signatures that take serialized tf.Examples.
 */
#ifndef DIGIT_SERVER_SERVICE_INFER_H
#define DIGIT_SERVER_SERVICE_INFER_H

#include "server/grpc/call.h"
#include "server/service/reply.h"
#include "server/service/request.h"
#include "server/service/worker.h"

/* The handlers; `context` is the thread's Worker. */
void classify_handle(Call *call, void *context);
void regress_handle(Call *call, void *context);
void multi_inference_handle(Call *call, void *context);

/* Runs the signature that `inference->spec` asks for, as the kind of head that is_regression says, on
 * examples[0..n_examples), and fills the result, which is valid as a run's outputs. Errors: those of
 * heads.h. */
Error *infer_run(const Model *model, const Bytes *examples, size_t n_examples,
                 const ServiceOptions *service, const RunOptions *options, Scratch *scratch,
                 Arena *arena, Inference *inference) _warn_unused_result_;

/* The same for each task of a request, in order: results in `arena`, versions not filled. */
Error *infer_run_multi(const Model *model, const MultiInferenceRequest *request,
                       const ServiceOptions *service, const RunOptions *options, Scratch *scratch,
                       Arena *arena, Inference **ret_inferences) _warn_unused_result_;

#endif
