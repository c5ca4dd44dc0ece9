/* SPDX-License-Identifier: Apache-2.0
 *
 * Philox: the counter-based generator Philox4x32-10 (Salmon et al., "Parallel random numbers: as
 * easy as 1, 2, 3", 2011), laid out as TensorFlow's, so that the same seeds give the same numbers.
 *
 * A generator is a value: key, and a counter of 128 bits, low word first. Each step gives four
 * 32-bit numbers and adds one to the counter.
 */
#ifndef DIGIT_OP_PHILOX_H
#define DIGIT_OP_PHILOX_H

#include <stdint.h>

typedef struct Philox {
    uint64_t key;
    uint64_t low, high; /* counter */
} Philox;

/* Four numbers, and then one by one: what a distribution that rejects some draws from. */
typedef struct PhiloxSingles {
    Philox *generator;
    uint32_t numbers[4];
    int used; /* 4 at first */
} PhiloxSingles;

static inline void philox_skip(Philox *p, uint64_t n)
{
    p->low += n;
    p->high += p->low < n;
}

static inline void philox_next(Philox *p, uint32_t ret[4])
{
    uint32_t c[4] = { (uint32_t)p->low, (uint32_t)(p->low >> 32), (uint32_t)p->high,
                      (uint32_t)(p->high >> 32) };
    uint32_t key[2] = { (uint32_t)p->key, (uint32_t)(p->key >> 32) };
    for (int round = 0; round < 10; round++) {
        uint64_t a = (uint64_t)c[0] * 0xD2511F53, b = (uint64_t)c[2] * 0xCD9E8D57;
        c[0] = (uint32_t)(b >> 32) ^ c[1] ^ key[0];
        c[1] = (uint32_t)b;
        c[2] = (uint32_t)(a >> 32) ^ c[3] ^ key[1];
        c[3] = (uint32_t)a;
        key[0] += 0x9E3779B9;
        key[1] += 0xBB67AE85;
    }
    for (int i = 0; i < 4; i++)
        ret[i] = c[i];
    philox_skip(p, 1);
}

static inline uint32_t philox_single(PhiloxSingles *s)
{
    if (s->used == 4) {
        philox_next(s->generator, s->numbers);
        s->used = 0;
    }
    return s->numbers[s->used++];
}

#endif
