/* SPDX-License-Identifier: Apache-2.0
 *
 * Wire: the reader of fields. Takes bytes of strangers: every length is held against what is left,
 * and groups are counted, not recursed into.
 *
 * | field         | varint: number << 3 | type, then by type                          |
 * | VARINT        | varint                                                            |
 * | FIXED64, 32   | 8 or 4 bytes, little-endian                                       |
 * | BYTES         | varint n, n bytes                                                 |
 * | GROUP         | fields up to the GROUP_END of the same number                     |
 */
#include "server/service/wire.h"

#define MAX_FIELD_NUMBER ((1u << 29) - 1)
#define MAX_GROUP_DEPTH 64

/* A field that is no group, or the mark of one. */
static bool read_one(const uint8_t **at, const uint8_t *end, WireField *ret)
{
    uint64_t tag, size;
    if (!varint_read(at, end, &tag) || tag >> 3 == 0 || tag >> 3 > MAX_FIELD_NUMBER)
        return false;
    WireField field = { .number = (uint32_t)(tag >> 3), .type = (WireType)(tag & 7) };
    size_t left = (size_t)(end - *at);
    switch (field.type) {
    case WIRE_VARINT:
        if (!varint_read(at, end, &field.value))
            return false;
        break;
    case WIRE_FIXED64:
        if (left < 8)
            return false;
        field.value = load_le64(*at);
        *at += 8;
        break;
    case WIRE_FIXED32:
        if (left < 4)
            return false;
        field.value = load_le32(*at);
        *at += 4;
        break;
    case WIRE_BYTES:
        if (!varint_read(at, end, &size) || size > (size_t)(end - *at))
            return false;
        field.bytes = (Bytes){ *at, (size_t)size };
        *at += size;
        break;
    case WIRE_GROUP:
    case WIRE_GROUP_END:
        break;
    default:
        return false;
    }
    *ret = field;
    return true;
}

/* Reads over a group whose mark has been read. */
static bool skip_group(const uint8_t **at, const uint8_t *end, uint32_t number)
{
    uint32_t open[MAX_GROUP_DEPTH] = { number };
    for (unsigned depth = 1; depth > 0;) {
        WireField field;
        if (!read_one(at, end, &field))
            return false;
        if (field.type == WIRE_GROUP) {
            if (depth == MAX_GROUP_DEPTH)
                return false;
            open[depth++] = field.number;
        } else if (field.type == WIRE_GROUP_END) {
            if (open[--depth] != field.number)
                return false;
        }
    }
    return true;
}

bool wire_read(Bytes *rest, WireField *ret_field)
{
    const uint8_t *at = rest->data;
    const uint8_t *end = rest->data + rest->size;
    WireField field;
    if (!read_one(&at, end, &field) || field.type == WIRE_GROUP_END)
        return false;
    if (field.type == WIRE_GROUP && !skip_group(&at, end, field.number))
        return false;
    *rest = (Bytes){ at, (size_t)(end - at) };
    *ret_field = field;
    return true;
}
