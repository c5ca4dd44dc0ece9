/* SPDX-License-Identifier: Apache-2.0
 *
 * A recursive-descent parser of protobuf's text format that fills protobuf-c's structs.
 *
 *     message = { field [","|";"] }
 *     field   = NAME ":" value | NAME [":"] "{" message "}" | NAME ":" "[" value { "," value } "]"
 */
#include "model/base/message_parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/message.h"
#include "model/base/message_layout.h"
#include "model/base/text_tokens.h"

typedef struct Parser {
    TextTokens tokens;
    Arena *arena;
    int depth;
} Parser;

#define SHOWN_TOKEN(tokens)                                                                        \
    (int)((tokens)->text.size < 60 ? (tokens)->text.size : 60), (const char *)(tokens)->text.data

static Error *message_fields(Parser *parser, ProtobufCMessage *message, char end);

/* ---- scalars --------------------------------------------------------------------------------- */

static Error *take_sign(Parser *parser, bool *ret_is_negative)
{
    *ret_is_negative = text_tokens_is_sign(&parser->tokens, '-');
    return *ret_is_negative ? text_tokens_next(&parser->tokens) : NULL;
}

/* The token's text with a NUL behind it; numbers are short. */
static const char *token_text(const TextTokens *tokens, char buffer[64])
{
    size_t n = tokens->text.size < 63 ? tokens->text.size : 63;
    memcpy(buffer, tokens->text.data, n);
    buffer[n] = '\0';
    return buffer;
}

/* An integer of up to `max`, or down to -`max_negative`, as two's complement. */
static Error *integer(Parser *parser, uint64_t max, uint64_t max_negative, uint64_t *ret)
{
    const TextTokens *tokens = &parser->tokens;
    char buffer[64], *end;
    bool is_negative;
    TRY(take_sign(parser, &is_negative));
    if (tokens->kind != TOKEN_NUMBER)
        return text_tokens_error(tokens, "Expected integer, got: %.*s", SHOWN_TOKEN(tokens));
    const char *text = token_text(tokens, buffer);
    errno = 0;
    uint64_t value = strtoull(text, &end, 0);
    if (*end != '\0' || tokens->text.size > 63)
        return text_tokens_error(tokens, "Expected integer, got: %.*s", SHOWN_TOKEN(tokens));
    if (errno == ERANGE || value > (is_negative ? max_negative : max))
        return text_tokens_error(tokens, "Integer out of range (%.*s)", SHOWN_TOKEN(tokens));
    *ret = is_negative ? -value : value;
    return text_tokens_next(&parser->tokens);
}

static bool is_word(const TextTokens *tokens, const char *word)
{
    return tokens->text.size == strlen(word) &&
           strncasecmp((const char *)tokens->text.data, word, tokens->text.size) == 0;
}

static Error *real(Parser *parser, double *ret)
{
    const TextTokens *tokens = &parser->tokens;
    char buffer[64], *end;
    bool is_negative;
    double value;
    TRY(take_sign(parser, &is_negative));
    if (tokens->kind == TOKEN_NAME && (is_word(tokens, "inf") || is_word(tokens, "infinity"))) {
        value = __builtin_inf();
    } else if (tokens->kind == TOKEN_NAME && is_word(tokens, "nan")) {
        value = __builtin_nan("");
    } else {
        if (tokens->kind != TOKEN_NUMBER)
            return text_tokens_error(tokens, "Expected double, got: %.*s", SHOWN_TOKEN(tokens));
        value = strtod(token_text(tokens, buffer), &end);
        if (*end == 'f' || *end == 'F')
            end++;
        if (*end != '\0' || tokens->text.size > 63)
            return text_tokens_error(tokens, "Expected double, got: %.*s", SHOWN_TOKEN(tokens));
    }
    *ret = is_negative ? -value : value;
    return text_tokens_next(&parser->tokens);
}

static Error *boolean(Parser *parser, protobuf_c_boolean *ret)
{
    static const char *const words[2][4] = { { "false", "False", "f", "0" },
                                             { "true", "True", "t", "1" } };
    const TextTokens *tokens = &parser->tokens;
    for (int value = 0; value < 2; value++) {
        for (size_t i = 0; i < 4; i++) {
            if (bytes_equal(tokens->text, bytes_of_text(words[value][i])) &&
                tokens->kind != TOKEN_STRING) {
                *ret = value;
                return text_tokens_next(&parser->tokens);
            }
        }
    }
    return text_tokens_error(tokens, "Invalid value for boolean field. Value: \"%.*s\".",
                             SHOWN_TOKEN(tokens));
}

static Error *enumeration(Parser *parser, const ProtobufCFieldDescriptor *field, int *ret)
{
    const TextTokens *tokens = &parser->tokens;
    if (tokens->kind != TOKEN_NAME) {
        uint64_t value;
        TRY(integer(parser, INT32_MAX, (uint64_t)INT32_MAX + 1, &value));
        *ret = (int)(int64_t)value;
        return NULL;
    }
    char buffer[64];
    const ProtobufCEnumValue *value =
        protobuf_c_enum_descriptor_get_value_by_name(field->descriptor, token_text(tokens, buffer));
    if (value == NULL || tokens->text.size > 63)
        return text_tokens_error(tokens, "Unknown enumeration value of \"%.*s\" for field \"%s\".",
                                 SHOWN_TOKEN(tokens), field->name);
    *ret = value->value;
    return text_tokens_next(&parser->tokens);
}

/* One string or several adjacent ones, with a NUL behind them. */
static Error *strings(Parser *parser, Bytes *ret)
{
    TextTokens *tokens = &parser->tokens;
    if (tokens->kind != TOKEN_STRING)
        return text_tokens_error(tokens, "Expected string, got: %.*s", SHOWN_TOKEN(tokens));
    Bytes all = tokens->text;
    TRY(text_tokens_next(tokens));
    if (tokens->kind != TOKEN_STRING) {
        *ret = all;
        return NULL;
    }
    Buf buf;
    buf_init(&buf, SIZE_MAX);
    Error *error = buf_append(&buf, all.data, all.size);
    while (error == NULL && tokens->kind == TOKEN_STRING) {
        error = buf_append(&buf, tokens->text.data, tokens->text.size);
        if (error == NULL)
            error = text_tokens_next(tokens);
    }
    if (error == NULL) {
        uint8_t *copy = arena_alloc(parser->arena, buf.size + 1);
        if (copy == NULL) {
            error = error_out_of_memory();
        } else {
            if (buf.size > 0)
                memcpy(copy, buf.data, buf.size);
            copy[buf.size] = '\0';
            *ret = (Bytes){ copy, buf.size };
        }
    }
    buf_done(&buf);
    return error;
}

static Error *text_or_bytes(Parser *parser, const ProtobufCFieldDescriptor *field, void *at)
{
    Bytes bytes;
    TRY(strings(parser, &bytes));
    if (field->type == PROTOBUF_C_TYPE_BYTES) {
        *(ProtobufCBinaryData *)at =
            (ProtobufCBinaryData){ .len = bytes.size, .data = (uint8_t *)(uintptr_t)bytes.data };
        return NULL;
    }
    if (memchr(bytes.data, '\0', bytes.size) != NULL)
        return text_tokens_error(&parser->tokens, "field \"%s\" holds a NUL character",
                                 field->name);
    *(char **)at = (char *)(uintptr_t)bytes.data;
    return NULL;
}

static Error *scalar(Parser *parser, const ProtobufCFieldDescriptor *field, void *at)
{
    uint64_t value;
    double number;
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        TRY(integer(parser, INT64_MAX, (uint64_t)INT64_MAX + 1, &value));
        *(uint64_t *)at = value;
        return NULL;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return integer(parser, UINT64_MAX, 0, at);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        TRY(integer(parser, UINT32_MAX, 0, &value));
        *(uint32_t *)at = (uint32_t)value;
        return NULL;
    case PROTOBUF_C_TYPE_FLOAT:
        TRY(real(parser, &number));
        *(float *)at = (float)number;
        return NULL;
    case PROTOBUF_C_TYPE_DOUBLE:
        return real(parser, at);
    case PROTOBUF_C_TYPE_BOOL:
        return boolean(parser, at);
    case PROTOBUF_C_TYPE_ENUM:
        return enumeration(parser, field, at);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
        return text_or_bytes(parser, field, at);
    default:
        TRY(integer(parser, INT32_MAX, (uint64_t)INT32_MAX + 1, &value));
        *(int32_t *)at = (int32_t)(int64_t)value;
        return NULL;
    }
}

/* ---- fields ---------------------------------------------------------------------------------- */

/* A `{ ... }` or `< ... >` as a new message. */
static Error *submessage(Parser *parser, const ProtobufCFieldDescriptor *field, void *at)
{
    TextTokens *tokens = &parser->tokens;
    char end = text_tokens_is_sign(tokens, '{') ? '}' : '>';
    if (end == '>' && !text_tokens_is_sign(tokens, '<'))
        return text_tokens_error(tokens, "Expected \"{\", found \"%.*s\".", SHOWN_TOKEN(tokens));
    if (parser->depth == MESSAGE_MAX_DEPTH)
        return text_tokens_error(tokens,
                                 "Message is too deep, the parser exceeded the configured "
                                 "recursion limit of %d.",
                                 MESSAGE_MAX_DEPTH);
    TRY(text_tokens_next(tokens));
    const ProtobufCMessageDescriptor *descriptor = field->descriptor;
    ProtobufCMessage *message = arena_alloc(parser->arena, descriptor->sizeof_message);
    if (message == NULL)
        return error_out_of_memory();
    protobuf_c_message_init(descriptor, message);
    parser->depth++;
    TRY(message_fields(parser, message, end));
    parser->depth--;
    *(ProtobufCMessage **)at = message;
    return text_tokens_next(tokens);
}

static Error *value(Parser *parser, const ProtobufCFieldDescriptor *field, void *at)
{
    return field->type == PROTOBUF_C_TYPE_MESSAGE ? submessage(parser, field, at)
                                                  : scalar(parser, field, at);
}

/* Appends one value to a repeated field. Room is doubled when the count is a power of two. */
static Error *append(Parser *parser, ProtobufCMessage *message,
                     const ProtobufCFieldDescriptor *field)
{
    size_t *n = message_member(message, field->quantifier_offset);
    void **items = message_member(message, field->offset);
    size_t bytes = message_element_bytes(field->type);
    if ((*n & (*n - 1)) == 0) {
        void *more = arena_calloc(parser->arena, *n == 0 ? 1 : 2 * *n, bytes);
        if (more == NULL)
            return error_out_of_memory();
        if (*n > 0)
            memcpy(more, *items, *n * bytes);
        *items = more;
    }
    TRY(value(parser, field, (uint8_t *)*items + *n * bytes));
    ++*n;
    return NULL;
}

static Error *append_all(Parser *parser, ProtobufCMessage *message,
                         const ProtobufCFieldDescriptor *field)
{
    TextTokens *tokens = &parser->tokens;
    if (!text_tokens_is_sign(tokens, '['))
        return append(parser, message, field);
    TRY(text_tokens_next(tokens));
    if (text_tokens_is_sign(tokens, ']'))
        return text_tokens_next(tokens);
    for (;;) {
        TRY(append(parser, message, field));
        if (text_tokens_is_sign(tokens, ']'))
            return text_tokens_next(tokens);
        if (!text_tokens_is_sign(tokens, ','))
            return text_tokens_error(tokens, "Expected \",\", found \"%.*s\".",
                                     SHOWN_TOKEN(tokens));
        TRY(text_tokens_next(tokens));
    }
}

static Error *set_once(Parser *parser, ProtobufCMessage *message,
                       const ProtobufCFieldDescriptor *field, bool *is_seen)
{
    if (*is_seen)
        return text_tokens_error(
            &parser->tokens, "Non-repeated field \"%s\" is specified multiple times.", field->name);
    *is_seen = true;
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
        uint32_t *which = message_member(message, field->quantifier_offset);
        const ProtobufCFieldDescriptor *other =
            *which != 0 ? protobuf_c_message_descriptor_get_field(message->descriptor, *which)
                        : NULL;
        if (other != NULL)
            return text_tokens_error(&parser->tokens,
                                     "Field \"%s\" is specified along with field \"%s\", another "
                                     "member of the same oneof.",
                                     field->name, other->name);
        TRY(value(parser, field, message_member(message, field->offset)));
        *which = field->id;
        return NULL;
    }
    return value(parser, field, message_member(message, field->offset));
}

static Error *find_field(Parser *parser, const ProtobufCMessageDescriptor *descriptor,
                         const ProtobufCFieldDescriptor **ret_field)
{
    const TextTokens *tokens = &parser->tokens;
    if (tokens->kind != TOKEN_NAME)
        return text_tokens_error(tokens, "Expected identifier, got: %.*s", SHOWN_TOKEN(tokens));
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        if (bytes_equal(tokens->text, bytes_of_text(descriptor->fields[i].name))) {
            *ret_field = &descriptor->fields[i];
            return NULL;
        }
    }
    return text_tokens_error(tokens, "Message type \"%s\" has no field named \"%.*s\".",
                             descriptor->name, SHOWN_TOKEN(tokens));
}

static Error *one_field(Parser *parser, ProtobufCMessage *message, bool *seen)
{
    TextTokens *tokens = &parser->tokens;
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;
    const ProtobufCFieldDescriptor *field;
    TRY(find_field(parser, descriptor, &field));
    TRY(text_tokens_next(tokens));
    if (text_tokens_is_sign(tokens, ':'))
        TRY(text_tokens_next(tokens));
    else if (field->type != PROTOBUF_C_TYPE_MESSAGE)
        return text_tokens_error(tokens, "Expected \":\", found \"%.*s\".", SHOWN_TOKEN(tokens));
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        TRY(append_all(parser, message, field));
    else
        TRY(set_once(parser, message, field, &seen[field - descriptor->fields]));
    if (text_tokens_is_sign(tokens, ',') || text_tokens_is_sign(tokens, ';'))
        TRY(text_tokens_next(tokens));
    return NULL;
}

/* Fields up to the sign `end`, or to the end of the text where it is 0; the sign stays. */
static Error *message_fields(Parser *parser, ProtobufCMessage *message, char end)
{
    TextTokens *tokens = &parser->tokens;
    bool *seen = arena_calloc(parser->arena, message->descriptor->n_fields + 1, sizeof(bool));
    if (seen == NULL)
        return error_out_of_memory();
    for (;;) {
        if (end == '\0' ? tokens->kind == TOKEN_END : text_tokens_is_sign(tokens, end))
            return NULL;
        TRY(one_field(parser, message, seen));
    }
}

Error *message_from_text(Arena *arena, const ProtobufCMessageDescriptor *descriptor,
                         const char *text, size_t bytes, ProtobufCMessage **ret_message)
{
    Parser parser = { .arena = arena };
    ProtobufCMessage *message = arena_alloc(arena, descriptor->sizeof_message);
    if (message == NULL)
        return error_out_of_memory();
    protobuf_c_message_init(descriptor, message);
    Error *error = text_tokens_begin(&parser.tokens, arena, text, bytes);
    if (error == NULL)
        error = message_fields(&parser, message, '\0');
    if (error != NULL && error->code != ERROR_INVALID_ARGUMENT)
        return error;
    TRY(error_prefix(error, "Error parsing text-format %s", descriptor->name));
    *ret_message = message;
    return NULL;
}
