/* SPDX-License-Identifier: Apache-2.0
 *
 * Normalize: what Keras writes for a LayerNormalization over the last dimension of x [...,C]:
 *
 *     mean = Mean(x)   variance = Mean(SquaredDifference(x, mean))         both keep_dims
 *     factor = Rsqrt(variance + epsilon) [* scale]
 *     x * factor + (-mean * factor [+ offset])       Keras 3
 *     x * factor + (offset - mean * factor)          tf.nn.batch_normalization
 *
 * scale and offset are constants of C elements, and C is known (dims.h): then repeating by numpy's
 * rule cannot come into it. Eleven passes over memory become one.
 */
#include "model/graph/normalize.h"

#include "model/graph/dims.h"
#include "model/graph/rewrite.h"
#include "model/op/axes.h"

typedef struct Norm {
    Graph *graph;
    const Dims *dims;
    Endpoint x, mean, factor;
    int64_t channels;
    float epsilon;
    const Tensor *scale, *offset; /* NULL: ones, zeros */
} Norm;

/* ---- matching ------------------------------------------------------------------------------ */

static bool is_float_op(Endpoint endpoint, const char *op)
{
    const Node *node = endpoint.node;
    return node_is(node, op) && node->values == NULL && node->n_controls == 0 &&
           node->output_dtypes[0] == DT_FLOAT;
}

static bool is_sum(Endpoint endpoint)
{
    return is_float_op(endpoint, "AddV2") || is_float_op(endpoint, "Add");
}

/* The product of `factor` and the other operand. */
static bool match_product(Endpoint endpoint, Endpoint factor, Endpoint *ret_other)
{
    for (int i = 0; is_float_op(endpoint, "Mul") && i < 2; i++) {
        if (!endpoints_equal(endpoint.node->inputs[i], factor))
            continue;
        *ret_other = endpoint.node->inputs[1 - i];
        return true;
    }
    return false;
}

/* A constant operand and the other one. */
static bool match_constant(Endpoint endpoint, const Tensor **ret_constant, Endpoint *ret_other)
{
    for (int i = 0; i < 2; i++) {
        const Tensor *constant = rewrite_constant_input(endpoint.node, i);
        if (constant == NULL)
            continue;
        *ret_constant = constant;
        *ret_other = endpoint.node->inputs[1 - i];
        return true;
    }
    return false;
}

/* Mean over the last dimension, which is kept. */
static Error *match_mean(const Norm *norm, Endpoint endpoint, Endpoint *ret_x, bool *ret_is_match)
{
    DimsInfo x;
    bool keep_dims = false;
    *ret_is_match = false;
    if (!is_float_op(endpoint, "Mean"))
        return NULL;
    const Tensor *axes = rewrite_constant_input(endpoint.node, 1);
    TRY(attrs_bool_or(endpoint.node->attrs, "keep_dims", false, &keep_dims));
    TRY(dims_of(norm->dims, endpoint.node->inputs[0], &x));
    *ret_is_match = keep_dims && axes != NULL && axes->n == 1 && x.rank > 0 &&
                    axis_of(tensor_index_at(axes, 0), x.rank) == x.rank - 1;
    *ret_x = endpoint.node->inputs[0];
    return NULL;
}

/* Rsqrt(variance + epsilon), where the variance is around norm->mean. */
static Error *match_deviation(Norm *norm, Endpoint endpoint, bool *ret_is_match)
{
    Endpoint sum, variance, squares;
    const Tensor *epsilon = NULL;
    *ret_is_match = false;
    if (!is_float_op(endpoint, "Rsqrt"))
        return NULL;
    sum = endpoint.node->inputs[0];
    if (!is_sum(sum) || !match_constant(sum, &epsilon, &variance) || epsilon->shape.rank != 0 ||
        epsilon->dtype != DT_FLOAT)
        return NULL;
    TRY(match_mean(norm, variance, &squares, ret_is_match));
    if (!*ret_is_match)
        return NULL;
    const Node *node = squares.node;
    *ret_is_match = is_float_op(squares, "SquaredDifference") &&
                    ((endpoints_equal(node->inputs[0], norm->x) &&
                      endpoints_equal(node->inputs[1], norm->mean)) ||
                     (endpoints_equal(node->inputs[1], norm->x) &&
                      endpoints_equal(node->inputs[0], norm->mean)));
    norm->epsilon = *(const float *)epsilon->data;
    return NULL;
}

/* A parameter of one element for each channel, on the last dimension of no more than x has. */
static bool is_parameter(const Norm *norm, const Tensor *tensor, int rank)
{
    return tensor->dtype == DT_FLOAT && tensor->n == norm->channels && tensor->shape.rank > 0 &&
           tensor->shape.rank <= rank &&
           tensor->shape.dims[tensor->shape.rank - 1] == norm->channels;
}

/* The second operand of the last sum: sets mean, factor and offset. */
static bool match_shift(Norm *norm, Endpoint shift)
{
    Endpoint product = shift;
    bool is_subtracted = is_float_op(shift, "Sub");
    if (is_subtracted) {
        norm->offset = rewrite_constant_input(shift.node, 0);
        product = shift.node->inputs[1];
        if (norm->offset == NULL)
            return false;
    } else if (is_sum(shift) && !match_constant(shift, &norm->offset, &product)) {
        return false;
    }
    for (int i = 0; is_float_op(product, "Mul") && i < 2; i++) {
        Endpoint mean = product.node->inputs[i];
        if (!is_subtracted && !is_float_op(mean, "Neg"))
            continue;
        norm->mean = is_subtracted ? mean : mean.node->inputs[0];
        norm->factor = product.node->inputs[1 - i];
        if (is_float_op(norm->mean, "Mean"))
            return true;
    }
    return false;
}

static Error *match_parts(Norm *norm, Endpoint scaled, Endpoint shift, bool *ret_is_match)
{
    Endpoint x, deviation;
    DimsInfo info;
    norm->scale = norm->offset = NULL;
    *ret_is_match = false;
    if (!match_shift(norm, shift) || !match_product(scaled, norm->factor, &norm->x))
        return NULL;
    TRY(match_mean(norm, norm->mean, &x, ret_is_match));
    if (!*ret_is_match || !endpoints_equal(x, norm->x))
        return *ret_is_match = false, NULL;
    deviation = norm->factor;
    if (is_float_op(deviation, "Mul") && !match_constant(deviation, &norm->scale, &deviation))
        return *ret_is_match = false, NULL;
    TRY(match_deviation(norm, deviation, ret_is_match));
    TRY(dims_of(norm->dims, x, &info));
    if (!*ret_is_match || info.dims[info.rank - 1].n > 0)
        return *ret_is_match = false, NULL;
    norm->channels = info.dims[info.rank - 1].factor;
    *ret_is_match = (norm->scale == NULL || is_parameter(norm, norm->scale, info.rank)) &&
                    (norm->offset == NULL || is_parameter(norm, norm->offset, info.rank));
    return NULL;
}

/* ---- rewriting ----------------------------------------------------------------------------- */

/* The parameter as [C]; where there is none, `otherwise` for all channels. */
static Error *make_parameter(const Norm *norm, const Node *node, const Tensor *tensor,
                             float otherwise, Endpoint *ret)
{
    const Shape shape = shape_of(norm->channels);
    Tensor vector;
    if (tensor != NULL) {
        vector = tensor_reshaped(tensor, &shape);
        return rewrite_constant(norm->graph, node->name, &vector, ret);
    }
    TRY(tensor_new(norm->graph->arena, DT_FLOAT, &shape, &vector));
    for (int64_t i = 0; i < vector.n; i++)
        ((float *)vector.data)[i] = otherwise;
    return rewrite_constant(norm->graph, node->name, &vector, ret);
}

static Error *rewrite(const Norm *norm, Node *node)
{
    Attr epsilon;
    Endpoint inputs[3] = { norm->x };
    TRY(make_parameter(norm, node, norm->scale, 1, &inputs[1]));
    TRY(make_parameter(norm, node, norm->offset, 0, &inputs[2]));
    TRY(rewrite_float(norm->graph->arena, "epsilon", norm->epsilon, &epsilon));
    TRY(rewrite_attrs(norm->graph->arena, node->attrs, 1, &epsilon, &node->attrs));
    return rewrite_node(norm->graph, node, op_find("_LayerNorm"), 3, inputs);
}

Error *normalize(Graph *graph)
{
    Dims dims;
    TRY(dims_infer(graph, &dims));
    for (size_t i = 0; i < graph->n_order; i++) {
        Node *node = graph->order[i];
        Norm norm = { .graph = graph, .dims = &dims };
        bool is_match = false;
        if (!is_sum((Endpoint){ node, 0 }))
            continue;
        for (int k = 0; k < 2 && !is_match; k++)
            TRY(match_parts(&norm, node->inputs[k], node->inputs[1 - k], &is_match));
        if (is_match)
            TRY(rewrite(&norm, node));
    }
    return graph_order(graph);
}
