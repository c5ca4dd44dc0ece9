/* SPDX-License-Identifier: Apache-2.0
 *
 * Replies: what a handler ends its call with. A reply is written once, straight into the memory
 * that gRPC sends.
 */
#ifndef DIGIT_SERVER_SERVICE_REPLY_H
#define DIGIT_SERVER_SERVICE_REPLY_H

#include <protobuf-c/protobuf-c.h>

#include "model/heads.h"
#include "server/grpc/call.h"
#include "server/service/spec.h"

/* Each of these ends the call, and gives an Error only when it could not: RESOURCE_EXHAUSTED for a
 * reply over 2 GiB (protobuf's own limit) or when memory is out. */

/* PredictResponse; tensors as tensor_content, or as typed values. */
Error *reply_outputs(Call *call, const ModelSpec *spec, int64_t version, const NamedTensor *outputs,
                     size_t n_outputs, bool as_content) _warn_unused_result_;

/* What a classify or regress signature has answered, and which. */
typedef struct Inference {
    const ModelSpec *spec; /* as it was asked for */
    int64_t version;
    bool is_regression;
    union {
        Classification classification;
        Regression regression;
    };
} Inference;

/* ClassificationResponse or RegressionResponse. */
Error *reply_inference(Call *call, const Inference *inference) _warn_unused_result_;

/* MultiInferenceResponse. */
Error *reply_inferences(Call *call, const Inference *inferences, size_t n) _warn_unused_result_;

/* GetModelMetadataResponse with the packed SignatureDefMap `signatures`. */
Error *reply_signatures(Call *call, const ModelSpec *spec, int64_t version,
                        Bytes signatures) _warn_unused_result_;

/* Any other message. */
Error *reply_message(Call *call, const ProtobufCMessage *message) _warn_unused_result_;

/* The room for a reply of exactly `bytes` bytes, to be filled before call_reply_send. */
Error *reply_begin(Call *call, size_t bytes, uint8_t **ret_out) _warn_unused_result_;

/* Ends the call with `error`, which it takes; NULL does nothing. Its text is cut at 1024 bytes, as
 * TensorFlow Serving does, since it becomes a header. */
void reply_error(Call *call, Error *error);

#endif
