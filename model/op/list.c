/* SPDX-License-Identifier: Apache-2.0
 *
 * TensorList: versions and elements (list.h). The ops on them are list_ops.c and list_join.c.
 */
#include "model/op/list.h"

#include <string.h>

Error *list_new(Arena *arena, DType dtype, const Shape *shape, int64_t n, TensorList **ret_list)
{
    if (n < 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "The num_elements to reserve must be a non negative number, but got %lld",
                         (long long)n);
    if (n > LIST_MAX_ELEMENTS)
        return error_new(ERROR_RESOURCE_EXHAUSTED,
                         "a list of %lld elements is longer than the limit of %lld", (long long)n,
                         (long long)LIST_MAX_ELEMENTS);
    TensorList *list = arena_calloc(arena, 1, sizeof *list);
    ListArray *array = arena_calloc(arena, 1, sizeof *array);
    const Tensor **elements = arena_calloc(arena, (size_t)n, sizeof *elements);
    if (list == NULL || array == NULL || elements == NULL)
        return error_out_of_memory();
    *array = (ListArray){ .dtype = dtype,
                          .shape = *shape,
                          .max = -1,
                          .elements = elements,
                          .capacity = n,
                          .newest = list };
    *list = (TensorList){ .n = n, .array = array };
    *ret_list = list;
    return NULL;
}

Error *list_input(OpContext *c, int i, DType dtype, TensorList **ret_list)
{
    const Tensor *handle = op_input(c, i);
    TensorList *list = handle->n == 1 ? *(TensorList *const *)handle->data : NULL;
    if (list == NULL)
        return error_new(ERROR_INVALID_ARGUMENT, "Input handle is not a list");
    if (dtype != DT_INVALID && dtype != list->array->dtype)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Invalid data types; op elements %s but list elements %s",
                         dtype_name(dtype), dtype_name(list->array->dtype));
    *ret_list = list;
    return NULL;
}

Error *list_output(OpContext *c, int i, TensorList *list)
{
    const Shape scalar = shape_of();
    Tensor *handle = NULL;
    TRY(op_output(c, i, DT_VARIANT, &scalar, &handle));
    *(TensorList **)handle->data = list;
    return NULL;
}

/* ---- versions ------------------------------------------------------------------------------ */

/* An array of its own for a version that is not the newest: of two versions that differ from the
 * newest in one element, the nearer one to this says what it is here. */
static Error *make_newest(Arena *arena, TensorList *list)
{
    if (list->array->newest == list)
        return NULL;
    ListArray *array = arena_memdup(arena, list->array, sizeof *array);
    const Tensor **elements = arena_calloc(arena, (size_t)list->n, sizeof *elements);
    bool *is_known = arena_calloc(arena, (size_t)list->n, sizeof *is_known);
    if (array == NULL || elements == NULL || is_known == NULL)
        return error_out_of_memory();
    const TensorList *at = list;
    for (; at->next != NULL; at = at->next) {
        if (at->index >= list->n || is_known[at->index])
            continue;
        elements[at->index] = at->old;
        is_known[at->index] = true;
    }
    for (int64_t i = 0; i < list->n && i < at->n; i++)
        if (!is_known[i])
            elements[i] = at->array->elements[i];
    array->elements = elements;
    array->capacity = list->n;
    array->newest = list;
    list->array = array;
    list->next = NULL;
    return NULL;
}

static Error *reserve(Arena *arena, ListArray *array, int64_t n)
{
    if (n <= array->capacity)
        return NULL;
    int64_t capacity = n < 8 ? 8 : n * 2;
    if (n > LIST_MAX_ELEMENTS)
        return error_new(ERROR_RESOURCE_EXHAUSTED, "a list is longer than the limit of %lld",
                         (long long)LIST_MAX_ELEMENTS);
    const Tensor **elements = arena_calloc(arena, (size_t)capacity, sizeof *elements);
    if (elements == NULL)
        return error_out_of_memory();
    if (array->capacity > 0)
        memcpy(elements, array->elements, (size_t)array->capacity * sizeof *elements);
    array->elements = elements;
    array->capacity = capacity;
    return NULL;
}

/* A version of n elements after `list`, which differs from it in element `index`. */
static Error *next_version(Arena *arena, TensorList *list, int64_t n, int64_t index,
                           TensorList **ret_list)
{
    TRY(make_newest(arena, list));
    TRY(reserve(arena, list->array, n));
    TensorList *next = arena_calloc(arena, 1, sizeof *next);
    if (next == NULL)
        return error_out_of_memory();
    *next = (TensorList){ .n = n, .array = list->array };
    list->next = next;
    list->index = index;
    list->old = list->array->elements[index];
    list->array->newest = next;
    *ret_list = next;
    return NULL;
}

/* The bytes that strings, handles and lists refer to live as long as the run. */
static Error *copy_item(Arena *arena, const ListArray *array, const Tensor *item,
                        const Tensor **ret)
{
    Shape unused;
    Tensor *copy = arena_calloc(arena, 1, sizeof *copy);
    if (copy == NULL)
        return error_out_of_memory();
    TRY(list_merge_shapes(&array->shape, &item->shape, &unused));
    TRY(tensor_new(arena, item->dtype, &item->shape, copy));
    if (item->n > 0)
        memcpy(copy->data, item->data, tensor_bytes(item));
    *ret = copy;
    return NULL;
}

Error *list_set(Arena *arena, TensorList *list, int64_t index, const Tensor *item,
                TensorList **ret_list)
{
    const Tensor *copy = NULL;
    if (item != NULL)
        TRY(copy_item(arena, list->array, item, &copy));
    return list_put(arena, list, index, copy, ret_list);
}

Error *list_put(Arena *arena, TensorList *list, int64_t index, const Tensor *item,
                TensorList **ret_list)
{
    TensorList *next = NULL;
    TRY(next_version(arena, list, index == list->n ? index + 1 : list->n, index, &next));
    next->array->elements[index] = item;
    *ret_list = next;
    return NULL;
}

Error *list_pop(Arena *arena, TensorList *list, TensorList **ret_list)
{
    TensorList *next = NULL;
    TRY(next_version(arena, list, list->n, list->n - 1, &next));
    next->n--;
    *ret_list = next;
    return NULL;
}

Error *list_elements(Arena *arena, TensorList *list, const Tensor *const **ret_elements)
{
    TRY(make_newest(arena, list));
    *ret_elements = list->array->elements;
    return NULL;
}

Error *list_resize(Arena *arena, TensorList *list, int64_t n, TensorList **ret_list)
{
    TensorList *resized = NULL;
    const Tensor *const *elements = NULL;
    TRY(list_elements(arena, list, &elements));
    TRY(list_new(arena, list->array->dtype, &list->array->shape, n, &resized));
    for (int64_t i = 0; i < n && i < list->n; i++)
        resized->array->elements[i] = elements[i];
    resized->array->max = list->array->max;
    *ret_list = resized;
    return NULL;
}

/* ---- shapes -------------------------------------------------------------------------------- */

Error *list_merge_shapes(const Shape *a, const Shape *b, Shape *ret_shape)
{
    Shape merged = a->rank == SHAPE_UNKNOWN_RANK ? *b : *a;
    bool fits =
        a->rank == b->rank || a->rank == SHAPE_UNKNOWN_RANK || b->rank == SHAPE_UNKNOWN_RANK;
    for (int i = 0; fits && a->rank == b->rank && i < a->rank; i++) {
        fits = a->dims[i] == -1 || b->dims[i] == -1 || a->dims[i] == b->dims[i];
        merged.dims[i] = a->dims[i] == -1 ? b->dims[i] : a->dims[i];
    }
    if (!fits) {
        char a_text[SHAPE_TEXT_BYTES], b_text[SHAPE_TEXT_BYTES];
        return error_new(ERROR_INVALID_ARGUMENT, "Incompatible shapes of list elements: %s and %s",
                         shape_text(a, a_text), shape_text(b, b_text));
    }
    *ret_shape = merged;
    return NULL;
}

bool list_shape_is_known(const Shape *shape)
{
    for (int i = 0; i < shape->rank; i++)
        if (shape->dims[i] < 0)
            return false;
    return shape->rank >= 0;
}

Error *list_input_shape(OpContext *c, int i, Shape *ret_shape)
{
    const Tensor *input = op_input(c, i);
    Shape shape = { .rank = SHAPE_UNKNOWN_RANK };
    bool is_index = input->dtype == DT_INT32 || input->dtype == DT_INT64;
    if (is_index && input->shape.rank == 0 && tensor_index_at(input, 0) == -1) {
        *ret_shape = shape;
        return NULL;
    }
    if (input->shape.rank == 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "The only valid scalar shape tensor is the fully unknown shape "
                         "specified as -1.");
    TRY(tensor_to_shape(input, &shape));
    for (int k = 0; k < shape.rank; k++)
        if (shape.dims[k] < -1)
            return error_new(ERROR_INVALID_ARGUMENT, "dimension %d of an element shape is %lld", k,
                             (long long)shape.dims[k]);
    *ret_shape = shape;
    return NULL;
}

Error *list_input_int(OpContext *c, int i, int64_t *ret)
{
    const Tensor *input = op_input(c, i);
    char text[SHAPE_TEXT_BYTES];
    if (input->n != 1)
        return error_new(ERROR_INVALID_ARGUMENT, "input %d must be a scalar, not of shape %s", i,
                         shape_text(&input->shape, text));
    *ret = tensor_index_at(input, 0);
    return NULL;
}
