/* SPDX-License-Identifier: Apache-2.0
 *
 * Gather and GatherV2: slices of `params` along one axis, chosen by indices.
 *
 *   params    [B..., O..., N, I...]     N is the axis
 *   indices   [B..., K...]
 *   output    [B..., O..., K..., I...]
 *
 * B are the batch dimensions, which params and indices share. Gather's axis is the one after them:
 * 0, but for a ResourceGather that became a Gather (graph/reference.c), which may have some.
 */
#include <stdio.h>
#include <string.h>

#include "model/op/axes.h"
#include "model/op/kernels.h"

Error *gather_prepare(OpPrepare *prepare)
{
    int64_t *batch_dims = arena_calloc(prepare->arena, 1, sizeof(*batch_dims));
    if (batch_dims == NULL)
        return error_out_of_memory();
    TRY(attrs_int_or(prepare->attrs, "batch_dims", 0, batch_dims));
    DType indices = prepare->input_dtypes[1];
    if (indices != DT_INT16 && indices != DT_INT32 && indices != DT_INT64)
        return error_new(ERROR_UNIMPLEMENTED, "there is no kernel of %s for indices of type %s",
                         prepare->op->name, dtype_name(indices));
    prepare->kernel = batch_dims;
    return prepare->n_inputs > 2 ? op_check_index_type(prepare, 2) : NULL;
}

/* Where params and indices are split. */
typedef struct GatherDims {
    int axis, batch_dims;
    int64_t batch, outer, length, inner; /* B, O, N, I */
    int64_t n_indices;                   /* K: of one batch */
} GatherDims;

static Error *read_axis(const OpContext *c, GatherDims *ret)
{
    const Shape *params = &op_input(c, 0)->shape, *indices = &op_input(c, 1)->shape;
    int64_t batch_dims = *(const int64_t *)c->kernel, axis = batch_dims;
    if (c->n_inputs == 3) {
        const Tensor *t = op_input(c, 2);
        if (t->n != 1 || (t->dtype != DT_INT32 && t->dtype != DT_INT64))
            return error_new(ERROR_INVALID_ARGUMENT, "axis must be scalar");
        axis = tensor_index_at(t, 0);
    }
    int d = axis_of(axis, params->rank);
    if (d < 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Expected axis in the range [%d, %d), but got %lld", -params->rank,
                         params->rank, (long long)axis);
    if (batch_dims < -indices->rank || batch_dims > indices->rank)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Expected batch_dims in the range [%d, %d], but got %lld", -indices->rank,
                         indices->rank, (long long)batch_dims);
    int b = (int)(batch_dims < 0 ? batch_dims + indices->rank : batch_dims);
    if (b >= params->rank)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "batch_dims (%d) must be less than rank(params) (%d).", b, params->rank);
    if (d < b)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "batch_dims (%d) must be less than or equal to axis (%d).", b, d);
    for (int i = 0; i < b; i++) {
        if (params->dims[i] != indices->dims[i])
            return error_new(ERROR_INVALID_ARGUMENT,
                             "params.shape[%d]: %lld should be equal to indices.shape[%d]: %lld", i,
                             (long long)params->dims[i], i, (long long)indices->dims[i]);
    }
    *ret = (GatherDims){
        .axis = d,
        .batch_dims = b,
        .batch = dims_product(params, 0, b),
        .outer = dims_product(params, b, d),
        .length = params->dims[d],
        .inner = dims_product(params, d + 1, params->rank),
        .n_indices = dims_product(indices, b, indices->rank),
    };
    return NULL;
}

static Error *output_shape(const OpContext *c, const GatherDims *dims, Shape *ret)
{
    const Shape *params = &op_input(c, 0)->shape, *indices = &op_input(c, 1)->shape;
    Shape shape = { .rank = 0 };
    bool fits = true;
    for (int d = 0; d < dims->axis; d++)
        fits = fits && shape_push(&shape, params->dims[d]);
    for (int d = dims->batch_dims; d < indices->rank; d++)
        fits = fits && shape_push(&shape, indices->dims[d]);
    for (int d = dims->axis + 1; d < params->rank; d++)
        fits = fits && shape_push(&shape, params->dims[d]);
    if (!fits)
        return shape_rank_error();
    *ret = shape;
    return NULL;
}

/* Every index, before any is used. The error names the first wrong one: indices[0,2] = 7. */
static Error *check_indices(const Tensor *indices, int64_t length)
{
    for (int64_t i = 0; i < indices->n; i++) {
        int64_t index = tensor_index_at(indices, i);
        if (index >= 0 && index < length)
            continue;
        char place[SHAPE_TEXT_BYTES] = "";
        size_t used = 0;
        int64_t left = i, inside = indices->n;
        for (int d = 0; d < indices->shape.rank; d++) {
            inside /= indices->shape.dims[d];
            int n = snprintf(place + used, sizeof(place) - used, "%s%lld", d > 0 ? "," : "",
                             (long long)(left / inside));
            used += (size_t)n; /* eight numbers of at most 20 digits fit */
            left %= inside;
        }
        if (indices->shape.rank == 0)
            return error_new(ERROR_INVALID_ARGUMENT, "indices = %lld is not in [0, %lld)",
                             (long long)index, (long long)length);
        return error_new(ERROR_INVALID_ARGUMENT, "indices[%s] = %lld is not in [0, %lld)", place,
                         (long long)index, (long long)length);
    }
    return NULL;
}

Error *gather_run(OpContext *c)
{
    const Tensor *params = op_input(c, 0), *indices = op_input(c, 1);
    GatherDims dims;
    Shape shape;
    TRY(read_axis(c, &dims));
    TRY(output_shape(c, &dims, &shape));
    Tensor *output = NULL;
    TRY(op_output(c, 0, params->dtype, &shape, &output));
    TRY(check_indices(indices, dims.length));
    if (output->n == 0)
        return NULL;
    size_t slice = (size_t)dims.inner * dtype_size(params->dtype);
    const char *from = params->data;
    char *to = output->data;
    for (int64_t b = 0; b < dims.batch; b++) {
        for (int64_t o = 0; o < dims.outer; o++) {
            for (int64_t k = 0; k < dims.n_indices; k++) {
                int64_t index = tensor_index_at(indices, b * dims.n_indices + k);
                memcpy(to, from + (size_t)index * slice, slice);
                to += slice;
            }
            from += (size_t)dims.length * slice;
        }
    }
    return NULL;
}
