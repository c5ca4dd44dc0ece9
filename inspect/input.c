/* SPDX-License-Identifier: Apache-2.0
 *
 * Input: shapes from the signature and the command line; values from a linear congruential generator
 * (Numerical Recipes, "ranqd1"), so that a seed gives the same input everywhere.
 */
#include "inspect/input.h"

#include <errno.h>
#include <string.h>

/* ---- shapes -------------------------------------------------------------------------------- */

/* Reads "D,D,D" up to `end`. */
static Error *parse_dims(const char *text, const char *end, Shape *ret)
{
    *ret = (Shape){ .rank = 0 };
    while (text < end) {
        char *after = NULL;
        errno = 0;
        long long dim = strtoll(text, &after, 10);
        bool is_end = after == end || (*after == ',' && after + 1 < end);
        if (after == text || errno != 0 || dim < 0 || !is_end || ret->rank == SHAPE_MAX_RANK)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "--shape: '%.*s' is no shape: up to %d numbers with commas between "
                             "are, like 1,28,28,1",
                             (int)(end - text), text, SHAPE_MAX_RANK);
        ret->dims[ret->rank++] = dim;
        text = after + (after < end);
    }
    return NULL;
}

/* The part of --shape for the input `alias`; *ret_shape is left alone when there is none. */
static Error *find_given(const char *text, const char *alias, Shape *ret_shape, bool *ret_is_given)
{
    size_t size = strlen(alias);
    while (*text != '\0') {
        size_t part = strcspn(text, ";");
        if (part > size && memcmp(text, alias, size) == 0 && text[size] == '=') {
            *ret_is_given = true;
            return parse_dims(text + size + 1, text + part, ret_shape);
        }
        text += part + (text[part] == ';');
    }
    return NULL;
}

/* Every part of --shape is of some input. */
static Error *check_given(const Signature *signature, const char *text)
{
    while (*text != '\0') {
        size_t part = strcspn(text, ";"), name = strcspn(text, "=;");
        bool is_input = false;
        for (size_t i = 0; i < signature->n_inputs && !is_input && name < part; i++)
            is_input = strlen(signature->inputs[i].alias) == name &&
                       memcmp(signature->inputs[i].alias, text, name) == 0;
        if (!is_input)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "--shape: '%.*s' does not begin with NAME= of an input of signature "
                             "'%s'",
                             (int)part, text, signature->name);
        text += part + (text[part] == ';');
    }
    return NULL;
}

static Error *close_shape(const SignatureTensor *input, const InputForm *form, Shape *shape)
{
    char text[SHAPE_TEXT_BYTES];
    bool is_open = shape->rank == SHAPE_UNKNOWN_RANK;
    if (shape->rank > 0 && shape->dims[0] < 0)
        shape->dims[0] = form->batch;
    for (int i = 1; i < shape->rank; i++)
        is_open = is_open || shape->dims[i] < 0;
    if (!is_open)
        return NULL;
    return error_new(ERROR_INVALID_ARGUMENT,
                     "input '%s' has the shape %s, which leaves something open: give "
                     "--shape='%s=D,D,...'",
                     input->alias, shape_text(&input->shape, text), input->alias);
}

/* ---- values -------------------------------------------------------------------------------- */

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8; /* the low bits are poor */
}

/* Little-endian: the lowest byte is the value. */
static void fill_integer(uint8_t *at, size_t size, uint32_t value)
{
    memset(at, 0, size);
    at[0] = (uint8_t)value;
}

static void fill(Tensor *tensor, uint32_t *state)
{
    size_t size = dtype_size(tensor->dtype);
    uint8_t *at = tensor->data;
    if (!dtype_is_plain(tensor->dtype))
        return; /* tensor_new made empty strings */
    for (int64_t i = 0; i < tensor->n; i++, at += size) {
        uint32_t r = next_random(state);
        double real = (double)r / (1 << 24);
        if (tensor->dtype == DT_FLOAT)
            *(float *)(void *)at = (float)real;
        else if (tensor->dtype == DT_DOUBLE)
            *(double *)(void *)at = real;
        else if (dtype_is_floating(tensor->dtype)) /* 16 bits: the top ones of 0.25..0.5 or so */
            *(uint16_t *)(void *)at =
                (uint16_t)(tensor->dtype == DT_HALF ? 0x3400u + r % 0x400u : 0x3e80u + r % 0x80u);
        else
            fill_integer(at, size, r % (tensor->dtype == DT_BOOL ? 2 : 10));
    }
}

static Error *make_input(Arena *arena, const SignatureTensor *input, const InputForm *form,
                         uint32_t *state, Tensor *ret)
{
    Shape shape = input->shape;
    bool is_given = false;
    TRY(find_given(form->shape, input->alias, &shape, &is_given));
    if (input->default_value != NULL && !is_given) {
        *ret = *input->default_value;
        return NULL;
    }
    TRY(close_shape(input, form, &shape));
    TRY(error_prefix(tensor_new(arena, input->dtype, &shape, ret), "input '%s'", input->alias));
    fill(ret, state);
    return NULL;
}

Error *input_make(Arena *arena, const Signature *signature, const InputForm *form,
                  Tensor **ret_inputs)
{
    Tensor *inputs = arena_calloc(arena, signature->n_inputs, sizeof *inputs);
    uint32_t state = (uint32_t)form->seed;
    if (inputs == NULL)
        return error_out_of_memory();
    TRY(check_given(signature, form->shape));
    for (size_t i = 0; i < signature->n_inputs; i++)
        TRY(make_input(arena, &signature->inputs[i], form, &state, &inputs[i]));
    *ret_inputs = inputs;
    return NULL;
}
