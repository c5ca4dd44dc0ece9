/* SPDX-License-Identifier: Apache-2.0
 *
 * {"b64": "..."}. Accepts what absl::Base64Unescape does.
 */
#include "server/rest/json_base64.h"

#include <string.h>

#include "server/rest/json_text.h"

#define KEY "\"b64\""
#define NO_DIGIT 64

/* The six bits that a digit stands for. */
static unsigned digit_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return 26u + c - 'a';
    if (c >= '0' && c <= '9')
        return 52u + c - '0';
    return c == '+' ? 62 : c == '/' ? 63 : NO_DIGIT;
}

bool json_is_base64(Json json, Json *ret_string)
{
    Json key = json_type(json) == JSON_OBJECT ? json_first(json) : NULL;
    if (key == NULL || strncmp(key, KEY, strlen(KEY)) != 0)
        return false;
    Json value = skip_space(skip_space(key + strlen(KEY)) + 1);
    if (json_type(value) != JSON_STRING || json_next(json_end(value)) != NULL)
        return false;
    *ret_string = value;
    return true;
}

static Error *undecodable(void)
{
    return error_new(ERROR_INVALID_ARGUMENT, "Unable to base64 decode");
}

Error *json_read_base64(Arena *arena, Json string, Bytes *ret_bytes)
{
    Bytes text;
    const char *end;
    TRY(json_string(arena, string, &text, &end));
    uint8_t *bytes = arena_alloc(arena, text.size / 4 * 3 + 3), *to = bytes;
    if (bytes == NULL)
        return error_out_of_memory();
    unsigned n_digits = 0, n_padding = 0;
    uint32_t bits = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        unsigned value = digit_value(c);
        if (is_space((char)c) || c == '\v' || c == '\f')
            continue;
        if (c == '=' && n_padding < 2) {
            n_padding++;
            continue;
        }
        if (value == NO_DIGIT || n_padding > 0)
            return undecodable();
        bits = bits << 6 | value;
        if (n_digits % 4 != 0)
            *to++ = (uint8_t)(bits >> (6 - 2 * (n_digits % 4)));
        n_digits++;
    }
    /* One digit alone is no byte; bits that are left over must be zero; padding fills a group. */
    unsigned rest = n_digits % 4;
    bool is_clean = rest == 0 || (bits & (rest == 2 ? 15u : 3u)) == 0;
    if (rest == 1 || !is_clean || (n_padding > 0 && n_padding != (4 - rest) % 4))
        return undecodable();
    *ret_bytes = (Bytes){ bytes, (size_t)(to - bytes) };
    return NULL;
}
