/* SPDX-License-Identifier: Apache-2.0
 *
 * Unicode: see unicode.h. All bytes come from strangers.
 *
 * UTF-8 (The Unicode Standard, table 3-7): what may follow a lead byte; C0, C1 and F5 on lead nothing.
 *
 *   lead     C2..DF  E0      E1..EC  ED      EE..EF  F0      F1..F3  F4
 *   second   80..BF  A0..BF  80..BF  80..9F  80..BF  90..BF  80..BF  80..8F
 *
 * A sequence that breaks off counts as one bad character, however long it is (the standard, 3.9,
 * "U+FFFD Substitution of Maximal Subparts").
 */
#include "model/op/unicode.h"

#include <ctype.h>

#include "model/base/cleanup.h"

static const struct {
    const char *name; /* without '-' and '_' */
    UnicodeEncoding encoding;
} encodings[] = {
    { "utf8", UNICODE_UTF8 },        { "utf16be", UNICODE_UTF16_BE },
    { "utf16le", UNICODE_UTF16_LE }, { "utf32be", UNICODE_UTF32_BE },
    { "utf32le", UNICODE_UTF32_LE }, { "usascii", UNICODE_ASCII },
    { "ascii", UNICODE_ASCII },      { "iso88591", UNICODE_LATIN1 },
    { "latin1", UNICODE_LATIN1 },
};

bool unicode_find_encoding(const char *name, UnicodeEncoding *ret)
{
    char plain[16];
    size_t n = 0;
    for (; *name != '\0'; name++) {
        if (*name == '-' || *name == '_')
            continue;
        if (n + 1 == sizeof(plain))
            return false;
        plain[n++] = (char)tolower((unsigned char)*name);
    }
    plain[n] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(encodings); i++) {
        if (strcmp(plain, encodings[i].name) == 0) {
            *ret = encodings[i].encoding;
            return true;
        }
    }
    return false;
}

static void take(Bytes *rest, size_t n)
{
    *rest = (Bytes){ rest->data + n, rest->size - n };
}

/* ---- reading ------------------------------------------------------------------------------- */

static bool next_utf8(Bytes *rest, uint32_t *ret)
{
    uint8_t lead = rest->data[0], low = 0x80, high = 0xBF;
    uint32_t code = lead;
    size_t n = 1;
    if (lead >= 0x80) {
        n = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
        if (lead < 0xC2 || lead > 0xF4)
            return take(rest, 1), false;
        low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : low;
        high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : high;
        code = lead & (0xFFu >> (n + 1));
    }
    for (size_t k = 1; k < n; k++, low = 0x80, high = 0xBF) {
        if (k == rest->size || rest->data[k] < low || rest->data[k] > high)
            return take(rest, k), false;
        code = code << 6 | (rest->data[k] & 0x3F);
    }
    take(rest, n);
    *ret = code;
    return true;
}

static uint32_t unit16(const uint8_t *p, bool is_big)
{
    return is_big ? (uint32_t)p[0] << 8 | p[1] : (uint32_t)p[1] << 8 | p[0];
}

static bool next_utf16(Bytes *rest, bool is_big, uint32_t *ret)
{
    if (rest->size < 2)
        return take(rest, rest->size), false;
    uint32_t unit = unit16(rest->data, is_big);
    if (unit < 0xD800 || unit > 0xDFFF) {
        take(rest, 2);
        *ret = unit;
        return true;
    }
    if (unit <= 0xDBFF && rest->size < 4)
        return take(rest, rest->size), false;
    uint32_t trail = unit <= 0xDBFF ? unit16(rest->data + 2, is_big) : 0;
    if (trail < 0xDC00 || trail > 0xDFFF)
        return take(rest, 2), false;
    take(rest, 4);
    *ret = 0x10000 + ((unit - 0xD800) << 10) + (trail - 0xDC00);
    return true;
}

static bool next_utf32(Bytes *rest, bool is_big, uint32_t *ret)
{
    if (rest->size < 4)
        return take(rest, rest->size), false;
    uint32_t code = load_le32(rest->data);
    if (is_big)
        code = __builtin_bswap32(code);
    take(rest, 4);
    if (code > UNICODE_MAX || (code >= 0xD800 && code <= 0xDFFF))
        return false;
    *ret = code;
    return true;
}

bool unicode_next(UnicodeEncoding encoding, Bytes *rest, uint32_t *ret_code)
{
    *ret_code = UNICODE_REPLACEMENT;
    switch (encoding) {
    case UNICODE_UTF8:
        return next_utf8(rest, ret_code);
    case UNICODE_UTF16_BE:
    case UNICODE_UTF16_LE:
        return next_utf16(rest, encoding == UNICODE_UTF16_BE, ret_code);
    case UNICODE_UTF32_BE:
    case UNICODE_UTF32_LE:
        return next_utf32(rest, encoding == UNICODE_UTF32_BE, ret_code);
    case UNICODE_ASCII:
    case UNICODE_LATIN1:
        break;
    }
    uint8_t byte = rest->data[0];
    take(rest, 1);
    if (encoding == UNICODE_ASCII && byte >= 0x80)
        return false;
    *ret_code = byte;
    return true;
}

/* ---- writing ------------------------------------------------------------------------------- */

static size_t write_utf8(uint32_t code, uint8_t *out)
{
    if (code >= 0xD800 && code <= 0xDFFF)
        code = UNICODE_REPLACEMENT;
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t k = n - 1; k > 0; k--, code >>= 6)
        out[k] = (uint8_t)(0x80 | (code & 0x3F));
    out[0] = (uint8_t)(0xF00u >> n | code);
    return n;
}

static size_t write_unit16(uint32_t unit, uint8_t *out)
{
    out[0] = (uint8_t)(unit >> 8);
    out[1] = (uint8_t)unit;
    return 2;
}

static size_t write_utf16(uint32_t code, uint8_t *out)
{
    if (code < 0x10000)
        return write_unit16(code, out);
    code -= 0x10000;
    return write_unit16(0xD800 + (code >> 10), out) +
           write_unit16(0xDC00 + (code & 0x3FF), out + 2);
}

size_t unicode_write(UnicodeEncoding encoding, uint32_t code, uint8_t out[4])
{
    if (encoding == UNICODE_UTF8)
        return write_utf8(code, out);
    if (encoding == UNICODE_UTF16_BE)
        return write_utf16(code, out);
    store_le32(out, __builtin_bswap32(code)); /* UTF-32-BE, the third that is written */
    return 4;
}
