/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks a JSON document, once, from its first character to the end of its first value. Without
 * recursion: whether an open level is an object or an array is one bit.
 *
 * Words and offsets of the errors are RapidJSON's.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "server/rest/json_read.h"
#include "server/rest/json_text.h"

#define FIRST_LEVELS 4096

/* The text that is checked, the place where it went wrong, and the bits of the open levels. */
typedef struct Check {
    Arena *arena;
    const char *text;
    const char *end;
    const char *at;
    const char *wrong; /* what is wrong at `at`; NULL: nothing */
    uint8_t *levels;   /* bit i: level i is an object */
    size_t n_levels, max_levels;
} Check;

static bool fail(Check *check, const char *wrong, const char *at)
{
    check->wrong = wrong;
    check->at = at;
    return false;
}

static bool check_escape(Check *check)
{
    const char *escape = check->at;
    char c = escape[1];
    check->at += 2;
    if (c != 'u')
        return c != '\0' && strchr("\"\\/bfnrt", c) != NULL
                   ? true
                   : fail(check, "Invalid escape character in string.", escape);
    int first = hex4(escape + 2);
    if (first < 0)
        return fail(check, "Incorrect hex digit after \\u escape in string.", escape);
    check->at += 4;
    if (first < 0xd800 || first > 0xdfff)
        return true;
    const char *second = check->at;
    int low = second[0] == '\\' && second[1] == 'u' ? hex4(second + 2) : -1;
    if (first > 0xdbff || low < 0xdc00 || low > 0xdfff)
        return fail(check, "The surrogate pair in string is invalid.", escape);
    check->at += 6;
    return true;
}

static bool check_string(Check *check)
{
    check->at++;
    for (;;) {
        char c = *check->at;
        if (c == '"') {
            check->at++;
            return true;
        }
        if (c == '\\') {
            if (!check_escape(check))
                return false;
        } else if ((unsigned char)c < 0x20) {
            return fail(check,
                        c == '\0' ? "Missing a closing quotation mark in string."
                                  : "Invalid encoding in string.",
                        check->at);
        } else {
            check->at++;
        }
    }
}

static bool check_number(Check *check)
{
    const char *start = check->at, *at = start + (*start == '-');
    if (*at == 'N' || *at == 'I') {
        const char *behind = skip_special(at);
        if (behind == NULL)
            return fail(check, "Invalid value.", at);
        check->at = behind;
        return true;
    }
    if (!is_digit(*at))
        return fail(check, "Invalid value.", at);
    const char *digits = at;
    at = *at == '0' ? at + 1 : skip_digits(at);
    bool is_big = at - digits > 300;
    if (*at == '.') {
        if (!is_digit(*++at))
            return fail(check, "Miss fraction part in number.", at);
        at = skip_digits(at);
    }
    if (*at == 'e' || *at == 'E') {
        at++;
        at += *at == '+' || *at == '-';
        if (!is_digit(*at))
            return fail(check, "Miss exponent in number.", at);
        at = skip_digits(at);
        is_big = true;
    }
    if (is_big && isinf(strtod(start, NULL)))
        return fail(check, "Number too big to be stored in double.", start);
    check->at = at;
    return true;
}

static bool check_word(Check *check, const char *word)
{
    const char *at = check->at;
    for (; *word != '\0'; word++, at++)
        if (*at != *word)
            return fail(check, "Invalid value.", at);
    check->at = at;
    return true;
}

static bool check_scalar(Check *check)
{
    switch (*check->at) {
    case '"':
        return check_string(check);
    case 'n':
        return check_word(check, "null");
    case 't':
        return check_word(check, "true");
    case 'f':
        return check_word(check, "false");
    default:
        return check_number(check);
    }
}

/* Opens a level; the error is the arena's. */
static Error *push(Check *check, bool is_object)
{
    if (check->n_levels == check->max_levels) {
        size_t more = check->max_levels == 0 ? FIRST_LEVELS : check->max_levels * 2;
        uint8_t *levels = arena_calloc(check->arena, more / 8, 1);
        if (levels == NULL)
            return error_out_of_memory();
        if (check->max_levels > 0)
            memcpy(levels, check->levels, check->max_levels / 8);
        check->levels = levels;
        check->max_levels = more;
    }
    uint8_t bit = (uint8_t)(1u << check->n_levels % 8);
    uint8_t *byte = &check->levels[check->n_levels++ / 8];
    *byte = (uint8_t)(is_object ? *byte | bit : *byte & ~bit);
    return NULL;
}

static bool in_object(const Check *check)
{
    size_t level = check->n_levels - 1;
    return (check->levels[level / 8] >> level % 8 & 1) != 0;
}

/* `"key" :` in front of a member's value. */
static bool check_key(Check *check)
{
    check->at = skip_space(check->at);
    if (*check->at != '"')
        return fail(check, "Missing a name for object member.", check->at);
    if (!check_string(check))
        return false;
    check->at = skip_space(check->at);
    if (*check->at != ':')
        return fail(check, "Missing a colon after a name of object member.", check->at);
    check->at++;
    return true;
}

/* After a value: closes the levels that end here, up to a comma, which is read over. */
static bool check_separator(Check *check)
{
    while (check->n_levels > 0) {
        check->at = skip_space(check->at);
        bool is_object = in_object(check);
        if (*check->at == ',') {
            check->at++;
            return !is_object || check_key(check);
        }
        if (*check->at != (is_object ? '}' : ']'))
            return fail(check,
                        is_object ? "Missing a comma or } after an object member."
                                  : "Missing a comma or ] after an array element.",
                        check->at);
        check->at++;
        check->n_levels--;
    }
    return true;
}

/* One value's start: a scalar as a whole, or the opening of a level and what it must begin with. */
static Error *check_value(Check *check)
{
    check->at = skip_space(check->at);
    bool is_object = *check->at == '{';
    if (!is_object && *check->at != '[') {
        if (check_scalar(check))
            (void)check_separator(check);
        return NULL;
    }
    const char *inside = skip_space(check->at + 1);
    if (*inside == (is_object ? '}' : ']')) {
        check->at = inside + 1;
        (void)check_separator(check);
        return NULL;
    }
    TRY(push(check, is_object));
    check->at = inside;
    if (is_object)
        (void)check_key(check);
    return NULL;
}

static Error *parse_error(const Check *check)
{
    return error_new(ERROR_INVALID_ARGUMENT, "JSON Parse error: %s at offset: %zu", check->wrong,
                     (size_t)(check->at - check->text));
}

Error *json_check(Arena *arena, const char *text, size_t bytes, Json *ret_json)
{
    if (bytes == 0)
        return error_new(ERROR_INVALID_ARGUMENT, "JSON Parse error: The document is empty");
    assert(text[bytes] == '\0');
    Check check = { .arena = arena, .text = text, .end = text + bytes };
    /* A byte order mark, which RapidJSON's stream takes. */
    check.at = bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? text + 3 : text;
    Json json = skip_space(check.at);
    if (*json == '\0')
        (void)fail(&check, "The document is empty.", json);
    do {
        if (check.wrong == NULL)
            TRY(check_value(&check));
        if (check.wrong != NULL)
            return parse_error(&check);
    } while (check.n_levels > 0);
    assert(check.at <= check.end);
    *ret_json = json;
    return NULL;
}
