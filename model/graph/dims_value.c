/* SPDX-License-Identifier: Apache-2.0
 *
 * Dims of values: small vectors of integers made of shapes, as Keras writes them before a Reshape:
 *
 *     Shape -> StridedSlice -> Pack        the batch, and sizes that are known
 *     Shape -> GatherV2 -> Prod, ConcatV2  tensordot: rows and columns of a product
 *
 * Numbers are counted as if integers had no end: one that did not fit would be of a tensor that
 * does not fit either.
 */
#include <string.h>

#include "model/graph/dims.h"
#include "model/graph/rewrite.h"

static void set_values(DimsFacts *f, int n, const Term *values)
{
    f->n_values = n;
    memcpy(f->values, values, (size_t)n * sizeof *values);
}

static Error *shape(DimsFacts *f)
{
    DimsInfo x;
    TRY(dims_input(f, 0, &x));
    if (x.rank == DIMS_UNKNOWN)
        return NULL;
    set_values(f, x.rank, x.dims);
    f->rank = 1;
    f->shape[0] = term_of(x.rank);
    return NULL;
}

/* Identity, Cast between integers, and any other shape of one dimension at most. */
static Error *same_values(DimsFacts *f)
{
    DimsInfo x;
    DType dtype = f->node->output_dtypes[0];
    TRY(dims_input(f, 0, &x));
    if (x.n_values >= 0 && f->rank <= 1 && f->rank >= 0 && (dtype == DT_INT32 || dtype == DT_INT64))
        set_values(f, x.n_values, x.values);
    return NULL;
}

/* Scalars side by side; or vectors, which ConcatV2 names an axis for behind them. */
static Error *join(DimsFacts *f, int n_inputs, int rank)
{
    DimsInfo x;
    int n = 0;
    for (int i = 0; i < n_inputs; i++) {
        TRY(dims_input(f, i, &x));
        if (x.rank != rank || x.n_values < 0 || n + x.n_values > DIMS_MAX_VALUES)
            return NULL;
        memcpy(f->values + n, x.values, (size_t)x.n_values * sizeof *x.values);
        n += x.n_values;
    }
    f->n_values = n;
    f->rank = 1;
    f->shape[0] = term_of(n);
    return NULL;
}

static Error *pack(DimsFacts *f)
{
    int64_t axis = 0;
    TRY(attrs_int_or(f->node->attrs, "axis", 0, &axis));
    return axis == 0 || axis == -1 ? join(f, f->node->n_inputs, 0) : NULL;
}

static Error *concat(DimsFacts *f)
{
    return join(f, f->node->n_inputs - 1, 1);
}

/* x[begin:end:stride] or x[begin] of a vector. */
static Error *strided_slice(DimsFacts *f)
{
    DimsInfo x;
    int64_t limits[3], masks[5] = { 0 };
    static const char *const names[] = { "begin_mask", "end_mask", "shrink_axis_mask",
                                         "ellipsis_mask", "new_axis_mask" };
    TRY(dims_input(f, 0, &x));
    for (int i = 0; i < 5; i++)
        TRY(attrs_int_or(f->node->attrs, names[i], 0, &masks[i]));
    for (int i = 0; i < 3; i++) {
        const Tensor *limit = rewrite_constant_input(f->node, i + 1);
        if (limit == NULL || limit->n != 1)
            return NULL;
        limits[i] = tensor_index_at(limit, 0);
    }
    if (x.n_values < 0 || x.rank != 1 || limits[2] != 1 || masks[3] != 0 || masks[4] != 0)
        return NULL;
    int64_t begin = (masks[0] & 1) != 0 ? 0 : limits[0], end = limits[1], n = x.n_values;
    begin += begin < 0 ? n : 0;
    end += end < 0 ? n : 0;
    end = (masks[1] & 1) != 0 || end > n ? n : end;
    bool is_one = (masks[2] & 1) != 0;
    if (begin < 0 || begin >= n || (!is_one && end <= begin))
        return NULL; /* what is empty or wrong is left to the kernel */
    set_values(f, is_one ? 1 : (int)(end - begin), x.values + begin);
    f->rank = is_one ? 0 : 1;
    f->shape[0] = term_of(f->n_values);
    return NULL;
}

/* The shape is that of the indices, which dims_shape.c has found. */
static Error *gather(DimsFacts *f)
{
    DimsInfo x, indices;
    TRY(dims_input(f, 0, &x));
    TRY(dims_input(f, 1, &indices));
    if (x.n_values < 0 || x.rank != 1 || indices.n_values < 0 || f->rank == DIMS_UNKNOWN)
        return NULL;
    for (int i = 0; i < indices.n_values; i++) {
        const Term *index = &indices.values[i];
        if (index->n > 0 || index->factor < 0 || index->factor >= x.n_values)
            return NULL;
        f->values[i] = x.values[index->factor];
    }
    f->n_values = indices.n_values;
    return NULL;
}

static Error *prod(DimsFacts *f)
{
    DimsInfo x;
    TRY(dims_input(f, 0, &x));
    if (x.n_values >= 0 && x.rank == 1 && f->rank >= 0 &&
        dims_product_of(x.values, 0, x.n_values, &f->values[0]))
        f->n_values = 1;
    return NULL;
}

static Error *multiply(DimsFacts *f)
{
    DimsInfo a, b;
    TRY(dims_input(f, 0, &a));
    TRY(dims_input(f, 1, &b));
    if (a.n_values != 1 || b.n_values != 1 || f->rank < 0 || f->rank > 1)
        return NULL;
    if (term_multiply(&a.values[0], &b.values[0], &f->values[0]))
        f->n_values = 1;
    return NULL;
}

static const struct {
    const char *op;
    DimsRule *rule;
} rules[] = {
    { "Shape", shape },         { "StridedSlice", strided_slice },
    { "Pack", pack },           { "ConcatV2", concat },
    { "GatherV2", gather },     { "Prod", prod },
    { "Mul", multiply },        { "Cast", same_values },
    { "Reshape", same_values }, { "Identity", same_values },
    { "Squeeze", same_values }, { "ExpandDims", same_values },
};

DimsRule *dims_value_rule(const Op *op)
{
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
        if (strcmp(rules[i].op, op->name) == 0)
            return rules[i].rule;
    return NULL;
}
