/* SPDX-License-Identifier: Apache-2.0
 *
 * StringToNumber, and the reading of numbers from text that other kernels share (text_number.h):
 * white space around it, a sign, then for floating types
 *
 *   what strtod reads: digits with a point and an exponent | 0x, hexadecimal digits with a point and
 *   a p and an exponent | inf | infinity | nan | nan(...)
 *
 * and for integers decimal digits. Nothing depends on the locale: programs never set one.
 */
#include <errno.h>
#include <stdlib.h>

#include "model/op/kernels.h"
#include "model/op/text.h"
#include "model/op/text_number.h"

#define NUMBER_MAX_BYTES 512 /* a longer text is no number */

static bool is_digit(uint8_t b)
{
    return b >= '0' && b <= '9';
}

/* ---- integers ------------------------------------------------------------------------------ */

bool text_to_int64(Bytes text, int64_t *ret)
{
    text = text_strip(text);
    bool is_negative = text.size > 0 && text.data[0] == '-';
    size_t at = text.size > 0 && (text.data[0] == '-' || text.data[0] == '+');
    if (at == text.size)
        return false;
    int64_t value = 0;
    for (; at < text.size; at++) {
        int digit = text.data[at] - '0';
        if (!is_digit(text.data[at]) || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, is_negative ? digit : -digit, &value))
            return false;
    }
    *ret = value;
    return true;
}

/* ---- floating ------------------------------------------------------------------------------ */

/* A copy with a NUL behind it, in `copy`. False when it cannot be a number. */
static bool number_text(Bytes text, char copy[NUMBER_MAX_BYTES])
{
    text = text_strip(text);
    if (text.size == 0 || text.size >= NUMBER_MAX_BYTES ||
        memchr(text.data, '\0', text.size) != NULL)
        return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return true;
}

bool text_to_float(Bytes text, float *ret)
{
    char copy[NUMBER_MAX_BYTES];
    if (!number_text(text, copy))
        return false;
    char *end = NULL;
    *ret = strtof(copy, &end);
    return *end == '\0';
}

bool text_to_double(Bytes text, double *ret)
{
    char copy[NUMBER_MAX_BYTES];
    if (!number_text(text, copy))
        return false;
    char *end = NULL;
    *ret = strtod(copy, &end);
    return *end == '\0';
}

/* ---- any type ------------------------------------------------------------------------------ */

bool text_number_has_type(DType dtype)
{
    return dtype == DT_FLOAT || dtype == DT_DOUBLE || dtype == DT_INT32 || dtype == DT_INT64;
}

bool text_to_number(Bytes text, DType dtype, void *ret)
{
    int64_t value = 0;
    switch (dtype) {
    case DT_FLOAT:
        return text_to_float(text, ret);
    case DT_DOUBLE:
        return text_to_double(text, ret);
    case DT_INT64:
        return text_to_int64(text, ret);
    default:
        if (!text_to_int64(text, &value) || value < INT32_MIN || value > INT32_MAX)
            return false;
        *(int32_t *)ret = (int32_t)value;
        return true;
    }
}

Error *string_to_number_prepare(OpPrepare *prepare)
{
    DType *dtype = arena_calloc(prepare->arena, 1, sizeof(*dtype));
    if (dtype == NULL)
        return error_out_of_memory();
    TRY(attrs_type_or(prepare->attrs, "out_type", DT_FLOAT, dtype));
    if (!text_number_has_type(*dtype))
        return error_new(ERROR_UNIMPLEMENTED, "there is no kernel of StringToNumber for type %s",
                         dtype_name(*dtype));
    prepare->kernel = dtype;
    return NULL;
}

Error *string_to_number_run(OpContext *c)
{
    DType dtype = *(const DType *)c->kernel;
    const Tensor *x = op_input(c, 0);
    Tensor *y = NULL;
    TRY(op_output(c, 0, dtype, &x->shape, &y));
    for (int64_t i = 0; i < x->n; i++) {
        Bytes text = ((const Bytes *)x->data)[i];
        if (!text_to_number(text, dtype, (char *)y->data + (size_t)i * dtype_size(dtype)))
            return error_new(ERROR_INVALID_ARGUMENT,
                             "StringToNumberOp could not correctly convert string: %.*s",
                             (int)(text.size < 1000 ? text.size : 1000),
                             text.size > 0 ? (const char *)text.data : "");
    }
    return NULL;
}
