/* SPDX-License-Identifier: Apache-2.0
 *
 * Dims: bookkeeping. What ops do to shapes is dims_shape.c, what they do to shapes as values
 * dims_value.c; an op that neither knows gives a tensor of which nothing is known.
 */
#include "model/graph/dims.h"

Term dims_new_symbol(Dims *dims)
{
    return term_of_symbol(dims->n_symbols++);
}

static Error *keep(Arena *arena, int n, const Term *terms, int *ret_n, const Term **ret_terms)
{
    if (n < 0)
        return NULL;
    *ret_terms = arena_memdup(arena, terms, (size_t)n * sizeof *terms);
    if (*ret_terms == NULL)
        return error_out_of_memory();
    *ret_n = n;
    return NULL;
}

/* A feed whose shape nobody knows, but that is transposed, has as many dimensions as the perm: Dense
 * begins so. */
static Error *assume_rank(Dims *dims, Node *transpose)
{
    const Node *feed = transpose->inputs[0].node;
    const Constant *perm = endpoint_constant(transpose->inputs[1]);
    Term symbols[SHAPE_MAX_RANK];
    if (feed->feed < 0 || feed->values != NULL || perm == NULL || perm->tensor.shape.rank != 1 ||
        perm->tensor.n > SHAPE_MAX_RANK)
        return NULL;
    DimsInfo *info = &dims->infos[feed->position];
    if (info->rank != DIMS_UNKNOWN)
        return NULL;
    for (int64_t i = 0; i < perm->tensor.n; i++)
        symbols[i] = dims_new_symbol(dims);
    info->is_assumed = true;
    TRY(keep(dims->graph->arena, (int)perm->tensor.n, symbols, &info->rank, &info->dims));
    for (size_t i = 0; i < dims->graph->n_targets; i++)
        if (dims->graph->targets[i] == transpose)
            return NULL;
    return graph_add_target(dims->graph, transpose);
}

Error *dims_init(Graph *graph, Dims *ret_dims)
{
    Dims dims = { .graph = graph };
    dims.infos = arena_calloc(graph->arena, graph->n_order, sizeof *dims.infos);
    if (dims.infos == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < graph->n_order; i++)
        dims.infos[i].rank = dims.infos[i].n_values = DIMS_UNKNOWN;
    for (size_t i = 0; i < graph->n_order; i++)
        if (node_is(graph->order[i], "Transpose") && graph->order[i]->values == NULL)
            TRY(assume_rank(&dims, graph->order[i]));
    *ret_dims = dims;
    return NULL;
}

Error *dims_learn(Dims *dims, const Node *node)
{
    DimsInfo *info = &dims->infos[node->position];
    if (node->op == NULL || node->values != NULL || node->n_outputs == 0)
        return NULL;
    DimsFacts facts = {
        .dims = dims, .node = node, .rank = DIMS_UNKNOWN, .n_values = DIMS_UNKNOWN
    };
    DimsRule *shape = dims_shape_rule(node->op), *value = dims_value_rule(node->op);
    if (shape != NULL)
        TRY(shape(&facts));
    if (value != NULL)
        TRY(value(&facts));
    TRY(keep(dims->graph->arena, facts.rank, facts.shape, &info->rank, &info->dims));
    return keep(dims->graph->arena, facts.n_values, facts.values, &info->n_values, &info->values);
}

Error *dims_infer(Graph *graph, Dims *ret_dims)
{
    TRY(dims_init(graph, ret_dims));
    for (size_t i = 0; i < graph->n_order; i++)
        TRY(dims_learn(ret_dims, graph->order[i]));
    return NULL;
}

static Error *info_of_constant(Arena *arena, const Tensor *tensor, DimsInfo *ret_info)
{
    Term terms[DIMS_MAX_VALUES];
    DimsInfo info = { .rank = DIMS_UNKNOWN, .n_values = DIMS_UNKNOWN };
    for (int i = 0; i < tensor->shape.rank; i++)
        terms[i] = term_of(tensor->shape.dims[i]);
    TRY(keep(arena, tensor->shape.rank, terms, &info.rank, &info.dims));
    bool is_integer = tensor->dtype == DT_INT32 || tensor->dtype == DT_INT64;
    if (is_integer && tensor->shape.rank <= 1 && tensor->n <= DIMS_MAX_VALUES) {
        for (int64_t i = 0; i < tensor->n; i++)
            terms[i] = term_of(tensor_index_at(tensor, i));
        TRY(keep(arena, (int)tensor->n, terms, &info.n_values, &info.values));
    }
    *ret_info = info;
    return NULL;
}

Error *dims_of(const Dims *dims, Endpoint endpoint, DimsInfo *ret_info)
{
    const Constant *constant = endpoint_constant(endpoint);
    if (constant != NULL)
        return info_of_constant(dims->graph->arena, &constant->tensor, ret_info);
    *ret_info = endpoint.index == 0 ? dims->infos[endpoint.node->position]
                                    : (DimsInfo){ .rank = DIMS_UNKNOWN, .n_values = DIMS_UNKNOWN };
    return NULL;
}

Error *dims_input(const DimsFacts *facts, int i, DimsInfo *ret_info)
{
    return dims_of(facts->dims, facts->node->inputs[i], ret_info);
}

bool dims_equal(const DimsInfo *a, const DimsInfo *b)
{
    if (a->rank == DIMS_UNKNOWN || a->rank != b->rank)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (!term_equal(&a->dims[i], &b->dims[i]))
            return false;
    return true;
}

bool dims_product_of(const Term *dims, int begin, int end, Term *ret_product)
{
    *ret_product = term_of(1);
    for (int i = begin; i < end; i++)
        if (!term_multiply(ret_product, &dims[i], ret_product))
            return false;
    return true;
}
