/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON values. Most floats of a reply are printed with few digits; whole numbers do not go through
 * printf at all, since images and one-hot rows are made of them.
 */
#include "server/rest/json_write.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_BYTES 40
#define WHOLE_LIMIT 1000000 /* %g writes larger numbers with an exponent */

static Error *write_special(Buf *buf, double value)
{
    return buf_append_text(buf, isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
}

/* A whole number under WHOLE_LIMIT, which ends in ".0". */
static Error *write_whole(Buf *buf, bool is_negative, unsigned magnitude)
{
    char text[16], *at = text + sizeof(text);
    *--at = '0';
    *--at = '.';
    do {
        *--at = (char)('0' + magnitude % 10);
        magnitude /= 10;
    } while (magnitude > 0);
    if (is_negative)
        *--at = '-';
    return buf_append(buf, at, (size_t)(text + sizeof(text) - at));
}

/* `text`, with ".0" behind what would be read as an integer. */
static Error *write_decimal(Buf *buf, const char *text)
{
    TRY(buf_append_text(buf, text));
    return strpbrk(text, ".e") != NULL ? NULL : buf_append_text(buf, ".0");
}

static bool is_small_whole(double value)
{
    return fabs(value) < WHOLE_LIMIT && value == (double)(int)value;
}

Error *json_write_float(Buf *buf, float value)
{
    char text[NUMBER_BYTES];
    if (!isfinite(value))
        return write_special(buf, (double)value);
    if (is_small_whole((double)value))
        return write_whole(buf, signbit(value) != 0, (unsigned)fabsf(value));
    snprintf(text, sizeof(text), "%.6g", (double)value);
    if (strtof(text, NULL) != value)
        snprintf(text, sizeof(text), "%.9g", (double)value);
    return write_decimal(buf, text);
}

Error *json_write_double(Buf *buf, double value)
{
    char text[NUMBER_BYTES];
    if (!isfinite(value))
        return write_special(buf, value);
    if (is_small_whole(value))
        return write_whole(buf, signbit(value) != 0, (unsigned)fabs(value));
    snprintf(text, sizeof(text), "%.6g", value);
    if (strtod(text, NULL) != value)
        snprintf(text, sizeof(text), "%.17g", value);
    return write_decimal(buf, text);
}

Error *json_write_int(Buf *buf, int64_t value)
{
    return buf_printf(buf, "%" PRId64, value);
}

Error *json_write_uint(Buf *buf, uint64_t value)
{
    return buf_printf(buf, "%" PRIu64, value);
}

/* The letter behind the backslash; '\0' when the character has no short escape, which is written
 * as \u00XX. */
static char escape_of(uint8_t c)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    const char *at = c != '\0' ? strchr(from, c) : NULL;
    return at != NULL ? to[at - from] : '\0';
}

Error *json_write_string(Buf *buf, Bytes string)
{
    TRY(buf_append_text(buf, "\""));
    size_t done = 0;
    for (size_t i = 0; i < string.size; i++) {
        uint8_t c = string.data[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        TRY(buf_append(buf, string.data + done, i - done));
        char escape = escape_of(c);
        TRY(escape != '\0' ? buf_printf(buf, "\\%c", escape) : buf_printf(buf, "\\u%04X", c));
        done = i + 1;
    }
    if (string.size > done)
        TRY(buf_append(buf, string.data + done, string.size - done));
    return buf_append_text(buf, "\"");
}

Error *json_write_base64(Buf *buf, Bytes bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t size;
    if (!checked_mul(bytes.size / 3 + 1, 4, &size) || !checked_add(size, 2, &size))
        return error_out_of_memory();
    TRY(buf_reserve(buf, size));
    uint8_t *to = buf->data + buf->size;
    *to++ = '"';
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t n = bytes.size - i < 3 ? bytes.size - i : 3;
        uint32_t bits = 0;
        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (k < n ? bytes.data[i + k] : 0u);
        for (size_t k = 0; k < 4; k++)
            *to++ = (uint8_t)(k <= n ? digits[bits >> (18 - 6 * k) & 63] : '=');
    }
    *to++ = '"';
    buf->size = (size_t)(to - buf->data);
    return NULL;
}
