/* SPDX-License-Identifier: Apache-2.0
 *
 * UTF-8 (RFC 3629), for texts that strangers wrote.
 */
#ifndef DIGIT_BASE_UTF8_H
#define DIGIT_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* What stands for bytes that are no UTF-8: U+FFFD. */
#define UTF8_REPLACEMENT "\xef\xbf\xbd"

/* The bytes of the character that begins at `p`, 1 to 4; 0 when the `max` > 0 bytes there begin
 * with none. */
size_t utf8_length(const uint8_t *p, size_t max);

#endif
