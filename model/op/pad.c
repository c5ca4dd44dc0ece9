/* SPDX-License-Identifier: Apache-2.0
 *
 * Pad, PadV2 (a constant around a tensor) and MirrorPad (its own elements, reflected).
 *
 *   paddings   [rank, 2]: elements before and after, of each dimension
 */
#include <string.h>

#include "model/op/axes.h"
#include "model/op/kernels.h"
#include "model/op/strided.h"

/* Reads the paddings; gives those before, and the padded shape. */
static Error *read_paddings(const OpContext *c, int64_t before[SHAPE_MAX_RANK], Shape *ret_shape)
{
    const Tensor *x = op_input(c, 0), *paddings = op_input(c, 1);
    char text[2][SHAPE_TEXT_BYTES];
    if (paddings->shape.rank != 2 || paddings->shape.dims[1] != 2)
        return error_new(ERROR_INVALID_ARGUMENT, "paddings must be a matrix with 2 columns: %s",
                         shape_text(&paddings->shape, text[0]));
    if (paddings->shape.dims[0] != x->shape.rank)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "The first dimension of paddings must be the rank of inputs%s %s",
                         shape_text(&paddings->shape, text[0]), shape_text(&x->shape, text[1]));
    ret_shape->rank = x->shape.rank;
    for (int d = 0; d < x->shape.rank; d++) {
        int64_t after = tensor_index_at(paddings, 2 * d + 1), dim = x->shape.dims[d];
        before[d] = tensor_index_at(paddings, 2 * d);
        if (before[d] < 0 || after < 0)
            return error_new(ERROR_INVALID_ARGUMENT, "Paddings must be non-negative: %lld %lld",
                             (long long)before[d], (long long)after);
        if (__builtin_add_overflow(dim, before[d], &dim) ||
            __builtin_add_overflow(dim, after, &dim))
            return error_new(ERROR_INVALID_ARGUMENT, "paddings make dimension %d too large", d);
        ret_shape->dims[d] = dim;
    }
    return NULL;
}

/* Fills n elements of `size` bytes with the one at `value`, or with zeros when it is NULL. */
static void fill(void *to, int64_t n, size_t size, const void *value)
{
    if (value == NULL) {
        memset(to, 0, (size_t)n * size);
        return;
    }
    StridedCopy copy = { 0 };
    strided_add(&copy, n, 0, 1);
    strided_run(&copy, size, value, to);
}

/* Pad, PadV2. OPTIMIZATION: only what the copy leaves out need be filled; the fill of all is cheap
 * beside it. */
Error *pad_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    const Tensor *value = c->n_inputs > 2 ? op_input(c, 2) : NULL;
    int64_t before[SHAPE_MAX_RANK], from[SHAPE_MAX_RANK], to[SHAPE_MAX_RANK], first = 0;
    Shape shape;
    TRY(read_paddings(c, before, &shape));
    if (value != NULL && value->shape.rank != 0)
        return error_new(ERROR_INVALID_ARGUMENT, "constant_values must be a scalar");
    Tensor *y = NULL;
    TRY(op_output(c, 0, x->dtype, &shape, &y));
    if (y->n == 0)
        return NULL;
    size_t size = dtype_size(x->dtype);
    fill(y->data, y->n, size, value != NULL ? value->data : NULL);
    if (x->n == 0)
        return NULL;
    StridedCopy copy = { 0 };
    shape_strides(&x->shape, from);
    shape_strides(&shape, to);
    for (int d = 0; d < shape.rank; d++) {
        first += before[d] * to[d];
        strided_add(&copy, x->shape.dims[d], from[d], to[d]);
    }
    strided_run_shared(&copy, size, x->data, (char *)y->data + first * (int64_t)size, c->workers);
    return NULL;
}

/* ---- MirrorPad ----------------------------------------------------------------------------- */

Error *mirror_pad_prepare(OpPrepare *prepare)
{
    TRY(op_prepare_indices(prepare));
    int64_t *skipped = arena_calloc(prepare->arena, 1, sizeof(*skipped));
    const char *mode = NULL;
    if (skipped == NULL)
        return error_out_of_memory();
    TRY(attrs_text(prepare->attrs, "mode", &mode));
    if (strcmp(mode, "REFLECT") != 0 && strcmp(mode, "SYMMETRIC") != 0)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "attribute mode is \"%s\", but must be REFLECT or SYMMETRIC", mode);
    *skipped = strcmp(mode, "REFLECT") == 0; /* elements at the edge that are not repeated */
    prepare->kernel = skipped;
    return NULL;
}

/* The element of [0, dim) that stands at position i of the padded dimension, i < 0 being before. */
static int64_t mirrored(int64_t i, int64_t dim, int64_t skipped)
{
    if (i < 0)
        return -i - 1 + skipped;
    return i < dim ? i : 2 * dim - 1 - i - skipped;
}

static Error *check_mirror(const OpContext *c, const int64_t before[SHAPE_MAX_RANK],
                           const Shape *shape)
{
    const Shape *own = &op_input(c, 0)->shape;
    int64_t skipped = *(const int64_t *)c->kernel;
    for (int d = 0; d < own->rank; d++) {
        int64_t most = own->dims[d] - skipped;
        int64_t after = shape->dims[d] - own->dims[d] - before[d];
        if (before[d] > most || after > most)
            return error_new(ERROR_INVALID_ARGUMENT,
                             "paddings must be %s the dimension size: %lld, %lld %s %lld",
                             skipped ? "less than" : "no greater than", (long long)before[d],
                             (long long)after, skipped ? "not less than" : "greater than",
                             (long long)own->dims[d]);
    }
    return NULL;
}

Error *mirror_pad_run(OpContext *c)
{
    const Tensor *x = op_input(c, 0);
    int64_t before[SHAPE_MAX_RANK], from[SHAPE_MAX_RANK], index[SHAPE_MAX_RANK] = { 0 };
    int64_t skipped = *(const int64_t *)c->kernel;
    Shape shape;
    TRY(read_paddings(c, before, &shape));
    TRY(check_mirror(c, before, &shape));
    Tensor *y = NULL;
    TRY(op_output(c, 0, x->dtype, &shape, &y));
    size_t size = dtype_size(x->dtype);
    shape_strides(&x->shape, from);
    for (int64_t i = 0; i < y->n; i++) {
        int64_t at = 0;
        for (int d = 0; d < shape.rank; d++)
            at += mirrored(index[d] - before[d], x->shape.dims[d], skipped) * from[d];
        memcpy((char *)y->data + (size_t)i * size, (const char *)x->data + (size_t)at * size, size);
        for (int d = shape.rank - 1; d >= 0 && ++index[d] == shape.dims[d]; d--)
            index[d] = 0;
    }
    return NULL;
}
