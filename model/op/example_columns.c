/* SPDX-License-Identifier: Apache-2.0
 *
 * The outputs of ParseExample: one feature of all examples at a time, dense,
 * sparse or ragged.
 */
#include <stdio.h>
#include <string.h>

#include "model/op/example.h"

/* ---- errors -------------------------------------------------------------------------------- */

/* The name of example i for an error's text. */
static Bytes example_name(const Parse *parse, int64_t i)
{
    if (parse->kernel->form == FORM_SINGLE)
        return bytes_of_text("<unknown>");
    const Tensor *names = op_input(parse->context, 1);
    return names->n == 0 ? bytes_of_text("<unknown>") : ((const Bytes *)names->data)[i];
}

const char *example_place(const Parse *parse, int64_t i, uint32_t key,
                          char text[EXAMPLE_PLACE_BYTES])
{
    Bytes name = example_name(parse, i), k = parse->keys[key];
    if (parse->is_single)
        snprintf(text, EXAMPLE_PLACE_BYTES, "Key: %.*s.  ", (int)k.size, (const char *)k.data);
    else
        snprintf(text, EXAMPLE_PLACE_BYTES, "Name: %.*s, Key: %.*s, Index: %lld.  ", (int)name.size,
                 (const char *)name.data, (int)k.size, (const char *)k.data, (long long)i);
    return text;
}

static Error *missing(const Parse *parse, int64_t i, uint32_t key, DType dtype)
{
    Bytes name = example_name(parse, i), k = parse->keys[key];
    return error_new(ERROR_INVALID_ARGUMENT,
                     "%s%.*s%sFeature: %.*s (data type: %s) is required but could not be found.",
                     parse->is_single ? "" : "Name: ", parse->is_single ? 0 : (int)name.size,
                     (const char *)name.data, parse->is_single ? "" : ", ", (int)k.size,
                     (const char *)k.data, dtype_name(dtype));
}

/* ---- dense --------------------------------------------------------------------------------- */

static Error *check_default(int d, const DenseFeature *dense, const Tensor *value)
{
    char text[2][SHAPE_TEXT_BYTES];
    if (dense->is_variable && value->n != 1)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "dense_shape[%d] is a variable length shape: %s, therefore def_value[%d] "
                         "must contain a single element (the padding element).  But its shape is: "
                         "%s",
                         d, shape_text(&dense->shape, text[0]), d,
                         shape_text(&value->shape, text[1]));
    if (!dense->is_variable && value->n > 0 && !shape_equal(&value->shape, &dense->shape))
        return error_new(
            ERROR_INVALID_ARGUMENT,
            "def_value[%d].shape() == %s is not compatible with dense_shapes_[%d] == %s", d,
            shape_text(&value->shape, text[0]), d, shape_text(&dense->shape, text[1]));
    return NULL;
}

static Error *check_list(const Parse *parse, int64_t i, uint32_t key, const DenseFeature *dense)
{
    const FeatureList *list = list_at(parse, i, key);
    char place[EXAMPLE_PLACE_BYTES], text[SHAPE_TEXT_BYTES];
    if (list->dtype != dense->dtype)
        return error_new(
            ERROR_INVALID_ARGUMENT, "%sData types don't match. Data type: %s but expected type: %s",
            example_place(parse, i, key, place), dtype_name(list->dtype), dtype_name(dense->dtype));
    if (dense->is_variable && (dense->stride == 0 || list->n % dense->stride != 0))
        return error_new(
            ERROR_INVALID_ARGUMENT,
            "%sNumber of %s values is not a multiple of stride length. Saw %lld values "
            "but output shape is: %s",
            example_place(parse, i, key, place), dtype_name(dense->dtype), (long long)list->n,
            shape_text(&dense->shape, text));
    if (!dense->is_variable && list->n != dense->stride)
        return error_new(
            ERROR_INVALID_ARGUMENT,
            "%sNumber of %s values != expected.  Values size: %lld but output shape: %s",
            example_place(parse, i, key, place), dtype_name(dense->dtype), (long long)list->n,
            shape_text(&dense->shape, text));
    return NULL;
}

/* Checks the lists of a dense feature and gives the elements of the longest one. */
static Error *check_column(const Parse *parse, uint32_t key, const DenseFeature *dense,
                           bool is_required, int64_t *ret_longest)
{
    *ret_longest = 0;
    for (int64_t i = 0; i < parse->n; i++) {
        const FeatureList *list = list_at(parse, i, key);
        if (list->dtype == DT_INVALID) {
            if (is_required)
                return missing(parse, i, key, dense->dtype);
            continue;
        }
        TRY(check_list(parse, i, key, dense));
        if (list->n > *ret_longest)
            *ret_longest = list->n;
    }
    return NULL;
}

/* Writes `n` elements of `size` bytes: the default, or its only element repeated. */
static void fill_default(const Tensor *value, int64_t n, size_t size, char *out)
{
    if (value->n == n && n > 0) {
        memcpy(out, value->data, (size_t)n * size);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        memcpy(out + (size_t)i * size, value->data, size);
}

Error *example_write_dense(const Parse *parse, int d)
{
    OpContext *c = parse->context;
    const DenseFeature *dense = &parse->kernel->dense[d];
    const Tensor *value = op_input(c, parse->kernel->first_default + d);
    uint32_t key = (uint32_t)(parse->kernel->n_sparse + d);
    int64_t per_example = 0;
    TRY(check_default(d, dense, value));
    TRY(check_column(parse, key, dense, value->n == 0, &per_example));
    if (!dense->is_variable)
        per_example = dense->stride;
    Shape shape = dense->shape;
    if (dense->is_variable)
        shape.dims[0] = dense->stride == 0 ? 0 : per_example / dense->stride;
    if (!parse->is_single) {
        memmove(shape.dims + 1, shape.dims, (size_t)shape.rank * sizeof(shape.dims[0]));
        shape.dims[0] = parse->n;
        shape.rank++;
    }
    Tensor *output = NULL;
    TRY(op_output(c, 3 * parse->kernel->n_sparse + d, dense->dtype, &shape, &output));
    size_t size = dtype_size(dense->dtype);
    for (int64_t i = 0; i < parse->n; i++) {
        const FeatureList *list = list_at(parse, i, key);
        char *row = (char *)output->data + (size_t)(i * per_example) * size;
        feature_copy(list, row);
        fill_default(value, per_example - list->n, size, row + (size_t)list->n * size);
    }
    return NULL;
}

/* ---- sparse, ragged -------------------------------------------------------------------------------- */

/* The elements of a feature that may have any number of them: in all examples, and the most in one. */
static Error *count_lists(const Parse *parse, uint32_t key, DType dtype, int64_t *ret_total,
                          int64_t *ret_longest)
{
    char place[EXAMPLE_PLACE_BYTES];
    int64_t total = 0, longest = 0;
    for (int64_t i = 0; i < parse->n; i++) {
        const FeatureList *list = list_at(parse, i, key);
        if (list->dtype != DT_INVALID && list->dtype != dtype)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "%sData types don't match. Expected type: %s, Actual type: %s",
                             example_place(parse, i, key, place), dtype_name(dtype),
                             dtype_name(list->dtype));
        total += list->n;
        longest = list->n > longest ? list->n : longest;
    }
    *ret_total = total;
    *ret_longest = longest;
    return NULL;
}

Error *example_write_sparse(const Parse *parse, int s)
{
    OpContext *c = parse->context;
    DType dtype = parse->kernel->sparse_types[s];
    int n_sparse = parse->kernel->n_sparse;
    int64_t total = 0, longest = 0, rank = parse->is_single ? 1 : 2;
    TRY(count_lists(parse, (uint32_t)s, dtype, &total, &longest));
    const Shape indices_shape = shape_of(total, rank), values_shape = shape_of(total),
                shape_shape = shape_of(rank);
    Tensor *indices = NULL, *values = NULL, *shape = NULL;
    TRY(op_output(c, s, DT_INT64, &indices_shape, &indices));
    TRY(op_output(c, n_sparse + s, dtype, &values_shape, &values));
    TRY(op_output(c, 2 * n_sparse + s, DT_INT64, &shape_shape, &shape));
    int64_t *index = indices->data, *dims = shape->data;
    char *value = values->data;
    for (int64_t i = 0; i < parse->n; i++) {
        const FeatureList *list = list_at(parse, i, (uint32_t)s);
        feature_copy(list, value);
        value += (size_t)list->n * dtype_size(dtype);
        for (int64_t k = 0; k < list->n; k++) {
            if (!parse->is_single)
                *index++ = i;
            *index++ = k;
        }
    }
    if (!parse->is_single)
        *dims++ = parse->n;
    *dims = longest;
    return NULL;
}

static void set_split(Tensor *splits, int64_t i, int64_t value)
{
    if (splits->dtype == DT_INT32)
        ((int32_t *)splits->data)[i] = (int32_t)value;
    else
        ((int64_t *)splits->data)[i] = value;
}

/* One example alone is one row, and has no splits. */
Error *example_write_ragged(const Parse *parse, int r)
{
    OpContext *c = parse->context;
    const ExampleKernel *kernel = parse->kernel;
    uint32_t key = (uint32_t)(kernel->n_sparse + kernel->n_dense + r);
    int first = 3 * kernel->n_sparse + kernel->n_dense;
    int64_t total = 0, longest = 0;
    TRY(count_lists(parse, key, kernel->ragged_types[r], &total, &longest));
    if (kernel->ragged_splits[r] == DT_INT32 && total > INT32_MAX)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "a ragged feature has %lld values, which are more than its splits of "
                         "type int32 can say",
                         (long long)total);
    Tensor *values = NULL, *splits = NULL;
    int64_t n_splits = parse->is_single ? 0 : parse->n + 1, at = 0;
    TRY(op_output(c, first + r, kernel->ragged_types[r], &shape_of(total), &values));
    TRY(op_output(c, first + kernel->n_ragged + r, kernel->ragged_splits[r], &shape_of(n_splits),
                  &splits));
    if (!parse->is_single)
        set_split(splits, 0, 0);
    for (int64_t i = 0; i < parse->n; i++) {
        const FeatureList *list = list_at(parse, i, key);
        feature_copy(list, (char *)values->data + (size_t)at * dtype_size(values->dtype));
        at += list->n;
        if (!parse->is_single)
            set_split(splits, i + 1, at);
    }
    return NULL;
}
