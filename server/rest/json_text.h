/* SPDX-License-Identifier: Apache-2.0
 *
 * Characters of JSON: what json_check.c and json_read.c both look for. Texts end with a NUL, which is
 * none of them.
 */
#ifndef DIGIT_SERVER_REST_JSON_TEXT_H
#define DIGIT_SERVER_REST_JSON_TEXT_H

#include <stdbool.h>
#include <string.h>

static inline bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline const char *skip_space(const char *at)
{
    while (is_space(*at))
        at++;
    return at;
}

static inline const char *skip_digits(const char *at)
{
    while (is_digit(*at))
        at++;
    return at;
}

/* The value of four hexadecimal digits; -1 when they are none. */
static inline int hex4(const char *at)
{
    int value = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        int digit = is_digit(c)            ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* Behind NaN, Inf or Infinity at `at`; NULL when there is none. */
static inline const char *skip_special(const char *at)
{
    if (strncmp(at, "NaN", 3) == 0)
        return at + 3;
    if (strncmp(at, "Infinity", 8) == 0)
        return at + 8;
    /* RapidJSON reads an i behind Inf as the start of Infinity. */
    return strncmp(at, "Inf", 3) == 0 && at[3] != 'i' ? at + 3 : NULL;
}

#endif
