/* SPDX-License-Identifier: Apache-2.0
 *
 * How protobuf-c lays a message's struct out, for what walks one along its descriptor: a field's
 * value is at `offset`; at `quantifier_offset` a repeated field has its count (size_t) and a field
 * of a oneof the number of the member that is set (uint32_t).
 * https://github.com/protobuf-c/protobuf-c/wiki (ProtobufCFieldDescriptor)
 */
#ifndef DIGIT_BASE_MESSAGE_LAYOUT_H
#define DIGIT_BASE_MESSAGE_LAYOUT_H

#include <protobuf-c/protobuf-c.h>

/* The member of a message's struct that is `offset` bytes from its start. */
static inline void *message_member(const ProtobufCMessage *message, size_t offset)
{
    return (uint8_t *)(uintptr_t)message + offset;
}

/* The bytes of one element of a field in memory. */
static inline size_t message_element_bytes(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    default:
        return 4;
    }
}

#endif
