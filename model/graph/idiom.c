/* SPDX-License-Identifier: Apache-2.0
 *
 * Idiom: floats only, and only where every constant is a scalar, which changes no shape:
 *
 *     _HardSigmoid   Relu6(x + 3) / 6, or times 1/6
 *     _HardSwish     x * _HardSigmoid(x)
 *     _Silu          x * Sigmoid(x)
 *     _Gelu          (0.5 * x) * Erfc(-x * sqrt(0.5)): the exact form, as Keras 3 writes it
 *                    (0.5 * x) * (1 + Erf(x / sqrt(2))): the same of Keras 2
 *     _GeluTanh      (0.5 * x) * (1 + Tanh(sqrt(2 / pi) * (x + 0.044715 * Pow(x, 3))))
 */
#include "model/graph/idiom.h"

#include <math.h>
#include <string.h>

#include "model/graph/rewrite.h"

#define SCALAR_TOLERANCE 1e-6F /* relative: constants that were rounded to float once */

/* ---- matching ------------------------------------------------------------------------------ */

/* A node that may be taken apart: a float op of that name that waits for nothing. */
static bool is_part(const Node *node, const char *op)
{
    return node_is(node, op) && node->values == NULL && node->n_controls == 0 &&
           node->output_dtypes[0] == DT_FLOAT;
}

static bool is_scalar(Endpoint endpoint, float value)
{
    const Constant *constant = endpoint_constant(endpoint);
    if (constant == NULL || constant->tensor.dtype != DT_FLOAT || constant->tensor.shape.rank != 0)
        return false;
    return fabsf(*(const float *)constant->tensor.data - value) <= SCALAR_TOLERANCE * value;
}

/* `endpoint` is op(x). */
static bool match_unary(Endpoint endpoint, const char *op, Endpoint *ret_x)
{
    if (!is_part(endpoint.node, op))
        return false;
    *ret_x = endpoint.node->inputs[0];
    return true;
}

/* `node` is op(x, value), or op(value, x) where the order does not matter. */
static bool match_scalar(const Node *node, const char *op, float value, Endpoint *ret_x)
{
    bool has_order = strcmp(op, "RealDiv") == 0;
    if (!is_part(node, op))
        return false;
    for (int i = 0; i < (has_order ? 1 : 2); i++) {
        if (is_scalar(node->inputs[1 - i], value)) {
            *ret_x = node->inputs[i];
            return true;
        }
    }
    return false;
}

static bool match_sum(const Node *node, float value, Endpoint *ret_x)
{
    return match_scalar(node, "AddV2", value, ret_x) || match_scalar(node, "Add", value, ret_x);
}

static bool match_hard_sigmoid(const Node *node, Endpoint *ret_x)
{
    Endpoint clamped, sum;
    if (!match_scalar(node, "RealDiv", 6, &clamped) &&
        !match_scalar(node, "Mul", 1.0F / 6.0F, &clamped))
        return false;
    return match_unary(clamped, "Relu6", &sum) && match_sum(sum.node, 3, ret_x);
}

/* `node` is x * op(x). */
static bool match_gated(const Node *node, const char *op, Endpoint *ret_x)
{
    if (!is_part(node, "Mul"))
        return false;
    for (int i = 0; i < 2; i++)
        if (match_unary(node->inputs[i], op, ret_x) && endpoints_equal(*ret_x, node->inputs[1 - i]))
            return true;
    return false;
}

static bool match_hard_swish(const Node *node, Endpoint *ret_x)
{
    return match_gated(node, "_HardSigmoid", ret_x);
}

/* TensorFlow writes x * Sigmoid(1.0 * x): its beta is an argument. */
static bool match_silu(const Node *node, Endpoint *ret_x)
{
    Endpoint scaled, x;
    if (match_gated(node, "Sigmoid", ret_x))
        return true;
    if (!is_part(node, "Mul"))
        return false;
    for (int i = 0; i < 2; i++) {
        if (match_unary(node->inputs[i], "Sigmoid", &scaled) &&
            match_scalar(scaled.node, "Mul", 1, &x) && endpoints_equal(x, node->inputs[1 - i])) {
            *ret_x = x;
            return true;
        }
    }
    return false;
}

/* `node` is (0.5 * x) * (1 + y): the operands may come in any order. */
static bool match_half_sum(const Node *node, Endpoint *ret_x, Endpoint *ret_y)
{
    if (!is_part(node, "Mul"))
        return false;
    for (int i = 0; i < 2; i++)
        if (match_scalar(node->inputs[i].node, "Mul", 0.5F, ret_x) &&
            match_sum(node->inputs[1 - i].node, 1, ret_y))
            return true;
    return false;
}

static bool match_gelu_erf(const Node *node, Endpoint *ret_x)
{
    Endpoint erf, scaled, x;
    return match_half_sum(node, ret_x, &erf) && match_unary(erf, "Erf", &scaled) &&
           (match_scalar(scaled.node, "RealDiv", (float)M_SQRT2, &x) ||
            match_scalar(scaled.node, "Mul", (float)M_SQRT1_2, &x)) &&
           endpoints_equal(x, *ret_x);
}

/* `endpoint` is x + 0.044715 * Pow(x, 3). */
static bool match_cubic(Endpoint endpoint, Endpoint x)
{
    Endpoint power, base;
    if (!is_part(endpoint.node, "AddV2") && !is_part(endpoint.node, "Add"))
        return false;
    for (int i = 0; i < 2; i++)
        if (endpoints_equal(endpoint.node->inputs[i], x) &&
            match_scalar(endpoint.node->inputs[1 - i].node, "Mul", 0.044715F, &power) &&
            is_part(power.node, "Pow") && is_scalar(power.node->inputs[1], 3)) {
            base = power.node->inputs[0];
            return endpoints_equal(base, x);
        }
    return false;
}

static bool match_gelu_tanh(const Node *node, Endpoint *ret_x)
{
    Endpoint tanh, scaled, sum;
    return match_half_sum(node, ret_x, &tanh) && match_unary(tanh, "Tanh", &scaled) &&
           match_scalar(scaled.node, "Mul", 0.7978845608028654F, &sum) && match_cubic(sum, *ret_x);
}

static bool match_gelu(const Node *node, Endpoint *ret_x)
{
    Endpoint scaled, negative, x;
    if (!is_part(node, "Mul"))
        return false;
    for (int i = 0; i < 2; i++)
        if (match_scalar(node->inputs[i].node, "Mul", 0.5F, &x) &&
            match_unary(node->inputs[1 - i], "Erfc", &scaled) &&
            match_scalar(scaled.node, "Mul", (float)M_SQRT1_2, &negative) &&
            match_unary(negative, "Neg", ret_x) && endpoints_equal(*ret_x, x))
            return true;
    return false;
}

/* In this order: a hard swish is found by the hard sigmoid in it, which comes first in the graph. */
static const struct {
    const char *op;
    bool (*match)(const Node *node, Endpoint *ret_x);
} patterns[] = {
    { "_HardSigmoid", match_hard_sigmoid },
    { "_HardSwish", match_hard_swish },
    { "_Silu", match_silu },
    { "_Gelu", match_gelu },
    { "_Gelu", match_gelu_erf },
    { "_GeluTanh", match_gelu_tanh },
};

/* ---- rewriting ----------------------------------------------------------------------------- */

static Error *rewrite(Graph *graph, Node *node)
{
    Endpoint x;
    for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
        const Op *op = op_find(patterns[i].op);
        if (op == NULL || !patterns[i].match(node, &x))
            continue;
        node->inputs = arena_memdup(graph->arena, &x, sizeof x);
        if (node->inputs == NULL)
            return error_out_of_memory();
        node->n_inputs = 1;
        node->op = op;
        return NULL;
    }
    return NULL;
}

Error *idioms(Graph *graph)
{
    for (size_t i = 0; i < graph->n_order; i++)
        TRY(rewrite(graph, graph->order[i]));
    return graph_order(graph);
}
