/* SPDX-License-Identifier: Apache-2.0
 *
 * Wire: fields of protocol buffers, read in place and written in place.
 *
 * For the messages of the request path, which are not worth unpacking: what a request holds is
 * lent from its bytes, and a reply is written once into memory of its exact size. So every message
 * has a function for its size and one that writes it.
 * https://protobuf.dev/programming-guides/encoding/
 */
#ifndef DIGIT_SERVER_SERVICE_WIRE_H
#define DIGIT_SERVER_SERVICE_WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "model/base/bytes.h"

typedef enum WireType {
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_BYTES = 2,
    WIRE_GROUP = 3, /* obsolete; read over */
    WIRE_GROUP_END = 4,
    WIRE_FIXED32 = 5,
} WireType;

typedef struct WireField {
    uint32_t number;
    WireType type;
    uint64_t value; /* of WIRE_VARINT, WIRE_FIXED64 and WIRE_FIXED32 */
    Bytes bytes;    /* of WIRE_BYTES; borrowed from the message */
} WireField;

/* Reads the first field of `*rest`, which is not empty, and moves `*rest` past it. False when the
 * bytes are no field. */
bool wire_read(Bytes *rest, WireField *ret_field) __attribute__((warn_unused_result));

/* True for field `number` of type `type`: what has another type is an unknown field. */
static inline bool wire_is(const WireField *field, uint32_t number, WireType type)
{
    return field->number == number && field->type == type;
}

/* ---- writing: `number` is at most 15, so that the tag is one byte ------------------------------
 */

static inline size_t wire_bytes_size(size_t bytes)
{
    return 1 + varint_size(bytes) + bytes;
}

static inline size_t wire_varint_size(uint64_t value)
{
    return 1 + varint_size(value);
}

#define WIRE_FIXED32_SIZE 5

/* The head of a field of `bytes` bytes, which the caller writes behind it. Returns the end. */
static inline uint8_t *wire_put_head(uint8_t *out, unsigned number, size_t bytes)
{
    *out++ = (uint8_t)(number << 3 | WIRE_BYTES);
    return out + varint_write(out, bytes);
}

static inline uint8_t *wire_put_bytes(uint8_t *out, unsigned number, Bytes bytes)
{
    out = wire_put_head(out, number, bytes.size);
    if (bytes.size > 0)
        memcpy(out, bytes.data, bytes.size);
    return out + bytes.size;
}

static inline uint8_t *wire_put_varint(uint8_t *out, unsigned number, uint64_t value)
{
    *out++ = (uint8_t)(number << 3 | WIRE_VARINT);
    return out + varint_write(out, value);
}

static inline uint8_t *wire_put_float(uint8_t *out, unsigned number, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    *out++ = (uint8_t)(number << 3 | WIRE_FIXED32);
    store_le32(out, bits);
    return out + sizeof(bits);
}

#endif
