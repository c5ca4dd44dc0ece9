/* SPDX-License-Identifier: Apache-2.0
 *
 * Strings: StringJoin, ShardedFilename, AsString, DecodeRaw, DecodePaddedRaw. New bytes lie in the
 * run's arena.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/op/axes.h"
#include "model/op/kernels.h"
#include "model/tensor/half.h"

/* ---- StringJoin, ShardedFilename ----------------------------------------------------------- */

Error *string_join_prepare(OpPrepare *prepare)
{
    const char **separator = arena_calloc(prepare->arena, 1, sizeof(*separator));
    if (separator == NULL)
        return error_out_of_memory();
    TRY(attrs_text_or(prepare->attrs, "separator", "", separator));
    prepare->kernel = separator;
    return NULL;
}

/* Element i of input k, which may be a scalar that stands for all. */
static Bytes text_of(const OpContext *c, int k, int64_t i)
{
    const Tensor *t = op_input(c, k);
    return ((const Bytes *)t->data)[t->shape.rank == 0 ? 0 : i];
}

static Error *join(OpContext *c, Bytes separator, int64_t i, Bytes *ret)
{
    size_t size = 0;
    for (int k = 0; k < c->n_inputs; k++) {
        if (!checked_add(size, text_of(c, k, i).size, &size) ||
            (k > 0 && !checked_add(size, separator.size, &size)))
            return error_out_of_memory();
    }
    uint8_t *bytes = arena_alloc(c->arena, size);
    if (bytes == NULL)
        return error_out_of_memory();
    uint8_t *at = bytes;
    for (int k = 0; k < c->n_inputs; k++) {
        Bytes part = text_of(c, k, i);
        if (k > 0 && separator.size > 0)
            at = (uint8_t *)mempcpy(at, separator.data, separator.size);
        if (part.size > 0)
            at = (uint8_t *)mempcpy(at, part.data, part.size);
    }
    *ret = (Bytes){ bytes, size };
    return NULL;
}

Error *string_join_run(OpContext *c)
{
    const Shape *shape = NULL;
    char text[2][SHAPE_TEXT_BYTES];
    const Shape scalar = shape_of();
    for (int k = 0; k < c->n_inputs; k++) {
        const Shape *own = &op_input(c, k)->shape;
        if (own->rank > 0 && shape != NULL && !shape_equal(own, shape))
            return error_new(ERROR_INVALID_ARGUMENT, "Input shapes do not match: %s vs. %s",
                             shape_text(shape, text[0]), shape_text(own, text[1]));
        if (own->rank > 0)
            shape = own;
    }
    Tensor *output = NULL;
    TRY(op_output(c, 0, DT_STRING, shape != NULL ? shape : &scalar, &output));
    Bytes separator = bytes_of_text(*(const char *const *)c->kernel);
    for (int64_t i = 0; i < output->n; i++)
        TRY(join(c, separator, i, &((Bytes *)output->data)[i]));
    return NULL;
}

Error *sharded_filename_run(OpContext *c)
{
    for (int k = 0; k < 3; k++) {
        if (op_input(c, k)->n != 1)
            return error_new(ERROR_INVALID_ARGUMENT, "ShardedFilename: inputs must be scalars");
    }
    Bytes name = *(const Bytes *)op_input(c, 0)->data;
    char *text = arena_printf(
        c->arena, "%.*s-%05d-of-%05d", (int)name.size, name.size > 0 ? (const char *)name.data : "",
        *(const int32_t *)op_input(c, 1)->data, *(const int32_t *)op_input(c, 2)->data);
    if (text == NULL)
        return error_out_of_memory();
    const Shape scalar = shape_of();
    Tensor *output = NULL;
    TRY(op_output(c, 0, DT_STRING, &scalar, &output));
    *(Bytes *)output->data = bytes_of_text(text);
    return NULL;
}

/* ---- AsString ------------------------------------------------------------------------------ */

typedef struct AsStringKernel {
    char fill;       /* '0', ' ', '+', '-' of printf; 0: none */
    int width;       /* -1: none */
    int precision;   /* -1: printf's own */
    char conversion; /* of floating types: f, e or g */
} AsStringKernel;

#define AS_STRING_MAX_WIDTH 1024 /* and of the precision */

Error *as_string_prepare(OpPrepare *prepare)
{
    AsStringKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    int64_t width = 0, precision = 0;
    bool scientific = false, shortest = false;
    const char *fill = NULL;
    DType dtype = prepare->input_dtypes[0];
    TRY(attrs_int_or(prepare->attrs, "width", -1, &width));
    TRY(attrs_int_or(prepare->attrs, "precision", -1, &precision));
    TRY(attrs_bool_or(prepare->attrs, "scientific", false, &scientific));
    TRY(attrs_bool_or(prepare->attrs, "shortest", false, &shortest));
    TRY(attrs_text_or(prepare->attrs, "fill", "", &fill));
    if (scientific && shortest)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Cannot select both scientific and shortest notation");
    if ((scientific || shortest || precision >= 0) && !dtype_is_floating(dtype))
        return error_new(ERROR_INVALID_ARGUMENT,
                         "scientific, shortest and precision are for floating types, not %s",
                         dtype_name(dtype));
    if (strlen(fill) > 1 || (fill[0] != '\0' && strchr("0 +-", fill[0]) == NULL))
        return error_new(ERROR_INVALID_ARGUMENT, "Fill argument not supported: \"%s\"", fill);
    if (width > AS_STRING_MAX_WIDTH || precision > AS_STRING_MAX_WIDTH)
        return error_new(ERROR_INVALID_ARGUMENT, "width and precision are at most %d",
                         AS_STRING_MAX_WIDTH);
    if (!dtype_is_floating(dtype) && !dtype_is_integer(dtype) && dtype != DT_BOOL &&
        dtype != DT_STRING)
        return error_new(ERROR_UNIMPLEMENTED, "there is no kernel of AsString for type %s",
                         dtype_name(dtype));
    kernel->fill = fill[0];
    kernel->width = width < 0 ? -1 : (int)width;
    kernel->precision = precision < 0 ? -1 : (int)precision;
    kernel->conversion = scientific ? 'e' : shortest ? 'g' : 'f';
    prepare->kernel = kernel;
    return NULL;
}

/* The value of element i of an integer tensor; unsigned 64-bit ones keep their bits. */
static int64_t integer_at(const Tensor *t, int64_t i)
{
    switch (t->dtype) {
    case DT_INT8:
        return ((const int8_t *)t->data)[i];
    case DT_INT16:
        return ((const int16_t *)t->data)[i];
    case DT_UINT8:
        return ((const uint8_t *)t->data)[i];
    case DT_UINT16:
        return ((const uint16_t *)t->data)[i];
    case DT_UINT32:
        return ((const uint32_t *)t->data)[i];
    case DT_UINT64:
        return (int64_t)((const uint64_t *)t->data)[i];
    default:
        return tensor_index_at(t, i);
    }
}

static double floating_at(const Tensor *t, int64_t i)
{
    switch (t->dtype) {
    case DT_FLOAT:
        return (double)((const float *)t->data)[i];
    case DT_DOUBLE:
        return ((const double *)t->data)[i];
    case DT_HALF:
        return (double)half_to_float(((const uint16_t *)t->data)[i]);
    default:
        return (double)bfloat16_to_float(((const uint16_t *)t->data)[i]);
    }
}

/* The format is put together from checked parts: "%", fill, width, precision, conversion. */
static char *format_element(Arena *arena, const AsStringKernel *kernel, const Tensor *t, int64_t i)
{
    char format[32] = "%", number[16];
    size_t used = 1;
    if (kernel->fill != '\0')
        format[used++] = kernel->fill;
    if (kernel->width >= 0) {
        int n = snprintf(number, sizeof(number), "%d", kernel->width);
        memcpy(format + used, number, (size_t)n);
        used += (size_t)n;
    }
    if (dtype_is_floating(t->dtype)) {
        if (kernel->precision >= 0)
            used +=
                (size_t)snprintf(format + used, sizeof(format) - used, ".%d", kernel->precision);
        format[used++] = kernel->conversion;
        format[used] = '\0';
    } else {
        snprintf(format + used, sizeof(format) - used, "%s",
                 t->dtype == DT_UINT64 ? PRIu64 : PRId64);
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    if (dtype_is_floating(t->dtype))
        return arena_printf(arena, format, floating_at(t, i));
    return arena_printf(arena, format, integer_at(t, i));
#pragma GCC diagnostic pop
}

Error *as_string_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    if (x->dtype == DT_STRING)
        return op_output_alias(c, 0, 0, &x->shape);
    Tensor *y = NULL;
    TRY(op_output(c, 0, DT_STRING, &x->shape, &y));
    Bytes *texts = y->data;
    for (int64_t i = 0; i < x->n; i++) {
        const char *text = NULL;
        if (x->dtype == DT_BOOL)
            text = ((const bool *)x->data)[i] ? "true" : "false";
        else
            text = format_element(c->arena, c->kernel, x, i);
        if (text == NULL)
            return error_out_of_memory();
        texts[i] = bytes_of_text(text);
    }
    return NULL;
}

/* ---- DecodeRaw ----------------------------------------------------------------------------- */

typedef struct DecodeRawKernel {
    DType out_type;
    bool little_endian;
} DecodeRawKernel;

Error *decode_raw_prepare(OpPrepare *prepare)
{
    DecodeRawKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    TRY(attrs_type(prepare->attrs, "out_type", &kernel->out_type));
    TRY(attrs_bool_or(prepare->attrs, "little_endian", true, &kernel->little_endian));
    if (!dtype_is_plain(kernel->out_type))
        return error_new(ERROR_UNIMPLEMENTED, "there is no kernel of DecodeRaw for type %s",
                         dtype_name(kernel->out_type));
    prepare->kernel = kernel;
    return NULL;
}

static void reverse_elements(uint8_t *bytes, size_t n_bytes, size_t size)
{
    for (uint8_t *e = bytes; e < bytes + n_bytes; e += size) {
        for (size_t a = 0, b = size - 1; a < b; a++, b--) {
            uint8_t swapped = e[a];
            e[a] = e[b];
            e[b] = swapped;
        }
    }
}

/* Bytes as they were copied from strings become elements of the type. */
static void finish_elements(const DecodeRawKernel *kernel, uint8_t *bytes, size_t n_bytes)
{
    if (kernel->out_type == DT_BOOL) { /* other bytes than 0 and 1 are no bool to C */
        for (size_t i = 0; i < n_bytes; i++)
            bytes[i] = bytes[i] != 0;
    }
    if (!kernel->little_endian)
        reverse_elements(bytes, n_bytes, dtype_size(kernel->out_type));
}

/* All strings of one length give one more dimension. */
Error *decode_raw_run(OpContext *c)
{
    const DecodeRawKernel *kernel = c->kernel;
    const Tensor *x = op_input(c, 0);
    const Bytes *texts = x->data;
    size_t size = dtype_size(kernel->out_type), length = x->n > 0 ? texts[0].size : 0;
    for (int64_t i = 1; i < x->n; i++) {
        if (texts[i].size != length)
            return error_new(
                ERROR_INVALID_ARGUMENT,
                "DecodeRaw requires input strings to all be the same size, but element "
                "%lld has size %zu != %zu",
                (long long)i, length, texts[i].size);
    }
    if (length % size != 0)
        return error_new(
            ERROR_INVALID_ARGUMENT,
            "Input to DecodeRaw has length %zu that is not a multiple of %zu, the size "
            "of %s",
            length, size, dtype_name(kernel->out_type));
    Shape shape = x->shape;
    if (!shape_push(&shape, (int64_t)(length / size)))
        return shape_rank_error();
    Tensor *y = NULL;
    TRY(op_output(c, 0, kernel->out_type, &shape, &y));
    uint8_t *to = y->data;
    for (int64_t i = 0; i < x->n && length > 0; i++)
        memcpy(to + (size_t)i * length, texts[i].data, length);
    finish_elements(kernel, to, (size_t)y->n * size);
    return NULL;
}

/* Longer strings are cut at fixed_length, shorter ones are filled up with zeros. */
Error *decode_padded_raw_run(OpContext *c)
{
    const DecodeRawKernel *kernel = c->kernel;
    const Tensor *x = op_input(c, 0), *length_input = op_input(c, 1);
    if (length_input->n != 1)
        return error_new(ERROR_INVALID_ARGUMENT, "fixed_length must be a scalar");
    int64_t length = *(const int32_t *)length_input->data;
    int64_t size = (int64_t)dtype_size(kernel->out_type);
    if (length <= 0 || length % size != 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "fixed_length (%lld) must be greater than zero and a multiple of the size "
                         "of out_type (%lld)",
                         (long long)length, (long long)size);
    Shape shape = x->shape;
    if (!shape_push(&shape, length / size))
        return shape_rank_error();
    Tensor *y = NULL;
    TRY(op_output(c, 0, kernel->out_type, &shape, &y));
    uint8_t *to = y->data;
    for (int64_t i = 0; i < x->n; i++, to += length) {
        Bytes text = ((const Bytes *)x->data)[i];
        size_t n = text.size < (size_t)length ? text.size : (size_t)length;
        if (n > 0)
            memcpy(to, text.data, n);
        memset(to + n, 0, (size_t)length - n);
    }
    finish_elements(kernel, y->data, tensor_bytes(y));
    return NULL;
}
