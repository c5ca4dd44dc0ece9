/* SPDX-License-Identifier: Apache-2.0
 *
 * TextBuf: bytes in an arena that grow by doubling, for kernels that write strings whose length they
 * learn as they go. Start with { .arena = arena }; what was outgrown is given back with the arena.
 */
#ifndef DIGIT_OP_TEXT_BUF_H
#define DIGIT_OP_TEXT_BUF_H

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/error.h"

typedef struct TextBuf {
    Arena *arena;
    uint8_t *data;
    size_t size, capacity;
} TextBuf;

/* RESOURCE_EXHAUSTED when the arena is full. */
Error *text_buf_append(TextBuf *buf, Bytes bytes) _warn_unused_result_;

static inline Bytes text_buf_bytes(const TextBuf *buf)
{
    return (Bytes){ buf->data, buf->size };
}

#endif
