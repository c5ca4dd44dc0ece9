/* SPDX-License-Identifier: Apache-2.0
 *
 * Dims of images: convolutions, pools, padding. Rows and columns stay what they are where windows
 * are SAME, or of one tap, and have strides of 1; else they are numbers that nobody knows yet.
 */
#include <string.h>

#include "model/graph/dims_rules.h"
#include "model/graph/rewrite.h"
#include "model/op/axes.h"

/* Whether windows of `taps` (NULL: not known) with strides 1 along dimension `axis` leave it as it
 * is: those that are SAME, or of one tap. */
static bool keeps_size(const Node *node, int axis, const Term *taps)
{
    const Attr *strides = attrs_find(node->attrs, "strides");
    const Attr *kind = attrs_find(node->attrs, "padding");
    if (strides == NULL || strides->kind != ATTR_INTS || strides->n != 4 ||
        strides->ints[axis] != 1 || kind == NULL || kind->kind != ATTR_TEXT)
        return false;
    return bytes_equal(kind->texts[0], bytes_of_text("SAME")) ||
           (bytes_equal(kind->texts[0], bytes_of_text("VALID")) && taps != NULL &&
            term_is(taps, 1));
}

static bool is_nhwc(const Node *node)
{
    const Attr *format = attrs_find(node->attrs, "data_format");
    return format == NULL ||
           (format->kind == ATTR_TEXT && bytes_equal(format->texts[0], bytes_of_text("NHWC")));
}

/* `taps` are those of rows and columns; NULL: not known. */
static void set_image(DimsFacts *f, const DimsInfo *x, const Term *taps, Term channels)
{
    facts_set_rank(f, 4);
    if (x->rank == 4)
        f->shape[0] = x->dims[0];
    for (int i = 1; i < 3 && x->rank == 4; i++)
        if (keeps_size(f->node, i, taps != NULL ? &taps[i - 1] : NULL))
            f->shape[i] = x->dims[i];
    f->shape[3] = channels;
}

/* The image of a convolution: nothing may be known of it but that it has four dimensions and, made
 * by ExpandDims (Conv1D), that one of them is 1. */
static Error *image_input(DimsFacts *f, Term dims[4], DimsInfo *ret_x)
{
    const Node *from = f->node->inputs[0].node;
    const Tensor *axis = NULL;
    TRY(dims_input(f, 0, ret_x));
    if (ret_x->rank != DIMS_UNKNOWN || from->values != NULL || !node_is(from, "ExpandDims"))
        return NULL;
    axis = rewrite_constant_input(from, 1);
    int at = axis != NULL && axis->n == 1 ? axis_of(tensor_index_at(axis, 0), 4) : -1;
    for (int i = 0; i < 4; i++)
        dims[i] = i == at ? term_of(1) : dims_new_symbol(f->dims);
    ret_x->rank = 4;
    ret_x->dims = dims;
    return NULL;
}

Error *rule_convolution(DimsFacts *f)
{
    DimsInfo x, filter;
    Term dims[4];
    if (!is_nhwc(f->node))
        return NULL;
    TRY(image_input(f, dims, &x));
    TRY(dims_input(f, 1, &filter));
    bool is_depthwise = strstr(f->node->op->name, "Depthwise") != NULL;
    Term channels = dims_new_symbol(f->dims);
    if (filter.rank == 4 && !is_depthwise)
        channels = filter.dims[3];
    else if (filter.rank == 4 && !term_multiply(&filter.dims[2], &filter.dims[3], &channels))
        channels = dims_new_symbol(f->dims);
    set_image(f, &x, filter.rank == 4 ? filter.dims : NULL, channels);
    return NULL;
}

/* Pools are unknown: fuse.c looks for no shapes behind them. */
Error *rule_fused_convolution(DimsFacts *f)
{
    TRY(rule_convolution(f));
    if (attrs_find(f->node->attrs, "pool_ksize") != NULL && f->rank == 4)
        f->shape[1] = dims_new_symbol(f->dims), f->shape[2] = dims_new_symbol(f->dims);
    if (attrs_find(f->node->attrs, "residual") != NULL) {
        DimsInfo residual;
        const DimsInfo product = { .rank = f->rank, .dims = f->shape };
        TRY(dims_input(f, f->node->n_inputs - 1, &residual));
        f->rank = DIMS_UNKNOWN;
        facts_broadcast(f, &product, &residual);
    }
    return NULL;
}

Error *rule_pool(DimsFacts *f)
{
    DimsInfo x;
    if (!is_nhwc(f->node))
        return NULL;
    TRY(dims_input(f, 0, &x));
    const Attr *sizes = attrs_find(f->node->attrs, "ksize");
    bool has_sizes = sizes != NULL && sizes->kind == ATTR_INTS && sizes->n == 4;
    const Term taps[2] = { term_of(has_sizes ? sizes->ints[1] : 0),
                           term_of(has_sizes ? sizes->ints[2] : 0) };
    set_image(f, &x, taps, x.rank == 4 ? x.dims[3] : dims_new_symbol(f->dims));
    return NULL;
}

Error *rule_volume(DimsFacts *f)
{
    DimsInfo x, filter;
    const Attr *format = attrs_find(f->node->attrs, "data_format");
    if (format != NULL &&
        (format->kind != ATTR_TEXT || !bytes_equal(format->texts[0], bytes_of_text("NDHWC"))))
        return NULL;
    TRY(dims_input(f, 0, &x));
    TRY(dims_input(f, 1, &filter));
    facts_set_rank(f, 5);
    if (x.rank == 5)
        f->shape[0] = x.dims[0];
    if (filter.rank == 5)
        f->shape[4] = filter.dims[4];
    return NULL;
}

/* A transposed convolution: its input 0 says the shape, its filter has the channels. */
Error *rule_image_gradient(DimsFacts *f)
{
    DimsInfo sizes, filter;
    TRY(dims_input(f, 0, &sizes));
    TRY(dims_input(f, 1, &filter));
    if (!is_nhwc(f->node))
        return NULL;
    facts_set_rank(f, 4);
    if (sizes.n_values == 4)
        facts_set_dims(f, 4, sizes.values);
    else if (filter.rank == 4)
        f->shape[3] = filter.dims[2];
    return NULL;
}

Error *rule_pad(DimsFacts *f)
{
    DimsInfo x;
    const Tensor *pads = rewrite_constant_input(f->node, 1);
    TRY(dims_input(f, 0, &x));
    if (x.rank == DIMS_UNKNOWN)
        return NULL;
    facts_set_rank(f, x.rank);
    for (int i = 0; i < x.rank && pads != NULL && pads->n == 2 * x.rank; i++)
        if (tensor_index_at(pads, 2 * i) == 0 && tensor_index_at(pads, 2 * i + 1) == 0)
            f->shape[i] = x.dims[i];
    return NULL;
}
