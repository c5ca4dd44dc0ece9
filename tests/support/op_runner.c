/* SPDX-License-Identifier: Apache-2.0
 *
 * OpRunner: see op_runner.h. Does what plan/run.c does for a step, one allocation a tensor.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/support/op_runner.h"

#define MAX_BLOCKS 256 /* outputs and scratch allocations of one run */

struct OpRunner {
    OpRunnerOptions options;
    const Op *op;
    Arena *load_arena; /* kernel and types */
    Arena *run_arena;  /* bytes of strings */
    int n_outputs;
    const DType *output_dtypes; /* [n_outputs] */
    const Tensor **inputs;      /* [n_inputs] */
    Tensor *outputs;            /* [n_outputs] */
    void *kernel;
    bool *release; /* [n_inputs]: the kernel does without this input */
    void *blocks[MAX_BLOCKS];
    int n_blocks;
};

static void *block_new(OpRunner *runner, size_t bytes)
{
    void *block = NULL;
    if (runner->n_blocks == MAX_BLOCKS || posix_memalign(&block, ARENA_ALIGNMENT, bytes) != 0)
        return NULL;
    if (bytes > 0)
        memset(block, 0xA5, bytes);
    runner->blocks[runner->n_blocks++] = block;
    return block;
}

static void blocks_free(OpRunner *runner)
{
    for (int i = 0; i < runner->n_blocks; i++)
        free(runner->blocks[i]);
    runner->n_blocks = 0;
}

static Error *check_dtype(const OpRunner *runner, int i, DType dtype)
{
    if (dtype != runner->output_dtypes[i])
        return error_new(ERROR_INTERNAL, "output %d of %s is %s, but its row says %s", i,
                         runner->op->name, dtype_name(dtype), dtype_name(runner->output_dtypes[i]));
    return NULL;
}

static Error *host_output(OpContext *context, int i, int reuse_input, DType dtype,
                          const Shape *shape, Tensor **ret_tensor)
{
    OpRunner *runner = context->host_data;
    TRY(check_dtype(runner, i, dtype));
    Tensor t = { .dtype = dtype, .shape = *shape };
    TRY(shape_count(shape, &t.n));
    const Tensor *reused = reuse_input < 0 ? NULL : runner->inputs[reuse_input];
    if (runner->options.reuse && reused != NULL && tensor_bytes(reused) == tensor_bytes(&t)) {
        t.data = reused->data;
    } else {
        t.data = block_new(runner, tensor_bytes(&t));
        if (t.data == NULL)
            return error_out_of_memory();
        if (!dtype_is_plain(dtype))
            memset(t.data, 0, tensor_bytes(&t));
    }
    runner->outputs[i] = t;
    *ret_tensor = &runner->outputs[i];
    return NULL;
}

static Error *host_alias(OpContext *context, int i, int input, const Shape *shape)
{
    OpRunner *runner = context->host_data;
    const Tensor *t = runner->inputs[input];
    int64_t n = 0;
    TRY(check_dtype(runner, i, t->dtype));
    TRY(shape_count(shape, &n));
    if (n != t->n)
        return error_new(ERROR_INTERNAL, "alias of another number of elements");
    runner->outputs[i] = tensor_reshaped(t, shape);
    return NULL;
}

static void *host_scratch(OpContext *context, size_t bytes)
{
    return block_new(context->host_data, bytes);
}

static Error *prepare(OpRunner *runner)
{
    const OpRunnerOptions *o = &runner->options;
    size_t n = (size_t)o->n_inputs;
    DType *dtypes = arena_calloc(runner->load_arena, n, sizeof(*dtypes));
    const Tensor **constants = arena_calloc(runner->load_arena, n, sizeof(*constants));
    bool *release = arena_calloc(runner->load_arena, n, sizeof(*release));
    runner->inputs = arena_calloc(runner->load_arena, n, sizeof(*runner->inputs));
    if (dtypes == NULL || constants == NULL || release == NULL || runner->inputs == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < n; i++) {
        dtypes[i] = o->inputs[i].dtype;
        constants[i] = o->constant_inputs ? &o->inputs[i] : NULL;
    }
    TRY(op_check_inputs(runner->op, o->attrs, runner->load_arena, o->n_inputs, dtypes));
    TRY(op_output_types(runner->op, o->attrs, runner->load_arena, &runner->n_outputs,
                        &runner->output_dtypes));
    runner->outputs = arena_calloc(runner->load_arena, (size_t)runner->n_outputs, sizeof(Tensor));
    if (runner->outputs == NULL)
        return error_out_of_memory();
    OpPrepare p = {
        .op = runner->op,
        .node_name = o->node_name != NULL ? o->node_name : "node",
        .attrs = o->attrs,
        .n_inputs = o->n_inputs,
        .input_dtypes = dtypes,
        .constants = constants,
        .n_outputs = runner->n_outputs,
        .arena = runner->load_arena,
        .workers = o->workers,
        .release_input = release,
    };
    TRY(op_prepare(&p));
    runner->kernel = p.kernel;
    runner->release = release;
    return NULL;
}

Error *op_runner_new(const OpRunnerOptions *options, OpRunner **ret_runner)
{
    const Op *op = op_find(options->op);
    if (op == NULL || op->run == NULL)
        return error_new(ERROR_UNIMPLEMENTED, "there is no kernel of op %s", options->op);
    _cleanup_(op_runner_freep) OpRunner *runner = calloc(1, sizeof(*runner));
    if (runner == NULL)
        return error_out_of_memory();
    runner->options = *options;
    runner->op = op;
    runner->load_arena = arena_new(4096, 0);
    runner->run_arena = arena_new(4096, 0);
    if (runner->load_arena == NULL || runner->run_arena == NULL)
        return error_out_of_memory();
    TRY(prepare(runner));
    *ret_runner = TAKE(runner);
    return NULL;
}

/* The inputs as the kernel sees them: where their memory may be reused, copies; none where the kernel
 * said that it needs it no more. */
static Error *lend_inputs(OpRunner *runner)
{
    for (int i = 0; i < runner->options.n_inputs; i++) {
        runner->inputs[i] = runner->release[i] ? NULL : &runner->options.inputs[i];
        if (!runner->options.reuse || runner->release[i])
            continue;
        Tensor *copy = arena_memdup(runner->run_arena, runner->inputs[i], sizeof(*copy));
        if (copy == NULL)
            return error_out_of_memory();
        copy->data = block_new(runner, tensor_bytes(copy));
        if (copy->data == NULL)
            return error_out_of_memory();
        if (copy->n > 0)
            memcpy(copy->data, runner->inputs[i]->data, tensor_bytes(copy));
        runner->inputs[i] = copy;
    }
    return NULL;
}

Error *op_runner_run(OpRunner *runner)
{
    static const OpHost host = { host_output, host_alias, host_scratch };
    blocks_free(runner);
    arena_reset(runner->run_arena, 1 << 20);
    TRY(lend_inputs(runner));
    OpContext context = {
        .op = runner->op,
        .node_name = runner->options.node_name != NULL ? runner->options.node_name : "node",
        .kernel = runner->kernel,
        .n_inputs = runner->options.n_inputs,
        .n_outputs = runner->n_outputs,
        .inputs = runner->inputs,
        .outputs = runner->outputs,
        .workers = runner->options.workers,
        .resources = runner->options.resources,
        .arena = runner->run_arena,
        .host = &host,
        .host_data = runner,
    };
    memset(runner->outputs, 0, (size_t)runner->n_outputs * sizeof(Tensor));
    TRY(op_run(&context));
    for (int i = 0; i < runner->n_outputs; i++)
        TRY(check_dtype(runner, i, runner->outputs[i].dtype));
    return NULL;
}

const Tensor *op_runner_outputs(const OpRunner *runner, int *ret_n)
{
    *ret_n = runner->n_outputs;
    return runner->outputs;
}

OpRunner *op_runner_free(OpRunner *runner)
{
    if (runner == NULL)
        return NULL;
    blocks_free(runner);
    arena_free(runner->load_arena);
    arena_free(runner->run_arena);
    free(runner);
    return NULL;
}

unsigned op_runner_sum_outputs(const OpRunner *runner)
{
    int n = 0;
    unsigned sum = 0;
    const Tensor *outputs = op_runner_outputs(runner, &n);
    for (int i = 0; i < n; i++) {
        const uint8_t *bytes = outputs[i].data;
        for (size_t k = 0; k < tensor_bytes(&outputs[i]); k++)
            sum += bytes[k];
        const Bytes *texts = outputs[i].data;
        for (int64_t e = 0; outputs[i].dtype == DT_STRING && e < outputs[i].n; e++) {
            for (size_t k = 0; k < texts[e].size; k++)
                sum += texts[e].data[k];
        }
    }
    return sum;
}
