/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests: the messages of PredictionService and ModelService, read along the wire. Everything in
 * them is borrowed from the request's bytes, arrays lie in the arena.
 *
 * Each function gives INVALID_ARGUMENT when the bytes are no such message, and RESOURCE_EXHAUSTED
 * when the arena is full. Unknown fields are read over.
 */
#ifndef DIGIT_SERVER_SERVICE_REQUEST_H
#define DIGIT_SERVER_SERVICE_REQUEST_H

#include "model/base/arena.h"
#include "server/service/spec.h"

/* An entry of PredictRequest.inputs: the TensorProto is not looked into. */
typedef struct RequestInput {
    Bytes name;
    Bytes tensor_proto;
} RequestInput;

/* More than this many inputs are refused: nobody has them, and they are compared pair by pair. */
#define REQUEST_MAX_INPUTS 4096

typedef struct PredictRequest {
    ModelSpec spec;
    RequestInput *inputs; /* [n_inputs] each name once: the last entry of a name counts */
    size_t n_inputs;
    Bytes *output_filter; /* [n_filter] */
    size_t n_filter;
} PredictRequest;

Error *request_read_predict(Arena *arena, Bytes wire,
                            PredictRequest *ret_request) _warn_unused_result_;

/* A ClassificationRequest or a RegressionRequest, which are alike. */
typedef struct ExamplesRequest {
    ModelSpec spec;
    /* [n_examples] serialized tf.Examples as they came; a common context stands before each, which
     * is how protobuf merges messages. */
    Bytes *examples;
    size_t n_examples;
} ExamplesRequest;

Error *request_read_examples(Arena *arena, Bytes wire,
                             ExamplesRequest *ret_request) _warn_unused_result_;

typedef struct InferenceTask {
    ModelSpec spec;
    Bytes method_name;
} InferenceTask;

typedef struct MultiInferenceRequest {
    InferenceTask *tasks; /* [n_tasks], REQUEST_MAX_INPUTS at most */
    size_t n_tasks;
    Bytes *examples; /* as in ExamplesRequest */
    size_t n_examples;
} MultiInferenceRequest;

Error *request_read_multi_inference(Arena *arena, Bytes wire,
                                    MultiInferenceRequest *ret_request) _warn_unused_result_;

typedef struct MetadataRequest {
    ModelSpec spec;
    Bytes *fields; /* [n_fields] metadata_field */
    size_t n_fields;
} MetadataRequest;

Error *request_read_metadata(Arena *arena, Bytes wire,
                             MetadataRequest *ret_request) _warn_unused_result_;

/* GetModelStatusRequest, of which only the spec is there. */
Error *request_read_status(Bytes wire, ModelSpec *ret_spec) _warn_unused_result_;

/* grpc.health.v1.HealthCheckRequest. */
Error *request_read_health(Bytes wire, Bytes *ret_service) _warn_unused_result_;

/* The sub-message `number` of a message that has been checked: where it is there more than once
 * protobuf merges, which is what joining the bytes does. Empty when it is not there. */
Error *request_merged_field(Arena *arena, Bytes wire, uint32_t number,
                            Bytes *ret_merged) _warn_unused_result_;

#endif
