/* SPDX-License-Identifier: Apache-2.0
 *
 * Strings one by one: StringLower, StringUpper, StringStrip, StringLength, Substr. Results that are
 * part of an input's bytes borrow them; new bytes lie in the run's arena.
 *
 * A character of UTF-8 is a byte that is no continuation byte and the continuation bytes behind it:
 * so TensorFlow counts, and bad bytes are no error.
 */
#include "model/op/broadcast.h"
#include "model/op/kernels.h"
#include "model/op/text.h"

/* ---- StringLower, StringUpper -------------------------------------------------------------- */

/* Only the bytes of ASCII change: what TensorFlow does without an encoding, the default. */
Error *string_case_prepare(OpPrepare *prepare)
{
    const char *encoding = NULL;
    TRY(attrs_text_or(prepare->attrs, "encoding", "", &encoding));
    if (encoding[0] != '\0')
        return error_new(ERROR_UNIMPLEMENTED,
                         "%s changes the letters of ASCII (encoding \"\"), not those of '%s'",
                         prepare->op->name, encoding);
    return NULL;
}

static Error *change_case(OpContext *c, uint8_t first)
{
    const Tensor *x = op_input(c, 0);
    Tensor *y = NULL;
    TRY(op_output(c, 0, DT_STRING, &x->shape, &y));
    for (int64_t i = 0; i < x->n; i++) {
        Bytes text = ((const Bytes *)x->data)[i];
        uint8_t *changed = arena_alloc(c->arena, text.size);
        if (changed == NULL)
            return error_out_of_memory();
        for (size_t k = 0; k < text.size; k++) {
            bool changes = (uint8_t)(text.data[k] - first) < 26;
            changed[k] = text.data[k] ^ (uint8_t)(changes ? 'a' - 'A' : 0);
        }
        ((Bytes *)y->data)[i] = (Bytes){ changed, text.size };
    }
    return NULL;
}

Error *string_lower_run(OpContext *c)
{
    return change_case(c, 'A');
}

Error *string_upper_run(OpContext *c)
{
    return change_case(c, 'a');
}

Error *string_strip_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    Tensor *y = NULL;
    TRY(op_output(c, 0, DT_STRING, &x->shape, &y));
    for (int64_t i = 0; i < x->n; i++)
        ((Bytes *)y->data)[i] = text_strip(((const Bytes *)x->data)[i]);
    return NULL;
}

/* ---- units --------------------------------------------------------------------------------- */

/* The attribute `unit`: true for UTF8_CHAR. */
Error *string_unit_prepare(OpPrepare *prepare)
{
    bool *is_utf8 = arena_calloc(prepare->arena, 1, sizeof(*is_utf8));
    const char *unit = NULL;
    if (is_utf8 == NULL)
        return error_out_of_memory();
    TRY(op_prepare_indices(prepare)); /* pos and len of Substr */
    TRY(attrs_text_or(prepare->attrs, "unit", "BYTE", &unit));
    *is_utf8 = strcmp(unit, "UTF8_CHAR") == 0;
    if (!*is_utf8 && strcmp(unit, "BYTE") != 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "attribute unit is '%s', but must be BYTE or UTF8_CHAR", unit);
    prepare->kernel = is_utf8;
    return NULL;
}

Error *string_length_run(OpContext *c)
{
    bool is_utf8 = *(const bool *)c->kernel;
    const Tensor *x = op_input(c, 0);
    Tensor *y = NULL;
    TRY(op_output(c, 0, DT_INT32, &x->shape, &y));
    for (int64_t i = 0; i < x->n; i++) {
        Bytes text = ((const Bytes *)x->data)[i];
        size_t n = is_utf8 ? 0 : text.size;
        for (size_t k = 0; is_utf8 && k < text.size; k++)
            n += !utf8_is_continuation(text.data[k]);
        if (n > INT32_MAX)
            return error_new(ERROR_INVALID_ARGUMENT, "a string is longer than an int32 can say");
        ((int32_t *)y->data)[i] = (int32_t)n;
    }
    return NULL;
}

/* ---- Substr -------------------------------------------------------------------------------- */

/* Moves *at over `n` characters to the right; false when there are fewer. */
static bool skip_right(Bytes text, uint64_t n, size_t *at)
{
    for (; n > 0 && *at < text.size; n--) {
        do
            ++*at;
        while (*at < text.size && utf8_is_continuation(text.data[*at]));
    }
    return n == 0;
}

static bool skip_left(Bytes text, uint64_t n, size_t *at)
{
    for (; n > 0 && *at > 0; n--) {
        do
            --*at;
        while (*at > 0 && utf8_is_continuation(text.data[*at]));
    }
    return n == 0;
}

/* `length` is not negative. False when `pos` is outside of the text. */
static bool substr_utf8(Bytes text, int64_t pos, uint64_t length, Bytes *ret)
{
    size_t begin = 0, end = 0;
    if (pos >= 0) {
        if (!skip_right(text, (uint64_t)pos, &begin))
            return false;
        end = begin;
        (void)skip_right(text, length, &end);
    } else {
        uint64_t from_end = 0 - (uint64_t)pos, taken = length < from_end ? length : from_end;
        end = text.size;
        if (!skip_left(text, from_end - taken, &end))
            return false;
        begin = end;
        if (!skip_left(text, taken, &begin))
            return false;
    }
    *ret = (Bytes){ text.data + begin, end - begin };
    return true;
}

static bool substr_bytes(Bytes text, int64_t pos, uint64_t length, Bytes *ret)
{
    uint64_t from_end = 0 - (uint64_t)pos;
    if (pos >= 0 ? (uint64_t)pos > text.size : from_end > text.size)
        return false;
    size_t begin = pos >= 0 ? (size_t)pos : text.size - (size_t)from_end;
    size_t rest = text.size - begin;
    *ret = (Bytes){ text.data + begin, length < rest ? (size_t)length : rest };
    return true;
}

static Error *substr_one(bool is_utf8, Bytes text, int64_t pos, int64_t length, Bytes *ret)
{
    /* Taken as unsigned, as std::string::substr does: a negative length means the rest. */
    uint64_t n = (uint64_t)length;
    if (text.data == NULL)
        text.data = (const uint8_t *)"";
    if (is_utf8 && length < 0)
        n = 0;
    if (is_utf8 ? substr_utf8(text, pos, n, ret) : substr_bytes(text, pos, n, ret))
        return NULL;
    return error_new(ERROR_INVALID_ARGUMENT, "pos %lld out of range for string", (long long)pos);
}

Error *substr_run(OpContext *c)
{
    bool is_utf8 = *(const bool *)c->kernel;
    const Tensor *x = op_input(c, 0), *pos = op_input(c, 1), *length = op_input(c, 2);
    char text[2][SHAPE_TEXT_BYTES];
    if (!shape_equal(&pos->shape, &length->shape))
        return error_new(ERROR_INVALID_ARGUMENT,
                         "pos and len should have the same shape, got: %s vs. %s",
                         shape_text(&pos->shape, text[0]), shape_text(&length->shape, text[1]));
    Broadcast b;
    if (!broadcast_init(&b, 2, (const Shape *const[]){ &x->shape, &pos->shape }))
        return error_new(ERROR_INVALID_ARGUMENT, "Incompatible shapes: %s vs. %s",
                         shape_text(&x->shape, text[0]), shape_text(&pos->shape, text[1]));
    Tensor *y = NULL;
    TRY(op_output(c, 0, DT_STRING, &b.shape, &y));
    Bytes *to = y->data;
    for (BroadcastWalk w = broadcast_begin(&b); !w.done; broadcast_next(&b, &w)) {
        for (int64_t i = 0; i < b.row; i++) {
            int64_t at = w.offsets[0] + i * b.row_strides[0];
            int64_t k = w.offsets[1] + i * b.row_strides[1];
            TRY(substr_one(is_utf8, ((const Bytes *)x->data)[at], tensor_index_at(pos, k),
                           tensor_index_at(length, k), to++));
        }
    }
    return NULL;
}
