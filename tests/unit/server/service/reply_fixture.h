/* SPDX-License-Identifier: Apache-2.0
 *
 * The call that replies go to in their tests: it stands in for the transport's, and keeps the bytes.
 * For one file a program.
 */
#ifndef DIGIT_TESTS_REPLY_FIXTURE_H
#define DIGIT_TESTS_REPLY_FIXTURE_H

#include <protobuf-c/protobuf-c.h>

#include "server/grpc/call.h"
#include "tests/support/check.h"

struct Call {
    uint8_t *reply;
    size_t bytes;
    bool is_sent;
    Error *error;
};

uint8_t *call_reply_begin(Call *call, size_t bytes)
{
    assert_null(call->reply);
    call->bytes = bytes;
    call->reply = malloc(bytes > 0 ? bytes : 1);
    return call->reply;
}

void call_reply_send(Call *call)
{
    assert_false(call->is_sent);
    call->is_sent = true;
}

void call_reply_error(Call *call, Error *error)
{
    assert_null(call->error);
    call->error = error;
}

static inline void call_clear(Call *call)
{
    free(call->reply);
    error_free(call->error);
    *call = (Call){ 0 };
}

/* The reply as a message; the size is what protobuf-c needs for it. */
static inline ProtobufCMessage *unpack(const Call *call,
                                       const ProtobufCMessageDescriptor *descriptor)
{
    assert_true(call->is_sent);
    ProtobufCMessage *message =
        protobuf_c_message_unpack(descriptor, NULL, call->bytes, call->reply);
    assert_non_null(message);
    assert_int_equal(protobuf_c_message_get_packed_size(message), call->bytes);
    return message;
}

#endif
