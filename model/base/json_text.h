/* SPDX-License-Identifier: Apache-2.0
 *
 * Text as JSON writes it (RFC 8259). Bytes that are no UTF-8 become U+FFFD, one each.
 */
#ifndef DIGIT_BASE_JSON_TEXT_H
#define DIGIT_BASE_JSON_TEXT_H

#include <stdio.h>

#include "model/base/buf.h"
#include "model/base/bytes.h"

/* Prints `text` as a JSON string with its quotes. */
void json_print_text(const char *text, FILE *out);

/* Appends `text` as a JSON string with its quotes. */
Error *json_append_text(Buf *buf, Bytes text) _warn_unused_result_;

#endif
