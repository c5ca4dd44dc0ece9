/* SPDX-License-Identifier: Apache-2.0
 *
 * Buf: bytes that grow at the end, up to a maximum that is set when it is made.
 */
#ifndef DIGIT_BASE_BUF_H
#define DIGIT_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/error.h"

typedef struct Buf {
    uint8_t *data; /* owned; NULL while empty */
    size_t size;   /* bytes in use */
    size_t capacity;
    size_t max_bytes;
} Buf;

/* An empty Buf that may hold up to `max_bytes`. Initialises the caller's storage. */
void buf_init(Buf *buf, size_t max_bytes);

/* Frees the bytes; the Buf is empty and usable again. */
void buf_done(Buf *buf);

/* Makes room for `bytes` more. RESOURCE_EXHAUSTED past the maximum. */
Error *buf_reserve(Buf *buf, size_t bytes) _warn_unused_result_;

/* Appends. RESOURCE_EXHAUSTED past the maximum, nothing appended then. */
Error *buf_append(Buf *buf, const void *data, size_t bytes) _warn_unused_result_;
Error *buf_append_text(Buf *buf, const char *text) _warn_unused_result_;
Error *buf_printf(Buf *buf, const char *format, ...) _printf_(2, 3) _warn_unused_result_;

/* The bytes with a NUL behind them, which is not counted in size. Borrowed; valid until the next
 * append. NULL when memory is out. */
const char *buf_text(Buf *buf);

#endif
