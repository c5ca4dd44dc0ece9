/* SPDX-License-Identifier: Apache-2.0
 *
 * Tensor and Shape: counting, making, copying. No arithmetic on elements: that is model/op's.
 */
#include "model/tensor/tensor.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The biggest element has 16 bytes, so a counted shape's bytes always fit in an int64_t. */
#define COUNT_MAX (INT64_MAX / 16)

Shape shape_make(int rank, const int64_t *dims)
{
    assert(rank >= 0 && rank <= SHAPE_MAX_RANK);
    Shape shape = { .rank = rank };
    if (rank > 0)
        memcpy(shape.dims, dims, (size_t)rank * sizeof(*dims));
    return shape;
}

Error *shape_count(const Shape *shape, int64_t *ret_n)
{
    char text[SHAPE_TEXT_BYTES];
    if (shape->rank < 0)
        return error_new(ERROR_INVALID_ARGUMENT, "a shape of unknown rank has no size");

    /* Zeros are left out of the product that is checked: then every part of it fits as well, with
     * the zero or without, and kernels may multiply dimensions without checking. */
    int64_t product = 1;
    bool is_empty = false;
    for (int i = 0; i < shape->rank; i++) {
        int64_t d = shape->dims[i];
        if (d < 0)
            return error_new(ERROR_INVALID_ARGUMENT, "the shape %s has a negative dimension",
                             shape_text(shape, text));
        is_empty = is_empty || d == 0;
        if (d > 0 && __builtin_mul_overflow(product, d, &product))
            product = INT64_MAX;
        if (product > COUNT_MAX)
            return error_new(ERROR_INVALID_ARGUMENT, "the shape %s has too many elements",
                             shape_text(shape, text));
    }
    *ret_n = is_empty ? 0 : product;
    return NULL;
}

bool shape_equal(const Shape *a, const Shape *b)
{
    if (a->rank != b->rank)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dims[i] != b->dims[i])
            return false;
    return true;
}

bool shape_allows(const Shape *partial, const Shape *shape)
{
    if (partial->rank == SHAPE_UNKNOWN_RANK)
        return true;
    if (partial->rank != shape->rank)
        return false;
    for (int i = 0; i < shape->rank; i++)
        if (partial->dims[i] >= 0 && partial->dims[i] != shape->dims[i])
            return false;
    return true;
}

const char *shape_text(const Shape *shape, char text[SHAPE_TEXT_BYTES])
{
    if (shape->rank < 0) {
        snprintf(text, SHAPE_TEXT_BYTES, "<unknown>");
        return text;
    }
    /* At most 20 characters and a comma a dimension: 8 of them fit. */
    char *at = text;
    *at++ = '[';
    for (int i = 0; i < shape->rank; i++) {
        size_t room = (size_t)(text + SHAPE_TEXT_BYTES - at);
        const char *comma = i > 0 ? "," : "";
        at += shape->dims[i] == -1 ? snprintf(at, room, "%s?", comma)
                                   : snprintf(at, room, "%s%" PRId64, comma, shape->dims[i]);
    }
    *at++ = ']';
    *at = '\0';
    return text;
}

Error *tensor_new(Arena *arena, DType dtype, const Shape *shape, Tensor *ret_tensor)
{
    int64_t n;
    TRY(shape_count(shape, &n));
    size_t bytes = (size_t)n * dtype_size(dtype);
    void *data = arena_alloc_aligned(arena, bytes);
    if (data == NULL) {
        char text[SHAPE_TEXT_BYTES];
        return error_new(ERROR_RESOURCE_EXHAUSTED,
                         "no memory for a %s tensor of shape %s, %zu bytes", dtype_name(dtype),
                         shape_text(shape, text), bytes);
    }
    if (!dtype_is_plain(dtype))
        memset(data, 0, bytes);
    *ret_tensor = (Tensor){ dtype, *shape, n, data };
    return NULL;
}

Tensor tensor_view(DType dtype, const Shape *shape, const void *data)
{
    Tensor tensor = { .dtype = dtype, .shape = *shape, .n = 1, .data = (void *)(uintptr_t)data };
    for (int i = 0; i < shape->rank; i++)
        tensor.n *= shape->dims[i];
    assert(tensor.n >= 0 && tensor.n <= COUNT_MAX);
    return tensor;
}

/* The bytes of all strings go into one piece of the arena. */
static Error *copy_strings(Arena *arena, const Tensor *from, Tensor *to)
{
    const Bytes *strings = from->data;
    Bytes *copies = to->data;
    size_t total = 0;
    for (int64_t i = 0; i < from->n; i++)
        if (!checked_add(total, strings[i].size, &total))
            return error_out_of_memory();
    uint8_t *at = arena_alloc(arena, total);
    if (at == NULL)
        return error_new(ERROR_RESOURCE_EXHAUSTED, "no memory for %zu bytes of strings", total);
    for (int64_t i = 0; i < from->n; i++) {
        if (strings[i].size > 0)
            memcpy(at, strings[i].data, strings[i].size);
        copies[i] = (Bytes){ at, strings[i].size };
        at += strings[i].size;
    }
    return NULL;
}

Error *tensor_copy(Arena *arena, const Tensor *tensor, Tensor *ret_tensor)
{
    assert(dtype_is_plain(tensor->dtype) || tensor->dtype == DT_STRING);
    Tensor copy;
    TRY(tensor_new(arena, tensor->dtype, &tensor->shape, &copy));
    if (tensor->dtype == DT_STRING)
        TRY(copy_strings(arena, tensor, &copy));
    else if (tensor->n > 0)
        memcpy(copy.data, tensor->data, tensor_bytes(tensor));
    *ret_tensor = copy;
    return NULL;
}

size_t tensor_bytes(const Tensor *tensor)
{
    return (size_t)tensor->n * dtype_size(tensor->dtype);
}

Tensor tensor_reshaped(const Tensor *tensor, const Shape *shape)
{
    Tensor reshaped = tensor_view(tensor->dtype, shape, tensor->data);
    assert(reshaped.n == tensor->n);
    return reshaped;
}

int64_t tensor_index_at(const Tensor *tensor, int64_t i)
{
    assert(i >= 0 && i < tensor->n);
    switch (tensor->dtype) {
    case DT_INT32:
        return ((const int32_t *)tensor->data)[i];
    case DT_INT64:
        return ((const int64_t *)tensor->data)[i];
    case DT_INT16:
        return ((const int16_t *)tensor->data)[i];
    case DT_INT8:
        return ((const int8_t *)tensor->data)[i];
    case DT_UINT8:
        return ((const uint8_t *)tensor->data)[i];
    default:
        assert(!"an index of this type");
        return 0;
    }
}

Error *tensor_to_shape(const Tensor *tensor, Shape *ret_shape)
{
    char text[SHAPE_TEXT_BYTES];
    if (tensor->dtype != DT_INT32 && tensor->dtype != DT_INT64)
        return error_new(ERROR_INVALID_ARGUMENT, "a shape must be int32 or int64, not %s",
                         dtype_name(tensor->dtype));
    if (tensor->shape.rank > 1)
        return error_new(ERROR_INVALID_ARGUMENT, "a shape must be a vector, not of shape %s",
                         shape_text(&tensor->shape, text));
    if (tensor->n > SHAPE_MAX_RANK)
        return error_new(ERROR_INVALID_ARGUMENT, "a shape has at most %d dimensions, not %" PRId64,
                         SHAPE_MAX_RANK, tensor->n);
    Shape shape = { .rank = (int)tensor->n };
    for (int i = 0; i < shape.rank; i++)
        shape.dims[i] = tensor_index_at(tensor, i);
    *ret_shape = shape;
    return NULL;
}
