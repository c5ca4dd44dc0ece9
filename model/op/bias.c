/* SPDX-License-Identifier: Apache-2.0
 *
 * BiasAdd: a value a channel, added to each element of that channel. NHWC puts the channels last,
 * NCHW second. Any thread.
 */
#include <string.h>

#include "model/op/elementwise.h"
#include "model/op/kernels.h"
#include "model/op/typed.h"

#define GRAIN 16384 /* elements that one worker takes at a time */

typedef struct BiasKernel {
    bool channels_first;
} BiasKernel;

typedef struct BiasRun {
    const Tensor *value, *bias;
    Tensor *out;
    size_t channels, inner; /* element i belongs to channel i / inner % channels */
} BiasRun;

#define ADD(dtype, type, suffix)                                                                   \
    static void add_##suffix(const BiasRun *r, size_t begin, size_t end)                           \
    {                                                                                              \
        const type *in = r->value->data, *bias = r->bias->data;                                    \
        type *out = r->out->data;                                                                  \
        for (size_t row = begin; row < end; row++) {                                               \
            const size_t at = row * (r->inner == 1 ? r->channels : r->inner);                      \
            const type b = bias[row % r->channels];                                                \
            if (r->inner == 1) {                                                                   \
                for (size_t c = 0; c < r->channels; c++)                                           \
                    out[at + c] = (type)(in[at + c] + bias[c]);                                    \
            } else {                                                                               \
                for (size_t i = 0; i < r->inner; i++)                                              \
                    out[at + i] = (type)(in[at + i] + b);                                          \
            }                                                                                      \
        }                                                                                          \
    }
FOR_EACH_FLOAT(ADD)
/* Integers wrap round, as TensorFlow's do: unsigned arithmetic gives the same bits. */
FOR_EACH_UNSIGNED(ADD)

/* A row is what one value of the bias (inner > 1) or one whole bias (inner == 1) goes to. */
static void add_rows(void *context, size_t begin, size_t end, int thread)
{
    const BiasRun *r = context;
    const DType dtype = r->value->dtype;
    (void)thread;
    if (dtype == DT_FLOAT)
        add_f32(r, begin, end);
    else if (dtype == DT_DOUBLE)
        add_f64(r, begin, end);
    else if (dtype_size(dtype) == 1)
        add_u8(r, begin, end);
    else if (dtype_size(dtype) == 2)
        add_u16(r, begin, end);
    else if (dtype_size(dtype) == 4)
        add_u32(r, begin, end);
    else
        add_u64(r, begin, end);
}

Error *bias_prepare(OpPrepare *prepare)
{
    BiasKernel *kernel = arena_calloc(prepare->arena, 1, sizeof(*kernel));
    if (kernel == NULL)
        return error_out_of_memory();
    DType dtype = prepare->input_dtypes[0];
    if (dtype != DT_FLOAT && dtype != DT_DOUBLE && !dtype_is_integer(dtype))
        return op_unsupported_type(prepare, dtype);
    const char *format = NULL;
    TRY(attrs_text_or(prepare->attrs, "data_format", "NHWC", &format));
    kernel->channels_first = strcmp(format, "NCHW") == 0;
    if (!kernel->channels_first && strcmp(format, "NHWC") != 0)
        return error_new(ERROR_INVALID_ARGUMENT, "data_format must be NHWC or NCHW, but is '%s'",
                         format);
    prepare->kernel = kernel;
    return NULL;
}

Error *bias_run(OpContext *context)
{
    const BiasKernel *kernel = context->kernel;
    const Tensor *value = op_input(context, 0), *bias = op_input(context, 1);
    char value_text[SHAPE_TEXT_BYTES], bias_text[SHAPE_TEXT_BYTES];
    if (value->shape.rank < 2)
        return error_new(ERROR_INVALID_ARGUMENT, "Input tensor must be at least 2D: %s",
                         shape_text(&value->shape, value_text));
    if (bias->shape.rank != 1)
        return error_new(ERROR_INVALID_ARGUMENT, "Biases must be 1D: %s",
                         shape_text(&bias->shape, bias_text));
    int axis = kernel->channels_first ? 1 : value->shape.rank - 1;
    if (value->shape.dims[axis] != bias->n)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Must provide as many biases as the %s dimension of the input tensor: "
                         "%s vs. %s",
                         kernel->channels_first ? "channel" : "last",
                         shape_text(&bias->shape, bias_text),
                         shape_text(&value->shape, value_text));
    BiasRun r = { .value = value, .bias = bias, .channels = (size_t)bias->n, .inner = 1 };
    for (int i = axis + 1; i < value->shape.rank; i++)
        r.inner *= (size_t)value->shape.dims[i];
    TRY(op_output_reuse(context, 0, 0, value->dtype, &value->shape, &r.out));
    if (value->n == 0)
        return NULL;
    size_t row = r.inner == 1 ? r.channels : r.inner;
    workers_for(context->workers, (size_t)value->n / row, GRAIN / row + 1, add_rows, &r);
    return NULL;
}
