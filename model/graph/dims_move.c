/* SPDX-License-Identifier: Apache-2.0
 *
 * Dims of what moves elements, or looks at them in another way, or leaves dimensions out.
 */
#include <string.h>

#include "model/graph/dims_rules.h"
#include "model/graph/rewrite.h"
#include "model/op/axes.h"

/* The kernel wants as many dimensions as perm has elements. */
Error *rule_transpose(DimsFacts *f)
{
    DimsInfo x;
    const Tensor *perm = rewrite_constant_input(f->node, 1);
    int n = 0, axes[SHAPE_MAX_RANK];
    TRY(dims_input(f, 0, &x));
    if (perm == NULL || perm->n > SHAPE_MAX_RANK || !facts_axes(f->node, 1, (int)perm->n, &n, axes))
        return NULL;
    facts_set_rank(f, n);
    for (int i = 0; i < n && x.rank == n; i++)
        f->shape[i] = x.dims[axes[i]];
    return NULL;
}

/* Where a size is -1, and what it comes to. */
static void infer_open(DimsFacts *f, const DimsInfo *x, int open)
{
    Term known = term_of(1), all, rest;
    for (int i = 0; i < f->rank; i++)
        if (i != open && !term_multiply(&known, &f->shape[i], &known))
            return;
    if (x->rank != DIMS_UNKNOWN && dims_product_of(x->dims, 0, x->rank, &all) &&
        term_divide(&all, &known, &rest))
        f->shape[open] = rest;
}

static Error *reshape_to(DimsFacts *f, int n, const Term *sizes)
{
    DimsInfo x;
    int open = -1;
    TRY(dims_input(f, 0, &x));
    if (n > SHAPE_MAX_RANK)
        return NULL;
    facts_set_dims(f, n, sizes);
    for (int i = 0; i < n; i++) {
        if (sizes[i].n > 0 || sizes[i].factor >= 0)
            continue;
        f->shape[i] = dims_new_symbol(f->dims);
        open = i;
    }
    if (open >= 0)
        infer_open(f, &x, open);
    return NULL;
}

Error *rule_reshape(DimsFacts *f)
{
    DimsInfo sizes;
    TRY(dims_input(f, 1, &sizes));
    return sizes.n_values >= 0 ? reshape_to(f, sizes.n_values, sizes.values) : NULL;
}

/* _Reshape: sizes under -1 name dimensions of the input. */
Error *rule_reshape_by_dims(DimsFacts *f)
{
    DimsInfo x;
    size_t n = 0;
    const int64_t *sizes = NULL;
    Term terms[SHAPE_MAX_RANK];
    TRY(dims_input(f, 0, &x));
    TRY(attrs_ints(f->node->attrs, "sizes", &n, &sizes));
    if (n > SHAPE_MAX_RANK)
        return NULL;
    for (size_t i = 0; i < n; i++)
        terms[i] = sizes[i] >= -1           ? term_of(sizes[i])
                   : -2 - sizes[i] < x.rank ? x.dims[-2 - sizes[i]]
                                            : dims_new_symbol(f->dims);
    return reshape_to(f, (int)n, terms);
}

Error *rule_expand_dims(DimsFacts *f)
{
    DimsInfo x;
    int n = 0, axes[SHAPE_MAX_RANK];
    TRY(dims_input(f, 0, &x));
    if (x.rank == DIMS_UNKNOWN || x.rank == SHAPE_MAX_RANK ||
        !facts_axes(f->node, 1, x.rank + 1, &n, axes) || n != 1)
        return NULL;
    f->rank = x.rank + 1;
    for (int i = 0, k = 0; i < f->rank; i++)
        f->shape[i] = i == axes[0] ? term_of(1) : x.dims[k++];
    return NULL;
}

Error *rule_squeeze(DimsFacts *f)
{
    DimsInfo x;
    size_t n = 0;
    const int64_t *axes = NULL;
    bool goes[SHAPE_MAX_RANK] = { false };
    TRY(dims_input(f, 0, &x));
    TRY(attrs_ints(f->node->attrs, "squeeze_dims", &n, &axes));
    if (x.rank == DIMS_UNKNOWN || n == 0)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        int axis = axis_of(axes[i], x.rank);
        if (axis < 0)
            return NULL;
        goes[axis] = true;
    }
    f->rank = 0;
    for (int i = 0; i < x.rank; i++)
        if (!goes[i])
            f->shape[f->rank++] = x.dims[i];
    return NULL;
}

Error *rule_reduce(DimsFacts *f)
{
    DimsInfo x;
    bool keep_dims = false, goes[SHAPE_MAX_RANK] = { false };
    int n = 0, axes[SHAPE_MAX_RANK];
    TRY(dims_input(f, 0, &x));
    TRY(attrs_bool_or(f->node->attrs, "keep_dims", false, &keep_dims));
    if (x.rank == DIMS_UNKNOWN || !facts_axes(f->node, 1, x.rank, &n, axes))
        return NULL;
    for (int i = 0; i < n; i++)
        goes[axes[i]] = true;
    f->rank = 0;
    for (int i = 0; i < x.rank; i++)
        if (keep_dims || !goes[i])
            f->shape[f->rank++] = goes[i] ? term_of(1) : x.dims[i];
    return NULL;
}

Error *rule_concat(DimsFacts *f)
{
    DimsInfo x;
    int n = 0, axes[SHAPE_MAX_RANK] = { 0 }, last = f->node->n_inputs - 1;
    Term sum = term_of(0);
    for (int i = 0; i < last; i++) {
        TRY(dims_input(f, i, &x));
        if (x.rank == DIMS_UNKNOWN || !facts_axes(f->node, last, x.rank, &n, axes) || n != 1 ||
            (i > 0 && x.rank != f->rank))
            return f->rank = DIMS_UNKNOWN, NULL;
        if (i == 0)
            facts_set_dims(f, x.rank, x.dims);
        if (sum.n > 0 || x.dims[axes[0]].n > 0 ||
            __builtin_add_overflow(sum.factor, x.dims[axes[0]].factor, &sum.factor))
            sum = dims_new_symbol(f->dims);
        f->shape[axes[0]] = sum;
    }
    return NULL;
}

/* params[indices] along the first dimension: an embedding. */
Error *rule_gather(DimsFacts *f)
{
    DimsInfo params, indices;
    int n = 0, axes[SHAPE_MAX_RANK];
    int64_t batch_dims = 0;
    TRY(attrs_int_or(f->node->attrs, "batch_dims", 0, &batch_dims));
    TRY(dims_input(f, 0, &params));
    TRY(dims_input(f, 1, &indices));
    if (params.rank < 1 || indices.rank == DIMS_UNKNOWN || batch_dims != 0 ||
        params.rank - 1 + indices.rank > SHAPE_MAX_RANK ||
        !facts_axes(f->node, 2, params.rank, &n, axes) || n != 1 || axes[0] != 0)
        return NULL;
    facts_set_dims(f, indices.rank, indices.dims);
    for (int i = 1; i < params.rank; i++)
        f->shape[f->rank++] = params.dims[i];
    return NULL;
}
