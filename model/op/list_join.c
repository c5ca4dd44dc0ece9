/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists from tensors and tensors from lists: rows that become elements, elements that become rows.
 */
#include <string.h>

#include "model/op/kernels.h"
#include "model/op/list.h"

typedef struct JoinKernel {
    DType dtype;
    int64_t n; /* elements that the list must have; -1: any number */
} JoinKernel;

Error *list_join_prepare(OpPrepare *prepare)
{
    JoinKernel *kernel = arena_calloc(prepare->arena, 1, sizeof *kernel);
    if (kernel == NULL)
        return error_out_of_memory();
    TRY(attrs_type(prepare->attrs, "element_dtype", &kernel->dtype));
    TRY(attrs_int_or(prepare->attrs, "num_elements", -1, &kernel->n));
    prepare->kernel = kernel;
    return NULL;
}

/* ---- from tensors -------------------------------------------------------------------------- */

/* The shape of a row of the tensor, which must have rows. */
static Error *row_shape(const Tensor *tensor, Shape *ret)
{
    char text[SHAPE_TEXT_BYTES];
    if (tensor->shape.rank < 1)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Tensor must be at least a vector, but saw shape: %s",
                         shape_text(&tensor->shape, text));
    *ret = shape_make(tensor->shape.rank - 1, tensor->shape.dims + 1);
    return NULL;
}

static Tensor row_view(const Tensor *tensor, const Shape *shape, int64_t row)
{
    Tensor view = tensor_view(tensor->dtype, shape, NULL);
    view.data = (uint8_t *)tensor->data + (size_t)row * tensor_bytes(&view);
    return view;
}

Error *list_from_tensor_run(OpContext *c)
{
    const Tensor *tensor = op_input(c, 0);
    TensorList *list = NULL;
    Shape shape, row;
    TRY(row_shape(tensor, &row));
    TRY(list_input_shape(c, 1, &shape));
    TRY(list_merge_shapes(&shape, &row, &shape));
    int64_t n = tensor->shape.dims[0];
    TRY(list_new(c->arena, tensor->dtype, &shape, n, &list));
    Tensor copy; /* one for all rows */
    Tensor *rows = arena_calloc(c->arena, (size_t)n, sizeof *rows);
    if (rows == NULL)
        return error_out_of_memory();
    TRY(tensor_new(c->arena, tensor->dtype, &tensor->shape, &copy));
    if (tensor->n > 0)
        memcpy(copy.data, tensor->data, tensor_bytes(tensor));
    for (int64_t i = 0; i < n; i++) {
        rows[i] = row_view(&copy, &row, i);
        list->array->elements[i] = &rows[i];
    }
    return list_output(c, 0, list);
}

/* ---- to tensors ---------------------------------------------------------------------------- */

/* The shape that all of elements[indices[0..n)] have; all elements for indices NULL. */
static Error *common_shape(const Tensor *const *elements, int64_t n, const int32_t *indices,
                           Shape *shape)
{
    for (int64_t i = 0; i < n; i++) {
        const Tensor *element = elements[indices != NULL ? indices[i] : i];
        if (element != NULL)
            TRY(list_merge_shapes(shape, &element->shape, shape));
    }
    char text[SHAPE_TEXT_BYTES];
    if (!list_shape_is_known(shape))
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Tried to stack elements of a list whose element_shape is not fully "
                         "defined: %s",
                         shape_text(shape, text));
    return NULL;
}

static Error *stack(OpContext *c, TensorList *list, int64_t n, const int32_t *indices)
{
    const Tensor *const *elements = NULL;
    Shape shape;
    Tensor *out = NULL;
    TRY(list_elements(c->arena, list, &elements));
    TRY(list_input_shape(c, c->n_inputs - 1, &shape));
    TRY(list_merge_shapes(&shape, &list->array->shape, &shape));
    TRY(common_shape(elements, n, indices, &shape));
    if (shape.rank >= SHAPE_MAX_RANK)
        return error_new(ERROR_INVALID_ARGUMENT, "the stack has more than %d dimensions",
                         SHAPE_MAX_RANK);
    Shape stacked = { .rank = shape.rank + 1, .dims = { n } };
    memcpy(stacked.dims + 1, shape.dims, (size_t)shape.rank * sizeof shape.dims[0]);
    TRY(op_output(c, 0, list->array->dtype, &stacked, &out));
    size_t bytes = n > 0 ? tensor_bytes(out) / (size_t)n : 0;
    for (int64_t i = 0; i < n && bytes > 0; i++) {
        const Tensor *element = elements[indices != NULL ? indices[i] : i];
        uint8_t *to = (uint8_t *)out->data + (size_t)i * bytes;
        if (element != NULL)
            memcpy(to, element->data, bytes);
        else
            memset(to, 0, bytes);
    }
    return NULL;
}

Error *list_stack_run(OpContext *c)
{
    const JoinKernel *kernel = c->kernel;
    TensorList *list = NULL;
    TRY(list_input(c, 0, kernel->dtype, &list));
    if (kernel->n >= 0 && kernel->n != list->n)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Operation expected a list with %lld elements but got a list with %lld "
                         "elements.",
                         (long long)kernel->n, (long long)list->n);
    return stack(c, list, list->n, NULL);
}

Error *list_gather_run(OpContext *c)
{
    const JoinKernel *kernel = c->kernel;
    const Tensor *indices = op_input(c, 1);
    const int32_t *of = indices->data;
    TensorList *list = NULL;
    TRY(list_input(c, 0, kernel->dtype, &list));
    for (int64_t i = 0; i < indices->n; i++)
        if (of[i] < 0 || of[i] >= list->n)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Trying to gather element %d in a list with %lld elements.", of[i],
                             (long long)list->n);
    return stack(c, list, indices->n, of);
}
