/* SPDX-License-Identifier: Apache-2.0
 *
 * Dims of shapes: for each op that networks are made of, the shape of its output 0. A rule may say
 * less than is true, never more; where an input's shape is not known but the kernel insists on a
 * rank, the dimensions get symbols of their own.
 */
#include <stdlib.h>
#include <string.h>

#include "model/graph/dims_rules.h"
#include "model/graph/rewrite.h"
#include "model/op/axes.h"

/* ---- parts --------------------------------------------------------------------------------- */

void facts_set_rank(DimsFacts *f, int rank)
{
    f->rank = rank;
    for (int i = 0; i < rank; i++)
        f->shape[i] = dims_new_symbol(f->dims);
}

void facts_set_dims(DimsFacts *f, int rank, const Term *dims)
{
    f->rank = rank;
    memcpy(f->shape, dims, (size_t)rank * sizeof *dims);
}

static Error *same_as_input(DimsFacts *f)
{
    DimsInfo x;
    TRY(dims_input(f, 0, &x));
    if (x.rank != DIMS_UNKNOWN)
        facts_set_dims(f, x.rank, x.dims);
    return NULL;
}

/* One dimension by numpy's rule: what is neither 1 nor the same must turn out to be 1 or the same.
 */
static Term broadcast_dim(Dims *dims, const Term *a, const Term *b)
{
    if (term_equal(a, b) || term_is(b, 1))
        return *a;
    if (term_is(a, 1))
        return *b;
    if (a->n == 0)
        return *a;
    return b->n == 0 ? *b : dims_new_symbol(dims);
}

void facts_broadcast(DimsFacts *f, const DimsInfo *a, const DimsInfo *b)
{
    if (a->rank == DIMS_UNKNOWN || b->rank == DIMS_UNKNOWN)
        return;
    int rank = a->rank > b->rank ? a->rank : b->rank;
    const Term one = term_of(1);
    Term shape[SHAPE_MAX_RANK];
    for (int i = 0; i < rank; i++) {
        int ia = i - (rank - a->rank), ib = i - (rank - b->rank);
        shape[i] =
            broadcast_dim(f->dims, ia < 0 ? &one : &a->dims[ia], ib < 0 ? &one : &b->dims[ib]);
    }
    facts_set_dims(f, rank, shape);
}

static Error *broadcast_inputs(DimsFacts *f)
{
    DimsInfo a, b;
    TRY(dims_input(f, 0, &a));
    TRY(dims_input(f, 1, &b));
    facts_broadcast(f, &a, &b);
    return NULL;
}

/* The elements of a constant input that names dimensions; false when it is not one. */
bool facts_axes(const Node *node, int i, int rank, int *ret_n, int axes[SHAPE_MAX_RANK])
{
    const Tensor *t = rewrite_constant_input(node, i);
    if (t == NULL || (t->dtype != DT_INT32 && t->dtype != DT_INT64) || t->n > SHAPE_MAX_RANK)
        return false;
    for (int64_t k = 0; k < t->n; k++) {
        axes[k] = axis_of(tensor_index_at(t, k), rank);
        if (axes[k] < 0)
            return false;
    }
    *ret_n = (int)t->n;
    return true;
}

/* ---- products ------------------------------------------------------------------------------ */

/* A dimension of a matrix: `i` of the last two. */
static Term matrix_dim(Dims *dims, const DimsInfo *m, int i)
{
    return m->rank >= 2 ? m->dims[m->rank - 2 + i] : dims_new_symbol(dims);
}

static Error *matrix_product(DimsFacts *f)
{
    DimsInfo a, b;
    bool transpose_a = false, transpose_b = false;
    TRY(dims_input(f, 0, &a));
    TRY(dims_input(f, 1, &b));
    TRY(attrs_bool_or(f->node->attrs, "transpose_a", false, &transpose_a));
    TRY(attrs_bool_or(f->node->attrs, "transpose_b", false, &transpose_b));
    bool flattens = attrs_find(f->node->attrs, "flattens") != NULL;
    if (attrs_find(f->node->attrs, "residual") != NULL || (flattens && a.rank < 2))
        return NULL;
    if (flattens)
        facts_set_dims(f, a.rank, a.dims);
    else
        facts_set_rank(f, 2);
    if (!flattens)
        f->shape[0] = matrix_dim(f->dims, &a, transpose_a ? 1 : 0);
    f->shape[f->rank - 1] = matrix_dim(f->dims, &b, transpose_b ? 0 : 1);
    return NULL;
}

static Error *batch_product(DimsFacts *f)
{
    DimsInfo a, b;
    bool adj_x = false, adj_y = false;
    TRY(dims_input(f, 0, &a));
    TRY(dims_input(f, 1, &b));
    TRY(attrs_bool_or(f->node->attrs, "adj_x", false, &adj_x));
    TRY(attrs_bool_or(f->node->attrs, "adj_y", false, &adj_y));
    if (a.rank < 2 || b.rank < 2)
        return NULL;
    const Term m = matrix_dim(f->dims, &a, adj_x ? 1 : 0);
    const Term n = matrix_dim(f->dims, &b, adj_y ? 0 : 1);
    a.rank -= 2;
    b.rank -= 2;
    facts_broadcast(f, &a, &b);
    f->shape[f->rank++] = m;
    f->shape[f->rank++] = n;
    return NULL;
}

/* ---- table --------------------------------------------------------------------------------- */

/* Sorted by name. */
static const struct {
    const char *op;
    DimsRule *rule;
} rules[] = {
    { "Add", broadcast_inputs },
    { "AddV2", broadcast_inputs },
    { "AvgPool", rule_pool },
    { "BatchMatMulV2", batch_product },
    { "BatchMatMulV3", batch_product },
    { "BiasAdd", same_as_input },
    { "Cast", same_as_input },
    { "ConcatV2", rule_concat },
    { "Conv2D", rule_convolution },
    { "Conv2DBackpropInput", rule_image_gradient },
    { "Conv3D", rule_volume },
    { "DepthwiseConv2dNative", rule_convolution },
    { "DivNoNan", broadcast_inputs },
    { "Elu", same_as_input },
    { "Erf", same_as_input },
    { "Erfc", same_as_input },
    { "Exp", same_as_input },
    { "ExpandDims", rule_expand_dims },
    { "FusedBatchNorm", same_as_input },
    { "FusedBatchNormV2", same_as_input },
    { "FusedBatchNormV3", same_as_input },
    { "GatherV2", rule_gather },
    { "Identity", same_as_input },
    { "LeakyRelu", same_as_input },
    { "LogSoftmax", same_as_input },
    { "MatMul", matrix_product },
    { "Max", rule_reduce },
    { "MaxPool", rule_pool },
    { "Maximum", broadcast_inputs },
    { "Mean", rule_reduce },
    { "Min", rule_reduce },
    { "Minimum", broadcast_inputs },
    { "Mul", broadcast_inputs },
    { "Neg", same_as_input },
    { "Pad", rule_pad },
    { "PadV2", rule_pad },
    { "Pow", broadcast_inputs },
    { "Prod", rule_reduce },
    { "RealDiv", broadcast_inputs },
    { "Relu", same_as_input },
    { "Relu6", same_as_input },
    { "Reshape", rule_reshape },
    { "Rsqrt", same_as_input },
    { "Selu", same_as_input },
    { "Sigmoid", same_as_input },
    { "Softmax", same_as_input },
    { "Softplus", same_as_input },
    { "Softsign", same_as_input },
    { "Sqrt", same_as_input },
    { "Square", same_as_input },
    { "SquaredDifference", broadcast_inputs },
    { "Squeeze", rule_squeeze },
    { "Sub", broadcast_inputs },
    { "Sum", rule_reduce },
    { "Tanh", same_as_input },
    { "Transpose", rule_transpose },
    { "_FusedConv2D", rule_fused_convolution },
    { "_FusedDepthwiseConv2D", rule_fused_convolution },
    { "_FusedMatMul", matrix_product },
    { "_FusedScale", broadcast_inputs },
    { "_Gelu", same_as_input },
    { "_GeluTanh", same_as_input },
    { "_HardSigmoid", same_as_input },
    { "_HardSwish", same_as_input },
    { "_LayerNorm", same_as_input },
    { "_Reshape", rule_reshape_by_dims },
    { "_Silu", same_as_input },
};

static int compare(const void *name, const void *row)
{
    return strcmp(name, *(const char *const *)row);
}

DimsRule *dims_shape_rule(const Op *op)
{
    size_t row = sizeof rules[0];
    const void *found = bsearch(op->name, rules, ARRAY_SIZE(rules), row, compare);
    return found != NULL ? rules[((const char *)found - (const char *)rules) / (ptrdiff_t)row].rule
                         : NULL;
}
