/* SPDX-License-Identifier: Apache-2.0
 *
 * Tokens of protobuf's text format.
 * https://protobuf.dev/reference/protobuf/textformat-spec/
 */
#ifndef DIGIT_BASE_TEXT_TOKENS_H
#define DIGIT_BASE_TEXT_TOKENS_H

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/error.h"

typedef enum TokenKind {
    TOKEN_END,
    TOKEN_NAME,   /* letters, digits and underscores, no digit first */
    TOKEN_NUMBER, /* as it is written, without a sign */
    TOKEN_STRING, /* what the quotes hold, escapes decoded */
    TOKEN_SIGN,   /* one character of any other kind */
} TokenKind;

typedef struct TextTokens {
    Arena *arena; /* for decoded strings */
    const char *at, *end;
    int line, column; /* of `at`, from 1 */
    /* the current token */
    TokenKind kind;
    Bytes text; /* borrowed from the input, of a string from the arena */
    int token_line, token_column;
} TextTokens;

/* Begins with the first token of text[0..bytes), which is borrowed. */
Error *text_tokens_begin(TextTokens *tokens, Arena *arena, const char *text,
                         size_t bytes) _warn_unused_result_;

/* Moves on to the next token. INVALID_ARGUMENT, with the place, for a string that does not end, an
 * escape that is none, a NUL byte. */
Error *text_tokens_next(TextTokens *tokens) _warn_unused_result_;

/* True when the token is the character `sign`. */
bool text_tokens_is_sign(const TextTokens *tokens, char sign);

/* INVALID_ARGUMENT `LINE:COLUMN: ...` at the token. */
Error *text_tokens_error(const TextTokens *tokens, const char *format, ...)
    _printf_(2, 3) _returns_nonnull_ _warn_unused_result_;

#endif
