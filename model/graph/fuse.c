/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuse: from each convolution and MatMul of floats the chain of ops that alone use its result is
 * followed, as far as the table of links (link.c) goes:
 *
 *     Conv2D, DepthwiseConv2dNative
 *              { BiasAdd | FusedBatchNorm | Add, Sub, Mul with constants }  [Add]  [activation]
 *              or, without the Add, [activation] [MaxPool]
 *     MatMul   { BiasAdd | Add, Sub, Mul with constants }  [Add]  [activation]
 *
 * The middle is gathered as scale and shift of each channel and put into the weights (affine.c); a
 * bias that is no constant stays an input, and so does the other operand of the last Add. MaxPool
 * may come before an activation that is monotone. The last node of the chain becomes the fused one,
 * so that nothing has to be redirected.
 */
#include "model/graph/fuse.h"

#include <string.h>

#include "model/graph/chain.h"
#include "model/graph/rewrite.h"

#define MAX_ATTRS 7 /* that fusing adds */

/* ---- fused node ---------------------------------------------------------------------------- */

/* An attribute of the pool under the name that the fused op has for it. */
static Attr pool_attr(const Chain *chain, const char *from, const char *name)
{
    Attr attr = *attrs_find(chain->pool->attrs, from); /* the link has read it */
    attr.name = name;
    return attr;
}

/* The attributes of the base and what the chain adds to them. */
static Error *make_attrs(const Chain *chain, int64_t n_args, const Attrs **ret_attrs)
{
    Arena *arena = chain->graph->arena;
    Attr added[MAX_ATTRS];
    size_t n = 0;
    TRY(rewrite_int(arena, "num_args", n_args, &added[n++]));
    if (chain->residual.node != NULL)
        TRY(rewrite_int(arena, "residual", chain->residual_operand, &added[n++]));
    if (chain->activation != NULL) {
        TRY(rewrite_text(arena, "activation", chain->activation, &added[n++]));
        TRY(rewrite_float(arena, "alpha", chain->alpha, &added[n++]));
    }
    if (chain->pool != NULL) {
        added[n++] = pool_attr(chain, "ksize", "pool_ksize");
        added[n++] = pool_attr(chain, "strides", "pool_strides");
        added[n++] = pool_attr(chain, "padding", "pool_padding");
    }
    return rewrite_attrs(arena, chain->base->attrs, n, added, ret_attrs);
}

/* The weights with the chain's scale beside them: they are multiplied when the kernel is prepared, so
 * that they are not held twice. */
static Error *scale_weights(const Chain *chain, Endpoint *weights)
{
    Graph *graph = chain->graph;
    Resource *variable = endpoint_constant(*weights)->resource;
    AffineScale *scale = arena_calloc(graph->arena, 1, sizeof *scale);
    if (scale == NULL)
        return error_out_of_memory();
    *scale = (AffineScale){ chain->affine.n, chain->affine.scale, chain->is_outermost };
    TRY(rewrite_constant(graph, weights->node->name, chain->weights, weights));
    weights->node->values[0].resource = variable;
    weights->node->values[0].scale = scale;
    return NULL;
}

/* The last node of the chain becomes the whole of it. */
static Error *replace(Chain *chain)
{
    Graph *graph = chain->graph;
    Node *base = chain->base, *node = chain->last;
    Endpoint inputs[4] = { base->inputs[0], base->inputs[1] }, bias = chain->bias;
    int n = 2;
    Tensor tensor;
    if (chain->affine.has_scale)
        TRY(scale_weights(chain, &inputs[1]));
    if (chain->affine.has_shift) {
        TRY(affine_bias(graph->arena, &chain->affine, &tensor));
        TRY(rewrite_constant(graph, base->name, &tensor, &bias));
    }
    if (bias.node != NULL)
        inputs[n++] = bias;
    if (chain->residual.node != NULL) {
        inputs[n++] = chain->residual;
        chain->residual.node->user = node; /* which the chain of the residual must not run into */
    }
    TRY(make_attrs(chain, n - 2, &node->attrs));
    node->name = base->name;
    return rewrite_node(graph, node, chain->fused, n, inputs);
}

/* ---- chains -------------------------------------------------------------------------------- */

static bool is_product(const Node *node)
{
    /* What flatten.c has made begins a chain; what a chain has ended in has more inputs, or an
     * activation. */
    return node_is(node, "MatMul") || (node_is(node, "_FusedMatMul") && node->n_inputs == 2 &&
                                       attrs_find(node->attrs, "activation") == NULL);
}

/* Sets up the chain when `node` begins one. */
static Error *begin(Chain *chain, Node *node, bool *ret_is_begun)
{
    bool is_depthwise = node_is(node, "DepthwiseConv2dNative");
    chain->is_conv = is_depthwise || node_is(node, "Conv2D");
    *ret_is_begun = false;
    if ((!chain->is_conv && !is_product(node)) || node->values != NULL || node->n_controls > 0 ||
        node->output_dtypes[0] != DT_FLOAT || !link_is_nhwc(node))
        return NULL;
    const Tensor *weights = rewrite_constant_input(node, 1);
    if (!chain->is_conv)
        TRY(attrs_bool_or(node->attrs, "transpose_b", false, &chain->is_outermost));
    if (weights != NULL && weights->shape.rank == (chain->is_conv ? 4 : 2) && weights->n > 0) {
        const int64_t *dims = weights->shape.dims;
        int64_t channels = is_depthwise          ? dims[2] * dims[3]
                           : chain->is_conv      ? dims[3]
                           : chain->is_outermost ? dims[0]
                                                 : dims[1];
        chain->weights = weights;
        TRY(affine_new(chain->graph->arena, channels, &chain->affine));
    }
    chain->fused = op_find(is_depthwise     ? "_FusedDepthwiseConv2D"
                           : chain->is_conv ? "_FusedConv2D"
                                            : "_FusedMatMul");
    chain->base = node;
    chain->last = node;
    *ret_is_begun = true;
    return NULL;
}

static Error *extend(Chain *chain, bool *ret_is_taken)
{
    Node *next = chain->last->user;
    *ret_is_taken = false;
    if (chain->last->n_uses != 1 || next == NULL || next->n_controls > 0 || next->n_inputs == 0)
        return NULL;
    int i = next->inputs[0].node == chain->last ? 0 : 1;
    if (i >= next->n_inputs || next->inputs[i].node != chain->last)
        return NULL;
    TRY(error_prefix(link_extend(chain, next, i, ret_is_taken), "node '%s' (%s)", next->name,
                     next->op->name));
    if (*ret_is_taken)
        chain->last = next;
    return NULL;
}

static Error *fuse_from(Graph *graph, Node *node)
{
    Chain chain = { .graph = graph };
    bool goes_on = false;
    TRY(begin(&chain, node, &goes_on));
    while (goes_on)
        TRY(extend(&chain, &goes_on));
    return chain.last != chain.base && chain.fused != NULL ? replace(&chain) : NULL;
}

Error *fuse(Graph *graph)
{
    graph_count_uses(graph);
    for (size_t i = 0; i < graph->n_order; i++)
        TRY(fuse_from(graph, graph->order[i]));
    return graph_order(graph);
}
