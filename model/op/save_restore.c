/* SPDX-License-Identifier: Apache-2.0
 *
 * RestoreV2: tensors of a checkpoint by name. Runs when a model is loaded, in the graph that the
 * bundle brings along for it. There is no SaveV2: a server writes no checkpoints.
 *
 *   input 0   prefix             string []
 *   input 1   tensor_names       string [n]
 *   input 2   shape_and_slices   string [n], "" for the whole tensor
 *   output i  the tensor of tensor_names[i]
 */
#include "model/bundle/checkpoint_read.h"
#include "model/op/kernels.h"

Error *restore_prepare(OpPrepare *prepare)
{
    const DType **dtypes = arena_calloc(prepare->arena, 1, sizeof(*dtypes));
    size_t n = 0;
    if (dtypes == NULL)
        return error_out_of_memory();
    TRY(attrs_types(prepare->attrs, "dtypes", &n, dtypes));
    prepare->kernel = dtypes;
    return NULL;
}

static Error *check_shapes(const OpContext *c)
{
    char text[SHAPE_TEXT_BYTES];
    if (op_input(c, 0)->n != 1)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Input 0 (prefix) must be a string scalar, got a tensor of shape %s",
                         shape_text(&op_input(c, 0)->shape, text));
    for (int i = 1; i < 3; i++) {
        const Tensor *t = op_input(c, i);
        if (t->shape.rank != 1 || t->n != c->n_outputs)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Input %d of RestoreV2 must be a vector of %d elements, got shape %s",
                             i, c->n_outputs, shape_text(&t->shape, text));
    }
    return NULL;
}

/* A C string of element i; NULL when memory is out. */
static const char *text_at(OpContext *c, int input, int64_t i)
{
    Bytes text = ((const Bytes *)op_input(c, input)->data)[i];
    return arena_strndup(c->arena, text.size > 0 ? (const char *)text.data : "", text.size);
}

static Error *restore_one(OpContext *c, CheckpointReader *reader, int i)
{
    DType wanted = (*(const DType *const *)c->kernel)[i];
    const char *name = text_at(c, 1, i);
    const char *slice_spec = text_at(c, 2, i);
    if (name == NULL || slice_spec == NULL)
        return error_out_of_memory();
    Tensor tensor;
    TRY(checkpoint_read(reader, c->arena, name, slice_spec, &tensor));
    if (tensor.dtype != wanted)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "tensor_name = %s; expected dtype %s does not equal original dtype %s",
                         name, dtype_name(wanted), dtype_name(tensor.dtype));
    c->outputs[i] = tensor;
    return NULL;
}

Error *restore_run(OpContext *c)
{
    TRY(check_shapes(c));
    const char *prefix = text_at(c, 0, 0);
    if (prefix == NULL)
        return error_out_of_memory();
    _cleanup_(checkpoint_closep) CheckpointReader *reader = NULL;
    TRY(checkpoint_open(prefix, &reader));
    for (int i = 0; i < c->n_outputs; i++)
        TRY(restore_one(c, reader, i));
    return NULL;
}
