/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON form of protocol buffer messages, from their descriptors.
 * https://protobuf.dev/programming-guides/json/
 */
#ifndef DIGIT_SERVER_REST_MESSAGE_JSON_H
#define DIGIT_SERVER_REST_MESSAGE_JSON_H

#include <protobuf-c/protobuf-c.h>

#include "model/base/buf.h"

/* Appends `message` as protobuf's MessageToJsonString prints it with always_print_primitive_fields:
 * names as in the .proto file, 64-bit integers as strings, enums by name, bytes in base64, maps as
 * objects; defaults are printed, messages and members of a oneof that are not set are not. `indent`
 * is that of the line it begins in. Recurses as deep as the message, which message_unpack bounds. */
Error *message_to_json(const ProtobufCMessage *message, int indent, Buf *buf) _warn_unused_result_;

#endif
