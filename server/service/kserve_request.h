/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests of KServe's Open Inference Protocol v2: what they ask, apart from how it came, and
 * reading them along gRPC's wire. Everything in them is borrowed from the request's bytes, or lies
 * in the arena.
 */
#ifndef DIGIT_SERVER_SERVICE_KSERVE_REQUEST_H
#define DIGIT_SERVER_SERVICE_KSERVE_REQUEST_H

#include "model/model.h"

/* Which model: the whole of ModelReadyRequest and ModelMetadataRequest. */
typedef struct KserveModel {
    Bytes name;
    Bytes version; /* a number; "" stands for the latest */
} KserveModel;

typedef struct KserveRequest {
    KserveModel model;
    Bytes id;             /* echoed */
    Bytes signature_name; /* the parameter signature_name; "" when it is not there */
    NamedTensor *inputs;  /* [n_inputs] as they came: a name may be wrong, or there twice */
    size_t n_inputs;
    Bytes *output_filter; /* [n_filter] the names of the wanted outputs; none means all */
    size_t n_filter;
    bool is_raw; /* nothing in it is typed, and neither should the reply be */
} KserveRequest;

/* ModelInferRequest. INVALID_ARGUMENT when the bytes are none, and for an input's datatype, shape or
 * values: those name the model and the input. UNIMPLEMENTED for a parameter that asks for
 * another reply: shared memory, classification. RESOURCE_EXHAUSTED when the arena is full. */
Error *kserve_request_read(Arena *arena, Bytes wire,
                           KserveRequest *ret_request) _warn_unused_result_;

/* INVALID_ARGUMENT when the bytes are no message of that kind, or name no model. */
Error *kserve_request_read_model(Bytes wire, KserveModel *ret_model) _warn_unused_result_;

#endif
