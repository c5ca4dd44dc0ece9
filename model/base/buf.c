/* SPDX-License-Identifier: Apache-2.0
 *
 * Buf: capacity doubles, up to the maximum; one byte more than the capacity is always allocated, so
 * that buf_text needs no room of its own.
 */
#include "model/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define BUF_MIN_BYTES 64

void buf_init(Buf *buf, size_t max_bytes)
{
    /* Room for the NUL behind the last byte. */
    *buf = (Buf){ .max_bytes = max_bytes < SIZE_MAX ? max_bytes : SIZE_MAX - 1 };
}

void buf_done(Buf *buf)
{
    free(buf->data);
    buf_init(buf, buf->max_bytes);
}

static Error *buf_grow(Buf *buf, size_t capacity)
{
    uint8_t *data = realloc(buf->data, capacity + 1);
    if (data == NULL)
        return error_out_of_memory();
    buf->data = data;
    buf->capacity = capacity;
    return NULL;
}

Error *buf_reserve(Buf *buf, size_t bytes)
{
    if (bytes <= buf->capacity - buf->size)
        return NULL;
    if (bytes > buf->max_bytes - buf->size)
        return error_new(ERROR_RESOURCE_EXHAUSTED,
                         "%zu bytes do not fit behind the %zu that are there; the limit is %zu",
                         bytes, buf->size, buf->max_bytes);

    size_t needed = buf->size + bytes;
    size_t capacity = buf->capacity > BUF_MIN_BYTES / 2 ? buf->capacity : BUF_MIN_BYTES / 2;
    capacity = capacity <= buf->max_bytes / 2 ? capacity * 2 : buf->max_bytes;
    return buf_grow(buf, capacity > needed ? capacity : needed);
}

Error *buf_append(Buf *buf, const void *data, size_t bytes)
{
    TRY(buf_reserve(buf, bytes));
    if (bytes > 0)
        memcpy(buf->data + buf->size, data, bytes);
    buf->size += bytes;
    return NULL;
}

Error *buf_append_text(Buf *buf, const char *text)
{
    return buf_append(buf, text, strlen(text));
}

static Error *buf_vprintf(Buf *buf, const char *format, va_list args)
{
    va_list copy;
    va_copy(copy, args);
    int n = vsnprintf(NULL, 0, format, copy);
    va_end(copy);
    if (n < 0)
        return error_new(ERROR_INTERNAL, "the format \"%s\" cannot be printed", format);
    if (n == 0)
        return NULL;
    TRY(buf_reserve(buf, (size_t)n));
    vsnprintf((char *)buf->data + buf->size, (size_t)n + 1, format, args);
    buf->size += (size_t)n;
    return NULL;
}

Error *buf_printf(Buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    Error *error = buf_vprintf(buf, format, args);
    va_end(args);
    return error;
}

const char *buf_text(Buf *buf)
{
    if (buf->data == NULL && (buf->data = malloc(1)) == NULL)
        return NULL;
    buf->data[buf->size] = '\0';
    return (const char *)buf->data;
}
