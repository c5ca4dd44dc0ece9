/* SPDX-License-Identifier: Apache-2.0
 *
 * TensorArray: TF1's lists (TensorArrayV3 and its family). The handle is a resource of the run, the
 * array changes in place, and the flow, a float that each op takes and hands on, is only there to
 * order them. Its elements are a TensorList (list.h), of which only the newest version is used.
 *
 * An element is written once, and unless clear_after_read is false, read once: its memory is not
 * given back then (it goes with the run), but who relies on it gets TensorFlow's error.
 */
#include <string.h>

#include "model/op/kernels.h"
#include "model/op/list.h"
#include "model/op/resource.h"

typedef enum ElementState { NOT_WRITTEN, WRITTEN, READ, CLEARED } ElementState;

struct TensorArray {
    const char *name;
    TensorList *list;
    uint8_t *states; /* [capacity] ElementState */
    int64_t capacity;
    bool is_dynamic, clears, is_uniform, is_closed;
};

typedef struct ArrayKernel {
    DType dtype;
    Shape shape;
    bool is_dynamic, clears, is_uniform;
} ArrayKernel;

Error *array_prepare(OpPrepare *prepare)
{
    const Attrs *attrs = prepare->attrs;
    ArrayKernel *kernel = arena_calloc(prepare->arena, 1, sizeof *kernel);
    if (kernel == NULL)
        return error_out_of_memory();
    kernel->shape.rank = SHAPE_UNKNOWN_RANK;
    TRY(attrs_type_or(attrs, "dtype", DT_INVALID, &kernel->dtype));
    if (attrs_find(attrs, "element_shape") != NULL)
        TRY(attrs_shape(attrs, "element_shape", &kernel->shape));
    TRY(attrs_bool_or(attrs, "dynamic_size", false, &kernel->is_dynamic));
    TRY(attrs_bool_or(attrs, "clear_after_read", true, &kernel->clears));
    TRY(attrs_bool_or(attrs, "identical_element_shapes", false, &kernel->is_uniform));
    prepare->kernel = kernel;
    return NULL;
}

Error *array_concat_prepare(OpPrepare *prepare)
{
    ArrayKernel *kernel = arena_calloc(prepare->arena, 1, sizeof *kernel);
    Shape rest = { .rank = SHAPE_UNKNOWN_RANK };
    if (kernel == NULL)
        return error_out_of_memory();
    TRY(attrs_type(prepare->attrs, "dtype", &kernel->dtype));
    if (attrs_find(prepare->attrs, "element_shape_except0") != NULL)
        TRY(attrs_shape(prepare->attrs, "element_shape_except0", &rest));
    if (rest.rank >= SHAPE_MAX_RANK)
        return error_new(ERROR_INVALID_ARGUMENT, "elements have more than %d dimensions",
                         SHAPE_MAX_RANK);
    kernel->shape.rank = rest.rank < 0 ? rest.rank : rest.rank + 1;
    kernel->shape.dims[0] = -1;
    for (int i = 0; i < rest.rank; i++)
        kernel->shape.dims[i + 1] = rest.dims[i];
    prepare->kernel = kernel;
    return NULL;
}

/* ---- arrays -------------------------------------------------------------------------------- */

static Error *reserve(Arena *arena, TensorArray *array, int64_t n)
{
    if (n <= array->capacity)
        return NULL;
    int64_t capacity = n < 8 ? 8 : n * 2;
    uint8_t *states = arena_calloc(arena, (size_t)capacity, 1);
    if (states == NULL)
        return error_out_of_memory();
    if (array->capacity > 0)
        memcpy(states, array->states, (size_t)array->capacity);
    array->states = states;
    array->capacity = capacity;
    return NULL;
}

/* Makes room for element n - 1 if the array may grow. */
static Error *grow(Arena *arena, TensorArray *array, int64_t n)
{
    if (n <= array->list->n)
        return NULL;
    if (n > array->list->n + 1)
        TRY(list_resize(arena, array->list, n, &array->list));
    else
        TRY(list_put(arena, array->list, n - 1, NULL, &array->list));
    return reserve(arena, array, n);
}

/* The array that input 0 is. */
static Error *get_array(OpContext *c, DType dtype, TensorArray **ret)
{
    const Tensor *handle = op_input(c, 0);
    Resource *resource = handle->n == 1 ? *(Resource *const *)handle->data : NULL;
    TensorArray *array = resource != NULL ? resource_find_array(resource) : NULL;
    if (array == NULL)
        return error_new(ERROR_INVALID_ARGUMENT, "Input handle is not a TensorArray");
    if (array->is_closed)
        return error_new(ERROR_INVALID_ARGUMENT, "TensorArray %s has already been closed.",
                         array->name);
    if (dtype != DT_INVALID && dtype != array->list->array->dtype)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "TensorArray dtype is %s but Op requested dtype %s.",
                         dtype_name(array->list->array->dtype), dtype_name(dtype));
    *ret = array;
    return NULL;
}

/* What orders the ops: whatever number it was. */
static Error *give_flow(OpContext *c, int i, const Tensor *flow)
{
    const Shape scalar = shape_of();
    Tensor *out = NULL;
    if (flow != NULL)
        return op_output_alias(c, i, (int)(c->n_inputs - 1), &flow->shape);
    TRY(op_output(c, i, DT_FLOAT, &scalar, &out));
    *(float *)out->data = 0;
    return NULL;
}

static Error *give_flow_on(OpContext *c)
{
    return give_flow(c, 0, op_input(c, c->n_inputs - 1));
}

Error *array_run(OpContext *c)
{
    const ArrayKernel *kernel = c->kernel;
    const Shape scalar = shape_of();
    TensorArray *array = arena_calloc(c->arena, 1, sizeof *array);
    Tensor *handle = NULL;
    int64_t n = 0;
    if (array == NULL)
        return error_out_of_memory();
    TRY(list_input_int(c, 0, &n));
    if (n < 0)
        return error_new(ERROR_INVALID_ARGUMENT, "Size should be >= 0.");
    *array = (TensorArray){ .name = c->node_name,
                            .is_dynamic = kernel->is_dynamic,
                            .clears = kernel->clears,
                            .is_uniform = kernel->is_uniform };
    TRY(list_new(c->arena, kernel->dtype, &kernel->shape, n, &array->list));
    TRY(reserve(c->arena, array, n));
    TRY(op_output(c, 0, DT_RESOURCE, &scalar, &handle));
    TRY(resource_make_array(c->arena, c->node_name, array, handle->data));
    return give_flow(c, 1, NULL);
}

Error *array_close_run(OpContext *c)
{
    TensorArray *array = NULL;
    TRY(get_array(c, DT_INVALID, &array));
    array->is_closed = true;
    return NULL;
}

Error *array_size_run(OpContext *c)
{
    const Shape scalar = shape_of();
    TensorArray *array = NULL;
    Tensor *size = NULL;
    TRY(get_array(c, DT_INVALID, &array));
    TRY(op_output(c, 0, DT_INT32, &scalar, &size));
    *(int32_t *)size->data = (int32_t)array->list->n;
    return NULL;
}

/* ---- reading ------------------------------------------------------------------------------- */

/* Notes that element `index` is read. */
static Error *read_element(TensorArray *array, int64_t index)
{
    if (index < 0 || index >= array->list->n)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "TensorArray %s: Tried to read from index %lld but array size is: %lld",
                         array->name, (long long)index, (long long)array->list->n);
    uint8_t *state = &array->states[index];
    if (*state == CLEARED)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "TensorArray %s: Could not read index %lld twice because it was cleared "
                         "after a previous read (perhaps try setting clear_after_read = false?).",
                         array->name, (long long)index);
    if (*state == NOT_WRITTEN && !list_shape_is_known(&array->list->array->shape))
        return error_new(ERROR_INVALID_ARGUMENT,
                         "TensorArray %s: Could not read from TensorArray index %lld.  "
                         "Furthermore, the element shape is not fully defined",
                         array->name, (long long)index);
    *state = array->clears ? CLEARED : READ;
    return NULL;
}

Error *array_read_run(OpContext *c)
{
    const ArrayKernel *kernel = c->kernel;
    const Tensor *const *elements = NULL;
    TensorArray *array = NULL;
    Tensor *zeros = NULL;
    int64_t index = 0;
    TRY(get_array(c, kernel->dtype, &array));
    TRY(list_input_int(c, 1, &index));
    TRY(read_element(array, index));
    TRY(list_elements(c->arena, array->list, &elements));
    if (elements[index] != NULL) {
        c->outputs[0] = *elements[index];
        return NULL;
    }
    TRY(op_output(c, 0, kernel->dtype, &array->list->array->shape, &zeros));
    memset(zeros->data, 0, tensor_bytes(zeros));
    return NULL;
}

Error *array_gather_run(OpContext *c)
{
    const ArrayKernel *kernel = c->kernel;
    const Tensor *indices = op_input(c, 1);
    const int32_t *of = indices->data;
    TensorArray *array = NULL;
    TRY(get_array(c, kernel->dtype, &array));
    for (int64_t i = 0; i < indices->n; i++)
        TRY(read_element(array, of[i]));
    return list_stack(c, array->list, &kernel->shape, indices->n, of);
}

Error *array_concat_run(OpContext *c)
{
    const ArrayKernel *kernel = c->kernel;
    TensorArray *array = NULL;
    TRY(get_array(c, kernel->dtype, &array));
    for (int64_t i = 0; i < array->list->n; i++)
        TRY(read_element(array, i));
    return list_concat(c, array->list, &kernel->shape, NULL);
}

/* ---- writing ------------------------------------------------------------------------------- */

/* Notes that element `index` is written with a value of that shape. */
static Error *write_element(OpContext *c, TensorArray *array, int64_t index, const Shape *shape)
{
    char text[SHAPE_TEXT_BYTES], wanted[SHAPE_TEXT_BYTES];
    ListArray *list = array->list->array;
    Shape merged;
    if (index < 0 || (index >= array->list->n && !array->is_dynamic) || index >= LIST_MAX_ELEMENTS)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "TensorArray %s: Tried to write to index %lld but array is not "
                         "resizeable and size is: %lld",
                         array->name, (long long)index, (long long)array->list->n);
    TRY(grow(c->arena, array, index + 1));
    list = array->list->array;
    if (array->states[index] != NOT_WRITTEN)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "TensorArray %s: Could not write to TensorArray index %lld because it has "
                         "already been %s",
                         array->name, (long long)index,
                         array->states[index] == WRITTEN ? "written to." : "read.");
    Error *error = list_merge_shapes(&list->shape, shape, &merged);
    if (error != NULL) {
        error_free(error);
        return error_new(ERROR_INVALID_ARGUMENT,
                         "TensorArray %s: Could not write to TensorArray index %lld because the "
                         "value shape is %s which is incompatible with the TensorArray's inferred "
                         "element shape: %s (consider setting infer_shape=False).",
                         array->name, (long long)index, shape_text(shape, text),
                         shape_text(&list->shape, wanted));
    }
    if (array->is_uniform)
        list->shape = merged;
    array->states[index] = WRITTEN;
    return NULL;
}

Error *array_write_run(OpContext *c)
{
    const Tensor *value = op_input(c, 2);
    TensorArray *array = NULL;
    int64_t index = 0;
    TRY(get_array(c, value->dtype, &array));
    TRY(list_input_int(c, 1, &index));
    TRY(write_element(c, array, index, &value->shape));
    TRY(list_set(c->arena, array->list, index, value, &array->list));
    return give_flow_on(c);
}

Error *array_scatter_run(OpContext *c)
{
    const Tensor *indices = op_input(c, 1), *value = op_input(c, 2);
    const int32_t *of = indices->data;
    TensorArray *array = NULL;
    TRY(get_array(c, value->dtype, &array));
    if (indices->shape.rank != 1 || value->shape.rank < 1 || value->shape.dims[0] != indices->n)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Expected len(indices) == values.shape[0], but saw: %lld vs. %lld",
                         (long long)indices->n,
                         (long long)(value->shape.rank > 0 ? value->shape.dims[0] : -1));
    const Shape row = shape_make(value->shape.rank - 1, value->shape.dims + 1);
    for (int64_t i = 0; i < indices->n; i++)
        TRY(write_element(c, array, of[i], &row));
    TRY(list_set_rows(c, value, of, array->list, &array->list));
    return give_flow_on(c);
}

Error *array_split_run(OpContext *c)
{
    const Tensor *value = op_input(c, 1), *lengths = op_input(c, 2);
    TensorArray *array = NULL;
    TRY(get_array(c, value->dtype, &array));
    if (lengths->n != array->list->n && !(array->is_dynamic && lengths->n > array->list->n))
        return error_new(ERROR_INVALID_ARGUMENT,
                         "TensorArray's size is not equal to the size of lengths (%lld vs. %lld), "
                         "and the TensorArray is not marked as dynamically resizeable",
                         (long long)array->list->n, (long long)lengths->n);
    if (value->shape.rank < 1)
        return error_new(ERROR_INVALID_ARGUMENT, "Expected value to be at least a vector, but "
                                                 "received shape: []");
    Shape part = value->shape;
    for (int64_t i = 0; i < lengths->n; i++) {
        part.dims[0] = ((const int64_t *)lengths->data)[i];
        TRY(write_element(c, array, i, &part));
    }
    TRY(list_set_parts(c, value, lengths, array->list, &array->list));
    return give_flow_on(c);
}
