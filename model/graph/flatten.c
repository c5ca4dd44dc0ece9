/* SPDX-License-Identifier: Apache-2.0
 *
 * Flatten: a matrix [K,N] multiplies the last dimension of a tensor:
 *
 *     Reshape x [d0,...,K] to [d0 * ..., K] -> MatMul -> Reshape to [d0,...,N]     tensordot
 *     BatchMatMulV2, V3 of x and a matrix                                          Einsum, Dense
 *
 * become _FusedMatMul with `flattens`, which fuse.c can go on from. The Reshapes' sizes are compared
 * as terms (dims.h), so nothing need be known of d0 and the others.
 */
#include "model/graph/flatten.h"

#include "model/graph/dims.h"
#include "model/graph/rewrite.h"

static bool is_plain(const Node *node, const char *op)
{
    return node_is(node, op) && node->values == NULL && node->n_controls == 0 &&
           node->output_dtypes[0] == DT_FLOAT;
}

static bool is_reshape(const Node *node)
{
    return is_plain(node, "Reshape") || is_plain(node, "_Reshape");
}

/* `rows` is [d0 * d1..., K] of x [d0,d1,...,K]. */
static bool are_rows_of(const DimsInfo *rows, const DimsInfo *x)
{
    Term product;
    return rows->rank == 2 && x->rank > 2 && dims_product_of(x->dims, 0, x->rank - 1, &product) &&
           term_equal(&rows->dims[0], &product) &&
           term_equal(&rows->dims[1], &x->dims[x->rank - 1]);
}

/* `y` is x but for its last dimension, which is `n`. */
static bool is_like(const DimsInfo *y, const DimsInfo *x, const Term *n)
{
    if (y->rank != x->rank || !term_equal(&y->dims[y->rank - 1], n))
        return false;
    for (int i = 0; i < x->rank - 1; i++)
        if (!term_equal(&y->dims[i], &x->dims[i]))
            return false;
    return true;
}

static Error *rewrite(Graph *graph, Node *node, const Node *product, Endpoint x, bool is_transposed)
{
    const Op *op = op_find("_FusedMatMul");
    const Endpoint inputs[2] = { x, product->inputs[1] };
    const bool yes = true;
    const bool *flags[2] = { arena_memdup(graph->arena, &yes, sizeof yes),
                             arena_memdup(graph->arena, &is_transposed, sizeof yes) };
    if (flags[0] == NULL || flags[1] == NULL)
        return error_out_of_memory();
    Attr changes[3] = {
        { .name = "flattens", .kind = ATTR_BOOL, .n = 1, .bools = flags[0] },
        { .name = "transpose_b", .kind = ATTR_BOOL, .n = 1, .bools = flags[1] },
    };
    TRY(rewrite_int(graph->arena, "num_args", 0, &changes[2]));
    TRY(rewrite_attrs(graph->arena, product->attrs, 3, changes, &node->attrs));
    node->name = product->name;
    return rewrite_node(graph, node, op, 2, inputs);
}

/* `node` is the second Reshape. */
static Error *rewrite_tensordot(const Dims *dims, Node *node)
{
    const Node *product = node->inputs[0].node;
    bool transpose_a = false, transpose_b = false;
    DimsInfo rows, x, y, result;
    if (!is_plain(product, "MatMul") || product->n_uses != 1 ||
        !is_reshape(product->inputs[0].node))
        return NULL;
    TRY(attrs_bool_or(product->attrs, "transpose_a", false, &transpose_a));
    TRY(attrs_bool_or(product->attrs, "transpose_b", false, &transpose_b));
    Endpoint from = product->inputs[0].node->inputs[0];
    TRY(dims_of(dims, product->inputs[0], &rows));
    TRY(dims_of(dims, from, &x));
    TRY(dims_of(dims, node->inputs[0], &result));
    TRY(dims_of(dims, (Endpoint){ node, 0 }, &y));
    if (transpose_a || result.rank != 2 || !are_rows_of(&rows, &x) ||
        !is_like(&y, &x, &result.dims[1]))
        return NULL;
    return rewrite(dims->graph, node, product, from, transpose_b);
}

static Error *rewrite_batches(const Dims *dims, Node *node)
{
    bool adj_x = false, adj_y = false;
    DimsInfo matrix;
    TRY(dims_of(dims, node->inputs[1], &matrix));
    TRY(attrs_bool_or(node->attrs, "adj_x", false, &adj_x));
    TRY(attrs_bool_or(node->attrs, "adj_y", false, &adj_y));
    if (adj_x || matrix.rank != 2 || endpoint_dtype(node->inputs[1]) != DT_FLOAT)
        return NULL;
    return rewrite(dims->graph, node, node, node->inputs[0], adj_y);
}

Error *flatten_products(Graph *graph)
{
    Dims dims;
    TRY(dims_infer(graph, &dims));
    graph_count_uses(graph);
    for (size_t i = 0; i < graph->n_order; i++) {
        Node *node = graph->order[i];
        if (is_reshape(node))
            TRY(rewrite_tensordot(&dims, node));
        else if (is_plain(node, "BatchMatMulV2") || is_plain(node, "BatchMatMulV3"))
            TRY(rewrite_batches(&dims, node));
    }
    return graph_order(graph);
}
