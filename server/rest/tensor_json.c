/* SPDX-License-Identifier: Apache-2.0
 *
 * Tensors from JSON: elements go straight from their digits to their place. The order of the checks
 * and their texts are those of TensorFlow Serving's json_tensor.cc.
 *
 * The shape that the first elements promise is not believed until the last element is there: memory
 * is never claimed for more elements than the text has characters.
 */
#include "server/rest/tensor_json.h"

#include <limits.h>
#include <string.h>

#include "server/rest/json_base64.h"
#include "server/rest/json_text.h"
#include "server/rest/json_write.h"

/* Where elements go. */
typedef struct Fill {
    Arena *arena;
    DType dtype;
    const Shape *shape;
    void *data;
    int64_t n; /* elements that are there */
} Fill;

/* ---- errors ---------------------------------------------------------------------------------- */

static Error *type_error(const Fill *fill, Json json)
{
    return error_new(ERROR_INVALID_ARGUMENT, "JSON Value: %s Type: %s is not of expected type: %s",
                     json_shown(fill->arena, json), json_type_name(json), dtype_name(fill->dtype));
}

static Error *level_error(const Fill *fill, Json json, int level)
{
    return error_new(ERROR_INVALID_ARGUMENT,
                     "JSON Value: %s found at incorrect level: %d in the JSON DOM. Expected at "
                     "level: %d",
                     json_shown(fill->arena, json), level + 1, fill->shape->rank);
}

static Error *size_error(const Fill *fill, Json list, int level)
{
    return error_new(ERROR_INVALID_ARGUMENT,
                     "Encountered list at unexpected size: %lld at level: %d expected size: %lld",
                     (long long)json_count(list, NULL), level, (long long)fill->shape->dims[level]);
}

/* ---- elements -------------------------------------------------------------------------------- */

static Error *fill_integer(Fill *fill, Json json, int64_t min, int64_t max, const char **ret_end)
{
    JsonNumber number;
    int64_t value;
    if (json_type(json) != JSON_NUMBER)
        return type_error(fill, json);
    *ret_end = json_number(json, &number);
    if (!json_integer(&number, min, max, &value))
        return type_error(fill, json);
    /* Little-endian: the first bytes of a two's complement number are those of a narrower one. */
    size_t bytes = dtype_size(fill->dtype);
    memcpy((uint8_t *)fill->data + (size_t)fill->n++ * bytes, &value, bytes);
    return NULL;
}

static Error *fill_uint64(Fill *fill, Json json, const char **ret_end)
{
    JsonNumber number = { 0 };
    if (json_type(json) == JSON_NUMBER)
        *ret_end = json_number(json, &number);
    if (!number.is_integer || (number.is_negative && number.magnitude > 0))
        return type_error(fill, json);
    ((uint64_t *)fill->data)[fill->n++] = number.magnitude;
    return NULL;
}

static Error *fill_string(Fill *fill, Json json, const char **ret_end)
{
    Bytes *to = &((Bytes *)fill->data)[fill->n];
    Json base64;
    if (json_type(json) == JSON_STRING) {
        TRY(json_string(fill->arena, json, to, ret_end));
    } else if (json_type(json) != JSON_OBJECT) {
        return type_error(fill, json);
    } else if (!json_is_base64(json, &base64)) {
        return error_new(ERROR_INVALID_ARGUMENT,
                         "JSON Value: %s not formatted correctly for base64 data",
                         json_shown(fill->arena, json));
    } else {
        TRY(json_read_base64(fill->arena, base64, to));
        *ret_end = json_end(json);
    }
    fill->n++;
    return NULL;
}

static Error *fill_float(Fill *fill, Json json, const char **ret_end)
{
    JsonNumber number;
    if (json_type(json) != JSON_NUMBER)
        return type_error(fill, json);
    *ret_end = json_number(json, &number);
    if (fill->dtype == DT_FLOAT)
        ((float *)fill->data)[fill->n++] = (float)number.value;
    else
        ((double *)fill->data)[fill->n++] = number.value;
    return NULL;
}

static Error *fill_bool(Fill *fill, Json json, const char **ret_end)
{
    JsonType type = json_type(json);
    if (type != JSON_TRUE && type != JSON_FALSE)
        return type_error(fill, json);
    ((bool *)fill->data)[fill->n++] = type == JSON_TRUE;
    *ret_end = json_end(json);
    return NULL;
}

static Error *fill_element(Fill *fill, Json json, const char **ret_end)
{
    switch (fill->dtype) {
    case DT_FLOAT:
    case DT_DOUBLE:
        return fill_float(fill, json, ret_end);
    case DT_INT8:
        return fill_integer(fill, json, INT8_MIN, INT8_MAX, ret_end);
    case DT_UINT8:
        return fill_integer(fill, json, 0, UINT8_MAX, ret_end);
    case DT_INT16:
        return fill_integer(fill, json, INT16_MIN, INT16_MAX, ret_end);
    case DT_INT32:
        return fill_integer(fill, json, INT32_MIN, INT32_MAX, ret_end);
    case DT_UINT32:
        return fill_integer(fill, json, 0, UINT32_MAX, ret_end);
    case DT_INT64:
        return fill_integer(fill, json, INT64_MIN, INT64_MAX, ret_end);
    case DT_UINT64:
        return fill_uint64(fill, json, ret_end);
    case DT_BOOL:
        return fill_bool(fill, json, ret_end);
    case DT_STRING:
        return fill_string(fill, json, ret_end);
    default:
        if (json_type(json) == JSON_OBJECT)
            return type_error(fill, json);
        return error_new(ERROR_UNIMPLEMENTED, "Conversion of JSON Value: %s to type: %s",
                         json_shown(fill->arena, json), dtype_name(fill->dtype));
    }
}

/* The elements of a value `level` levels down, in row-major order. Recurses as deep as the shape has
 * dimensions. */
static Error *fill_from(Fill *fill, Json json, int level, const char **ret_end)
{
    const Shape *shape = fill->shape;
    if (*json != '[') {
        if (level != shape->rank)
            return level_error(fill, json, level);
        return fill_element(fill, json, ret_end);
    }
    if (level >= shape->rank)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Encountered list at unexpected level: %d expected < %d", level,
                         shape->rank);
    const char *end = json;
    int64_t n = 0;
    for (Json element = json_first(json); element != NULL; element = json_next(end)) {
        /* Before anything of an element that is one too many. */
        if (n++ == shape->dims[level])
            return size_error(fill, json, level);
        TRY(fill_from(fill, element, level + 1, &end));
    }
    if (n != shape->dims[level])
        return size_error(fill, json, level);
    *ret_end = n == 0 ? json_end(json) : skip_space(end) + 1;
    return NULL;
}

/* ---- tensors --------------------------------------------------------------------------------- */

/* The shape of the first element at each level, and the end of the value. */
static Error *read_shape(Json json, Shape *ret_shape, const char **ret_end)
{
    Shape shape = { 0 };
    if (*json != '[')
        *ret_end = json_end(json);
    for (; json != NULL && *json == '['; json = json_first(json)) {
        if (shape.rank == SHAPE_MAX_RANK)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Encountered list at unexpected level: %d; a tensor may have %d "
                             "dimensions",
                             SHAPE_MAX_RANK, SHAPE_MAX_RANK);
        shape.dims[shape.rank] = json_count(json, shape.rank == 0 ? ret_end : NULL);
        shape.rank++;
    }
    *ret_shape = shape;
    return NULL;
}

/* Room for the tensor, or for as many elements as `max_elements` characters can stand for, when the
 * shape promises more. */
static Error *make_room(Arena *arena, DType dtype, const Shape *shape, int64_t max_elements,
                        Tensor *ret_tensor)
{
    int64_t n = INT64_MAX;
    error_free(shape_count(shape, &n));
    if (dtype_size(dtype) == 0 || !(dtype_is_plain(dtype) || dtype == DT_STRING)) {
        *ret_tensor = (Tensor){ .dtype = dtype, .shape = *shape };
        return NULL;
    }
    Shape most = shape_of(max_elements);
    return tensor_new(arena, dtype, n <= max_elements ? shape : &most, ret_tensor);
}

Error *tensor_from_json(Arena *arena, Json json, DType dtype, Tensor *ret_tensor)
{
    Shape shape;
    const char *end;
    Tensor tensor;
    TRY(read_shape(json, &shape, &end));
    TRY(make_room(arena, dtype, &shape, end - json, &tensor));
    Fill fill = { .arena = arena, .dtype = dtype, .shape = &shape, .data = tensor.data };
    TRY(fill_from(&fill, json, 0, &end));
    *ret_tensor = tensor;
    return NULL;
}

/* ---- rows ------------------------------------------------------------------------------------ */

static Error *begin_rows(Arena *arena, RowTensor *rows, Json first)
{
    const char *end;
    Shape shape = { .rank = 1, .dims = { rows->max_rows } };
    TRY(read_shape(first, &rows->row_shape, &end));
    if (rows->row_shape.rank == SHAPE_MAX_RANK)
        return error_new(ERROR_INVALID_ARGUMENT, "a row may have %d dimensions, not %d",
                         SHAPE_MAX_RANK - 1, SHAPE_MAX_RANK);
    for (int i = 0; i < rows->row_shape.rank; i++)
        shape.dims[shape.rank++] = rows->row_shape.dims[i];
    return make_room(arena, rows->dtype, &shape, rows->max_elements, &rows->tensor);
}

static Error *row_shape_error(const RowTensor *rows, const Tensor *row)
{
    char expected[SHAPE_TEXT_BYTES], got[SHAPE_TEXT_BYTES];
    int64_t n = rows->n_elements / rows->n_rows;
    if (row->n != n)
        return error_new(ERROR_INVALID_ARGUMENT, "Expecting tensor size: %lld but got: %lld",
                         (long long)n, (long long)row->n);
    return error_new(ERROR_INVALID_ARGUMENT, "Expecting shape %s but got: %s",
                     shape_text(&rows->row_shape, expected), shape_text(&row->shape, got));
}

/* Why a row does not go where the first one would have gone: takes what was said of that. */
static Error *judge_row(Arena *arena, const RowTensor *rows, Json json, Error *error)
{
    Shape shape;
    const char *end;
    Tensor row;
    Error *own = read_shape(json, &shape, &end);
    if (own == NULL && shape_equal(&shape, &rows->row_shape))
        return error;
    if (own == NULL)
        own = tensor_from_json(arena, json, rows->dtype, &row);
    error_free(error);
    return own != NULL ? own : row_shape_error(rows, &row);
}

Error *row_tensor_add(Arena *arena, RowTensor *rows, Json json, const char **ret_end)
{
    if (rows->n_rows == 0)
        TRY(begin_rows(arena, rows, json));
    Fill fill = { .arena = arena,
                  .dtype = rows->dtype,
                  .shape = &rows->row_shape,
                  .data = rows->tensor.data,
                  .n = rows->n_elements };
    Error *error = fill_from(&fill, json, 0, ret_end);
    if (error != NULL)
        return rows->n_rows > 0 ? judge_row(arena, rows, json, error) : error;
    rows->n_elements = fill.n;
    rows->n_rows++;
    return NULL;
}

/* ---- writing --------------------------------------------------------------------------------- */

static Error *write_element(const Tensor *tensor, int64_t i, bool as_bytes, Buf *buf)
{
    const void *data = tensor->data;
    switch (tensor->dtype) {
    case DT_FLOAT:
        return json_write_float(buf, ((const float *)data)[i]);
    case DT_DOUBLE:
        return json_write_double(buf, ((const double *)data)[i]);
    case DT_INT8:
        return json_write_int(buf, ((const int8_t *)data)[i]);
    case DT_UINT8:
        return json_write_int(buf, ((const uint8_t *)data)[i]);
    case DT_INT16:
        return json_write_int(buf, ((const int16_t *)data)[i]);
    case DT_INT32:
        return json_write_int(buf, ((const int32_t *)data)[i]);
    case DT_UINT32:
        return json_write_int(buf, ((const uint32_t *)data)[i]);
    case DT_INT64:
        return json_write_int(buf, ((const int64_t *)data)[i]);
    case DT_UINT64:
        return json_write_uint(buf, ((const uint64_t *)data)[i]);
    case DT_BOOL:
        return buf_append_text(buf, ((const bool *)data)[i] ? "true" : "false");
    case DT_STRING:
        if (!as_bytes)
            return json_write_string(buf, ((const Bytes *)data)[i]);
        TRY(buf_append_text(buf, "{\"b64\": "));
        TRY(json_write_base64(buf, ((const Bytes *)data)[i]));
        return buf_append_text(buf, "}");
    default:
        return error_new(ERROR_INVALID_ARGUMENT, "Failed to write JSON value for tensor type: %s",
                         dtype_name(tensor->dtype));
    }
}

Error *tensor_to_json(const Tensor *tensor, int dim, bool as_bytes, int64_t *at, Buf *buf)
{
    if (dim == tensor->shape.rank)
        return write_element(tensor, (*at)++, as_bytes, buf);
    TRY(buf_append_text(buf, "["));
    for (int64_t i = 0; i < tensor->shape.dims[dim]; i++) {
        if (i > 0)
            TRY(buf_append_text(buf, ", "));
        TRY(tensor_to_json(tensor, dim + 1, as_bytes, at, buf));
    }
    return buf_append_text(buf, "]");
}
