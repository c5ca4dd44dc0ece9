/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON, read in place. A document is checked once as a whole; after that a value is a pointer to its
 * first character, and what is wanted of it is read from there. Nothing is built for what nobody asks
 * for, so that a list of a million numbers costs no more than its digits.
 *
 * What RapidJSON accepts in TensorFlow Serving: RFC 8259, and the numbers NaN, Inf, Infinity, -Inf
 * and -Infinity. The document ends with its first value; what follows is not looked at.
 */
#ifndef DIGIT_SERVER_REST_JSON_READ_H
#define DIGIT_SERVER_REST_JSON_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/error.h"

/* A value of a checked document: where it begins. Borrowed from the text. */
typedef const char *Json;

typedef enum JsonType {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_OBJECT,
    JSON_ARRAY,
    JSON_STRING,
    JSON_NUMBER,
} JsonType;

/* Checks the first value of text[0..bytes), behind which there is a NUL, and gives it. Takes no stack
 * for nesting: a bit a level lies in `arena`. INVALID_ARGUMENT `JSON Parse error: WHAT at offset: N`
 * in RapidJSON's words; RESOURCE_EXHAUSTED when the arena is full. */
Error *json_check(Arena *arena, const char *text, size_t bytes,
                  Json *ret_json) _warn_unused_result_;

JsonType json_type(Json json);

/* "Null", "Object" and so on, as TensorFlow Serving's errors have it. */
const char *json_type_name(Json json);

/* Behind the last character of the value. */
const char *json_end(Json json);

/* The first element of an array, NULL when there is none; and the one after the element that ends at
 * `end`, NULL when that was the last. */
Json json_first(Json array);
Json json_next(const char *end);

/* The number of elements of an array, and its end, which may be NULL. */
int64_t json_count(Json array, const char **ret_end);

/* A member of an object. Initialise with { .next = json_first(object) }. */
typedef struct JsonMember {
    Bytes key; /* borrowed from the text, or in the arena when it has escapes */
    Json value;
    Json next; /* the next member's key; NULL after the last */
} JsonMember;

/* Moves on to the next member: false after the last, and with an error of the arena in `*error`. */
bool json_each(Arena *arena, JsonMember *member, Error **error);

/* The value of the first member of that name; NULL when there is none. */
Error *json_find(Arena *arena, Json object, Bytes key, Json *ret_value) _warn_unused_result_;

/* The characters of a string, UTF-8 as it came: borrowed from the text, or in `arena` when it has
 * escapes. Gives the end of the value. */
Error *json_string(Arena *arena, Json json, Bytes *ret_string,
                   const char **ret_end) _warn_unused_result_;

typedef struct JsonNumber {
    double value;
    bool is_integer; /* written without fraction and exponent, and within int64 or uint64 */
    bool is_negative;
    uint64_t magnitude; /* of an integer */
} JsonNumber;

/* Reads a number and returns its end. */
const char *json_number(Json json, JsonNumber *ret_number);

/* True when the number is an integer within [min, max]; then `*ret_value` is it. */
bool json_integer(const JsonNumber *number, int64_t min, int64_t max, int64_t *ret_value);

/* The value as text for an error: indented, and cut at about 256 bytes. */
const char *json_shown(Arena *arena, Json json);

#endif
