/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON, read in place. No JSON library in C that Debian has takes NaN and Infinity, which clients of
 * TensorFlow Serving send, and each of them builds a tree with a node a number.
 *
 * All functions trust what json_check has found good and look for no error: the NUL behind the text
 * ends whatever they scan.
 */
#include "server/rest/json_read.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/rest/json_text.h"

#define SHOWN_BYTES 256
#define EXACT_POWER 22 /* 10^22 is the largest power of ten that a double holds exactly */

/* ---- values ---------------------------------------------------------------------------------- */

JsonType json_type(Json json)
{
    switch (*json) {
    case 'n':
        return JSON_NULL;
    case 'f':
        return JSON_FALSE;
    case 't':
        return JSON_TRUE;
    case '{':
        return JSON_OBJECT;
    case '[':
        return JSON_ARRAY;
    case '"':
        return JSON_STRING;
    default:
        return JSON_NUMBER;
    }
}

const char *json_type_name(Json json)
{
    static const char *const names[] = { "Null",  "False",  "True",  "Object",
                                         "Array", "String", "Number" };
    return names[json_type(json)];
}

/* Behind the closing quotation mark. */
static const char *skip_string(const char *at)
{
    for (at++; *at != '"'; at++)
        at += *at == '\\';
    return at + 1;
}

/* The characters that end a run of plain ones inside an array or object. */
static inline bool is_structure(char c)
{
    return c == '"' || c == '[' || c == ']' || c == '{' || c == '}';
}

/* The characters of numbers and words. Not all that are no delimiter: behind the document's first
 * value there may be anything. */
static inline bool is_scalar(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '+' || c == '.';
}

const char *json_end(Json json)
{
    if (*json == '"')
        return skip_string(json);
    if (*json != '[' && *json != '{') {
        const char *at = json;
        while (is_scalar(*at))
            at++;
        return at;
    }
    size_t depth = 0;
    const char *at = json;
    do {
        while (!is_structure(*at))
            at++;
        if (*at == '"') {
            at = skip_string(at);
        } else {
            depth += *at == '[' || *at == '{' ? 1 : (size_t)-1;
            at++;
        }
    } while (depth > 0);
    return at;
}

Json json_first(Json array)
{
    const char *at = skip_space(array + 1);
    return *at == ']' || *at == '}' ? NULL : at;
}

Json json_next(const char *end)
{
    const char *at = skip_space(end);
    return *at == ',' ? skip_space(at + 1) : NULL;
}

int64_t json_count(Json array, const char **ret_end)
{
    int64_t n = 0;
    const char *end = array;
    for (Json element = json_first(array); element != NULL; element = json_next(end)) {
        end = json_end(element);
        n++;
    }
    if (ret_end != NULL)
        *ret_end = n == 0 ? json_end(array) : skip_space(end) + 1;
    return n;
}

bool json_each(Arena *arena, JsonMember *member, Error **error)
{
    if (member->next == NULL || *error != NULL)
        return false;
    const char *end;
    *error = json_string(arena, member->next, &member->key, &end);
    if (*error != NULL)
        return false;
    member->value = skip_space(skip_space(end) + 1);
    member->next = json_next(json_end(member->value));
    return true;
}

Error *json_find(Arena *arena, Json object, Bytes key, Json *ret_value)
{
    Error *error = NULL;
    JsonMember member = { .next = json_first(object) };
    while (json_each(arena, &member, &error)) {
        if (bytes_equal(member.key, key)) {
            *ret_value = member.value;
            return NULL;
        }
    }
    TRY(error);
    *ret_value = NULL;
    return NULL;
}

/* ---- strings --------------------------------------------------------------------------------- */

static uint8_t *put_utf8(uint8_t *to, unsigned c)
{
    if (c < 0x80) {
        *to++ = (uint8_t)c;
    } else if (c < 0x800) {
        *to++ = (uint8_t)(0xc0 | c >> 6);
        *to++ = (uint8_t)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *to++ = (uint8_t)(0xe0 | c >> 12);
        *to++ = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        *to++ = (uint8_t)(0x80 | (c & 0x3f));
    } else {
        *to++ = (uint8_t)(0xf0 | c >> 18);
        *to++ = (uint8_t)(0x80 | (c >> 12 & 0x3f));
        *to++ = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        *to++ = (uint8_t)(0x80 | (c & 0x3f));
    }
    return to;
}

/* The character of the escape at `*at`, which is moved behind it. */
static unsigned read_escape(const char **at)
{
    static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
    const char *escape = *at;
    *at += 2;
    if (escape[1] != 'u') {
        const char *name = strchr(names, escape[1]);
        return (unsigned char)(name != NULL ? values[name - names] : escape[1]);
    }
    unsigned c = (unsigned)hex4(escape + 2);
    *at += 4;
    if (c >= 0xd800 && c <= 0xdbff) {
        c = 0x10000 + ((c - 0xd800) << 10) + ((unsigned)hex4(escape + 8) - 0xdc00);
        *at += 6;
    }
    return c;
}

Error *json_string(Arena *arena, Json json, Bytes *ret_string, const char **ret_end)
{
    const char *start = json + 1, *end = skip_string(json) - 1;
    size_t bytes = (size_t)(end - start);
    *ret_end = end + 1;
    if (memchr(start, '\\', bytes) == NULL) {
        *ret_string = (Bytes){ (const uint8_t *)start, bytes };
        return NULL;
    }
    uint8_t *string = arena_alloc(arena, bytes), *to = string; /* an escape never grows */
    if (string == NULL)
        return error_out_of_memory();
    for (const char *at = start; at < end;) {
        if (*at == '\\')
            to = put_utf8(to, read_escape(&at));
        else
            *to++ = (uint8_t)*at++;
    }
    *ret_string = (Bytes){ string, (size_t)(to - string) };
    return NULL;
}

/* ---- numbers --------------------------------------------------------------------------------- */

static const double powers_of_ten[EXACT_POWER + 1] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,
                                                       1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                                       1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
                                                       1e18, 1e19, 1e20, 1e21, 1e22 };

/* The digits of a number as an integer and a power of ten. `*ret_is_exact` is false when there were
 * more than the integer holds. */
static const char *read_digits(const char *at, uint64_t *ret_digits, int *ret_power,
                               bool *ret_is_exact)
{
    uint64_t digits = 0;
    const char *start = at;
    bool is_exact = true;
    for (; is_digit(*at); at++)
        is_exact = is_exact && !__builtin_mul_overflow(digits, 10, &digits) &&
                   !__builtin_add_overflow(digits, (uint64_t)(*at - '0'), &digits);
    *ret_power = 0;
    if (*at == '.') {
        for (start = ++at; is_digit(*at); at++)
            is_exact = is_exact && !__builtin_mul_overflow(digits, 10, &digits) &&
                       !__builtin_add_overflow(digits, (uint64_t)(*at - '0'), &digits);
        *ret_power = at - start > 1000 ? -1000 : (int)(start - at);
    }
    *ret_digits = digits;
    *ret_is_exact = is_exact;
    return at;
}

/* A signed exponent behind its e, cut at what no double reaches. */
static const char *read_exponent(const char *at, int *ret_exponent)
{
    bool is_negative = *at == '-';
    int exponent = 0;
    at += *at == '-' || *at == '+';
    for (; is_digit(*at); at++)
        exponent = exponent < 10000 ? exponent * 10 + (*at - '0') : exponent;
    *ret_exponent = is_negative ? -exponent : exponent;
    return at;
}

const char *json_number(Json json, JsonNumber *ret)
{
    bool is_negative = *json == '-', is_exact;
    const char *at = json + is_negative;
    *ret = (JsonNumber){ .is_negative = is_negative };
    if (*at == 'N' || *at == 'I') {
        ret->value = *at == 'N' ? NAN : is_negative ? -INFINITY : INFINITY;
        return skip_special(at);
    }
    uint64_t digits;
    int power, exponent = 0;
    const char *whole = at;
    at = read_digits(at, &digits, &power, &is_exact);
    bool is_whole = memchr(whole, '.', (size_t)(at - whole)) == NULL;
    if (*at == 'e' || *at == 'E') {
        at = read_exponent(at + 1, &exponent);
        is_whole = false;
    }
    power += exponent;
    /* Both the digits and the power are exact as doubles, so that one operation rounds once. */
    if (is_exact && digits <= (uint64_t)1 << 53 && power >= -EXACT_POWER && power <= EXACT_POWER) {
        double value = (double)digits;
        value = power < 0 ? value / powers_of_ten[-power] : value * powers_of_ten[power];
        ret->value = is_negative ? -value : value;
    } else {
        ret->value = strtod(json, NULL);
    }
    ret->is_integer = is_whole && is_exact && (!is_negative || digits <= (uint64_t)1 << 63);
    ret->magnitude = digits;
    return at;
}

bool json_integer(const JsonNumber *number, int64_t min, int64_t max, int64_t *ret_value)
{
    uint64_t limit = number->is_negative ? (uint64_t)0 - (uint64_t)min : (uint64_t)max;
    if (!number->is_integer || number->magnitude > limit)
        return false;
    *ret_value =
        (int64_t)(number->is_negative ? (uint64_t)0 - number->magnitude : number->magnitude);
    return true;
}

/* ---- for errors ------------------------------------------------------------------------------ */

typedef struct Shown {
    char *text;
    size_t n;
} Shown;

static void put(Shown *shown, const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes && shown->n < SHOWN_BYTES; i++)
        shown->text[shown->n++] = text[i];
}

static void put_line(Shown *shown, int depth)
{
    put(shown, "\n", 1);
    for (int i = 0; i < depth && shown->n < SHOWN_BYTES; i++)
        put(shown, "    ", 4);
}

/* What stands at `at`, which may be a bracket, a comma or a colon too. Returns its end. */
static const char *show(Shown *shown, const char *at, int *depth)
{
    if (*at == ']' || *at == '}')
        put_line(shown, --*depth);
    const char *end = *at == '"' ? json_end(at) : at + 1;
    if (!is_space(*at))
        put(shown, at, (size_t)(end - at));
    if (*at == ':')
        put(shown, " ", 1);
    if (*at == ',')
        put_line(shown, *depth);
    if (*at != '[' && *at != '{')
        return end;
    if (json_first(at) != NULL) {
        put_line(shown, ++*depth);
        return end;
    }
    put(shown, *at == '[' ? "]" : "}", 1);
    return json_end(at);
}

const char *json_shown(Arena *arena, Json json)
{
    Shown shown = { .text = arena_alloc(arena, SHOWN_BYTES + sizeof("...")) };
    if (shown.text == NULL)
        return "";
    const char *end = json_end(json);
    int depth = 0;
    const char *at = json;
    while (at < end && shown.n < SHOWN_BYTES)
        at = show(&shown, at, &depth);
    memcpy(shown.text + shown.n, "...", sizeof("..."));
    if (at == end && shown.n < SHOWN_BYTES)
        shown.text[shown.n] = '\0';
    return shown.text;
}
