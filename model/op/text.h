/* SPDX-License-Identifier: Apache-2.0
 *
 * Text: small things about bytes that are text, for the string kernels. White space is that of
 * ASCII, whatever the locale.
 */
#ifndef DIGIT_OP_TEXT_H
#define DIGIT_OP_TEXT_H

#include "model/base/bytes.h"

static inline bool text_is_space(uint8_t b)
{
    return b == ' ' || (b >= '\t' && b <= '\r');
}

static inline bool utf8_is_continuation(uint8_t b)
{
    return (b & 0xC0) == 0x80;
}

static inline Bytes text_strip_left(Bytes text)
{
    while (text.size > 0 && text_is_space(text.data[0]))
        text = (Bytes){ text.data + 1, text.size - 1 };
    return text;
}

/* Without the white space at both ends. Borrows. */
static inline Bytes text_strip(Bytes text)
{
    text = text_strip_left(text);
    while (text.size > 0 && text_is_space(text.data[text.size - 1]))
        text.size--;
    return text;
}

#endif
