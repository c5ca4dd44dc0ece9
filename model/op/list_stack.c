/* SPDX-License-Identifier: Apache-2.0
 *
 * Tensors from lists: elements that become rows, one upon the other (Stack, Gather) or one behind
 * the other (Concat).
 */
#include <string.h>

#include "model/op/kernels.h"
#include "model/op/list.h"

typedef struct StackKernel {
    DType dtype;
    int64_t n;   /* elements that the list must have; -1: any number */
    Shape shape; /* of an op that has it as an attribute */
} StackKernel;

Error *list_stack_prepare(OpPrepare *prepare)
{
    StackKernel *kernel = arena_calloc(prepare->arena, 1, sizeof *kernel);
    if (kernel == NULL)
        return error_out_of_memory();
    TRY(attrs_type(prepare->attrs, "element_dtype", &kernel->dtype));
    TRY(attrs_int_or(prepare->attrs, "num_elements", -1, &kernel->n));
    kernel->shape.rank = SHAPE_UNKNOWN_RANK;
    if (attrs_find(prepare->attrs, "element_shape") != NULL)
        TRY(attrs_shape(prepare->attrs, "element_shape", &kernel->shape));
    prepare->kernel = kernel;
    return NULL;
}

/* ---- stack --------------------------------------------------------------------------------- */

static const Tensor *element_at(const Tensor *const *elements, const int32_t *indices, int64_t i)
{
    return elements[indices != NULL ? indices[i] : i];
}

/* The shape that all of them have. */
static Error *common_shape(const Tensor *const *elements, int64_t n, const int32_t *indices,
                           Shape *shape)
{
    char text[SHAPE_TEXT_BYTES];
    for (int64_t i = 0; i < n; i++) {
        const Tensor *element = element_at(elements, indices, i);
        if (element != NULL)
            TRY(list_merge_shapes(shape, &element->shape, shape));
    }
    if (!list_shape_is_known(shape))
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Tried to stack elements of a list whose element_shape is not fully "
                         "defined: %s",
                         shape_text(shape, text));
    if (shape->rank >= SHAPE_MAX_RANK)
        return error_new(ERROR_INVALID_ARGUMENT, "the stack has more than %d dimensions",
                         SHAPE_MAX_RANK);
    return NULL;
}

static void *put(void *to, const Tensor *element, size_t bytes)
{
    if (bytes > 0 && element != NULL)
        memcpy(to, element->data, bytes);
    else if (bytes > 0)
        memset(to, 0, bytes);
    return (uint8_t *)to + bytes;
}

Error *list_stack(OpContext *c, TensorList *list, const Shape *shape, int64_t n,
                  const int32_t *indices)
{
    const Tensor *const *elements = NULL;
    Shape row;
    Tensor *out = NULL;
    TRY(list_elements(c->arena, list, &elements));
    TRY(list_merge_shapes(shape, &list->array->shape, &row));
    TRY(common_shape(elements, n, indices, &row));
    Shape stacked = { .rank = row.rank + 1, .dims = { n } };
    memcpy(stacked.dims + 1, row.dims, (size_t)row.rank * sizeof row.dims[0]);
    TRY(op_output(c, 0, list->array->dtype, &stacked, &out));
    size_t bytes = n > 0 ? tensor_bytes(out) / (size_t)n : 0;
    void *to = out->data;
    for (int64_t i = 0; i < n; i++)
        to = put(to, element_at(elements, indices, i), bytes);
    return NULL;
}

Error *list_stack_run(OpContext *c)
{
    const StackKernel *kernel = c->kernel;
    TensorList *list = NULL;
    Shape shape;
    TRY(list_input(c, 0, kernel->dtype, &list));
    if (kernel->n >= 0 && kernel->n != list->n)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Operation expected a list with %lld elements but got a list with %lld "
                         "elements.",
                         (long long)kernel->n, (long long)list->n);
    TRY(list_input_shape(c, 1, &shape));
    return list_stack(c, list, &shape, list->n, NULL);
}

Error *list_gather_run(OpContext *c)
{
    const StackKernel *kernel = c->kernel;
    const Tensor *indices = op_input(c, 1);
    const int32_t *of = indices->data;
    TensorList *list = NULL;
    Shape shape;
    TRY(list_input(c, 0, kernel->dtype, &list));
    for (int64_t i = 0; i < indices->n; i++)
        if (of[i] < 0 || of[i] >= list->n)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Trying to gather element %d in a list with %lld elements.", of[i],
                             (long long)list->n);
    TRY(list_input_shape(c, 2, &shape));
    return list_stack(c, list, &shape, indices->n, of);
}

/* ---- concat -------------------------------------------------------------------------------- */

/* All but the first dimension. */
static Error *without_first(const Shape *shape, Shape *ret)
{
    if (shape->rank == 0)
        return error_new(ERROR_INVALID_ARGUMENT, "Concat requires elements to be at least vectors, "
                                                 "found scalars instead.");
    *ret = shape->rank > 0 ? shape_make(shape->rank - 1, shape->dims + 1) : *shape;
    return NULL;
}

static Error *find_rest(const TensorList *list, const Tensor *const *elements, const Shape *shape,
                        Shape *ret)
{
    Shape rest, other;
    char text[SHAPE_TEXT_BYTES];
    TRY(without_first(shape, &rest));
    TRY(without_first(&list->array->shape, &other));
    TRY(list_merge_shapes(&rest, &other, &rest));
    for (int64_t i = 0; i < list->n; i++) {
        if (elements[i] == NULL)
            continue;
        TRY(without_first(&elements[i]->shape, &other));
        TRY(list_merge_shapes(&rest, &other, &rest));
    }
    if (!list_shape_is_known(&rest) || rest.rank >= SHAPE_MAX_RANK)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "All except the first dimension must be fully defined when concating "
                         "elements of a list. element_shape: %s",
                         shape_text(shape, text));
    *ret = rest;
    return NULL;
}

/* The rows of element i. */
static Error *count_rows(const Tensor *const *elements, const Tensor *leading, int64_t i,
                         int64_t *ret)
{
    int64_t n_leading = leading != NULL ? leading->n : 0;
    if (elements[i] != NULL) {
        *ret = elements[i]->shape.dims[0];
        return NULL;
    }
    if (i >= n_leading)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "List contains uninitialized tensor at index %lld but leading_dims has "
                         "only %lld elements.",
                         (long long)i, (long long)n_leading);
    *ret = ((const int64_t *)leading->data)[i];
    if (*ret < 0)
        return error_new(
            ERROR_INVALID_ARGUMENT,
            "List contains uninitialized tensor at index %lld but leading_dims has %lld "
            "for its length",
            (long long)i, (long long)*ret);
    return NULL;
}

Error *list_concat(OpContext *c, TensorList *list, const Shape *shape, const Tensor *leading)
{
    const Tensor *const *elements = NULL;
    Tensor *out = NULL, *lengths = NULL;
    Shape rest;
    int64_t n = 0, size = 0;
    TRY(list_elements(c->arena, list, &elements));
    TRY(find_rest(list, elements, shape, &rest));
    const Shape vector = shape_of(list->n);
    TRY(op_output(c, 1, DT_INT64, &vector, &lengths));
    for (int64_t i = 0; i < list->n; i++) {
        int64_t *length = &((int64_t *)lengths->data)[i];
        TRY(count_rows(elements, leading, i, length));
        if (*length > INT64_MAX - n)
            return error_new(ERROR_INVALID_ARGUMENT, "the lengths of %lld elements are too much",
                             (long long)list->n);
        n += *length;
    }
    Shape whole = { .rank = rest.rank + 1, .dims = { n } };
    memcpy(whole.dims + 1, rest.dims, (size_t)rest.rank * sizeof rest.dims[0]);
    TRY(op_output(c, 0, list->array->dtype, &whole, &out));
    TRY(shape_count(&rest, &size));
    void *to = out->data;
    for (int64_t i = 0; i < list->n && out->n > 0; i++)
        to = put(to, elements[i],
                 (size_t)(((int64_t *)lengths->data)[i] * size) * dtype_size(out->dtype));
    return NULL;
}

Error *list_concat_run(OpContext *c)
{
    const StackKernel *kernel = c->kernel;
    TensorList *list = NULL;
    Shape shape = kernel->shape;
    TRY(list_input(c, 0, kernel->dtype, &list));
    if (c->n_inputs > 1)
        TRY(list_input_shape(c, 1, &shape));
    return list_concat(c, list, &shape, c->n_inputs > 2 ? op_input(c, 2) : NULL);
}
