/* SPDX-License-Identifier: Apache-2.0
 *
 * Hashes of byte strings, written from their publications; farmhash.h names them. Words are read
 * little-endian whatever the machine. Every sum and product wraps: all are unsigned.
 */
#include "model/op/farmhash.h"

static inline uint64_t rotate_right(uint64_t v, int n)
{
    return v >> n | v << (64 - n);
}

/* ---- FarmHash ------------------------------------------------------------------------------ */

#define K0 0xc3a5c85c97cb3127ull /* primes between 2^63 and 2^64 */
#define K1 0xb492b66fbe98f273ull
#define K2 0x9ae16a3b2f90404full

typedef struct Pair {
    uint64_t first, second;
} Pair;

static inline uint64_t shift_mix(uint64_t v)
{
    return v ^ v >> 47;
}

static uint64_t mix(uint64_t u, uint64_t v, uint64_t multiplier)
{
    uint64_t a = shift_mix((u ^ v) * multiplier);
    return shift_mix((v ^ a) * multiplier) * multiplier;
}

static uint64_t hash_to_16(const uint8_t *s, size_t n)
{
    uint64_t multiplier = K2 + n * 2;
    if (n >= 8) {
        uint64_t a = load_le64(s) + K2, b = load_le64(s + n - 8);
        return mix(rotate_right(b, 37) * multiplier + a, (rotate_right(a, 25) + b) * multiplier,
                   multiplier);
    }
    if (n >= 4)
        return mix(n + ((uint64_t)load_le32(s) << 3), load_le32(s + n - 4), multiplier);
    if (n > 0) {
        uint32_t y = s[0] + ((uint32_t)s[n >> 1] << 8);
        uint32_t z = (uint32_t)n + ((uint32_t)s[n - 1] << 2);
        return shift_mix(y * K2 ^ z * K0) * K2;
    }
    return K2;
}

static uint64_t hash_17_to_32(const uint8_t *s, size_t n)
{
    uint64_t multiplier = K2 + n * 2;
    uint64_t a = load_le64(s) * K1, b = load_le64(s + 8);
    uint64_t c = load_le64(s + n - 8) * multiplier, d = load_le64(s + n - 16) * K2;
    return mix(rotate_right(a + b, 43) + rotate_right(c, 30) + d, a + rotate_right(b + K2, 18) + c,
               multiplier);
}

static uint64_t hash_33_to_64(const uint8_t *s, size_t n)
{
    uint64_t multiplier = K2 + n * 2;
    uint64_t a = load_le64(s) * K2, b = load_le64(s + 8);
    uint64_t c = load_le64(s + n - 8) * multiplier, d = load_le64(s + n - 16) * K2;
    uint64_t y = rotate_right(a + b, 43) + rotate_right(c, 30) + d;
    uint64_t z = mix(y, a + rotate_right(b + K2, 18) + c, multiplier);
    uint64_t e = load_le64(s + 16) * multiplier, f = load_le64(s + 24);
    uint64_t g = (y + load_le64(s + n - 32)) * multiplier;
    uint64_t h = (z + load_le64(s + n - 24)) * multiplier;
    return mix(rotate_right(e + f, 43) + rotate_right(g, 30) + h, e + rotate_right(f + a, 18) + g,
               multiplier);
}

static Pair weak_hash_32(const uint8_t *s, uint64_t a, uint64_t b)
{
    uint64_t w = load_le64(s), x = load_le64(s + 8), y = load_le64(s + 16), z = load_le64(s + 24);
    a += w;
    b = rotate_right(b + a + z, 21);
    uint64_t c = a;
    a += x + y;
    b += rotate_right(a, 44);
    return (Pair){ a + z, b + c };
}

/* The state of the long form: 56 bytes. */
typedef struct LongState {
    uint64_t x, y, z;
    Pair v, w;
} LongState;

/* Takes in 64 bytes; the last step has other factors than those before it. */
static void long_step(LongState *h, const uint8_t *s, uint64_t multiplier, uint64_t factor)
{
    h->x = rotate_right(h->x + h->y + h->v.first + load_le64(s + 8), 37) * multiplier;
    h->y = rotate_right(h->y + h->v.second + load_le64(s + 48), 42) * multiplier;
    h->x ^= h->w.second * factor;
    h->y += h->v.first * factor + load_le64(s + 40);
    h->z = rotate_right(h->z + h->w.first, 33) * multiplier;
    h->v = weak_hash_32(s, h->v.second * multiplier, h->x + h->w.first);
    h->w = weak_hash_32(s + 32, h->z + h->w.second, h->y + load_le64(s + 16));
    uint64_t z = h->z;
    h->z = h->x;
    h->x = z;
}

static uint64_t hash_long(const uint8_t *s, size_t n)
{
    const uint64_t seed = 81;
    LongState h = { .x = seed, .y = seed * K1 + 113 };
    h.z = shift_mix(h.y * K2 + 113) * K2;
    h.x = h.x * K2 + load_le64(s);
    const uint8_t *end = s + (n - 1) / 64 * 64; /* of the whole steps before the last 64 bytes */
    const uint8_t *last = s + n - 64;
    for (; s != end; s += 64)
        long_step(&h, s, K1, 1);
    uint64_t multiplier = K1 + ((h.z & 0xff) << 1);
    h.w.first += (n - 1) & 63;
    h.v.first += h.w.first;
    h.w.first += h.v.first;
    long_step(&h, last, multiplier, 9);
    return mix(mix(h.v.first, h.w.first, multiplier) + shift_mix(h.y) * K0 + h.z,
               mix(h.v.second, h.w.second, multiplier) + h.x, multiplier);
}

uint64_t farmhash_fingerprint64(Bytes bytes)
{
    if (bytes.size <= 16)
        return hash_to_16(bytes.data, bytes.size);
    if (bytes.size <= 32)
        return hash_17_to_32(bytes.data, bytes.size);
    if (bytes.size <= 64)
        return hash_33_to_64(bytes.data, bytes.size);
    return hash_long(bytes.data, bytes.size);
}

/* ---- SipHash ------------------------------------------------------------------------------- */

static inline uint64_t rotate_left(uint64_t v, int n)
{
    return v << n | v >> (64 - n);
}

static void sip_rounds(uint64_t v[4], int n)
{
    for (int i = 0; i < n; i++) {
        v[0] += v[1];
        v[1] = rotate_left(v[1], 13) ^ v[0];
        v[0] = rotate_left(v[0], 32);
        v[2] += v[3];
        v[3] = rotate_left(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = rotate_left(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = rotate_left(v[1], 17) ^ v[2];
        v[2] = rotate_left(v[2], 32);
    }
}

static void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_rounds(v, 2);
    v[0] ^= word;
}

uint64_t siphash(const uint64_t key[2], Bytes bytes)
{
    uint64_t v[4] = { key[0] ^ 0x736f6d6570736575ull, key[1] ^ 0x646f72616e646f6dull,
                      key[0] ^ 0x6c7967656e657261ull, key[1] ^ 0x7465646279746573ull };
    size_t whole = bytes.size & ~(size_t)7;
    for (size_t i = 0; i < whole; i += 8)
        sip_word(v, load_le64(bytes.data + i));
    uint64_t last = (uint64_t)bytes.size << 56;
    for (size_t i = whole; i < bytes.size; i++)
        last |= (uint64_t)bytes.data[i] << 8 * (i - whole);
    sip_word(v, last);
    v[2] ^= 0xff;
    sip_rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* ---- MurmurHash ---------------------------------------------------------------------------- */

uint64_t murmurhash64(Bytes bytes)
{
    const uint64_t multiplier = 0xc6a4a7935bd1e995ull;
    uint64_t h = 0xDECAFCAFFEull ^ bytes.size * multiplier;
    size_t whole = bytes.size & ~(size_t)7;
    for (size_t i = 0; i < whole; i += 8) {
        uint64_t k = load_le64(bytes.data + i) * multiplier;
        h = (h ^ shift_mix(k) * multiplier) * multiplier;
    }
    for (size_t i = whole; i < bytes.size; i++)
        h ^= (uint64_t)bytes.data[i] << 8 * (i - whole);
    if (whole < bytes.size)
        h *= multiplier;
    return shift_mix(shift_mix(h) * multiplier);
}
