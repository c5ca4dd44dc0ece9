/* SPDX-License-Identifier: Apache-2.0
 *
 * Adapter: what stands between a host and the kernels of rows marked OP_WIDENED or
 * OP_CHANNELS_LAST (op.h). Such a kernel knows float, and channels behind the spatial dimensions;
 * a node of half or bfloat16, or of data_format NCHW or NCDHW, gets copies of its tensors that are
 * so, in scratch memory, and its answer is copied back. All other nodes pass straight through.
 * Any thread.
 *
 *     host --(half, NCHW)--> adapter --(float, NHWC)--> kernel
 */
#include <string.h>

#include "model/op/elementwise.h"
#include "model/op/kernels.h"
#include "model/op/strided.h"

#define FILTER_INPUT 1 /* of every convolution: it has no channels to move */

typedef struct Adapter {
    void *kernel;               /* of the row itself */
    bool is_needed;             /* some tensor is copied */
    bool channels_first;        /* those of rank 4 and 5 but the filter are transposed */
    const DType *output_dtypes; /* [n_outputs] as the host wants them */
    const Tensor *constants; /* [n_inputs]: widened once; rank 0 and no data where there is none */
} Adapter;

/* ---- prepare ------------------------------------------------------------------------------- */

static Error *read_format(const OpPrepare *prepare, bool *ret_channels_first)
{
    const char *format = NULL;
    *ret_channels_first = false;
    if ((prepare->op->flags & OP_CHANNELS_LAST) == 0)
        return NULL;
    TRY(attrs_text_or(prepare->attrs, "data_format", "", &format));
    *ret_channels_first = strcmp(format, "NCHW") == 0 || strcmp(format, "NCDHW") == 0;
    return NULL;
}

static bool is_widened(const OpPrepare *prepare, int i)
{
    return (prepare->op->flags & OP_WIDENED) != 0 && dtype_is_short_float(prepare->input_dtypes[i]);
}

/* Shows the kernel float in place of the 16-bit types, constants too. */
static Error *widen_inputs(const OpPrepare *prepare, OpPrepare *inner, Tensor *constants)
{
    size_t n = (size_t)prepare->n_inputs;
    DType *dtypes = arena_memdup(prepare->arena, prepare->input_dtypes, n * sizeof(*dtypes));
    const Tensor **shown =
        arena_memdup(prepare->arena, prepare->constants, n * sizeof(const Tensor *));
    if (dtypes == NULL || shown == NULL)
        return error_out_of_memory();
    for (int i = 0; i < prepare->n_inputs; i++) {
        const Tensor *constant = prepare->constants[i];
        if (!is_widened(prepare, i))
            continue;
        dtypes[i] = DT_FLOAT;
        if (constant == NULL)
            continue;
        TRY(tensor_new(prepare->arena, DT_FLOAT, &constant->shape, &constants[i]));
        shorts_widen(constant->dtype, constant->n, constant->data, constants[i].data);
        shown[i] = &constants[i];
    }
    inner->input_dtypes = dtypes;
    inner->constants = shown;
    return NULL;
}

static Error *adapt(OpPrepare *prepare, Adapter *adapter)
{
    OpPrepare inner = *prepare;
    int n_outputs = 0;
    adapter->is_needed = adapter->channels_first;
    for (int i = 0; i < prepare->n_inputs; i++)
        adapter->is_needed |= is_widened(prepare, i);
    TRY(op_output_types(prepare->op, prepare->attrs, prepare->arena, &n_outputs,
                        &adapter->output_dtypes));
    if (adapter->is_needed) {
        Tensor *constants =
            arena_calloc(prepare->arena, (size_t)prepare->n_inputs, sizeof(*constants));
        if (constants == NULL)
            return error_out_of_memory();
        adapter->constants = constants;
        TRY(widen_inputs(prepare, &inner, constants));
    }
    if (prepare->op->prepare != NULL)
        TRY(prepare->op->prepare(&inner));
    adapter->kernel = inner.kernel;
    for (int i = 0; adapter->is_needed && i < prepare->n_inputs; i++)
        prepare->release_input[i] |= adapter->constants[i].data != NULL;
    return NULL;
}

Error *op_prepare(OpPrepare *prepare)
{
    if ((prepare->op->flags & OP_ADAPTED) == 0)
        return prepare->op->prepare != NULL ? prepare->op->prepare(prepare) : NULL;
    Adapter *adapter = arena_calloc(prepare->arena, 1, sizeof(*adapter));
    if (adapter == NULL)
        return error_out_of_memory();
    TRY(read_format(prepare, &adapter->channels_first));
    TRY(adapt(prepare, adapter));
    prepare->kernel = adapter;
    return NULL;
}

/* ---- run ----------------------------------------------------------------------------------- */

/* Between [N,C,spatial...] and [N,spatial...,C]: the shape, and the elements. */
static void move_channels(const Tensor *from, bool to_last, Tensor *to)
{
    const Shape *s = &from->shape;
    int last = s->rank - 1, at = to_last ? 1 : last; /* where the channels stand */
    int64_t channels = s->dims[at], positions = 1;
    to->shape = *s;
    for (int i = 1; i < last; i++) {
        to->shape.dims[to_last ? i : i + 1] = s->dims[to_last ? i + 1 : i];
        positions *= s->dims[to_last ? i + 1 : i];
    }
    to->shape.dims[to_last ? last : 1] = channels;
    StridedCopy copy = { 0 };
    if (from->n == 0)
        return;
    strided_add(&copy, s->dims[0], channels * positions, channels * positions);
    strided_add(&copy, channels, to_last ? positions : 1, to_last ? 1 : positions);
    strided_add(&copy, positions, to_last ? 1 : channels, to_last ? channels : 1);
    strided_run(&copy, dtype_size(from->dtype), from->data, to->data);
}

static bool has_channels_to_move(const Adapter *adapter, const Tensor *tensor, int i)
{
    return adapter->channels_first && i != FILTER_INPUT && tensor->shape.rank >= 4;
}

/* Memory of the same size under `tensor`. */
static Error *renew(OpContext *c, Tensor *tensor)
{
    tensor->data = op_scratch(c, tensor_bytes(tensor));
    return tensor->data != NULL ? NULL : error_out_of_memory();
}

/* Input i as the kernel knows it. */
static Error *adapt_input(OpContext *c, int i, Tensor *ret)
{
    const Adapter *adapter = c->kernel;
    *ret = adapter->constants[i].data != NULL ? adapter->constants[i] : *c->inputs[i];
    if ((c->op->flags & OP_WIDENED) != 0 && dtype_is_short_float(ret->dtype)) {
        const Tensor narrow = *ret;
        ret->dtype = DT_FLOAT;
        TRY(renew(c, ret));
        shorts_widen(narrow.dtype, narrow.n, narrow.data, ret->data);
    }
    if (has_channels_to_move(adapter, ret, i)) {
        const Tensor first = *ret;
        TRY(renew(c, ret));
        move_channels(&first, true, ret);
    }
    return NULL;
}

/* Output i as the host wants it. */
static Error *restore_output(OpContext *c, int i, const Tensor *inner)
{
    const Adapter *adapter = c->kernel;
    Tensor t = *inner, *out = NULL;
    if (has_channels_to_move(adapter, inner, -1)) {
        TRY(renew(c, &t));
        move_channels(inner, false, &t);
    }
    TRY(op_output(c, i, adapter->output_dtypes[i], &t.shape, &out));
    if (t.dtype != out->dtype)
        shorts_narrow(out->dtype, t.n, t.data, out->data);
    else if (t.n > 0)
        memcpy(out->data, t.data, tensor_bytes(&t));
    return NULL;
}

static Error *inner_output(OpContext *inner, int i, _unused_ int reuse_input, DType dtype,
                           const Shape *shape, Tensor **ret_tensor)
{
    Tensor t = { .dtype = dtype, .shape = *shape };
    TRY(shape_count(shape, &t.n));
    TRY(renew(inner->host_data, &t));
    inner->outputs[i] = t;
    *ret_tensor = &inner->outputs[i];
    return NULL;
}

static Error *inner_alias(OpContext *inner, int i, int input, const Shape *shape)
{
    inner->outputs[i] = tensor_reshaped(inner->inputs[input], shape);
    return NULL;
}

static void *inner_scratch(OpContext *inner, size_t bytes)
{
    return op_scratch(inner->host_data, bytes);
}

static Error *run_adapted(OpContext *c)
{
    static const OpHost host = { inner_output, inner_alias, inner_scratch };
    const Adapter *adapter = c->kernel;
    size_t n = (size_t)c->n_inputs, n_tensors = n + (size_t)c->n_outputs;
    Tensor *tensors = op_scratch(c, n_tensors * sizeof(Tensor) + n * sizeof(const Tensor *));
    if (tensors == NULL)
        return error_out_of_memory();
    const Tensor **inputs = (const Tensor **)(tensors + n_tensors);
    OpContext inner = *c;
    inner.kernel = adapter->kernel;
    inner.inputs = inputs;
    inner.outputs = tensors + n;
    inner.host = &host;
    inner.host_data = c;
    for (int i = 0; i < c->n_inputs; i++) {
        bool is_there = adapter->constants[i].data != NULL || c->inputs[i] != NULL;
        inputs[i] = is_there ? &tensors[i] : NULL;
        if (is_there)
            TRY(adapt_input(c, i, &tensors[i]));
    }
    TRY(c->op->run(&inner));
    for (int i = 0; i < c->n_outputs; i++)
        TRY(restore_output(c, i, &inner.outputs[i]));
    return NULL;
}

Error *op_run(OpContext *c)
{
    if ((c->op->flags & OP_ADAPTED) == 0)
        return c->op->run(c);
    const Adapter *adapter = c->kernel;
    if (adapter->is_needed)
        return run_adapted(c);
    c->kernel = adapter->kernel;
    Error *error = c->op->run(c);
    c->kernel = adapter;
    return error;
}
