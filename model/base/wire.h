/* SPDX-License-Identifier: Apache-2.0
 *
 * Wire: reads and writes the fields of a protocol buffer's bytes, one after the other, for the few
 * messages that are not worth unpacking. https://protobuf.dev/programming-guides/encoding/
 */
#ifndef DIGIT_BASE_WIRE_H
#define DIGIT_BASE_WIRE_H

#include "model/base/bytes.h"

typedef enum WireType {
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_BYTES = 2, /* strings, bytes, messages, packed repeated values */
    WIRE_FIXED32 = 5,
} WireType;

typedef struct WireField {
    uint32_t number;
    WireType type;
    uint64_t varint; /* the value of a WIRE_VARINT; 0 otherwise */
    Bytes bytes;     /* borrowed: the content of WIRE_BYTES; the encoded value otherwise */
} WireField;

/* The longest key of a field: its number has 29 bits, its wire type 3. */
#define WIRE_KEY_MAX_BYTES 5

/* Reads the field at `*at` of `[*at, end)` and moves `*at` past it. False when it is cut off or no
 * field (number 0, an unknown wire type, or a group, which no message of TensorFlow has); `*at`
 * stays then. */
static inline bool wire_next(const uint8_t **at, const uint8_t *end, WireField *ret)
{
    const uint8_t *p = *at;
    uint64_t key, size;
    if (!varint_read(&p, end, &key) || key > UINT32_MAX || key >> 3 == 0)
        return false;

    WireField field = { .number = (uint32_t)(key >> 3), .type = (WireType)(key & 7) };
    field.bytes.data = p;
    switch (field.type) {
    case WIRE_VARINT:
        if (!varint_read(&p, end, &field.varint))
            return false;
        size = (uint64_t)(p - field.bytes.data);
        break;
    case WIRE_FIXED64:
        size = 8;
        break;
    case WIRE_BYTES:
        if (!varint_read(&p, end, &size))
            return false;
        field.bytes.data = p;
        break;
    case WIRE_FIXED32:
        size = 4;
        break;
    default:
        return false;
    }
    if (size > (uint64_t)(end - field.bytes.data))
        return false;
    field.bytes.size = (size_t)size;
    *at = field.bytes.data + size;
    *ret = field;
    return true;
}

/* Writes a field's key at `p` and returns the end. */
static inline uint8_t *wire_write_key(uint8_t *p, uint32_t number, WireType type)
{
    return p + varint_write(p, (uint64_t)number << 3 | type);
}

/* The size of a field of type WIRE_BYTES with `size` bytes of content. */
static inline size_t wire_bytes_size(uint32_t number, size_t size)
{
    return varint_size((uint64_t)number << 3) + varint_size(size) + size;
}

/* Writes the key and the length of such a field; the content goes to what is returned. */
static inline uint8_t *wire_write_bytes_head(uint8_t *p, uint32_t number, size_t size)
{
    p = wire_write_key(p, number, WIRE_BYTES);
    return p + varint_write(p, size);
}

#endif
