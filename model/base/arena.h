/* SPDX-License-Identifier: Apache-2.0
 *
 * Arena: memory that is handed out piece by piece and given back all at once.
 *
 * A request has one (everything that the call needs), a load has one, a graph has one. After
 * `arena_reset` the memory is kept for the next use, so that a warm arena calls malloc no more.
 * Not thread-safe: an arena belongs to one thread at a time.
 */
#ifndef DIGIT_BASE_ARENA_H
#define DIGIT_BASE_ARENA_H

#include <stddef.h>

#include "model/base/cleanup.h"

typedef struct Arena Arena;

#define ARENA_ALIGNMENT 64 /* bytes: a cache line, and the widest vector */

/* An empty arena that gets its memory in blocks of at least `block_bytes`, and never holds more
 * than `max_bytes` (0: no limit). NULL when memory is out. */
Arena *arena_new(size_t block_bytes, size_t max_bytes) _warn_unused_result_;

/* From now on the arena never grows to more than `max_bytes` (0: no limit). */
void arena_limit(Arena *arena, size_t max_bytes);

/* Gives everything back to the system. Takes NULL; returns NULL. */
Arena *arena_free(Arena *arena);

/* Forgets all that was handed out and keeps at most `keep_bytes` of memory for the next use. */
void arena_reset(Arena *arena, size_t keep_bytes);

/* `bytes` of uninitialised memory, aligned to 16 bytes. Valid until reset or free.
 * NULL when the limit is reached or memory is out. 0 bytes give a valid pointer. */
void *arena_alloc(Arena *arena, size_t bytes) _warn_unused_result_;

/* The same, aligned to ARENA_ALIGNMENT. */
void *arena_alloc_aligned(Arena *arena, size_t bytes) _warn_unused_result_;

/* `n` zeroed elements of `size` bytes; NULL also when n * size overflows. */
void *arena_calloc(Arena *arena, size_t n, size_t size) _warn_unused_result_;

/* Copies: of `n` bytes and a NUL behind them; of a C string; of `bytes` bytes. */
char *arena_strndup(Arena *arena, const char *text, size_t n) _warn_unused_result_;
char *arena_strdup(Arena *arena, const char *text) _warn_unused_result_;
void *arena_memdup(Arena *arena, const void *data, size_t bytes) _warn_unused_result_;

/* A formatted string. */
char *arena_printf(Arena *arena, const char *format, ...) _printf_(2, 3) _warn_unused_result_;

/* Bytes handed out since the last reset; the most ever handed out between two resets; bytes that
 * the arena holds now. */
size_t arena_used(const Arena *arena);
size_t arena_high_water(const Arena *arena);
size_t arena_held(const Arena *arena);

static inline void arena_freep(Arena **arena)
{
    arena_free(*arena);
}

#endif
