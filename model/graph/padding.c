/* SPDX-License-Identifier: Apache-2.0
 *
 * Padding: how Keras writes ZeroPadding2D, and SAME with strides as other frameworks mean it:
 *
 *     Pad, PadV2 with 0 (rows and columns) -> Conv2D, DepthwiseConv2dNative VALID, float, NHWC
 *                          -> MaxPool VALID, where what is padded is never less than 0
 *
 * become padding='EXPLICIT' of the latter. A maximum does not look at its own padding, which is the
 * same when zeros are the least there is, and every window has a position inside the image (it has:
 * the padding is less than the window). Other users of the Pad keep it.
 */
#include "model/graph/padding.h"

#include <string.h>

#include "model/graph/rewrite.h"

enum { ROWS = 1, COLUMNS = 2 }; /* dimensions of NHWC */

static Error *is_valid_nhwc(const Node *node, bool *ret)
{
    const char *format = NULL, *padding_kind = NULL;
    TRY(attrs_text_or(node->attrs, "data_format", "NHWC", &format));
    TRY(attrs_text_or(node->attrs, "padding", "", &padding_kind));
    *ret = strcmp(format, "NHWC") == 0 && strcmp(padding_kind, "VALID") == 0;
    return NULL;
}

static bool is_never_negative(Endpoint x)
{
    return node_is(x.node, "Relu") || node_is(x.node, "Relu6") || node_is(x.node, "Sigmoid");
}

/* Reads the padding of a node that only pads rows and columns with zeros. */
static bool read_pads(const Node *node, int64_t ret_pads[8])
{
    if (!(node_is(node, "Pad") || node_is(node, "PadV2")) || node->values != NULL ||
        node->n_controls > 0)
        return false;
    const Tensor *pads = rewrite_constant_input(node, 1);
    const Tensor *value = node->n_inputs > 2 ? rewrite_constant_input(node, 2) : NULL;
    if (node->n_inputs > 2 && (value == NULL || value->dtype != DT_FLOAT || value->n != 1 ||
                               *(const float *)value->data != 0))
        return false;
    if (pads == NULL || (pads->dtype != DT_INT32 && pads->dtype != DT_INT64) ||
        pads->shape.rank != 2 || pads->shape.dims[0] != 4 || pads->shape.dims[1] != 2)
        return false;
    for (int64_t i = 0; i < 8; i++) {
        bool is_spatial = i / 2 == ROWS || i / 2 == COLUMNS;
        ret_pads[i] = tensor_index_at(pads, i);
        if (ret_pads[i] < 0 || ret_pads[i] > INT32_MAX || (ret_pads[i] > 0 && !is_spatial))
            return false;
    }
    return true;
}

/* True when each window of the pool is larger than what is padded on either side of it. */
static Error *is_covered(const Node *pool, const int64_t pads[8], bool *ret)
{
    size_t n = 0;
    const int64_t *sizes = NULL;
    TRY(attrs_ints(pool->attrs, "ksize", &n, &sizes));
    *ret = n == 4;
    for (int i = 2 * ROWS; i < 2 * (COLUMNS + 1) && *ret; i++)
        *ret = pads[i] < sizes[i / 2];
    return NULL;
}

static Error *rewrite(Graph *graph, Node *node)
{
    int64_t pads[8];
    bool is_pool = node_is(node, "MaxPool"), fits = false;
    if ((!is_pool && !node_is(node, "Conv2D") && !node_is(node, "DepthwiseConv2dNative")) ||
        node->values != NULL || node->output_dtypes[0] != DT_FLOAT ||
        !read_pads(node->inputs[0].node, pads))
        return NULL;
    TRY(is_valid_nhwc(node, &fits));
    if (fits && is_pool)
        TRY(is_covered(node, pads, &fits));
    Endpoint x = node->inputs[0].node->inputs[0];
    if (!fits || (is_pool && !is_never_negative(x)))
        return NULL;
    Attr changes[2];
    TRY(rewrite_text(graph->arena, "padding", "EXPLICIT", &changes[0]));
    TRY(rewrite_ints(graph->arena, "explicit_paddings", ARRAY_SIZE(pads), pads, &changes[1]));
    TRY(rewrite_attrs(graph->arena, node->attrs, ARRAY_SIZE(changes), changes, &node->attrs));
    node->inputs[0] = x;
    return NULL;
}

Error *padding(Graph *graph)
{
    for (size_t i = 0; i < graph->n_order; i++) {
        Node *node = graph->order[i];
        if (node->op != NULL)
            TRY(error_prefix(rewrite(graph, node), "node '%s' (%s)", node->name, node->op->name));
    }
    return graph_order(graph);
}
