/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes: a borrowed run of bytes; little-endian loads and stores; varints; checked arithmetic.
 */
#ifndef DIGIT_BASE_BYTES_H
#define DIGIT_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A run of bytes that somebody else owns. */
typedef struct Bytes {
    const uint8_t *data;
    size_t size;
} Bytes;

/* p + `bytes`. What is empty may have no address, and C has no NULL + 0. */
static inline const uint8_t *bytes_past(const void *p, size_t bytes)
{
    return bytes > 0 ? (const uint8_t *)p + bytes : p;
}

static inline uint32_t load_le32(const void *p)
{
    const uint8_t *b = p;
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static inline uint64_t load_le64(const void *p)
{
    return (uint64_t)load_le32(p) | (uint64_t)load_le32((const uint8_t *)p + 4) << 32;
}

static inline void store_le32(void *p, uint32_t v)
{
    uint8_t *b = p;
    b[0] = (uint8_t)v;
    b[1] = (uint8_t)(v >> 8);
    b[2] = (uint8_t)(v >> 16);
    b[3] = (uint8_t)(v >> 24);
}

static inline void store_le64(void *p, uint64_t v)
{
    store_le32(p, (uint32_t)v);
    store_le32((uint8_t *)p + 4, (uint32_t)(v >> 32));
}

#define VARINT_MAX_BYTES 10

/* Reads a varint64 at `*at` of `[*at, end)` and moves `*at` past it. False when it is cut off or
 * longer than ten bytes; `*at` stays then. Protocol buffers, "Encoding": base 128 varints. */
static inline bool varint_read(const uint8_t **at, const uint8_t *end, uint64_t *ret)
{
    uint64_t v = 0;
    const uint8_t *p = *at;
    for (unsigned shift = 0; shift < 64 && p < end; shift += 7) {
        uint8_t b = *p++;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80) {
            *at = p;
            *ret = v;
            return true;
        }
    }
    return false;
}

/* Writes `v` and returns the number of bytes written, at most VARINT_MAX_BYTES. */
static inline size_t varint_write(uint8_t *p, uint64_t v)
{
    size_t n = 0;
    while (v >= 0x80) {
        p[n++] = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    p[n++] = (uint8_t)v;
    return n;
}

static inline size_t varint_size(uint64_t v)
{
    size_t n = 1;
    while (v >= 0x80) {
        v >>= 7;
        n++;
    }
    return n;
}

/* False on overflow; `*ret` is unspecified then. */
static inline bool checked_add(size_t a, size_t b, size_t *ret)
{
    return !__builtin_add_overflow(a, b, ret);
}

static inline bool checked_mul(size_t a, size_t b, size_t *ret)
{
    return !__builtin_mul_overflow(a, b, ret);
}

static inline bool bytes_equal(Bytes a, Bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline Bytes bytes_of_text(const char *text)
{
    return (Bytes){ (const uint8_t *)text, strlen(text) };
}

#endif
