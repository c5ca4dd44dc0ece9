/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages from protobuf's text format, along their descriptors: the counterpart of message_text.h.
 * https://protobuf.dev/reference/protobuf/textformat-spec/
 */
#ifndef DIGIT_BASE_MESSAGE_PARSE_H
#define DIGIT_BASE_MESSAGE_PARSE_H

#include <protobuf-c/protobuf-c.h>

#include "model/base/arena.h"
#include "model/base/error.h"

/* Reads text[0..bytes) as a message of the type `descriptor`, which lies in `arena` afterwards and
 * borrows nothing from the text. What TextFormat accepts: comments, `:` before a message or not,
 * commas or semicolons or nothing between fields, `<>` for `{}`, adjacent strings, lists in
 * brackets, enums by name or number. Extensions and the expanded form of Any are not.
 *
 * INVALID_ARGUMENT `Error parsing text-format TYPE: LINE:COLUMN: ...`, the words of protobuf's own
 * parser; RESOURCE_EXHAUSTED when the arena is full. */
Error *message_from_text(Arena *arena, const ProtobufCMessageDescriptor *descriptor,
                         const char *text, size_t bytes,
                         ProtobufCMessage **ret_message) _warn_unused_result_;

#endif
