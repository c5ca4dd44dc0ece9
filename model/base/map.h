/* SPDX-License-Identifier: Apache-2.0
 *
 * Map: string -> pointer, by hashing. Keys are borrowed: they must live as long as the Map.
 * Iteration is in order of insertion, so that what is printed from a Map is stable.
 */
#ifndef DIGIT_BASE_MAP_H
#define DIGIT_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "model/base/error.h"

typedef struct Map Map;

/* NULL when memory is out. */
Map *map_new(void) _warn_unused_result_;

/* Frees the Map, not its keys and values. Takes NULL; returns NULL. */
Map *map_free(Map *map);

/* Sets the value of `key` (borrowed), replacing an earlier one. */
Error *map_set(Map *map, const char *key, void *value) _warn_unused_result_;

/* The value of `key`, or NULL. `map_find_n` takes a key that has no NUL behind it. */
void *map_find(const Map *map, const char *key);
void *map_find_n(const Map *map, const char *key, size_t n);

bool map_has(const Map *map, const char *key);
size_t map_size(const Map *map);

/* The i-th key and value in order of insertion, i < map_size. Borrowed. */
const char *map_key_at(const Map *map, size_t i);
void *map_value_at(const Map *map, size_t i);

static inline void map_freep(Map **map)
{
    map_free(*map);
}

#endif
