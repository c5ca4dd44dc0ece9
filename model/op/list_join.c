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

static Error *copy_elements(OpContext *c, const Tensor *tensor, Tensor *ret_copy)
{
    TRY(tensor_new(c->arena, tensor->dtype, &tensor->shape, ret_copy));
    if (tensor->n > 0)
        memcpy(ret_copy->data, tensor->data, tensor_bytes(tensor));
    return NULL;
}

/* A view of `shape` at element `offset`, in the arena. */
static Error *make_view(OpContext *c, const Tensor *of, const Shape *shape, int64_t offset,
                        const Tensor **ret)
{
    Tensor *view = arena_calloc(c->arena, 1, sizeof *view);
    if (view == NULL)
        return error_out_of_memory();
    *view = tensor_view(of->dtype, shape, NULL);
    view->data = (uint8_t *)of->data + (size_t)offset * dtype_size(of->dtype);
    *ret = view;
    return NULL;
}

Error *list_set_rows(OpContext *c, const Tensor *tensor, const int32_t *indices, TensorList *list,
                     TensorList **ret_list)
{
    Shape row, unused;
    Tensor copy;
    TRY(row_shape(tensor, &row));
    TRY(list_merge_shapes(&list->array->shape, &row, &unused));
    TRY(copy_elements(c, tensor, &copy));
    int64_t n = tensor->shape.dims[0], size = n > 0 ? tensor->n / n : 0;
    for (int64_t i = 0; i < n; i++) {
        const Tensor *view = NULL;
        TRY(make_view(c, &copy, &row, i * size, &view));
        TRY(list_put(c->arena, list, indices != NULL ? indices[i] : i, view, &list));
    }
    *ret_list = list;
    return NULL;
}

static Error *check_lengths(const Tensor *tensor, const Tensor *lengths)
{
    char text[SHAPE_TEXT_BYTES];
    int64_t sum = 0;
    if (lengths->shape.rank != 1)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Expected lengths to be a vector, received shape: "
                         "%s",
                         shape_text(&lengths->shape, text));
    for (int64_t i = 0; i < lengths->n; i++) {
        int64_t length = ((const int64_t *)lengths->data)[i];
        if (length < 0 || length > tensor->shape.dims[0] - sum)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Attempted to split value of shape %s, but lengths[%lld] is %lld",
                             shape_text(&tensor->shape, text), (long long)i, (long long)length);
        sum += length;
    }
    if (sum != tensor->shape.dims[0])
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Expected sum of lengths to be equal to values.shape[0], but sum of "
                         "lengths is %lld and value's shape is: %s ",
                         (long long)sum, shape_text(&tensor->shape, text));
    return NULL;
}

Error *list_set_parts(OpContext *c, const Tensor *tensor, const Tensor *lengths, TensorList *list,
                      TensorList **ret_list)
{
    Shape part;
    Tensor copy;
    TRY(row_shape(tensor, &part));
    TRY(check_lengths(tensor, lengths));
    TRY(copy_elements(c, tensor, &copy));
    part = tensor->shape;
    int64_t n = tensor->shape.dims[0], size = n > 0 ? tensor->n / n : 0, row = 0;
    for (int64_t i = 0; i < lengths->n; i++) {
        const Tensor *view = NULL;
        Shape unused;
        part.dims[0] = ((const int64_t *)lengths->data)[i];
        TRY(list_merge_shapes(&list->array->shape, &part, &unused));
        TRY(make_view(c, &copy, &part, row * size, &view));
        TRY(list_put(c->arena, list, i, view, &list));
        row += part.dims[0];
    }
    *ret_list = list;
    return NULL;
}

Error *list_from_tensor_run(OpContext *c)
{
    const Tensor *tensor = op_input(c, 0);
    TensorList *list = NULL;
    Shape shape, row;
    TRY(row_shape(tensor, &row));
    TRY(list_input_shape(c, 1, &shape));
    TRY(list_merge_shapes(&shape, &row, &shape));
    TRY(list_new(c->arena, tensor->dtype, &shape, tensor->shape.dims[0], &list));
    TRY(list_set_rows(c, tensor, NULL, list, &list));
    return list_output(c, 0, list);
}

/* The largest of the indices, -1 for none; they must be as many as the tensor has rows. */
static Error *check_indices(const Tensor *tensor, const Tensor *indices, int64_t *ret_largest)
{
    char text[SHAPE_TEXT_BYTES];
    Shape unused;
    const int32_t *of = indices->data;
    TRY(row_shape(tensor, &unused));
    if (indices->shape.rank != 1 || indices->n != tensor->shape.dims[0])
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Invalid number of rows in input tensor. Expected: %lld Actual: %lld",
                         (long long)indices->n, (long long)tensor->shape.dims[0]);
    *ret_largest = -1;
    for (int64_t i = 0; i < indices->n; i++) {
        if (of[i] < 0)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Indices in TensorListScatter must all be non-negative, but they "
                             "are %s and number %lld is %d",
                             shape_text(&indices->shape, text), (long long)i, of[i]);
        *ret_largest = of[i] > *ret_largest ? of[i] : *ret_largest;
    }
    return NULL;
}

Error *list_scatter_run(OpContext *c)
{
    const Tensor *tensor = op_input(c, 0), *indices = op_input(c, 1);
    TensorList *list = NULL;
    Shape shape;
    int64_t largest = -1, n = -1;
    TRY(list_input_shape(c, 2, &shape));
    if (c->n_inputs > 3)
        TRY(list_input_int(c, 3, &n));
    if (n < -1)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "TensorListScatter expects num_elements >= -1, found: %lld", (long long)n);
    TRY(check_indices(tensor, indices, &largest));
    if (n >= 0 && largest >= n)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "TensorListScatter: Trying to scatter at index %lld in list with size "
                         "%lld",
                         (long long)largest, (long long)n);
    TRY(list_new(c->arena, tensor->dtype, &shape, n >= 0 ? n : largest + 1, &list));
    TRY(list_set_rows(c, tensor, indices->data, list, &list));
    return list_output(c, 0, list);
}

Error *list_scatter_into_run(OpContext *c)
{
    const JoinKernel *kernel = c->kernel;
    const Tensor *tensor = op_input(c, 1), *indices = op_input(c, 2);
    TensorList *list = NULL;
    int64_t largest = -1;
    TRY(list_input(c, 0, kernel->dtype, &list));
    TRY(check_indices(tensor, indices, &largest));
    if (largest >= list->n)
        TRY(list_resize(c->arena, list, largest + 1, &list));
    TRY(list_set_rows(c, tensor, indices->data, list, &list));
    return list_output(c, 0, list);
}

Error *list_split_run(OpContext *c)
{
    const Tensor *tensor = op_input(c, 0), *lengths = op_input(c, 2);
    TensorList *list = NULL;
    Shape shape;
    TRY(list_input_shape(c, 1, &shape));
    TRY(list_new(c->arena, tensor->dtype, &shape, lengths->n, &list));
    TRY(list_set_parts(c, tensor, lengths, list, &list));
    return list_output(c, 0, list);
}
