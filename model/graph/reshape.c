/* SPDX-License-Identifier: Apache-2.0
 *
 * Reshape: one pass in order, with what dims.c knows of the nodes before:
 *
 *     integers that are the same in every run                   a constant
 *     Reshape, Squeeze, ExpandDims to the shape that was there  nothing
 *     Transpose of a Transpose                                  one Transpose
 *     Transpose that moves nothing                              nothing
 *     Reshape to dimensions of the tensor itself, numbers, -1   Reshape to a constant or _Reshape
 *
 * Nothing here relies on what a signature says of its inputs; a step whose success is not certain
 * stays.
 */
#include "model/graph/reshape.h"

#include <string.h>

#include "model/graph/dims.h"
#include "model/graph/rewrite.h"
#include "model/op/axes.h"

typedef struct Pass {
    Graph *graph;
    Dims dims;
    Endpoint *instead; /* [n_order] what stands for output 0 of a node; node NULL: itself */
} Pass;

static void redirect(const Pass *pass, Endpoint *endpoint)
{
    const Node *node = endpoint->node;
    if (node->values == NULL && endpoint->index == 0 && pass->instead[node->position].node != NULL)
        *endpoint = pass->instead[node->position];
}

static bool is_alias(const Node *node)
{
    return node_is(node, "Reshape") || node_is(node, "Squeeze") || node_is(node, "ExpandDims") ||
           node_is(node, "_Reshape");
}

/* ---- numbers ------------------------------------------------------------------------------- */

/* A constant of the type and shape that `tensor` says, made of `numbers`. */
static Error *make_integers(Pass *pass, const char *name, Tensor *tensor, const int64_t *numbers,
                            Endpoint *ret)
{
    const Shape shape = tensor->shape;
    TRY(tensor_new(pass->graph->arena, tensor->dtype, &shape, tensor));
    for (int64_t i = 0; i < tensor->n; i++) {
        if (tensor->dtype == DT_INT64)
            ((int64_t *)tensor->data)[i] = numbers[i];
        else
            ((int32_t *)tensor->data)[i] = (int32_t)numbers[i];
    }
    return rewrite_constant(pass->graph, name, tensor, ret);
}

/* A node whose values are numbers whatever is fed. */
static Error *fold_values(Pass *pass, const Node *node, Endpoint *instead)
{
    const DimsInfo *info = &pass->dims.infos[node->position];
    DType dtype = node->output_dtypes[0];
    int64_t numbers[DIMS_MAX_VALUES];
    Tensor tensor = { .dtype = dtype, .shape = { .rank = info->rank } };
    if (info->n_values < 0 || info->rank < 0 || info->rank > 1 ||
        (dtype != DT_INT32 && dtype != DT_INT64))
        return NULL;
    for (int i = 0; i < info->n_values; i++) {
        const Term *term = &info->values[i];
        if (term->n > 0 || (dtype == DT_INT32 && term->factor != (int32_t)term->factor))
            return NULL;
        numbers[i] = term->factor;
    }
    if (info->rank == 1)
        tensor.shape.dims[0] = info->n_values;
    return make_integers(pass, node->name, &tensor, numbers, instead);
}

/* ---- transpositions ------------------------------------------------------------------------ */

/* The axes of a constant perm, all different; their number, or -1. */
static int read_perm(const Node *node, int axes[SHAPE_MAX_RANK])
{
    const Tensor *perm = rewrite_constant_input(node, 1);
    bool is_taken[SHAPE_MAX_RANK] = { false };
    if (perm == NULL || perm->shape.rank != 1 || perm->n > SHAPE_MAX_RANK)
        return -1;
    for (int64_t i = 0; i < perm->n; i++) {
        axes[i] = axis_of(tensor_index_at(perm, i), (int)perm->n);
        if (axes[i] < 0 || is_taken[axes[i]])
            return -1;
        is_taken[axes[i]] = true;
    }
    return (int)perm->n;
}

static Error *join_transposes(Pass *pass, Node *node, Endpoint *instead)
{
    int outer[SHAPE_MAX_RANK], inner[SHAPE_MAX_RANK], n = read_perm(node, outer);
    const Node *from = node->inputs[0].node;
    bool is_identity = true;
    DimsInfo x;
    if (n < 0)
        return NULL;
    if (node_is(from, "Transpose") && from->values == NULL && from->n_controls == 0 &&
        read_perm(from, inner) == n) {
        int64_t numbers[SHAPE_MAX_RANK];
        Tensor perm = { .dtype = endpoint_dtype(node->inputs[1]), .shape = shape_of(n) };
        for (int i = 0; i < n; i++)
            numbers[i] = outer[i] = inner[outer[i]];
        Endpoint inputs[2] = { from->inputs[0] };
        TRY(make_integers(pass, node->name, &perm, numbers, &inputs[1]));
        TRY(rewrite_node(pass->graph, node, node->op, 2, inputs));
    }
    for (int i = 0; i < n; i++)
        is_identity = is_identity && outer[i] == i;
    TRY(dims_of(&pass->dims, node->inputs[0], &x));
    if (is_identity && x.rank == n && !x.is_assumed)
        *instead = node->inputs[0];
    return NULL;
}

/* ---- reshapes ------------------------------------------------------------------------------ */

static bool keeps_count(const DimsInfo *a, const DimsInfo *b)
{
    Term n_a, n_b;
    return a->rank != DIMS_UNKNOWN && b->rank != DIMS_UNKNOWN &&
           dims_product_of(a->dims, 0, a->rank, &n_a) &&
           dims_product_of(b->dims, 0, b->rank, &n_b) && term_equal(&n_a, &n_b);
}

/* The shape that was there before, of this tensor or of the one that it is an alias of. A step
 * between that might fail, because it may change the number of elements, ends the search. */
static Error *drop_alias(Pass *pass, const Node *node, Endpoint *instead)
{
    const DimsInfo *info = &pass->dims.infos[node->position];
    Endpoint x = node->inputs[0];
    DimsInfo from;
    TRY(dims_of(&pass->dims, x, &from));
    for (;;) {
        const DimsInfo to = from;
        if (dims_equal(info, &from))
            *instead = x;
        if (x.node->values != NULL || x.node->n_controls > 0 || !is_alias(x.node))
            return NULL;
        x = x.node->inputs[0];
        TRY(dims_of(&pass->dims, x, &from));
        if (!keeps_count(&from, &to))
            return NULL;
    }
}

/* The size as _Reshape has it: -2 - i for a dimension of x. */
static bool find_size(const Term *size, const DimsInfo *x, int64_t *ret_size)
{
    if (size->n == 0 && size->factor >= -1) {
        *ret_size = size->factor;
        return true;
    }
    for (int i = 0; i < x->rank; i++) {
        if (size->n > 0 && term_equal(size, &x->dims[i])) {
            *ret_size = -2 - i;
            return true;
        }
    }
    return false;
}

/* True when -1 may stand for sizes[open]: the other sizes are numbers over 0, and all of them
 * together are as many elements as x has. */
static bool may_be_open(const DimsInfo *sizes, int open, const DimsInfo *x)
{
    Term all, wanted;
    for (int i = 0; i < sizes->n_values; i++)
        if (i != open && (sizes->values[i].n > 0 || sizes->values[i].factor <= 0))
            return false;
    return x->rank != DIMS_UNKNOWN && dims_product_of(x->dims, 0, x->rank, &all) &&
           dims_product_of(sizes->values, 0, sizes->n_values, &wanted) && term_equal(&all, &wanted);
}

/* A Reshape whose sizes are computed from shapes: sizes[i] are filled in by number or reference. */
static bool find_sizes(const DimsInfo *sizes, const DimsInfo *x, int64_t *ret, bool *ret_has_dims)
{
    *ret_has_dims = false;
    for (int i = 0; i < sizes->n_values; i++) {
        if (sizes->values[i].n > 0 && may_be_open(sizes, i, x))
            ret[i] = -1;
        else if (!find_size(&sizes->values[i], x, &ret[i]))
            return false;
        *ret_has_dims |= ret[i] < -1;
    }
    return true;
}

static Error *fix_sizes(Pass *pass, Node *node)
{
    DimsInfo x, sizes;
    int64_t numbers[DIMS_MAX_VALUES];
    bool has_dims = false;
    const Op *op = op_find("_Reshape");
    TRY(dims_of(&pass->dims, node->inputs[0], &x));
    TRY(dims_of(&pass->dims, node->inputs[1], &sizes));
    if (endpoint_constant(node->inputs[1]) != NULL || sizes.n_values < 0 || sizes.rank != 1 ||
        sizes.n_values > SHAPE_MAX_RANK || !find_sizes(&sizes, &x, numbers, &has_dims))
        return NULL;
    if (has_dims) {
        Attr attr;
        TRY(rewrite_ints(pass->graph->arena, "sizes", (size_t)sizes.n_values, numbers, &attr));
        TRY(rewrite_attrs(pass->graph->arena, node->attrs, 1, &attr, &node->attrs));
        return rewrite_node(pass->graph, node, op, 1, &node->inputs[0]);
    }
    Tensor vector = { .dtype = endpoint_dtype(node->inputs[1]), .shape = shape_of(sizes.n_values) };
    return make_integers(pass, node->name, &vector, numbers, &node->inputs[1]);
}

/* ---- pass ---------------------------------------------------------------------------------- */

static Error *visit(Pass *pass, Node *node)
{
    Endpoint *instead = &pass->instead[node->position];
    for (int k = 0; k < node->n_inputs; k++)
        redirect(pass, &node->inputs[k]);
    TRY(dims_learn(&pass->dims, node));
    if (node->op == NULL || node->values != NULL || node->control != NULL || node->n_outputs != 1 ||
        node->n_controls > 0 || node->op->flags != OP_PURE)
        return NULL;
    TRY(fold_values(pass, node, instead));
    if (instead->node == NULL && node_is(node, "Transpose"))
        TRY(join_transposes(pass, node, instead));
    if (instead->node == NULL && is_alias(node))
        TRY(drop_alias(pass, node, instead));
    if (instead->node == NULL && node_is(node, "Reshape"))
        TRY(fix_sizes(pass, node));
    return NULL;
}

Error *reshapes(Graph *graph)
{
    Pass pass = { .graph = graph };
    TRY(dims_init(graph, &pass.dims));
    pass.instead = arena_calloc(graph->arena, graph->n_order, sizeof *pass.instead);
    if (pass.instead == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < graph->n_order; i++)
        TRY(visit(&pass, graph->order[i]));
    for (size_t i = 0; i < graph->n_outputs; i++)
        redirect(&pass, &graph->outputs[i]);
    return graph_order(graph);
}
