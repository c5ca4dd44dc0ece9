/* SPDX-License-Identifier: Apache-2.0
 *
 * Rescale: DenseNet and ResNet V2 normalise before they convolve, and networks that scale their
 * images do it in three or four steps:
 *
 *     { Mul, Add, Sub, RealDiv with constants | BiasAdd | FusedBatchNorm }  [activation]
 *
 * of two ops or more is one pass over memory. Constants are scalars, or have channels only, all of
 * one number: [C], [1,1,1,C]. What numpy's rule makes of these and an x without that many channels or
 * dimensions, the kernel does as well.
 * BiasAdd and FusedBatchNorm refuse such an x, so they begin a chain only where x is known (dims.h).
 */
#include "model/graph/rescale.h"

#include <string.h>

#include "model/graph/affine.h"
#include "model/graph/chain.h"
#include "model/graph/dims.h"
#include "model/graph/rewrite.h"
#include "model/op/activation.h"

#define MAX_LINKS 16

typedef struct Link {
    Node *node;
    int i; /* its input that comes from the link before */
} Link;

typedef struct Scaling {
    Graph *graph;
    const Dims *dims;
    Link links[MAX_LINKS]; /* affine ones */
    int n_links;
    int64_t channels;       /* 0: scalars only, so far */
    int rank;               /* the most that a constant has */
    const Node *activation; /* NULL: none */
    Node *last;
} Scaling;

/* ---- links --------------------------------------------------------------------------------- */

static bool is_arithmetic(const Node *node, int i)
{
    return node_is(node, "Mul") || node_is(node, "Add") || node_is(node, "AddV2") ||
           (i == 0 && (node_is(node, "Sub") || node_is(node, "RealDiv")));
}

static bool is_batch_norm(const Node *node)
{
    return node_is(node, "FusedBatchNorm") || node_is(node, "FusedBatchNormV2") ||
           node_is(node, "FusedBatchNormV3");
}

/* A float constant that all links so far can live with. */
static bool fits(const Scaling *scaling, const Tensor *value, bool may_be_scalar)
{
    if (value == NULL || value->dtype != DT_FLOAT || value->n == 0)
        return false;
    if (value->shape.rank == 0)
        return may_be_scalar;
    return value->n > 1 && value->shape.dims[value->shape.rank - 1] == value->n &&
           (scaling->channels == 0 || value->n == scaling->channels);
}

/* The input of the first link has `channels` on its last dimension, and `rank` dimensions if that
 * matters (0: any). */
static Error *has_channels(const Scaling *scaling, Endpoint x, int64_t channels, int rank,
                           bool *ret)
{
    DimsInfo info;
    TRY(dims_of(scaling->dims, x, &info));
    *ret = info.rank > 1 && (rank == 0 || info.rank == rank) &&
           term_is(&info.dims[info.rank - 1], channels);
    return NULL;
}

static Error *takes_batch_norm(const Scaling *scaling, const Node *node, bool *ret)
{
    bool is_training = true, is_known = false;
    TRY(attrs_bool_or(node->attrs, "is_training", true, &is_training));
    if (is_training || node->n_side_uses > 0 || !link_is_nhwc(node))
        return NULL;
    for (int k = 1; k < 5; k++)
        if (!fits(scaling, rewrite_constant_input(node, k), false) ||
            rewrite_constant_input(node, k)->shape.rank != 1)
            return NULL;
    int64_t channels = rewrite_constant_input(node, 1)->n;
    for (int k = 2; k < 5; k++)
        if (rewrite_constant_input(node, k)->n != channels)
            return NULL;
    TRY(has_channels(scaling, node->inputs[0], channels, 4, &is_known));
    *ret = is_known;
    return NULL;
}

/* Whether `node`, whose input `i` is what came before, is affine and fits. */
static Error *takes(const Scaling *scaling, const Node *node, int i, bool *ret)
{
    *ret = false;
    if (node->op == NULL || node->values != NULL || node->n_controls > 0 || node->n_outputs == 0 ||
        node->output_dtypes[0] != DT_FLOAT)
        return NULL;
    if (is_batch_norm(node))
        return i == 0 ? takes_batch_norm(scaling, node, ret) : NULL;
    bool is_bias = node_is(node, "BiasAdd");
    if (!is_bias && !is_arithmetic(node, i))
        return NULL;
    const Tensor *value = rewrite_constant_input(node, is_bias ? 1 : 1 - i);
    if ((is_bias && (i != 0 || !link_is_nhwc(node) || value == NULL || value->shape.rank != 1)) ||
        !fits(scaling, value, !is_bias))
        return NULL;
    if (is_bias)
        return has_channels(scaling, node->inputs[0], value->n, 0, ret);
    *ret = true;
    return NULL;
}

static void take(Scaling *scaling, Node *node, int i)
{
    const Tensor *value = rewrite_constant_input(node, is_batch_norm(node) ? 1 : 1 - i);
    scaling->links[scaling->n_links++] = (Link){ node, i };
    scaling->last = node;
    if (value->shape.rank > 0)
        scaling->channels = value->n;
    if (value->shape.rank > scaling->rank)
        scaling->rank = value->shape.rank;
}

/* Follows the only user of the last node. */
static Error *extend(Scaling *scaling, bool *ret_goes_on)
{
    Node *last = scaling->last, *next = last->user;
    ActivationKind kind;
    *ret_goes_on = false;
    if (last->n_uses != 1 || next == NULL || next->n_inputs == 0 || next->op == NULL)
        return NULL;
    int i = next->inputs[0].node == last ? 0 : 1;
    if (i >= next->n_inputs || next->inputs[i].node != last)
        return NULL;
    if (next->n_inputs == 1 && next->n_controls == 0 && activation_find(next->op->name, &kind)) {
        scaling->activation = next;
        scaling->last = next;
        return NULL;
    }
    if (scaling->n_links < MAX_LINKS)
        TRY(takes(scaling, next, i, ret_goes_on));
    if (*ret_goes_on)
        take(scaling, next, i);
    return NULL;
}

/* ---- rewriting ----------------------------------------------------------------------------- */

static Error *apply(Affine *affine, const Link *link)
{
    const Node *node = link->node;
    if (is_batch_norm(node)) {
        AffineNorm norm = { rewrite_constant_input(node, 1), rewrite_constant_input(node, 2),
                            rewrite_constant_input(node, 3), rewrite_constant_input(node, 4),
                            0.0001F };
        TRY(attrs_float_or(node->attrs, "epsilon", 0.0001F, &norm.epsilon));
        affine_normalize(affine, &norm);
        return NULL;
    }
    const Tensor *value = rewrite_constant_input(node, 1 - link->i);
    if (node_is(node, "Mul"))
        affine_multiply(affine, value);
    else if (node_is(node, "RealDiv"))
        affine_divide(affine, value);
    else
        affine_add(affine, value, node_is(node, "Sub") ? -1 : 1);
    return NULL;
}

/* The numbers as [...,1,C], or as a scalar. */
static Error *make_factors(const Scaling *scaling, const double *numbers, Endpoint *ret)
{
    Shape shape = { .rank = scaling->rank };
    Tensor tensor;
    for (int i = 0; i < shape.rank; i++)
        shape.dims[i] = i < shape.rank - 1 ? 1 : scaling->channels;
    TRY(tensor_new(scaling->graph->arena, DT_FLOAT, &shape, &tensor));
    for (int64_t i = 0; i < tensor.n; i++)
        ((float *)tensor.data)[i] = (float)numbers[i];
    return rewrite_constant(scaling->graph, scaling->links[0].node->name, &tensor, ret);
}

static Error *replace(const Scaling *scaling)
{
    Arena *arena = scaling->graph->arena;
    const Link *first = &scaling->links[0];
    const Op *op = op_find("_FusedScale");
    Node *node = scaling->last;
    Endpoint inputs[3] = { first->node->inputs[first->i] };
    Affine affine;
    Attr attrs[2];
    TRY(affine_new(arena, scaling->channels > 0 ? scaling->channels : 1, &affine));
    for (int k = 0; k < scaling->n_links; k++)
        TRY(apply(&affine, &scaling->links[k]));
    TRY(make_factors(scaling, affine.scale, &inputs[1]));
    TRY(make_factors(scaling, affine.shift, &inputs[2]));
    TRY(rewrite_text(arena, "activation",
                     scaling->activation != NULL ? scaling->activation->op->name : "", &attrs[0]));
    /* The last node's attributes have the alpha of LeakyRelu, if that is what it is. */
    TRY(rewrite_attrs(arena, node->attrs, 1, attrs, &node->attrs));
    node->name = first->node->name;
    return rewrite_node(scaling->graph, node, op, 3, inputs);
}

static Error *rescale_from(Graph *graph, const Dims *dims, Node *node)
{
    Scaling scaling = { .graph = graph, .dims = dims };
    bool goes_on = false;
    for (int i = 0; i < 2 && i < node->n_inputs && !goes_on; i++) {
        if (endpoint_constant(node->inputs[i]) != NULL)
            continue;
        TRY(takes(&scaling, node, i, &goes_on));
        if (goes_on)
            take(&scaling, node, i);
    }
    while (goes_on)
        TRY(extend(&scaling, &goes_on));
    return scaling.n_links + (scaling.activation != NULL) > 1 ? replace(&scaling) : NULL;
}

Error *rescale(Graph *graph)
{
    Dims dims;
    TRY(dims_infer(graph, &dims));
    graph_count_uses(graph);
    for (size_t i = 0; i < graph->n_order; i++) {
        Node *node = graph->order[i];
        TRY(error_prefix(rescale_from(graph, &dims, node), "node '%s' (%s)", node->name,
                         node->op != NULL ? node->op->name : "feed"));
    }
    return graph_order(graph);
}
