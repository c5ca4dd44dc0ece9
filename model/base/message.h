/* SPDX-License-Identifier: Apache-2.0
 *
 * Message: protobuf-c messages in an arena. The one door to protobuf-c's unpacking.
 *
 * protobuf-c has no limit on nesting, and a message nested 20,000 deep overflows the stack, so the
 * bytes are walked along the descriptor first, without recursion, and refused past
 * MESSAGE_MAX_DEPTH, as TensorFlow's own parser refuses them.
 */
#ifndef DIGIT_BASE_MESSAGE_H
#define DIGIT_BASE_MESSAGE_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/buf.h"
#include "model/base/error.h"

#define MESSAGE_MAX_DEPTH 100

/* Unpacks a message of the type `descriptor` into `arena`: valid until the arena is reset, never
 * freed by protobuf_c_message_free_unpacked. `what` names the bytes in the error's text (a file,
 * a request). INVALID_ARGUMENT when they are no such message; RESOURCE_EXHAUSTED when the arena is
 * full or the nesting too deep. */
Error *message_unpack(Arena *arena, const ProtobufCMessageDescriptor *descriptor, const char *what,
                      const uint8_t *data, size_t bytes,
                      ProtobufCMessage **ret_message) _warn_unused_result_;

/* Appends the packed message. */
Error *message_pack(const ProtobufCMessage *message, Buf *buf) _warn_unused_result_;

/* The allocator that protobuf-c is to use for `arena`: `free` does nothing. Initialises the
 * caller's storage; valid as long as the arena. */
void message_allocator_init(ProtobufCAllocator *allocator, Arena *arena);

#endif
