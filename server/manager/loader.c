/* SPDX-License-Identifier: Apache-2.0
 *
 * Bundles, and their warm-up: the first run of a signature touches its weights and plans its memory
 * for the first time, which no request should have to wait for. The inputs are made up, so what the
 * run says does not matter; a signature that keeps state is not run, since that would change its
 * answers.
 */
#include "server/manager/loader.h"

#include <inttypes.h>
#include <time.h>

#include "model/base/log.h"

#define MAX_INPUT_BYTES ((size_t)64 << 20) /* of one signature; a larger one stays cold */
#define MAX_RUN_SECONDS 5

static uint64_t deadline_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return ((uint64_t)now.tv_sec + MAX_RUN_SECONDS) * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Zeros, or empty strings, of the smallest shape that fits. */
static Error *make_input(Arena *arena, const SignatureTensor *input, NamedTensor *ret)
{
    Shape shape = input->shape;
    if (shape.rank == SHAPE_UNKNOWN_RANK)
        shape.rank = 0;
    for (int i = 0; i < shape.rank; i++)
        if (shape.dims[i] < 0)
            shape.dims[i] = 1;
    Tensor tensor;
    TRY(tensor_new(arena, input->dtype, &shape, &tensor));
    if (dtype_is_plain(tensor.dtype) && tensor.n > 0)
        memset(tensor.data, 0, tensor_bytes(&tensor));
    *ret = (NamedTensor){ bytes_of_text(input->alias), tensor };
    return NULL;
}

static Error *run_on_zeros(const Model *model, const Signature *signature, Scratch *scratch)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(64 * 1024, MAX_INPUT_BYTES);
    if (arena == NULL)
        return error_out_of_memory();
    NamedTensor *inputs = arena_calloc(arena, signature->n_inputs, sizeof(*inputs));
    if (inputs == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < signature->n_inputs; i++)
        TRY(make_input(arena, &signature->inputs[i], &inputs[i]));
    const RunOptions options = { .deadline_ns = deadline_ns() };
    NamedTensor *outputs;
    size_t n_outputs;
    return signature_run(model, signature, inputs, signature->n_inputs, NULL, 0, &options, scratch,
                         arena, &outputs, &n_outputs);
}

void loader_warm_up_on_zeros(const Model *model)
{
    _cleanup_(scratch_freep) Scratch *scratch = scratch_new(1);
    if (scratch == NULL)
        return;
    size_t n;
    const Signature *signatures = model_signatures(model, &n);
    for (size_t i = 0; i < n; i++) {
        if (!signature_is_pure(&signatures[i]))
            continue;
        log_error_free(LOG_DEBUG, "manager", run_on_zeros(model, &signatures[i], scratch),
                       "warm-up of signature %s", signatures[i].name);
    }
}

static Error *warm_up(const Model *model, const char *directory, const void *data)
{
    (void)directory;
    (void)data;
    loader_warm_up_on_zeros(model);
    return NULL;
}

const VersionLoader loader_of_bundles = {
    .load = model_load,
    .warm_up = warm_up,
    .unload = model_unref,
};
