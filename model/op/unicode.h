/* SPDX-License-Identifier: Apache-2.0
 *
 * Unicode: code points from bytes and back, as ICU gives them to TensorFlow.
 *
 *   name (upper or lower case, '-' and '_' do not count)   bytes of a code point
 *   UTF-8                                                  1 to 4
 *   UTF-16-BE, UTF-16-LE                                   2, or 4 as surrogates
 *   UTF-32-BE, UTF-32-LE                                   4
 *   US-ASCII, ISO-8859-1                                   1; only read
 *
 * ICU has some 200 more converters; those are not supported.
 */
#ifndef DIGIT_OP_UNICODE_H
#define DIGIT_OP_UNICODE_H

#include "model/base/bytes.h"

#define UNICODE_MAX 0x10FFFF
#define UNICODE_REPLACEMENT 0xFFFD

typedef enum UnicodeEncoding {
    UNICODE_UTF8,
    UNICODE_UTF16_BE,
    UNICODE_UTF32_BE, /* up to here an encoding may be written, too */
    UNICODE_UTF16_LE,
    UNICODE_UTF32_LE,
    UNICODE_ASCII,
    UNICODE_LATIN1,
} UnicodeEncoding;

/* False for a name that is not in the table above. */
bool unicode_find_encoding(const char *name, UnicodeEncoding *ret);

/* Takes the first code point off *rest, which is not empty. False, with U+FFFD, when it begins with
 * bytes that are none: as many are taken as could have begun one, at least one byte. */
bool unicode_next(UnicodeEncoding encoding, Bytes *rest, uint32_t *ret_code);

/* Writes a code point, at most UNICODE_MAX, and gives the number of its bytes. A surrogate, which no
 * text may have, becomes U+FFFD in UTF-8 and stays what it is in the others. */
size_t unicode_write(UnicodeEncoding encoding, uint32_t code, uint8_t out[4]);

#endif
