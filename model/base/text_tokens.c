/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens of protobuf's text format: white space and comments (`#` to the end of the line) stand
 * between tokens. Adjacent strings are one, but that is the parser's affair.
 *
 *     \n \r \t \a \b \f \v \\ \' \" \?   \ooo   \xhh   \uhhhh   \Uhhhhhhhh
 */
#include "model/base/text_tokens.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static Error *error_at(int line, int column, const char *text)
{
    return error_new(ERROR_INVALID_ARGUMENT, "%d:%d: %s", line, column, text);
}

Error *text_tokens_error(const TextTokens *tokens, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return error_at(tokens->token_line, tokens->token_column, text);
}

/* Not those of ctype.h, which ask the locale. */
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static int hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static void step(TextTokens *tokens)
{
    if (*tokens->at++ == '\n') {
        tokens->line++;
        tokens->column = 1;
    } else {
        tokens->column++;
    }
}

static void skip_space(TextTokens *tokens)
{
    while (tokens->at < tokens->end) {
        char c = *tokens->at;
        if (c == '#') {
            while (tokens->at < tokens->end && *tokens->at != '\n')
                step(tokens);
        } else if (c == ' ' || (c >= '\t' && c <= '\r')) {
            step(tokens);
        } else {
            return;
        }
    }
}

/* Up to `max` digits of base 8 or 16; -1 when there is none. */
static int64_t number_escape(TextTokens *tokens, int base, int max)
{
    int64_t value = -1;
    for (int i = 0; i < max && tokens->at < tokens->end; i++) {
        int digit = hex_digit(*tokens->at);
        if (digit < 0 || digit >= base)
            break;
        value = (value < 0 ? 0 : value) * base + digit;
        step(tokens);
    }
    return value;
}

static size_t put_utf8(uint8_t *out, int64_t c)
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    size_t more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const uint8_t heads[] = { 0, 0xc0, 0xe0, 0xf0 };
    out[0] = (uint8_t)(heads[more] | c >> (6 * more));
    for (size_t i = 1; i <= more; i++)
        out[i] = (uint8_t)(0x80 | (c >> (6 * (more - i)) & 0x3f));
    return more + 1;
}

/* What stands behind a backslash. Writes no more bytes than it reads. */
static Error *escape(TextTokens *tokens, uint8_t *out, size_t *ret_n)
{
    static const char names[] = "nrtabfv\\'\"?", values[] = "\n\r\t\a\b\f\v\\'\"?";
    int line = tokens->line, column = tokens->column;
    char c = tokens->at < tokens->end ? *tokens->at : '\0';
    const char *name = c != '\0' ? strchr(names, c) : NULL;
    int64_t value = -1;
    *ret_n = 1;
    if (name != NULL) {
        step(tokens);
        out[0] = (uint8_t)values[name - names];
        return NULL;
    }
    if (c >= '0' && c <= '7') {
        value = number_escape(tokens, 8, 3);
    } else if (c == 'x' || c == 'X') {
        step(tokens);
        value = number_escape(tokens, 16, 2);
    } else if (c == 'u' || c == 'U') {
        step(tokens);
        const char *before = tokens->at;
        int digits = c == 'u' ? 4 : 8;
        value = number_escape(tokens, 16, digits);
        bool is_surrogate = value >= 0xd800 && value < 0xe000;
        if (tokens->at - before != digits || value > 0x10ffff || is_surrogate)
            return error_at(line, column, "Invalid Unicode escape sequence in string literal.");
        *ret_n = put_utf8(out, value);
        return NULL;
    }
    if (value < 0)
        return error_at(line, column, "Invalid escape sequence in string literal.");
    out[0] = (uint8_t)value;
    return NULL;
}

/* The bytes that stand between the quotes, of which decoding makes no more. */
static size_t written_bytes(const char *at, const char *end, char quote)
{
    const char *p = at;
    while (p < end && *p != quote && *p != '\n')
        p += *p == '\\' && p + 1 < end ? 2 : 1;
    return (size_t)(p - at);
}

static Error *string(TextTokens *tokens)
{
    char quote = *tokens->at;
    step(tokens);
    uint8_t *out = arena_alloc(tokens->arena, written_bytes(tokens->at, tokens->end, quote) + 1);
    if (out == NULL)
        return error_out_of_memory();
    size_t n = 0;
    while (tokens->at < tokens->end && *tokens->at != quote) {
        char c = *tokens->at;
        if (c == '\n')
            return error_at(tokens->line, tokens->column,
                            "String literals cannot cross line boundaries.");
        step(tokens);
        if (c != '\\') {
            out[n++] = (uint8_t)c;
            continue;
        }
        size_t bytes;
        TRY(escape(tokens, out + n, &bytes));
        n += bytes;
    }
    if (tokens->at == tokens->end)
        return error_at(tokens->line, tokens->column, "Unexpected end of string.");
    step(tokens);
    out[n] = '\0';
    tokens->kind = TOKEN_STRING;
    tokens->text = (Bytes){ out, n };
    return NULL;
}

static void number(TextTokens *tokens)
{
    char before = '\0';
    while (tokens->at < tokens->end) {
        char c = *tokens->at;
        bool is_exponent_sign = (c == '+' || c == '-') && (before | 0x20) == 'e';
        if (!is_digit(c) && !is_letter(c) && c != '.' && !is_exponent_sign)
            return;
        before = c;
        step(tokens);
    }
}

Error *text_tokens_next(TextTokens *tokens)
{
    skip_space(tokens);
    tokens->token_line = tokens->line;
    tokens->token_column = tokens->column;
    const char *start = tokens->at;
    tokens->kind = TOKEN_END;
    if (start < tokens->end) {
        char c = *start;
        if (c == '"' || c == '\'')
            return string(tokens);
        if (c == '\0')
            return text_tokens_error(tokens, "Invalid control characters encountered in text.");
        if (is_digit(c) || (c == '.' && start + 1 < tokens->end && is_digit(start[1]))) {
            tokens->kind = TOKEN_NUMBER;
            number(tokens);
        } else if (is_letter(c)) {
            tokens->kind = TOKEN_NAME;
            while (tokens->at < tokens->end && (is_letter(*tokens->at) || is_digit(*tokens->at)))
                step(tokens);
        } else {
            tokens->kind = TOKEN_SIGN;
            step(tokens);
        }
    }
    tokens->text = (Bytes){ (const uint8_t *)start, (size_t)(tokens->at - start) };
    return NULL;
}

Error *text_tokens_begin(TextTokens *tokens, Arena *arena, const char *text, size_t bytes)
{
    *tokens =
        (TextTokens){ .arena = arena, .at = text, .end = text + bytes, .line = 1, .column = 1 };
    return text_tokens_next(tokens);
}

bool text_tokens_is_sign(const TextTokens *tokens, char sign)
{
    return tokens->kind == TOKEN_SIGN && (char)tokens->text.data[0] == sign;
}
