/* SPDX-License-Identifier: Apache-2.0
 *
 * Affine: the arithmetic of folding ops into weights.
 */
#include "model/graph/affine.h"

#include <math.h>
#include <string.h>

Error *affine_new(Arena *arena, int64_t n, Affine *ret_affine)
{
    Affine affine = { .n = n };
    affine.scale = arena_calloc(arena, (size_t)n, sizeof(double));
    affine.shift = arena_calloc(arena, (size_t)n, sizeof(double));
    if (affine.scale == NULL || affine.shift == NULL)
        return error_out_of_memory();
    for (int64_t i = 0; i < n; i++)
        affine.scale[i] = 1;
    *ret_affine = affine;
    return NULL;
}

bool affine_takes(const Affine *affine, const Tensor *value, int rank)
{
    if (value->dtype != DT_FLOAT || value->shape.rank > rank)
        return false;
    if (value->n == 1)
        return true;
    int last = value->shape.rank - 1;
    return value->n == affine->n && last >= 0 && value->shape.dims[last] == affine->n;
}

static double element(const Tensor *value, int64_t i)
{
    return (double)((const float *)value->data)[value->n == 1 ? 0 : i];
}

void affine_add(Affine *affine, const Tensor *value, double sign)
{
    for (int64_t i = 0; i < affine->n; i++)
        affine->shift[i] += sign * element(value, i);
    affine->has_shift = true;
}

void affine_multiply(Affine *affine, const Tensor *value)
{
    for (int64_t i = 0; i < affine->n; i++) {
        affine->scale[i] *= element(value, i);
        affine->shift[i] *= element(value, i);
    }
    affine->has_scale = true;
}

void affine_divide(Affine *affine, const Tensor *value)
{
    for (int64_t i = 0; i < affine->n; i++) {
        affine->scale[i] /= element(value, i);
        affine->shift[i] /= element(value, i);
    }
    affine->has_scale = true;
}

void affine_normalize(Affine *affine, const AffineNorm *norm)
{
    for (int64_t i = 0; i < affine->n; i++) {
        double scale =
            element(norm->scale, i) / sqrt(element(norm->variance, i) + (double)norm->epsilon);
        affine->scale[i] *= scale;
        affine->shift[i] =
            (affine->shift[i] - element(norm->mean, i)) * scale + element(norm->offset, i);
    }
    affine->has_scale = true;
    affine->has_shift = true;
}

bool affine_scale_equal(const AffineScale *a, const AffineScale *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return a->n == b->n && a->is_outermost == b->is_outermost &&
           memcmp(a->scale, b->scale, (size_t)a->n * sizeof(double)) == 0;
}

Error *affine_weights(Arena *arena, const AffineScale *scale, const Tensor *weights,
                      Tensor *ret_weights)
{
    TRY(tensor_new(arena, DT_FLOAT, &weights->shape, ret_weights));
    const float *from = weights->data;
    float *to = ret_weights->data;
    int64_t n_inner = scale->is_outermost && scale->n > 0 ? weights->n / scale->n : 1;
    for (int64_t i = 0; i < weights->n; i++) {
        int64_t channel = i / n_inner % scale->n;
        to[i] = (float)((double)from[i] * scale->scale[channel]);
    }
    return NULL;
}

Error *affine_bias(Arena *arena, const Affine *affine, Tensor *ret_bias)
{
    const Shape shape = shape_of(affine->n);
    TRY(tensor_new(arena, DT_FLOAT, &shape, ret_bias));
    for (int64_t i = 0; i < affine->n; i++)
        ((float *)ret_bias->data)[i] = (float)affine->shift[i];
    return NULL;
}
