/* SPDX-License-Identifier: Apache-2.0
 *
 * Arena: a list of blocks; memory is taken from the front block by moving a pointer.
 *
 * Blocks of 128 KiB and more are mapped, not taken from malloc: a server that reloads models for
 * months gives the pages back to the system when a load's arena is freed, whatever malloc keeps.
 *
 * After a cycle that needed several blocks, reset merges them into one that would have been enough,
 * so the next cycle like it asks the system for nothing.
 *
 * Under AddressSanitizer what is not handed out is poisoned, with a gap behind each piece, so that
 * overruns inside an arena are found.
 */
#include "model/base/arena.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "model/base/bytes.h"

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif

#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define GAP_BYTES 16
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define GAP_BYTES 0
#endif

#define PIECE_ALIGNMENT 16
#define MAP_THRESHOLD_BYTES (128 << 10)
#define PAGE_BYTES 4096
#define BLOCK_MIN_BYTES 256
#define BLOCK_MAX_BYTES (PTRDIFF_MAX / 2)

/* Stands at the start of its own memory. */
typedef struct Block {
    _Alignas(ARENA_ALIGNMENT) struct Block *next;
    size_t bytes; /* in all, this header included */
    bool is_mapped;
} Block;

struct Arena {
    Block *blocks; /* the first one is being handed out */
    uint8_t *at;   /* the next free byte of the first block */
    uint8_t *end;  /* behind its last byte */
    size_t block_bytes;
    size_t max_bytes; /* 0: no limit */
    size_t used;      /* handed out since the last reset */
    size_t demand;    /* what one single block would have needed for it, at worst */
    size_t high_water;
    size_t held;
};

static size_t round_up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

static Block *block_new(size_t bytes)
{
    Block *block = NULL;
    bool is_mapped = bytes >= MAP_THRESHOLD_BYTES;
    if (is_mapped) {
        block = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (block == MAP_FAILED)
            return NULL;
    } else if (posix_memalign((void **)&block, ARENA_ALIGNMENT, bytes) != 0) {
        return NULL;
    }
    *block = (Block){ .bytes = bytes, .is_mapped = is_mapped };
    ASAN_POISON_MEMORY_REGION(block + 1, bytes - sizeof(Block));
    return block;
}

static void block_free(Block *block)
{
    size_t bytes = block->bytes;
    bool is_mapped = block->is_mapped;
    ASAN_UNPOISON_MEMORY_REGION(block, bytes);
    if (is_mapped)
        munmap(block, bytes);
    else
        free(block);
}

/* Makes `block`, or none, the one that is handed out next. */
static void arena_open(Arena *arena, Block *block)
{
    arena->at = block != NULL ? (uint8_t *)(block + 1) : NULL;
    arena->end = block != NULL ? (uint8_t *)block + block->bytes : NULL;
}

static bool arena_allows(const Arena *arena, size_t bytes)
{
    return arena->max_bytes == 0 ||
           (bytes <= arena->max_bytes && arena->held <= arena->max_bytes - bytes);
}

/* A block with room for `bytes` bytes behind its header; `bytes` alone when a full-sized one would
 * pass the limit. */
static Block *arena_grow(Arena *arena, size_t bytes)
{
    size_t least = sizeof(Block) + bytes;
    size_t wanted = least > arena->block_bytes ? least : arena->block_bytes;
    if (wanted >= MAP_THRESHOLD_BYTES)
        wanted = round_up(wanted, PAGE_BYTES);
    if (!arena_allows(arena, wanted))
        wanted = least;
    if (!arena_allows(arena, wanted))
        return NULL;
    Block *block = block_new(wanted);
    if (block != NULL)
        arena->held += block->bytes;
    return block;
}

static void arena_drop_blocks(Arena *arena, const Block *kept)
{
    Block *block = arena->blocks;
    arena->blocks = NULL;
    while (block != NULL) {
        Block *next = block->next;
        if (block == kept) {
            block->next = NULL;
            arena->blocks = block;
        } else {
            arena->held -= block->bytes;
            block_free(block);
        }
        block = next;
    }
}

/* The aligned start of `bytes` free bytes in the first block, NULL when they do not fit. */
static uint8_t *arena_fit(const Arena *arena, size_t bytes, size_t alignment)
{
    size_t padding = -(uintptr_t)arena->at & (alignment - 1);
    size_t room = (size_t)(arena->end - arena->at);
    return padding <= room && bytes <= room - padding ? arena->at + padding : NULL;
}

static void *arena_take(Arena *arena, size_t bytes, size_t alignment)
{
    if (bytes > BLOCK_MAX_BYTES)
        return NULL;
    size_t piece = round_up(bytes > 0 ? bytes : 1, PIECE_ALIGNMENT);
    size_t span = piece + GAP_BYTES;

    uint8_t *p = arena_fit(arena, span, alignment);
    if (p != NULL) {
        arena->at = p + span;
    } else {
        /* A block's first byte has every alignment that is asked for. */
        Block *block = arena_grow(arena, span);
        if (block == NULL)
            return NULL;
        p = (uint8_t *)(block + 1);
        size_t left = block->bytes - sizeof(Block) - span;
        if (arena->blocks != NULL && left < (size_t)(arena->end - arena->at)) {
            /* The first block has more left than the new one: it stays the first. */
            block->next = arena->blocks->next;
            arena->blocks->next = block;
        } else {
            block->next = arena->blocks;
            arena->blocks = block;
            arena_open(arena, block);
            arena->at = p + span;
        }
    }
    arena->used += piece;
    arena->demand += span + alignment - PIECE_ALIGNMENT;
    if (arena->used > arena->high_water)
        arena->high_water = arena->used;
    ASAN_UNPOISON_MEMORY_REGION(p, bytes);
    return p;
}

Arena *arena_new(size_t block_bytes, size_t max_bytes)
{
    Arena *arena = calloc(1, sizeof(*arena));
    if (arena == NULL)
        return NULL;
    arena->block_bytes = block_bytes > BLOCK_MIN_BYTES ? block_bytes : BLOCK_MIN_BYTES;
    arena->max_bytes = max_bytes;
    return arena;
}

void arena_limit(Arena *arena, size_t max_bytes)
{
    arena->max_bytes = max_bytes;
}

Arena *arena_free(Arena *arena)
{
    if (arena == NULL)
        return NULL;
    arena_drop_blocks(arena, NULL);
    free(arena);
    return NULL;
}

/* What to keep: the one block there is, if it may stay; of several, none, but a new one in their
 * place that is big enough for the same again, or the biggest that may stay where that may not be.
 */
void arena_reset(Arena *arena, size_t keep_bytes)
{
    Block *kept = NULL;
    for (Block *block = arena->blocks; block != NULL; block = block->next)
        if (block->bytes <= keep_bytes && (kept == NULL || block->bytes > kept->bytes))
            kept = block;

    size_t least = sizeof(Block) + arena->demand;
    size_t enough = round_up(least, arena->block_bytes);
    if (enough >= MAP_THRESHOLD_BYTES)
        enough = round_up(enough, PAGE_BYTES);
    if (arena->max_bytes != 0 && enough > arena->max_bytes)
        enough = arena->max_bytes;
    bool is_merge = arena->blocks != NULL && arena->blocks->next != NULL && least <= enough &&
                    enough <= keep_bytes && (kept == NULL || kept->bytes < enough);
    arena_drop_blocks(arena, is_merge ? NULL : kept);
    if (is_merge) {
        arena->blocks = block_new(enough);
        if (arena->blocks != NULL)
            arena->held += enough;
    } else if (kept != NULL) {
        ASAN_POISON_MEMORY_REGION(kept + 1, kept->bytes - sizeof(Block));
    }
    arena_open(arena, arena->blocks);
    arena->used = 0;
    arena->demand = 0;
}

void *arena_alloc(Arena *arena, size_t bytes)
{
    return arena_take(arena, bytes, PIECE_ALIGNMENT);
}

void *arena_alloc_aligned(Arena *arena, size_t bytes)
{
    return arena_take(arena, bytes, ARENA_ALIGNMENT);
}

void *arena_calloc(Arena *arena, size_t n, size_t size)
{
    size_t bytes;
    if (!checked_mul(n, size, &bytes))
        return NULL;
    void *p = arena_alloc(arena, bytes);
    return p != NULL ? memset(p, 0, bytes) : NULL;
}

char *arena_strndup(Arena *arena, const char *text, size_t n)
{
    char *copy = n < BLOCK_MAX_BYTES ? arena_alloc(arena, n + 1) : NULL;
    if (copy == NULL)
        return NULL;
    if (n > 0)
        memcpy(copy, text, n);
    copy[n] = '\0';
    return copy;
}

char *arena_strdup(Arena *arena, const char *text)
{
    return arena_strndup(arena, text, strlen(text));
}

void *arena_memdup(Arena *arena, const void *data, size_t bytes)
{
    void *copy = arena_alloc(arena, bytes);
    if (copy != NULL && bytes > 0)
        memcpy(copy, data, bytes);
    return copy;
}

char *arena_printf(Arena *arena, const char *format, ...)
{
    va_list args, copy;
    va_start(args, format);
    va_copy(copy, args);
    int n = vsnprintf(NULL, 0, format, copy);
    va_end(copy);
    char *text = n >= 0 ? arena_alloc(arena, (size_t)n + 1) : NULL;
    if (text != NULL)
        vsnprintf(text, (size_t)n + 1, format, args);
    va_end(args);
    return text;
}

size_t arena_used(const Arena *arena)
{
    return arena->used;
}

size_t arena_high_water(const Arena *arena)
{
    return arena->high_water;
}

size_t arena_held(const Arena *arena)
{
    return arena->held;
}
