/* SPDX-License-Identifier: Apache-2.0
 *
 * Map: the entries in order of insertion, and a table of indices into them, probed linearly and at
 * most half full.
 *
 * The hash is SipHash-1-3 with a random key per Map: names come from strangers, and a hash that
 * they can foresee lets them make every name collide. J.-P. Aumasson, D. J. Bernstein, "SipHash: a
 * fast short-input PRF", 2012.
 */
#include "model/base/map.h"

#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#include "model/base/bytes.h"

#define SLOTS_MIN 16
#define ENTRIES_MAX (UINT32_MAX / 4)

typedef struct Entry {
    const char *key; /* borrowed */
    size_t key_size;
    uint64_t hash;
    void *value;
} Entry;

struct Map {
    Entry *entries;
    size_t n;
    size_t n_slots;  /* a power of two, at least twice n; there is room for half as many entries */
    uint32_t *slots; /* an index into entries plus 1; 0: free */
    uint64_t key[2]; /* of the hash */
};

static inline uint64_t rotate_left(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate_left(v[1], 13) ^ v[0];
    v[3] = rotate_left(v[3], 16) ^ v[2];
    v[0] = rotate_left(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate_left(v[1], 17) ^ v[2];
    v[3] = rotate_left(v[3], 21) ^ v[0];
    v[2] = rotate_left(v[2], 32);
}

static uint64_t sip_hash(const uint64_t key[2], const char *data, size_t size)
{
    uint64_t v[4] = { key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
                      key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573 };
    size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        uint64_t word = load_le64(data + i);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    uint64_t last = (uint64_t)size << 56;
    for (int shift = 0; i < size; i++, shift += 8)
        last |= (uint64_t)(uint8_t)data[i] << shift;
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int round = 0; round < 3; round++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

Map *map_new(void)
{
    Map *map = calloc(1, sizeof(*map));
    if (map == NULL)
        return NULL;
    /* Fails only before the system has gathered any randomness; a fixed key is as good then. */
    if (getrandom(map->key, sizeof(map->key), GRND_NONBLOCK) < 0)
        memset(map->key, 0, sizeof(map->key));
    return map;
}

Map *map_free(Map *map)
{
    if (map == NULL)
        return NULL;
    free(map->entries);
    free(map->slots);
    free(map);
    return NULL;
}

/* The slot that holds the key, or the free one where it would go. The table is never full. */
static uint32_t *map_slot(const Map *map, uint64_t hash, const char *key, size_t size)
{
    for (size_t i = hash & (map->n_slots - 1);; i = (i + 1) & (map->n_slots - 1)) {
        uint32_t *slot = &map->slots[i];
        if (*slot == 0)
            return slot;
        const Entry *entry = &map->entries[*slot - 1];
        if (entry->hash == hash && entry->key_size == size && memcmp(entry->key, key, size) == 0)
            return slot;
    }
}

static Error *map_grow(Map *map)
{
    if (map->n >= ENTRIES_MAX)
        return error_new(ERROR_RESOURCE_EXHAUSTED, "a map holds at most %u keys", ENTRIES_MAX);
    size_t n_slots = map->n_slots > 0 ? map->n_slots * 2 : SLOTS_MIN;
    Entry *entries = realloc(map->entries, n_slots / 2 * sizeof(*entries));
    if (entries == NULL)
        return error_out_of_memory();
    map->entries = entries;
    uint32_t *slots = calloc(n_slots, sizeof(*slots));
    if (slots == NULL)
        return error_out_of_memory();
    free(map->slots);
    map->slots = slots;
    map->n_slots = n_slots;
    for (size_t i = 0; i < map->n; i++)
        *map_slot(map, entries[i].hash, entries[i].key, entries[i].key_size) = (uint32_t)i + 1;
    return NULL;
}

/* The entry of the key, NULL when there is none. */
static Entry *map_entry(const Map *map, const char *key, size_t size)
{
    if (map->n == 0)
        return NULL;
    uint32_t slot = *map_slot(map, sip_hash(map->key, key, size), key, size);
    return slot != 0 ? &map->entries[slot - 1] : NULL;
}

Error *map_set(Map *map, const char *key, void *value)
{
    size_t size = strlen(key);
    Entry *entry = map_entry(map, key, size);
    if (entry != NULL) {
        entry->value = value;
        return NULL;
    }
    if (map->n == map->n_slots / 2)
        TRY(map_grow(map));
    uint64_t hash = sip_hash(map->key, key, size);
    *map_slot(map, hash, key, size) = (uint32_t)map->n + 1;
    map->entries[map->n++] = (Entry){ key, size, hash, value };
    return NULL;
}

void *map_find_n(const Map *map, const char *key, size_t n)
{
    const Entry *entry = map_entry(map, key, n);
    return entry != NULL ? entry->value : NULL;
}

void *map_find(const Map *map, const char *key)
{
    return map_find_n(map, key, strlen(key));
}

bool map_has(const Map *map, const char *key)
{
    return map_entry(map, key, strlen(key)) != NULL;
}

size_t map_size(const Map *map)
{
    return map->n;
}

const char *map_key_at(const Map *map, size_t i)
{
    return map->entries[i].key;
}

void *map_value_at(const Map *map, size_t i)
{
    return map->entries[i].value;
}
