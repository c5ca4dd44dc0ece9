/* SPDX-License-Identifier: Apache-2.0
 *
 * Evaluate: the host of a kernel that runs once, at load: every output is an allocation in an
 * arena.
 */
#include "model/graph/evaluate.h"

#include <string.h>

typedef struct Evaluation {
    const Node *node;
    Arena *arena;
    ResourceManager *resources;
    size_t max_bytes, bytes;
    const Constant **inputs;
    Constant *values;
    Tensor *outputs;
} Evaluation;

static Error *check_dtype(const Evaluation *e, int i, DType dtype)
{
    if (dtype != e->node->output_dtypes[i])
        return error_new(ERROR_INTERNAL, "output %d is %s, the op's row says %s", i,
                         dtype_name(dtype), dtype_name(e->node->output_dtypes[i]));
    return NULL;
}

static Error *host_output(OpContext *context, int i, _unused_ int reuse_input, DType dtype,
                          const Shape *shape, Tensor **ret_tensor)
{
    Evaluation *e = context->host_data;
    TRY(check_dtype(e, i, dtype));
    int64_t n = 0;
    TRY(shape_count(shape, &n));
    size_t bytes = (size_t)n * dtype_size(dtype);
    if (bytes > e->max_bytes - e->bytes)
        return error_new(ERROR_RESOURCE_EXHAUSTED, "more than %zu bytes", e->max_bytes);
    e->bytes += bytes;
    TRY(tensor_new(e->arena, dtype, shape, &e->outputs[i]));
    e->values[i].resource = NULL;
    *ret_tensor = &e->outputs[i];
    return NULL;
}

static Error *host_alias(OpContext *context, int i, int input, const Shape *shape)
{
    Evaluation *e = context->host_data;
    const Constant *constant = e->inputs[input];
    TRY(check_dtype(e, i, constant->tensor.dtype));
    e->outputs[i] = tensor_reshaped(&constant->tensor, shape);
    e->values[i].resource = constant->resource;
    return NULL;
}

static void *host_scratch(OpContext *context, size_t bytes)
{
    const Evaluation *e = context->host_data;
    return arena_alloc_aligned(e->arena, bytes);
}

static Error *run(Evaluation *e, const Tensor *const *inputs, const DType *dtypes)
{
    static const OpHost host = { host_output, host_alias, host_scratch };
    const Node *node = e->node;
    bool *release = arena_calloc(e->arena, (size_t)node->n_inputs, sizeof *release);
    if (release == NULL)
        return error_out_of_memory();
    /* Constants are not shown to prepare: packing weights for one run is not worth it. */
    const Tensor **none = arena_calloc(e->arena, (size_t)node->n_inputs, sizeof *none);
    if (none == NULL)
        return error_out_of_memory();
    OpPrepare prepare = { .op = node->op,
                          .node_name = node->name,
                          .attrs = node->attrs,
                          .n_inputs = node->n_inputs,
                          .input_dtypes = dtypes,
                          .constants = none,
                          .n_outputs = node->n_outputs,
                          .arena = e->arena,
                          .release_input = release };
    TRY(op_prepare(&prepare));
    OpContext context = { .op = node->op,
                          .node_name = node->name,
                          .kernel = prepare.kernel,
                          .n_inputs = node->n_inputs,
                          .n_outputs = node->n_outputs,
                          .inputs = inputs,
                          .outputs = e->outputs,
                          .resources = e->resources,
                          .arena = e->arena,
                          .host = &host,
                          .host_data = e };
    TRY(op_run(&context));
    for (int i = 0; i < node->n_outputs; i++) {
        TRY(check_dtype(e, i, e->outputs[i].dtype));
        e->values[i].tensor = e->outputs[i];
    }
    return NULL;
}

Error *evaluate(const Node *node, Arena *arena, ResourceManager *resources, size_t max_bytes,
                Constant **ret_values)
{
    size_t n_inputs = (size_t)node->n_inputs, n_outputs = (size_t)node->n_outputs;
    Evaluation e = { .node = node, .arena = arena, .resources = resources, .max_bytes = max_bytes };
    const Tensor **inputs = arena_calloc(arena, n_inputs, sizeof *inputs);
    DType *dtypes = arena_calloc(arena, n_inputs, sizeof *dtypes);
    e.inputs = arena_calloc(arena, n_inputs, sizeof *e.inputs);
    e.values = arena_calloc(arena, n_outputs, sizeof *e.values);
    e.outputs = arena_calloc(arena, n_outputs, sizeof *e.outputs);
    if (inputs == NULL || dtypes == NULL || e.inputs == NULL || e.values == NULL ||
        e.outputs == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < n_inputs; i++) {
        e.inputs[i] = endpoint_constant(node->inputs[i]);
        inputs[i] = &e.inputs[i]->tensor;
        dtypes[i] = inputs[i]->dtype;
    }
    TRY(run(&e, inputs, dtypes));
    *ret_values = e.values;
    return NULL;
}
