/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of requests share: bytes written out or packed, and an arena a test.
 */
#ifndef DIGIT_TESTS_REQUEST_FIXTURE_H
#define DIGIT_TESTS_REQUEST_FIXTURE_H

#include <protobuf-c/protobuf-c.h>

#include "model/base/bytes.h"
#include "tests/support/arena_fixture.h"

#define BYTES(literal) ((Bytes){ (const uint8_t *)(literal), sizeof(literal) - 1 })

static inline Bytes pack(Arena *arena, const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *data = arena_alloc(arena, size);
    assert_non_null(data);
    protobuf_c_message_pack(message, data);
    return (Bytes){ data, size };
}

static inline void assert_bytes(Bytes got, const char *expected)
{
    assert_int_equal(got.size, strlen(expected));
    assert_memory_equal(got.data, expected, got.size);
}

#endif
