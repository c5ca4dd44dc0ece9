/* SPDX-License-Identifier: Apache-2.0
 *
 * ModelInferResponse, written once, straight into the memory that gRPC sends.
 */
#ifndef DIGIT_SERVER_SERVICE_KSERVE_REPLY_H
#define DIGIT_SERVER_SERVICE_KSERVE_REPLY_H

#include "server/grpc/call.h"
#include "server/service/kserve_request.h"

/* Ends the call with outputs[0..n), whose types the protocol has, of version `version`. They are raw
 * when the request was, and when one of them cannot be typed: a reply is all raw or all typed.
 * Gives an Error only when it could not end it: RESOURCE_EXHAUSTED, as reply.h's. */
Error *kserve_reply(Call *call, const KserveRequest *request, int64_t version,
                    const NamedTensor *outputs, size_t n) _warn_unused_result_;

#endif
