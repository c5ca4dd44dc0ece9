/* SPDX-License-Identifier: Apache-2.0
 *
 * Filling: where the values of a TensorProto are, by element type, and how they become elements.
 *
 *   field             number  a value is           element types
 *   tensor_content    4       (raw)                all but resource and variant
 *   float_val         5       4 bytes              float
 *   double_val        6       8 bytes              double
 *   int_val           7       varint               int32, (u)int16, (u)int8, quantized
 *   string_val        8       bytes                string
 *   scomplex_val      9       4 bytes, 2 each      complex64
 *   int64_val         10      varint               int64
 *   bool_val          11      varint               bool
 *   dcomplex_val      12      8 bytes, 2 each      complex128
 *   half_val          13      varint, bit pattern  half, bfloat16
 *   uint32_val        16      varint               uint32
 *   uint64_val        17      varint               uint64
 */
#include "model/tensor/filling.h"

#include <inttypes.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the wire's bytes are used as they are");

ValueField value_field(DType dtype)
{
    switch (dtype) {
    case DT_FLOAT:
        return (ValueField){ 5, 4, 1 };
    case DT_DOUBLE:
        return (ValueField){ 6, 8, 1 };
    case DT_INT32:
    case DT_INT16:
    case DT_INT8:
    case DT_UINT16:
    case DT_UINT8:
    case DT_QINT32:
    case DT_QINT16:
    case DT_QINT8:
    case DT_QUINT16:
    case DT_QUINT8:
        return (ValueField){ 7, 0, 1 };
    case DT_STRING:
        return (ValueField){ FIELD_STRING_VAL, 0, 1 };
    case DT_COMPLEX64:
        return (ValueField){ 9, 4, 2 };
    case DT_INT64:
        return (ValueField){ 10, 0, 1 };
    case DT_BOOL:
        return (ValueField){ 11, 0, 1 };
    case DT_COMPLEX128:
        return (ValueField){ 12, 8, 2 };
    case DT_HALF:
    case DT_BFLOAT16:
        return (ValueField){ 13, 0, 1 };
    case DT_UINT32:
        return (ValueField){ 16, 0, 1 };
    case DT_UINT64:
        return (ValueField){ 17, 0, 1 };
    default:
        return (ValueField){ 0 };
    }
}

static bool is_aligned(const void *p, size_t size)
{
    return (uintptr_t)p % (size < 8 ? size : 8) == 0;
}

/* ---- content ---- */

/* All lengths as varints, then all bytes. */
static Error *strings_from_content(Arena *arena, Bytes content, Tensor *tensor)
{
    if ((uint64_t)tensor->n > content.size)
        return error_new(ERROR_INVALID_ARGUMENT, "%zu bytes of content for %" PRId64 " strings",
                         content.size, tensor->n);
    TRY(tensor_new(arena, DT_STRING, &tensor->shape, tensor));
    Bytes *strings = tensor->data;
    const uint8_t *at = content.data, *end = at + content.size;
    for (int64_t i = 0; i < tensor->n; i++) {
        uint64_t size;
        if (!varint_read(&at, end, &size) || size > content.size)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "the content's length of string %" PRId64 " is cut off or too big", i);
        strings[i].size = (size_t)size;
    }
    for (int64_t i = 0; i < tensor->n; i++) {
        if (strings[i].size > (size_t)(end - at))
            return error_new(ERROR_INVALID_ARGUMENT, "the content ends in string %" PRId64, i);
        strings[i].data = at;
        at += strings[i].size;
    }
    if (at != end)
        return error_new(ERROR_INVALID_ARGUMENT, "the content has %zu bytes behind the strings",
                         (size_t)(end - at));
    return NULL;
}

/* A bool of C is 0 or 1; any other byte is undefined behaviour. */
static bool has_bad_bool(const Bytes content)
{
    uint8_t all = 0;
    for (size_t i = 0; i < content.size; i++)
        all |= content.data[i];
    return all > 1;
}

static Error *from_content(Arena *arena, Bytes content, Tensor *tensor)
{
    if (tensor->dtype == DT_STRING)
        return strings_from_content(arena, content, tensor);
    if (content.size != tensor_bytes(tensor)) {
        char text[SHAPE_TEXT_BYTES];
        return error_new(ERROR_INVALID_ARGUMENT,
                         "%zu bytes of content; a %s tensor of shape %s has %zu", content.size,
                         dtype_name(tensor->dtype), shape_text(&tensor->shape, text),
                         tensor_bytes(tensor));
    }
    bool is_bad = tensor->dtype == DT_BOOL && has_bad_bool(content);
    if (!is_bad && is_aligned(content.data, dtype_size(tensor->dtype))) {
        tensor->data = (void *)(uintptr_t)content.data;
        return NULL;
    }
    TRY(tensor_new(arena, tensor->dtype, &tensor->shape, tensor));
    uint8_t *data = tensor->data;
    memcpy(data, content.data, content.size);
    for (size_t i = 0; is_bad && i < content.size; i++)
        data[i] = data[i] != 0;
    return NULL;
}

Error *filling_start(Filling *f, Arena *arena, const Parts *parts)
{
    DType dtype = parts->dtype > 0 && parts->dtype <= DTYPE_MAX ? (DType)parts->dtype : DT_INVALID;
    ValueField field = value_field(dtype);
    if (field.number == 0)
        return error_new(ERROR_INVALID_ARGUMENT, "the element type %d (%s) has no values to send",
                         parts->dtype, dtype_name(dtype));
    *f = (Filling){ .arena = arena,
                    .tensor = { .dtype = dtype, .shape = parts->shape },
                    .field = field,
                    .size = dtype_size(dtype) / field.per_element };
    TRY(shape_count(&parts->shape, &f->tensor.n));
    if (f->tensor.n > 0 && parts->content.size > 0)
        return from_content(arena, parts->content, &f->tensor);
    f->n = (size_t)f->tensor.n * field.per_element;
    return NULL;
}

/* ---- values ---- */

static Error *filling_need_data(Filling *f)
{
    return f->tensor.data != NULL
               ? NULL
               : tensor_new(f->arena, f->tensor.dtype, &f->tensor.shape, &f->tensor);
}

/* Repeats the last of the elements that stand in data[0..have) up to `total`, zeros without one. */
static void fill_rest(uint8_t *data, size_t size, size_t have, size_t total)
{
    if (have == 0) {
        memset(data, 0, total);
        return;
    }
    const uint8_t *last = data + have - size;
    for (size_t at = have, n; at < total; at += n) {
        /* Everything from `last` on repeats it, so the piece that is copied can double. */
        n = (size_t)(data + at - last);
        n = n < total - at ? n : total - at;
        memcpy(data + at, last, n);
    }
}

/* The values of a run that need another width in memory, or decoding. */
static Error *take_each(Filling *f, Run run)
{
    bool is_bool = f->tensor.dtype == DT_BOOL;
    uint8_t *to = (uint8_t *)f->tensor.data + f->done * f->size;
    const uint8_t *at = run.bytes.data, *end = bytes_past(at, run.bytes.size);
    for (; !filling_is_full(f) && at < end; f->done++, to += f->size) {
        uint64_t value = 0;
        if (run.width > 0) {
            memcpy(&value, at, run.width);
            at += run.width;
        } else if (!varint_read(&at, end, &value)) {
            return error_new(ERROR_INVALID_ARGUMENT, "a packed value is cut off");
        }
        if (is_bool)
            value = value != 0;
        memcpy(to, &value, f->size);
    }
    return NULL;
}

Error *filling_take(Filling *f, Run run)
{
    if (run.width > 0 && run.bytes.size % run.width != 0)
        return error_new(ERROR_INVALID_ARGUMENT, "%zu bytes of values of %u bytes each",
                         run.bytes.size, run.width);
    bool is_raw = run.width == f->size && f->tensor.dtype != DT_BOOL;
    size_t n = is_raw ? run.bytes.size / f->size : 0;
    if (is_raw && f->done == 0 && n >= f->n && is_aligned(run.bytes.data, f->size)) {
        f->tensor.data = (void *)(uintptr_t)run.bytes.data;
        f->done = f->n;
        return NULL;
    }

    TRY(filling_need_data(f));
    if (!is_raw)
        return take_each(f, run);
    n = n < f->n - f->done ? n : f->n - f->done;
    if (n > 0)
        memcpy((uint8_t *)f->tensor.data + f->done * f->size, run.bytes.data, n * f->size);
    f->done += n;
    return NULL;
}

Error *filling_take_string(Filling *f, Bytes string)
{
    TRY(filling_need_data(f));
    ((Bytes *)f->tensor.data)[f->done++] = string;
    return NULL;
}

Error *filling_finish(Filling *f, Tensor *ret_tensor)
{
    if (f->n > 0) {
        TRY(filling_need_data(f));
        size_t size = dtype_size(f->tensor.dtype);
        size_t have = f->done / f->field.per_element * size;
        fill_rest(f->tensor.data, size, have, tensor_bytes(&f->tensor));
    }
    *ret_tensor = f->tensor;
    return NULL;
}
