/* SPDX-License-Identifier: Apache-2.0
 *
 * TensorProto <-> Tensor: the two readers, of the wire form and of the unpacked message, and the
 * writer. Which field holds which type's values is filling.c's table.
 */
#include "model/tensor/tensor_proto.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "model/base/wire.h"
#include "model/tensor/filling.h"

enum { FIELD_DTYPE = 1, FIELD_SHAPE = 2, FIELD_CONTENT = 4 };

/* ---- from the wire form ---- */

static Error *error_of_wire(const char *what)
{
    return error_new(ERROR_INVALID_ARGUMENT, "%s is cut off or corrupt", what);
}

/* tensor_shape: dim = 2 { size = 1 }. */
static Error *shape_from_wire(Bytes wire, Shape *shape)
{
    const uint8_t *at = wire.data, *end = at + wire.size;
    while (at < end) {
        WireField field, size;
        if (!wire_next(&at, end, &field))
            return error_of_wire("tensor_shape");
        if (field.number != 2)
            continue;
        if (field.type != WIRE_BYTES)
            return error_of_wire("tensor_shape.dim");
        if (shape->rank == SHAPE_MAX_RANK)
            return error_new(ERROR_INVALID_ARGUMENT, "the shape has more than %d dimensions",
                             SHAPE_MAX_RANK);
        int64_t *dim = &shape->dims[shape->rank++];
        *dim = 0;
        const uint8_t *p = field.bytes.data, *dim_end = p + field.bytes.size;
        while (p < dim_end) {
            if (!wire_next(&p, dim_end, &size) || (size.number == 1 && size.type != WIRE_VARINT))
                return error_of_wire("tensor_shape.dim");
            if (size.number == 1)
                *dim = (int64_t)size.varint;
        }
    }
    return NULL;
}

static Error *parts_from_wire(Bytes wire, Parts *parts)
{
    const uint8_t *at = wire.data, *end = at + wire.size;
    while (at < end) {
        WireField field;
        if (!wire_next(&at, end, &field))
            return error_of_wire("a TensorProto");
        if (field.number == FIELD_DTYPE && field.type == WIRE_VARINT)
            parts->dtype = field.varint <= INT32_MAX ? (int)field.varint : -1;
        else if (field.number == FIELD_SHAPE && field.type == WIRE_BYTES)
            TRY(shape_from_wire(field.bytes, &parts->shape));
        else if (field.number == FIELD_CONTENT && field.type == WIRE_BYTES)
            parts->content = field.bytes;
        else if (field.number == FIELD_DTYPE || field.number == FIELD_SHAPE ||
                 field.number == FIELD_CONTENT)
            return error_of_wire("a TensorProto");
    }
    return NULL;
}

Error *tensor_from_wire(Arena *arena, Bytes wire, Tensor *ret_tensor)
{
    Parts parts = { 0 };
    Filling f;
    TRY(parts_from_wire(wire, &parts));
    TRY(filling_start(&f, arena, &parts));
    const WireType unpacked = f.field.width == 4   ? WIRE_FIXED32
                              : f.field.width == 8 ? WIRE_FIXED64
                                                   : WIRE_VARINT;
    bool is_string = f.field.number == FIELD_STRING_VAL;
    const uint8_t *at = wire.data, *end = at + wire.size;
    WireField value;
    while (!filling_is_full(&f) && at < end && wire_next(&at, end, &value)) {
        if (value.number != f.field.number)
            continue;
        if (value.type != WIRE_BYTES && (value.type != unpacked || is_string))
            return error_of_wire("a value");
        if (is_string)
            TRY(filling_take_string(&f, value.bytes));
        else
            TRY(filling_take(&f, (Run){ value.bytes, f.field.width }));
    }
    return filling_finish(&f, ret_tensor);
}

/* ---- from the unpacked form ---- */

Error *shape_from_proto(const Tensorflow__TensorShapeProto *proto, Shape *ret_shape)
{
    Shape shape = { .rank = SHAPE_UNKNOWN_RANK };
    if (proto != NULL && !proto->unknown_rank) {
        if (proto->n_dim > SHAPE_MAX_RANK)
            return error_new(ERROR_INVALID_ARGUMENT, "a shape of %zu dimensions; at most %d work",
                             proto->n_dim, SHAPE_MAX_RANK);
        shape.rank = (int)proto->n_dim;
        for (int i = 0; i < shape.rank; i++) {
            shape.dims[i] = proto->dim[i]->size;
            if (shape.dims[i] < -1)
                return error_new(ERROR_INVALID_ARGUMENT, "a dimension of size %" PRId64,
                                 shape.dims[i]);
        }
    }
    *ret_shape = shape;
    return NULL;
}

/* protobuf-c's arrays are runs of integers of fixed width, varints on the wire or not. */
static Run run_from_proto(const Tensorflow__TensorProto *proto, uint32_t number)
{
#define RUN(field)                                                                                 \
    (Run)                                                                                          \
    {                                                                                              \
        { (const uint8_t *)proto->field, proto->n_##field * sizeof(*proto->field) },               \
            sizeof(*proto->field)                                                                  \
    }
    switch (number) {
    case 5:
        return RUN(float_val);
    case 6:
        return RUN(double_val);
    case 7:
        return RUN(int_val);
    case 9:
        return RUN(scomplex_val);
    case 10:
        return RUN(int64_val);
    case 11:
        return RUN(bool_val);
    case 12:
        return RUN(dcomplex_val);
    case 13:
        return RUN(half_val);
    case 16:
        return RUN(uint32_val);
    case 17:
        return RUN(uint64_val);
    default:
        return (Run){ 0 }; /* string_val is no run */
    }
#undef RUN
}

Error *tensor_from_proto(Arena *arena, const Tensorflow__TensorProto *proto, Tensor *ret_tensor)
{
    Parts parts = { .dtype = (int)proto->dtype,
                    .content = { proto->tensor_content.data, proto->tensor_content.len } };
    if (proto->tensor_shape != NULL && proto->tensor_shape->n_dim > 0) {
        Tensorflow__TensorShapeProto known = *proto->tensor_shape;
        known.unknown_rank = false; /* the dimensions that are there count */
        TRY(shape_from_proto(&known, &parts.shape));
    }
    Filling f;
    TRY(filling_start(&f, arena, &parts));
    bool is_string = f.field.number == FIELD_STRING_VAL;
    if (!is_string && !filling_is_full(&f))
        TRY(filling_take(&f, run_from_proto(proto, f.field.number)));
    for (size_t i = 0; is_string && i < proto->n_string_val && !filling_is_full(&f); i++)
        TRY(filling_take_string(&f,
                                (Bytes){ proto->string_val[i].data, proto->string_val[i].len }));
    return filling_finish(&f, ret_tensor);
}

/* ---- to the wire form ---- */

uint64_t tensor_varint_at(const Tensor *tensor, int64_t i)
{
    switch (tensor->dtype) {
    case DT_INT64:
    case DT_UINT64:
        return ((const uint64_t *)tensor->data)[i];
    case DT_INT32:
    case DT_QINT32:
        return (uint64_t)((const int32_t *)tensor->data)[i];
    case DT_UINT32:
        return ((const uint32_t *)tensor->data)[i];
    case DT_INT16:
    case DT_QINT16:
        return (uint64_t)((const int16_t *)tensor->data)[i];
    case DT_UINT16:
    case DT_QUINT16:
    case DT_HALF:
    case DT_BFLOAT16:
        return ((const uint16_t *)tensor->data)[i];
    case DT_INT8:
    case DT_QINT8:
        return (uint64_t)((const int8_t *)tensor->data)[i];
    default:
        assert(dtype_size(tensor->dtype) == 1);
        return ((const uint8_t *)tensor->data)[i];
    }
}

static size_t dim_size(int64_t dim)
{
    return dim == 0 ? 0 : 1 + varint_size((uint64_t)dim);
}

static size_t shape_wire_size(const Shape *shape)
{
    size_t size = 0;
    for (int i = 0; i < shape->rank; i++)
        size += wire_bytes_size(2, dim_size(shape->dims[i]));
    return size;
}

static uint8_t *shape_to_wire(const Shape *shape, uint8_t *out)
{
    out = wire_write_bytes_head(out, FIELD_SHAPE, shape_wire_size(shape));
    for (int i = 0; i < shape->rank; i++) {
        int64_t dim = shape->dims[i];
        out = wire_write_bytes_head(out, 2, dim_size(dim));
        if (dim != 0) {
            out = wire_write_key(out, 1, WIRE_VARINT);
            out += varint_write(out, (uint64_t)dim);
        }
    }
    return out;
}

/* Bytes of the field's content: the packed values, or tensor_content. Not for string_val. */
static size_t content_size(const Tensor *tensor, bool as_content)
{
    size_t size = 0;
    if (tensor->dtype == DT_STRING) {
        const Bytes *strings = tensor->data;
        for (int64_t i = 0; i < tensor->n; i++)
            size += varint_size(strings[i].size) + strings[i].size;
    } else if (as_content || value_field(tensor->dtype).width > 0) {
        size = tensor_bytes(tensor);
    } else {
        for (int64_t i = 0; i < tensor->n; i++)
            size += varint_size(tensor_varint_at(tensor, i));
    }
    return size;
}

static uint8_t *content_to_wire(const Tensor *tensor, bool as_content, uint8_t *out)
{
    if (tensor->dtype == DT_STRING) {
        const Bytes *strings = tensor->data;
        for (int64_t i = 0; i < tensor->n; i++)
            out += varint_write(out, strings[i].size);
        for (int64_t i = 0; i < tensor->n; out += strings[i++].size)
            if (strings[i].size > 0)
                memcpy(out, strings[i].data, strings[i].size);
    } else if (as_content || value_field(tensor->dtype).width > 0) {
        memcpy(out, tensor->data, tensor_bytes(tensor));
        out += tensor_bytes(tensor);
    } else {
        for (int64_t i = 0; i < tensor->n; i++)
            out += varint_write(out, tensor_varint_at(tensor, i));
    }
    return out;
}

static bool is_string_val(const Tensor *tensor, bool as_content)
{
    return tensor->dtype == DT_STRING && !as_content;
}

size_t tensor_wire_size(const Tensor *tensor, bool as_content)
{
    assert(value_field(tensor->dtype).number != 0);
    uint32_t number = as_content ? FIELD_CONTENT : value_field(tensor->dtype).number;
    size_t size = 1 + varint_size(tensor->dtype);
    size += wire_bytes_size(FIELD_SHAPE, shape_wire_size(&tensor->shape));
    if (is_string_val(tensor, as_content)) {
        const Bytes *strings = tensor->data;
        for (int64_t i = 0; i < tensor->n; i++)
            size += wire_bytes_size(number, strings[i].size);
    } else if (tensor->n > 0) {
        size += wire_bytes_size(number, content_size(tensor, as_content));
    }
    return size;
}

uint8_t *tensor_to_wire(const Tensor *tensor, bool as_content, uint8_t *out)
{
    uint32_t number = as_content ? FIELD_CONTENT : value_field(tensor->dtype).number;
    out = wire_write_key(out, FIELD_DTYPE, WIRE_VARINT);
    out += varint_write(out, tensor->dtype);
    out = shape_to_wire(&tensor->shape, out);
    if (is_string_val(tensor, as_content)) {
        const Bytes *strings = tensor->data;
        for (int64_t i = 0; i < tensor->n; i++) {
            out = wire_write_bytes_head(out, number, strings[i].size);
            if (strings[i].size > 0)
                memcpy(out, strings[i].data, strings[i].size);
            out += strings[i].size;
        }
    } else if (tensor->n > 0) {
        out = wire_write_bytes_head(out, number, content_size(tensor, as_content));
        out = content_to_wire(tensor, as_content, out);
    }
    return out;
}
