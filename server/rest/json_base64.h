/* SPDX-License-Identifier: Apache-2.0
 *
 * {"b64": "..."}: how bytes that are no text stand in JSON.
 */
#ifndef DIGIT_SERVER_REST_JSON_BASE64_H
#define DIGIT_SERVER_REST_JSON_BASE64_H

#include "server/rest/json_read.h"

/* True for an object whose one member is called b64 and is a string; gives the string. */
bool json_is_base64(Json json, Json *ret_string);

/* The bytes that a string of base64 stands for, in `arena`: with padding or without, whitespace is
 * read over (RFC 4648, section 4). INVALID_ARGUMENT `Unable to base64 decode`. */
Error *json_read_base64(Arena *arena, Json string, Bytes *ret_bytes) _warn_unused_result_;

#endif
