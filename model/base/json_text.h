/* SPDX-License-Identifier: Apache-2.0
 *
 * Text as JSON writes it.
 */
#ifndef DIGIT_BASE_JSON_TEXT_H
#define DIGIT_BASE_JSON_TEXT_H

#include <stdio.h>

/* Prints `text` as a JSON string with its quotes (RFC 8259). Bytes that are no UTF-8 (RFC 3629)
 * become U+FFFD, one each. */
void json_print_text(const char *text, FILE *out);

#endif
