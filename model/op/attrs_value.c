/* SPDX-License-Identifier: Apache-2.0
 *
 * Attrs as values: copies that outlive the graph, and equality. Load time only.
 */
#include <string.h>

#include "model/op/attrs.h"

static Error *copy_texts(Arena *arena, const Attr *from, Attr *ret)
{
    Bytes *texts = arena_calloc(arena, from->n, sizeof(*texts));
    if (texts == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < from->n; i++) {
        const char *text =
            arena_strndup(arena, (const char *)from->texts[i].data, from->texts[i].size);
        if (text == NULL)
            return error_out_of_memory();
        texts[i] = (Bytes){ (const uint8_t *)text, from->texts[i].size };
    }
    ret->texts = texts;
    return NULL;
}

static Error *copy_tensors(Arena *arena, const Attr *from, Attr *ret)
{
    Tensor *tensors = arena_calloc(arena, from->n, sizeof(*tensors));
    if (tensors == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < from->n; i++)
        TRY(tensor_copy(arena, &from->tensors[i], &tensors[i]));
    ret->tensors = tensors;
    return NULL;
}

/* The bytes of one element of the array; 0 for arrays of things that point elsewhere. */
static size_t element_bytes(AttrKind kind)
{
    switch (kind) {
    case ATTR_INT:
    case ATTR_INTS:
        return sizeof(int64_t);
    case ATTR_FLOAT:
    case ATTR_FLOATS:
        return sizeof(float);
    case ATTR_BOOL:
    case ATTR_BOOLS:
        return sizeof(bool);
    case ATTR_TYPE:
    case ATTR_TYPES:
        return sizeof(DType);
    case ATTR_SHAPE:
    case ATTR_SHAPES:
        return sizeof(Shape);
    default:
        return 0;
    }
}

static bool is_tensors(AttrKind kind)
{
    return kind == ATTR_TENSOR || kind == ATTR_TENSORS;
}

static Error *copy_value(Arena *arena, const Attr *from, Attr *ret)
{
    if (from->kind == ATTR_EMPTY_LIST || from->n == 0)
        return NULL;
    if (is_tensors(from->kind))
        return copy_tensors(arena, from, ret);
    size_t bytes = element_bytes(from->kind);
    if (bytes == 0)
        return copy_texts(arena, from, ret);
    ret->ints = arena_memdup(arena, from->ints, from->n * bytes);
    return ret->ints != NULL ? NULL : error_out_of_memory();
}

Error *attrs_copy(Arena *arena, const Attrs *attrs, Attrs *ret_attrs)
{
    Attr *items = arena_calloc(arena, attrs->n, sizeof(*items));
    if (items == NULL)
        return error_out_of_memory();
    size_t n = 0;
    for (size_t i = 0; i < attrs->n; i++) {
        const Attr *from = &attrs->items[i];
        if (from->name[0] == '_')
            continue;
        Attr *item = &items[n++];
        *item = (Attr){ .kind = from->kind, .n = from->n };
        item->name = arena_strdup(arena, from->name);
        if (item->name == NULL)
            return error_out_of_memory();
        TRY(copy_value(arena, from, item));
    }
    *ret_attrs = (Attrs){ items, n };
    return NULL;
}

static bool values_equal(const Attr *a, const Attr *b)
{
    size_t bytes = element_bytes(a->kind);
    bool is_shapes = a->kind == ATTR_SHAPE || a->kind == ATTR_SHAPES;
    if (a->n == 0)
        return true;
    if (bytes != 0 && !is_shapes)
        return memcmp(a->ints, b->ints, a->n * bytes) == 0;
    for (size_t i = 0; i < a->n; i++) {
        bool equal = is_shapes             ? shape_equal(&a->shapes[i], &b->shapes[i])
                     : is_tensors(a->kind) ? tensor_equal(&a->tensors[i], &b->tensors[i])
                                           : bytes_equal(a->texts[i], b->texts[i]);
        if (!equal)
            return false;
    }
    return true;
}

bool attrs_equal(const Attrs *a, const Attrs *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        const Attr *x = &a->items[i], *y = &b->items[i];
        if (x->kind != y->kind || x->n != y->n || strcmp(x->name, y->name) != 0 ||
            (x->kind != ATTR_EMPTY_LIST && !values_equal(x, y)))
            return false;
    }
    return true;
}
