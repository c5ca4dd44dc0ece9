/* SPDX-License-Identifier: Apache-2.0
 *
 * Affine: y[..., c] = scale[c] * x[..., c] + shift[c], gathered from the ops that follow a
 * convolution or a matrix product, and put into its weights: scale into the filter, shift into the
 * bias. All in double, so that folding rounds once.
 */
#ifndef DIGIT_GRAPH_AFFINE_H
#define DIGIT_GRAPH_AFFINE_H

#include "model/base/arena.h"
#include "model/tensor/tensor.h"

typedef struct Affine {
    int64_t n;      /* channels */
    double *scale;  /* [n] */
    double *shift;  /* [n] */
    bool has_scale; /* some scale is not 1 */
    bool has_shift; /* something was added */
} Affine;

/* The identity on `n` channels, in `arena`. */
Error *affine_new(Arena *arena, int64_t n, Affine *ret_affine) _warn_unused_result_;

/* True when `value` is float and has one element for each of n channels, the innermost of at most
 * `rank` dimensions, or one for all of them: then it can be added or multiplied. */
bool affine_takes(const Affine *affine, const Tensor *value, int rank);

/* y += sign * value; y *= value; y /= value. */
void affine_add(Affine *affine, const Tensor *value, double sign);
void affine_multiply(Affine *affine, const Tensor *value);
void affine_divide(Affine *affine, const Tensor *value);

/* y = (y - mean) * scale / sqrt(variance + epsilon) + offset. */
typedef struct AffineNorm {
    const Tensor *scale, *offset, *mean, *variance; /* float [n] */
    float epsilon;
} AffineNorm;
void affine_normalize(Affine *affine, const AffineNorm *norm);

/* What weights are to be multiplied with, each channel by its own. Borrows from the Affine. */
typedef struct AffineScale {
    int64_t n;
    const double *scale; /* [n] */
    bool is_outermost;   /* channels are the weights' first dimension, not the last */
} AffineScale;

/* NULL is the scale that changes nothing. */
bool affine_scale_equal(const AffineScale *a, const AffineScale *b);

/* `weights` with the scale in it, in `arena`. */
Error *affine_weights(Arena *arena, const AffineScale *scale, const Tensor *weights,
                      Tensor *ret_weights) _warn_unused_result_;

/* The shift as float [n], in `arena`. */
Error *affine_bias(Arena *arena, const Affine *affine, Tensor *ret_bias) _warn_unused_result_;

#endif
