/* SPDX-License-Identifier: Apache-2.0
 *
 * Tensors of the v2 protocol. A typed value is checked against its tensor's datatype: 300 is no
 * INT8, though int_contents holds it.
 *
 * | field of InferTensorContents | on the wire | datatypes           |
 * | 1 bool_contents              | varint      | BOOL                |
 * | 2 int_contents               | varint      | INT8, INT16, INT32  |
 * | 3 int64_contents             | varint      | INT64               |
 * | 4 uint_contents              | varint      | UINT8 .. UINT32     |
 * | 5 uint64_contents            | varint      | UINT64              |
 * | 6 fp32_contents              | 4 bytes     | FP32                |
 * | 7 fp64_contents              | 8 bytes     | FP64                |
 * | 8 bytes_contents             | bytes       | BYTES               |
 */
#include "server/service/kserve_tensor.h"

#include <inttypes.h>

#include "model/tensor/tensor_proto.h"
#include "server/service/wire.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "raw contents are used as they are");

#define LENGTH_BYTES 4 /* before each string of a raw tensor */

typedef struct Datatype {
    const char *name;
    DType dtype;
    unsigned field; /* of InferTensorContents; 0: none */
    WireType wire;  /* of one value */
} Datatype;

static const Datatype datatypes[] = {
    { "BOOL", DT_BOOL, 1, WIRE_VARINT },     { "UINT8", DT_UINT8, 4, WIRE_VARINT },
    { "UINT16", DT_UINT16, 4, WIRE_VARINT }, { "UINT32", DT_UINT32, 4, WIRE_VARINT },
    { "UINT64", DT_UINT64, 5, WIRE_VARINT }, { "INT8", DT_INT8, 2, WIRE_VARINT },
    { "INT16", DT_INT16, 2, WIRE_VARINT },   { "INT32", DT_INT32, 2, WIRE_VARINT },
    { "INT64", DT_INT64, 3, WIRE_VARINT },   { "FP16", DT_HALF, 0, WIRE_VARINT },
    { "BF16", DT_BFLOAT16, 0, WIRE_VARINT }, { "FP32", DT_FLOAT, 6, WIRE_FIXED32 },
    { "FP64", DT_DOUBLE, 7, WIRE_FIXED64 },  { "BYTES", DT_STRING, 8, WIRE_BYTES },
};

static const Datatype *find_datatype(DType dtype)
{
    for (size_t i = 0; i < ARRAY_SIZE(datatypes); i++)
        if (datatypes[i].dtype == dtype)
            return &datatypes[i];
    return NULL;
}

const char *kserve_datatype(DType dtype)
{
    const Datatype *datatype = find_datatype(dtype);
    return datatype != NULL ? datatype->name : NULL;
}

DType kserve_dtype(Bytes datatype)
{
    for (size_t i = 0; i < ARRAY_SIZE(datatypes); i++)
        if (bytes_equal(datatype, bytes_of_text(datatypes[i].name)))
            return datatypes[i].dtype;
    return DT_INVALID;
}

bool kserve_has_typed(DType dtype)
{
    return find_datatype(dtype)->field != 0;
}

/* ---- from raw bytes -------------------------------------------------------------------------- */

static Error *strings_from_raw(Arena *arena, const Shape *shape, Bytes raw, Tensor *ret_tensor)
{
    int64_t n;
    Tensor tensor;
    char text[SHAPE_TEXT_BYTES];
    TRY(shape_count(shape, &n));
    if ((uint64_t)n > raw.size / LENGTH_BYTES)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "BYTES %s are %" PRId64 " strings of 4 bytes and more; got %zu bytes",
                         shape_text(shape, text), n, raw.size);
    TRY(tensor_new(arena, DT_STRING, shape, &tensor));
    Bytes *strings = tensor.data;
    for (int64_t i = 0; i < n; i++) {
        size_t size = raw.size < LENGTH_BYTES ? 0 : load_le32(raw.data);
        if (raw.size < LENGTH_BYTES || size > raw.size - LENGTH_BYTES)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "string %" PRId64 " of BYTES %s is cut off: %zu bytes are left", i,
                             shape_text(shape, text), raw.size);
        strings[i] = (Bytes){ raw.data + LENGTH_BYTES, size };
        raw = (Bytes){ raw.data + LENGTH_BYTES + size, raw.size - LENGTH_BYTES - size };
    }
    if (raw.size > 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "%zu bytes are left behind the strings of BYTES %s", raw.size,
                         shape_text(shape, text));
    *ret_tensor = tensor;
    return NULL;
}

/* A bool of C is 0 or 1; clients may send others. */
static bool are_bools(Bytes raw)
{
    uint8_t all = 0;
    for (size_t i = 0; i < raw.size; i++)
        all |= raw.data[i];
    return all <= 1;
}

Error *kserve_from_raw(Arena *arena, DType dtype, const Shape *shape, Bytes raw, Tensor *ret_tensor)
{
    if (dtype == DT_STRING)
        return strings_from_raw(arena, shape, raw, ret_tensor);
    int64_t n;
    TRY(shape_count(shape, &n));
    size_t size = dtype_size(dtype);
    if (raw.size != (size_t)n * size) {
        char text[SHAPE_TEXT_BYTES];
        return error_new(ERROR_INVALID_ARGUMENT, "%s %s has %zu bytes; got %zu",
                         kserve_datatype(dtype), shape_text(shape, text), (size_t)n * size,
                         raw.size);
    }
    bool must_mend = dtype == DT_BOOL && !are_bools(raw);
    if (!must_mend && (uintptr_t)raw.data % size == 0) {
        *ret_tensor = tensor_view(dtype, shape, raw.data);
        return NULL;
    }
    Tensor tensor;
    TRY(tensor_new(arena, dtype, shape, &tensor));
    uint8_t *data = tensor.data;
    if (raw.size > 0)
        memcpy(data, raw.data, raw.size);
    for (size_t i = 0; must_mend && i < raw.size; i++)
        data[i] = data[i] != 0;
    *ret_tensor = tensor;
    return NULL;
}

/* ---- from typed values ----------------------------------------------------------------------- */

/* Where values go, `n` of them at most; `n` is 0 while they are only counted. */
typedef struct Filler {
    const Datatype *datatype;
    size_t size; /* bytes of an element */
    size_t n;
    size_t done;
    uint8_t *data; /* NULL: counts */
    bool fits;     /* so far */
} Filler;

/* The value as memory has it, whose low bytes are the element. Of a 32-bit field the low 32 bits
 * count, as protobuf reads it. */
static uint64_t element_of(const Filler *filler, uint64_t value, bool *ret_fits)
{
    unsigned bits = (unsigned)filler->size * 8;
    *ret_fits = true;
    if (filler->datatype->field == 1)
        return value != 0;
    if (bits >= 32)
        return value;
    if (filler->datatype->field == 2) {
        int64_t half = (int64_t)1 << (bits - 1), element = (int32_t)value;
        *ret_fits = element >= -half && element < half;
    } else {
        *ret_fits = (uint32_t)value >> bits == 0;
    }
    return value;
}

static void take_value(Filler *filler, uint64_t value)
{
    if (filler->data != NULL && filler->done < filler->n) {
        bool fits;
        uint64_t element = element_of(filler, value, &fits);
        memcpy(filler->data + filler->done * filler->size, &element, filler->size);
        filler->fits = filler->fits && fits;
    }
    filler->done++;
}

/* False when the bytes are no packed values. */
static bool take_packed(Filler *filler, Bytes packed)
{
    const uint8_t *at = packed.data, *end = at + packed.size;
    uint64_t value;
    if (filler->datatype->wire == WIRE_VARINT) {
        while (at < end) {
            if (!varint_read(&at, end, &value))
                return false;
            take_value(filler, value);
        }
        return true;
    }
    size_t n = packed.size / filler->size;
    if (packed.size % filler->size != 0)
        return false;
    if (filler->data != NULL && n > 0)
        memcpy(filler->data + filler->done * filler->size, packed.data, packed.size);
    filler->done += n;
    return true;
}

/* All values of the tensor's own field. False when the bytes are no InferTensorContents. */
static bool take_contents(Filler *filler, Bytes contents)
{
    const Datatype *datatype = filler->datatype;
    WireField field;
    while (contents.size > 0) {
        if (!wire_read(&contents, &field))
            return false;
        if (field.number != datatype->field)
            continue;
        if (datatype->wire == WIRE_BYTES && field.type == WIRE_BYTES) {
            if (filler->data != NULL)
                ((Bytes *)(void *)filler->data)[filler->done] = field.bytes;
            filler->done++;
        } else if (field.type == WIRE_BYTES) {
            if (!take_packed(filler, field.bytes))
                return false;
        } else if (field.type == datatype->wire) {
            take_value(filler, field.value);
        }
    }
    return true;
}

/* The name of the field, for errors. */
static const char *field_name(unsigned field)
{
    static const char *const names[] = { "",
                                         "bool_contents",
                                         "int_contents",
                                         "int64_contents",
                                         "uint_contents",
                                         "uint64_contents",
                                         "fp32_contents",
                                         "fp64_contents",
                                         "bytes_contents" };
    return names[field];
}

Error *kserve_from_typed(Arena *arena, DType dtype, const Shape *shape, Bytes contents,
                         Tensor *ret_tensor)
{
    const Datatype *datatype = find_datatype(dtype);
    char text[SHAPE_TEXT_BYTES];
    int64_t n;
    Tensor tensor;
    if (datatype->field == 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "%s has no typed contents: send it in raw_input_contents", datatype->name);
    TRY(shape_count(shape, &n));
    Filler count = { .datatype = datatype, .size = dtype_size(dtype) };
    if (!take_contents(&count, contents))
        return error_new(ERROR_INVALID_ARGUMENT, "contents are no inference.InferTensorContents");
    if (count.done != (size_t)n)
        return error_new(ERROR_INVALID_ARGUMENT, "%s %s has %" PRId64 " values; got %zu in %s",
                         datatype->name, shape_text(shape, text), n, count.done,
                         field_name(datatype->field));
    TRY(tensor_new(arena, dtype, shape, &tensor));
    Filler fill = { datatype, dtype_size(dtype), (size_t)n, 0, tensor.data, true };
    if (n > 0 && (!take_contents(&fill, contents) || !fill.fits))
        return error_new(ERROR_INVALID_ARGUMENT, "a value in %s is out of the range of %s",
                         field_name(datatype->field), datatype->name);
    *ret_tensor = tensor;
    return NULL;
}

/* ---- to both forms --------------------------------------------------------------------------- */

size_t kserve_raw_size(const Tensor *tensor)
{
    if (tensor->dtype != DT_STRING)
        return tensor_bytes(tensor);
    const Bytes *strings = tensor->data;
    size_t size = (size_t)tensor->n * LENGTH_BYTES;
    for (int64_t i = 0; i < tensor->n; i++)
        size += strings[i].size;
    return size;
}

uint8_t *kserve_put_raw(uint8_t *out, const Tensor *tensor)
{
    if (tensor->dtype != DT_STRING) {
        if (tensor->n > 0)
            memcpy(out, tensor->data, tensor_bytes(tensor));
        return out + tensor_bytes(tensor);
    }
    const Bytes *strings = tensor->data;
    for (int64_t i = 0; i < tensor->n; i++) {
        store_le32(out, (uint32_t)strings[i].size);
        out += LENGTH_BYTES;
        if (strings[i].size > 0)
            memcpy(out, strings[i].data, strings[i].size);
        out += strings[i].size;
    }
    return out;
}

/* Bytes of the packed values. */
static size_t packed_size(const Tensor *tensor, const Datatype *datatype)
{
    if (datatype->wire != WIRE_VARINT)
        return tensor_bytes(tensor);
    size_t size = 0;
    for (int64_t i = 0; i < tensor->n; i++)
        size += varint_size(tensor_varint_at(tensor, i));
    return size;
}

size_t kserve_typed_size(const Tensor *tensor)
{
    const Datatype *datatype = find_datatype(tensor->dtype);
    size_t size = 0;
    if (tensor->n == 0)
        return 0;
    if (datatype->wire != WIRE_BYTES)
        return wire_bytes_size(packed_size(tensor, datatype));
    for (int64_t i = 0; i < tensor->n; i++)
        size += wire_bytes_size(((const Bytes *)tensor->data)[i].size);
    return size;
}

uint8_t *kserve_put_typed(uint8_t *out, const Tensor *tensor)
{
    const Datatype *datatype = find_datatype(tensor->dtype);
    if (datatype->wire == WIRE_BYTES) {
        for (int64_t i = 0; i < tensor->n; i++)
            out = wire_put_bytes(out, datatype->field, ((const Bytes *)tensor->data)[i]);
        return out;
    }
    if (tensor->n == 0)
        return out;
    out = wire_put_head(out, datatype->field, packed_size(tensor, datatype));
    if (datatype->wire != WIRE_VARINT)
        return kserve_put_raw(out, tensor);
    for (int64_t i = 0; i < tensor->n; i++)
        out += varint_write(out, tensor_varint_at(tensor, i));
    return out;
}
