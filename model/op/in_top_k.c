/* SPDX-License-Identifier: Apache-2.0
 *
 * InTopK and InTopKV2: is the target among the k greatest predictions of its row? Ties count for the
 * target; a target or a prediction that is no number, or out of range, makes it false. Any thread.
 */
#include <math.h>

#include "model/op/kernels.h"

Error *in_top_k_prepare(OpPrepare *prepare)
{
    TRY(op_prepare_indices(prepare));
    int64_t *k = arena_calloc(prepare->arena, 1, sizeof(*k));
    if (k == NULL)
        return error_out_of_memory();
    if (prepare->n_inputs < 3)
        TRY(attrs_int(prepare->attrs, "k", k));
    prepare->kernel = k;
    return NULL;
}

static bool is_in_top(const float *row, int64_t classes, int64_t target, int64_t k)
{
    if (target < 0 || target >= classes || !isfinite(row[target]))
        return false;
    int64_t n_greater = 0;
    for (int64_t i = 0; i < classes; i++) {
        if (!isfinite(row[i]))
            return false;
        n_greater += row[i] > row[target];
    }
    return n_greater < k;
}

Error *in_top_k_run(OpContext *c)
{
    const Tensor *predictions = op_input(c, 0), *targets = op_input(c, 1);
    int64_t k = *(const int64_t *)c->kernel;
    Tensor *out = NULL;
    if (predictions->shape.rank != 2)
        return error_new(ERROR_INVALID_ARGUMENT, "predictions must be 2-dimensional");
    if (targets->shape.rank != 1)
        return error_new(ERROR_INVALID_ARGUMENT, "targets must be 1-dimensional");
    if (predictions->shape.dims[0] != targets->n)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "First dimension of predictions %lld must match length of targets %lld",
                         (long long)predictions->shape.dims[0], (long long)targets->n);
    if (c->n_inputs > 2) {
        if (op_input(c, 2)->shape.rank != 0)
            return error_new(ERROR_INVALID_ARGUMENT, "k must be a scalar");
        k = tensor_index_at(op_input(c, 2), 0);
    }
    TRY(op_output(c, 0, DT_BOOL, &targets->shape, &out));
    const int64_t classes = predictions->shape.dims[1];
    for (int64_t i = 0; i < targets->n; i++)
        ((bool *)out->data)[i] = is_in_top((const float *)predictions->data + i * classes, classes,
                                           tensor_index_at(targets, i), k);
    return NULL;
}
