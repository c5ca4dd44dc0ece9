/* SPDX-License-Identifier: Apache-2.0
 *
 * EncodeBase64 and DecodeBase64: the alphabet that is safe in URLs (RFC 4648, section 5). What is
 * read may have its padding, which makes its length a multiple of 4, or not.
 *
 *   bytes      3             2, then '='    1, then '=='
 *   digits     4 of 6 bits   3, 2 bits 0    2, 4 bits 0
 */
#include "model/op/kernels.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

Error *encode_base64_prepare(OpPrepare *prepare)
{
    bool *pad = arena_calloc(prepare->arena, 1, sizeof(*pad));
    if (pad == NULL)
        return error_out_of_memory();
    TRY(attrs_bool_or(prepare->attrs, "pad", false, pad));
    prepare->kernel = pad;
    return NULL;
}

static Error *encode(Bytes bytes, bool pad, Arena *arena, Bytes *ret)
{
    size_t most = 0;
    if (!checked_mul(bytes.size / 3 + 1, 4, &most))
        return error_out_of_memory();
    uint8_t *text = arena_alloc(arena, most), *to = text;
    if (text == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t n = bytes.size - i < 3 ? bytes.size - i : 3;
        uint32_t bits = 0;
        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (k < n ? bytes.data[i + k] : 0u);
        for (size_t k = 0; k < 4; k++) {
            if (k <= n)
                *to++ = (uint8_t)alphabet[bits >> (18 - 6 * k) & 63];
            else if (pad)
                *to++ = '=';
        }
    }
    *ret = (Bytes){ text, (size_t)(to - text) };
    return NULL;
}

Error *encode_base64_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    Tensor *y = NULL;
    TRY(op_output(c, 0, DT_STRING, &x->shape, &y));
    for (int64_t i = 0; i < x->n; i++)
        TRY(encode(((const Bytes *)x->data)[i], *(const bool *)c->kernel, c->arena,
                   &((Bytes *)y->data)[i]));
    return NULL;
}

/* The six bits that a digit stands for; 64 when it is none. */
static uint32_t digit_value(uint8_t digit)
{
    if (digit >= 'A' && digit <= 'Z')
        return digit - 'A';
    if (digit >= 'a' && digit <= 'z')
        return 26u + digit - 'a';
    if (digit >= '0' && digit <= '9')
        return 52u + digit - '0';
    return digit == '-' ? 62 : digit == '_' ? 63 : 64;
}

static Error *decode(Bytes text, Arena *arena, Bytes *ret)
{
    bool is_padded = text.size % 4 == 0;
    for (int k = 0; k < 2 && is_padded && text.size > 0 && text.data[text.size - 1] == '='; k++)
        text.size--;
    if (text.size % 4 == 1)
        return error_new(ERROR_INVALID_ARGUMENT, "Base64 string length cannot be 1 modulo 4.");
    uint8_t *bytes = arena_alloc(arena, text.size / 4 * 3 + 2), *to = bytes;
    if (bytes == NULL)
        return error_out_of_memory();
    uint32_t bits = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint32_t value = digit_value(text.data[i]);
        if (value == 64)
            return error_new(ERROR_INVALID_ARGUMENT, "Invalid character found in base64.");
        bits = bits << 6 | value;
        if (i % 4 != 0)
            *to++ = (uint8_t)(bits >> (6 - 2 * (i % 4)));
    }
    *ret = (Bytes){ bytes, (size_t)(to - bytes) };
    return NULL;
}

Error *decode_base64_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    Tensor *y = NULL;
    TRY(op_output(c, 0, DT_STRING, &x->shape, &y));
    for (int64_t i = 0; i < x->n; i++)
        TRY(decode(((const Bytes *)x->data)[i], c->arena, &((Bytes *)y->data)[i]));
    return NULL;
}
