/* SPDX-License-Identifier: Apache-2.0
 *
 * Ops on one element of a TensorList, or on none. What is read is not copied: elements stay where
 * they are until the run is over.
 */
#include <string.h>

#include "model/op/kernels.h"
#include "model/op/list.h"

/* What prepare leaves for all ops on lists. */
typedef struct ListKernel {
    DType dtype;
    bool resizes;
} ListKernel;

Error *list_prepare(OpPrepare *prepare)
{
    ListKernel *kernel = arena_calloc(prepare->arena, 1, sizeof *kernel);
    if (kernel == NULL)
        return error_out_of_memory();
    TRY(attrs_type(prepare->attrs, "element_dtype", &kernel->dtype));
    TRY(attrs_bool_or(prepare->attrs, "resize_if_index_out_of_bounds", false, &kernel->resizes));
    prepare->kernel = kernel;
    return NULL;
}

typedef struct ListShapeKernel {
    DType dtype;
} ListShapeKernel;

Error *list_shape_prepare(OpPrepare *prepare)
{
    ListShapeKernel *kernel = arena_calloc(prepare->arena, 1, sizeof *kernel);
    if (kernel == NULL)
        return error_out_of_memory();
    TRY(attrs_type(prepare->attrs, "shape_type", &kernel->dtype));
    if (kernel->dtype != DT_INT32 && kernel->dtype != DT_INT64)
        return error_new(ERROR_INVALID_ARGUMENT, "shape_type must be int32 or int64, not %s",
                         dtype_name(kernel->dtype));
    prepare->kernel = kernel;
    return NULL;
}

Error *list_reserve_run(OpContext *c)
{
    const ListKernel *kernel = c->kernel;
    TensorList *list = NULL;
    Shape shape;
    int64_t n = 0;
    TRY(list_input_shape(c, 0, &shape));
    TRY(list_input_int(c, 1, &n));
    TRY(list_new(c->arena, kernel->dtype, &shape, n, &list));
    return list_output(c, 0, list);
}

Error *list_empty_run(OpContext *c)
{
    const ListKernel *kernel = c->kernel;
    TensorList *list = NULL;
    Shape shape;
    int64_t max = 0;
    TRY(list_input_shape(c, 0, &shape));
    TRY(list_input_int(c, 1, &max));
    TRY(list_new(c->arena, kernel->dtype, &shape, 0, &list));
    list->array->max = max;
    return list_output(c, 0, list);
}

Error *list_length_run(OpContext *c)
{
    const Shape scalar = shape_of();
    TensorList *list = NULL;
    Tensor *length = NULL;
    TRY(list_input(c, 0, DT_INVALID, &list));
    TRY(op_output(c, 0, DT_INT32, &scalar, &length));
    *(int32_t *)length->data = (int32_t)list->n;
    return NULL;
}

/* An element that is not set is zeros of the shape that the list or the op says. */
static Error *give_element(OpContext *c, int output, TensorList *list, int64_t index)
{
    const ListArray *array = list->array;
    const Tensor *const *elements = NULL;
    Shape wanted;
    int shape_input = c->n_inputs - 1;
    TRY(list_elements(c->arena, list, &elements));
    TRY(list_input_shape(c, shape_input, &wanted));
    TRY(list_merge_shapes(&wanted, &array->shape, &wanted));
    if (elements[index] != NULL) {
        TRY(list_merge_shapes(&wanted, &elements[index]->shape, &wanted));
        c->outputs[output] = *elements[index];
        return NULL;
    }
    if (!list_shape_is_known(&wanted))
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Trying to read an uninitialized tensor but element_shape is not fully "
                         "defined");
    Tensor *zeros = NULL;
    TRY(op_output(c, output, array->dtype, &wanted, &zeros));
    memset(zeros->data, 0, tensor_bytes(zeros));
    return NULL;
}

Error *list_get_item_run(OpContext *c)
{
    const ListKernel *kernel = c->kernel;
    TensorList *list = NULL;
    int64_t index = 0;
    TRY(list_input(c, 0, kernel->dtype, &list));
    TRY(list_input_int(c, 1, &index));
    if (index < 0 || index >= list->n)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Trying to access element %lld in a list with %lld elements.",
                         (long long)index, (long long)list->n);
    return give_element(c, 0, list, index);
}

Error *list_set_item_run(OpContext *c)
{
    const ListKernel *kernel = c->kernel;
    TensorList *list = NULL;
    int64_t index = 0;
    TRY(list_input(c, 0, kernel->dtype, &list));
    TRY(list_input_int(c, 1, &index));
    if (index < 0 || (index >= list->n && !kernel->resizes) || index >= LIST_MAX_ELEMENTS)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Trying to modify element %lld in a list with %lld elements.",
                         (long long)index, (long long)list->n);
    if (index > list->n)
        TRY(list_resize(c->arena, list, index, &list));
    TRY(list_set(c->arena, list, index, op_input(c, 2), &list));
    return list_output(c, 0, list);
}

Error *list_push_back_run(OpContext *c)
{
    const ListKernel *kernel = c->kernel;
    TensorList *list = NULL;
    TRY(list_input(c, 0, kernel->dtype, &list));
    if (list->array->max >= 0 && list->n >= list->array->max)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Tried to push item into a full list list size: %lld max_num_elements: "
                         "%lld",
                         (long long)list->n, (long long)list->array->max);
    TRY(list_set(c->arena, list, list->n, op_input(c, 1), &list));
    return list_output(c, 0, list);
}

Error *list_pop_back_run(OpContext *c)
{
    const ListKernel *kernel = c->kernel;
    TensorList *list = NULL;
    TRY(list_input(c, 0, kernel->dtype, &list));
    if (list->n == 0)
        return error_new(ERROR_INVALID_ARGUMENT, "Trying to pop from an empty list.");
    TRY(give_element(c, 1, list, list->n - 1));
    TRY(list_pop(c->arena, list, &list));
    return list_output(c, 0, list);
}

Error *list_resize_run(OpContext *c)
{
    TensorList *list = NULL;
    int64_t n = 0;
    TRY(list_input(c, 0, DT_INVALID, &list));
    TRY(list_input_int(c, 1, &n));
    if (n < 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "TensorListSlice expects size to be non-negative. Got: %lld",
                         (long long)n);
    TRY(list_resize(c->arena, list, n, &list));
    return list_output(c, 0, list);
}

Error *list_element_shape_run(OpContext *c)
{
    TensorList *list = NULL;
    Tensor *out = NULL;
    DType dtype = ((const ListShapeKernel *)c->kernel)->dtype;
    TRY(list_input(c, 0, DT_INVALID, &list));
    const Shape *shape = &list->array->shape;
    bool is_known = shape->rank != SHAPE_UNKNOWN_RANK;
    const Shape vector = is_known ? shape_of(shape->rank) : shape_of();
    TRY(op_output(c, 0, dtype, &vector, &out));
    for (int64_t i = 0; i < out->n; i++) {
        int64_t dim = is_known ? shape->dims[i] : -1;
        if (dtype == DT_INT64)
            ((int64_t *)out->data)[i] = dim;
        else
            ((int32_t *)out->data)[i] = (int32_t)dim;
    }
    return NULL;
}
