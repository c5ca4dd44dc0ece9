/* SPDX-License-Identifier: Apache-2.0
 *
 * The text form of protocol buffer messages, from their descriptors.
 */
#ifndef DIGIT_BASE_MESSAGE_TEXT_H
#define DIGIT_BASE_MESSAGE_TEXT_H

#include <protobuf-c/protobuf-c.h>

#include "model/base/buf.h"

/* Appends `message` as protobuf's own TextFormat (and DebugString) prints it: fields by number, map
 * entries by key, two spaces an indent. Recurses as deep as the message, which message_unpack
 * bounds. RESOURCE_EXHAUSTED when the buffer is full. */
Error *message_to_text(const ProtobufCMessage *message, Buf *buf) _warn_unused_result_;

#endif
