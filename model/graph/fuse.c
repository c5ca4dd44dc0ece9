/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuse: from each convolution and MatMul of floats the chain of ops that alone use its result is
 * followed, as far as the table of links goes:
 *
 *     Conv2D, DepthwiseConv2dNative
 *              { BiasAdd | FusedBatchNorm | Add, Sub, Mul with constants }  [activation]  [MaxPool]
 *     MatMul   { BiasAdd | Add, Sub, Mul with constants }  [activation]
 *
 * The middle is gathered as scale and shift of each channel and put into the weights (affine.c); a
 * bias that is no constant stays an input. MaxPool may come before an activation that is monotone.
 * The last node of the chain becomes the fused one, so that nothing has to be redirected.
 */
#include "model/graph/fuse.h"

#include <string.h>

#include "model/graph/affine.h"
#include "model/op/activation.h"

#define MAX_ATTRS 8 /* that fusing adds */

typedef struct Chain {
    Graph *graph;
    Node *base;   /* Conv2D, DepthwiseConv2dNative or MatMul */
    Node *last;   /* so far; its output 0 is the chain's */
    bool is_conv; /* of either kind */
    const Op *fused;
    const Tensor *weights; /* NULL: not constant, nothing can be put into them */
    bool is_outermost;     /* channels are the weights' first dimension: transpose_b */
    Affine affine;         /* where weights are constant */
    Endpoint bias;         /* one that is no constant; node NULL: none */
    const char *activation;
    float alpha;
    const Node *pool;
} Chain;

/* Takes `next`, whose input `i` is chain->last, into the chain, or leaves the chain alone. */
typedef Error *Extend(Chain *chain, Node *next, int i, bool *ret_is_taken);

/* ---- links --------------------------------------------------------------------------------- */

static bool has_tail(const Chain *chain)
{
    return chain->activation != NULL || chain->pool != NULL || chain->bias.node != NULL;
}

static const Tensor *constant_input(const Node *node, int i)
{
    const Constant *constant = endpoint_constant(node->inputs[i]);
    return constant != NULL ? &constant->tensor : NULL;
}

static bool is_nhwc(const Node *node)
{
    const char *format = NULL;
    Error *error = attrs_text_or(node->attrs, "data_format", "NHWC", &format);
    if (error != NULL) {
        error_free(error); /* the kernel will say so */
        return false;
    }
    return strcmp(format, "NHWC") == 0;
}

static Error *extend_bias(Chain *chain, Node *next, int i, bool *ret_is_taken)
{
    const Tensor *bias = constant_input(next, 1);
    if (i != 0 || has_tail(chain) || !is_nhwc(next))
        return NULL;
    if (chain->weights != NULL && bias != NULL) {
        *ret_is_taken = bias->shape.rank == 1 && bias->n == chain->affine.n &&
                        affine_takes(&chain->affine, bias, 1);
        if (*ret_is_taken)
            affine_add(&chain->affine, bias, 1);
        return NULL;
    }
    if (chain->affine.has_shift)
        return NULL; /* the kernel adds one bias */
    chain->bias = next->inputs[1];
    *ret_is_taken = true;
    return NULL;
}

static Error *extend_batch_norm(Chain *chain, Node *next, int i, bool *ret_is_taken)
{
    bool is_training = true;
    AffineNorm norm = { .epsilon = 0 };
    const Tensor **parameters[] = { &norm.scale, &norm.offset, &norm.mean, &norm.variance };
    if (i != 0 || has_tail(chain) || chain->weights == NULL || next->n_side_uses > 0 ||
        !is_nhwc(next))
        return NULL;
    TRY(attrs_bool_or(next->attrs, "is_training", true, &is_training));
    TRY(attrs_float_or(next->attrs, "epsilon", 0.0001F, &norm.epsilon));
    if (is_training)
        return NULL;
    for (int k = 0; k < 4; k++) {
        const Tensor *parameter = constant_input(next, k + 1);
        if (parameter == NULL || parameter->dtype != DT_FLOAT || parameter->shape.rank != 1 ||
            parameter->n != chain->affine.n)
            return NULL;
        *parameters[k] = parameter;
    }
    affine_normalize(&chain->affine, &norm);
    *ret_is_taken = true;
    return NULL;
}

static Error *extend_arithmetic(Chain *chain, Node *next, int i, bool *ret_is_taken)
{
    const Tensor *value = constant_input(next, 1 - i);
    if (has_tail(chain) || chain->weights == NULL || value == NULL ||
        !affine_takes(&chain->affine, value, chain->is_conv ? 4 : 2))
        return NULL;
    if (node_is(next, "Mul"))
        affine_multiply(&chain->affine, value);
    else if (!node_is(next, "Sub"))
        affine_add(&chain->affine, value, 1);
    else if (i == 0)
        affine_add(&chain->affine, value, -1);
    else
        return NULL;
    *ret_is_taken = true;
    return NULL;
}

static Error *extend_activation(Chain *chain, Node *next, _unused_ int i, bool *ret_is_taken)
{
    Activation activation = { .kind = ACTIVATION_NONE };
    if (chain->activation != NULL || !activation_find(next->op->name, &activation.kind))
        return NULL;
    if (activation.kind == ACTIVATION_LEAKY_RELU)
        TRY(attrs_float_or(next->attrs, "alpha", 0.2F, &activation.alpha));
    if (chain->pool != NULL && !activation_is_monotone(&activation))
        return NULL;
    chain->activation = next->op->name;
    chain->alpha = activation.alpha;
    *ret_is_taken = true;
    return NULL;
}

/* True for a window within one image and channel: the only one that is fused. */
static Error *check_window(const Node *pool, const char *name, bool *ret)
{
    size_t n = 0;
    const int64_t *sizes = NULL;
    TRY(attrs_ints(pool->attrs, name, &n, &sizes));
    *ret = n == 4 && sizes[0] == 1 && sizes[3] == 1 && sizes[1] > 0 && sizes[2] > 0;
    return NULL;
}

static Error *extend_pool(Chain *chain, Node *next, _unused_ int i, bool *ret_is_taken)
{
    bool has_size = false, has_strides = false;
    const char *padding = NULL;
    if (!chain->is_conv || chain->pool != NULL || !is_nhwc(next))
        return NULL;
    TRY(check_window(next, "ksize", &has_size));
    TRY(check_window(next, "strides", &has_strides));
    TRY(attrs_text(next->attrs, "padding", &padding));
    if (!has_size || !has_strides ||
        (strcmp(padding, "SAME") != 0 && strcmp(padding, "VALID") != 0))
        return NULL;
    chain->pool = next;
    *ret_is_taken = true;
    return NULL;
}

static const struct {
    const char *op; /* NULL: any */
    Extend *extend;
} links[] = {
    { "BiasAdd", extend_bias },
    { "FusedBatchNorm", extend_batch_norm },
    { "FusedBatchNormV2", extend_batch_norm },
    { "FusedBatchNormV3", extend_batch_norm },
    { "Add", extend_arithmetic },
    { "AddV2", extend_arithmetic },
    { "Sub", extend_arithmetic },
    { "Mul", extend_arithmetic },
    { "MaxPool", extend_pool },
    { NULL, extend_activation },
};

static Error *extend(Chain *chain, bool *ret_is_taken)
{
    Node *next = chain->last->user;
    *ret_is_taken = false;
    if (chain->last->n_uses != 1 || next == NULL || next->n_controls > 0)
        return NULL;
    int i = next->inputs[0].node == chain->last ? 0 : 1;
    size_t k = 0;
    while (links[k].op != NULL && !node_is(next, links[k].op))
        k++;
    if (i >= next->n_inputs || next->inputs[i].node != chain->last)
        return NULL;
    TRY(error_prefix(links[k].extend(chain, next, i, ret_is_taken), "node '%s' (%s)", next->name,
                     next->op->name));
    if (*ret_is_taken)
        chain->last = next;
    return NULL;
}

/* ---- fused node ---------------------------------------------------------------------------- */

/* A node that is `value`. */
static Error *make_constant(Graph *graph, const char *name, const Tensor *value, Endpoint *ret)
{
    Node *node = NULL;
    TRY(graph_add(graph, name, NULL, NULL, 0, 0, &node));
    DType *dtype = arena_memdup(graph->arena, &value->dtype, sizeof(DType));
    node->values = arena_calloc(graph->arena, 1, sizeof *node->values);
    if (dtype == NULL || node->values == NULL)
        return error_out_of_memory();
    node->n_outputs = 1;
    node->output_dtypes = dtype;
    node->values[0].tensor = *value;
    *ret = (Endpoint){ node, 0 };
    return NULL;
}

static Error *add_text(Arena *arena, Attrs *attrs, Attr *items, const char *name, const char *text)
{
    Bytes *value = arena_calloc(arena, 1, sizeof *value);
    if (value == NULL)
        return error_out_of_memory();
    *value = bytes_of_text(text);
    items[attrs->n++] = (Attr){ .name = name, .kind = ATTR_TEXT, .n = 1, .texts = value };
    return NULL;
}

/* An attribute of the pool under the name that the fused op has for it. */
static void add_pool_attr(const Chain *chain, Attrs *attrs, Attr *items, const char *from,
                          const char *name)
{
    Attr attr = *attrs_find(chain->pool->attrs, from); /* extend_pool has read it */
    attr.name = name;
    items[attrs->n++] = attr;
}

/* The attributes of the base and what the chain adds to them. */
static Error *make_attrs(const Chain *chain, int64_t n_args, const Attrs **ret_attrs)
{
    Arena *arena = chain->graph->arena;
    const Attrs *base = chain->base->attrs;
    Attrs *attrs = arena_calloc(arena, 1, sizeof *attrs);
    Attr *items = arena_calloc(arena, base->n + MAX_ATTRS, sizeof *items);
    int64_t *count = arena_memdup(arena, &n_args, sizeof n_args);
    float *alpha = arena_memdup(arena, &chain->alpha, sizeof chain->alpha);
    if (attrs == NULL || items == NULL || count == NULL || alpha == NULL)
        return error_out_of_memory();
    if (base->n > 0)
        memcpy(items, base->items, base->n * sizeof *items);
    attrs->items = items;
    attrs->n = base->n;
    items[attrs->n++] = (Attr){ .name = "num_args", .kind = ATTR_INT, .n = 1, .ints = count };
    if (chain->activation != NULL) {
        TRY(add_text(arena, attrs, items, "activation", chain->activation));
        items[attrs->n++] = (Attr){ .name = "alpha", .kind = ATTR_FLOAT, .n = 1, .floats = alpha };
    }
    if (chain->pool != NULL) {
        add_pool_attr(chain, attrs, items, "ksize", "pool_ksize");
        add_pool_attr(chain, attrs, items, "strides", "pool_strides");
        add_pool_attr(chain, attrs, items, "padding", "pool_padding");
    }
    *ret_attrs = attrs;
    return NULL;
}

/* The last node of the chain becomes the whole of it. */
static Error *replace(Chain *chain)
{
    Graph *graph = chain->graph;
    Node *base = chain->base, *node = chain->last;
    Endpoint weights = base->inputs[1];
    Endpoint bias = chain->bias;
    Tensor tensor;
    if (chain->affine.has_scale) {
        TRY(affine_weights(graph->arena, &chain->affine, chain->weights, chain->is_outermost,
                           &tensor));
        TRY(make_constant(graph, weights.node->name, &tensor, &weights));
    }
    if (chain->affine.has_shift) {
        TRY(affine_bias(graph->arena, &chain->affine, &tensor));
        TRY(make_constant(graph, base->name, &tensor, &bias));
    }
    bool has_bias = bias.node != NULL;
    TRY(make_attrs(chain, has_bias, &node->attrs));
    node->inputs = arena_calloc(graph->arena, 3, sizeof *node->inputs);
    if (node->inputs == NULL)
        return error_out_of_memory();
    node->inputs[0] = base->inputs[0];
    node->inputs[1] = weights;
    node->inputs[2] = bias;
    node->n_inputs = 2 + has_bias;
    node->n_outputs = 1;
    node->op = chain->fused;
    node->name = base->name;
    return NULL;
}

/* ---- chains -------------------------------------------------------------------------------- */

/* Sets up the chain when `node` begins one. */
static Error *begin(Chain *chain, Node *node, bool *ret_is_begun)
{
    bool is_depthwise = node_is(node, "DepthwiseConv2dNative");
    chain->is_conv = is_depthwise || node_is(node, "Conv2D");
    *ret_is_begun = false;
    if ((!chain->is_conv && !node_is(node, "MatMul")) || node->values != NULL ||
        node->n_controls > 0 || node->output_dtypes[0] != DT_FLOAT || !is_nhwc(node))
        return NULL;
    const Tensor *weights = constant_input(node, 1);
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
