/* SPDX-License-Identifier: Apache-2.0
 *
 * Link: the ops that a chain takes, in the table at the end. Affine ones go into weights and bias
 * (affine.c); a bias that is no constant, and an addend that is none (a residual: the shortcut of
 * ResNet), stay inputs. Nothing affine comes behind either of them, an activation or a pool.
 */
#include <string.h>

#include "model/graph/chain.h"
#include "model/graph/rewrite.h"
#include "model/op/activation.h"

typedef Error *Extend(Chain *chain, Node *next, int i, bool *ret_is_taken);

static bool has_tail(const Chain *chain)
{
    return chain->activation != NULL || chain->pool != NULL || chain->bias.node != NULL ||
           chain->residual.node != NULL;
}

bool link_is_nhwc(const Node *node)
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
    const Tensor *bias = rewrite_constant_input(next, 1);
    if (i != 0 || has_tail(chain) || !link_is_nhwc(next))
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
        !link_is_nhwc(next))
        return NULL;
    TRY(attrs_bool_or(next->attrs, "is_training", true, &is_training));
    TRY(attrs_float_or(next->attrs, "epsilon", 0.0001F, &norm.epsilon));
    if (is_training)
        return NULL;
    for (int k = 0; k < 4; k++) {
        const Tensor *parameter = rewrite_constant_input(next, k + 1);
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
    const Tensor *value = rewrite_constant_input(next, 1 - i);
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

/* The other operand of an Add. Their shapes are known when they run only: the kernel adds by
 * numpy's rule where they differ. */
static bool extend_residual(Chain *chain, const Node *next, int i)
{
    if (chain->activation != NULL || chain->pool != NULL || chain->residual.node != NULL ||
        endpoint_constant(next->inputs[1 - i]) != NULL ||
        endpoint_dtype(next->inputs[1 - i]) != DT_FLOAT || next->inputs[1 - i].node == chain->last)
        return false;
    chain->residual = next->inputs[1 - i];
    chain->residual_operand = 1 - i;
    return true;
}

static Error *extend_add(Chain *chain, Node *next, int i, bool *ret_is_taken)
{
    TRY(extend_arithmetic(chain, next, i, ret_is_taken));
    if (!*ret_is_taken)
        *ret_is_taken = extend_residual(chain, next, i);
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
    if (!chain->is_conv || chain->pool != NULL || chain->residual.node != NULL ||
        !link_is_nhwc(next))
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
    { "Add", extend_add },
    { "AddV2", extend_add },
    { "Sub", extend_arithmetic },
    { "Mul", extend_arithmetic },
    { "MaxPool", extend_pool },
    { NULL, extend_activation },
};

Error *link_extend(Chain *chain, Node *next, int i, bool *ret_is_taken)
{
    size_t k = 0;
    while (links[k].op != NULL && !node_is(next, links[k].op))
        k++;
    return links[k].extend(chain, next, i, ret_is_taken);
}
