/* SPDX-License-Identifier: Apache-2.0
 *
 * Floats: the transcendental functions of networks over arrays of floats, in vectors.
 *
 * libm's are a call for each element. These are polynomials that a compiler turns into vectors, one
 * text for each kind of vector unit, within 1e-6 relative of the function of the float that is
 * given (or one unit of the smallest denormal), whatever its size; NaN gives NaN, an infinity the
 * limit, but silu and gelu of -inf are NaN: -inf times 0, as in the ops that they stand for. Ops and the epilogues of fused ops use the same ones, so that fusing changes no answer.
 */
#ifndef DIGIT_OP_FLOATS_H
#define DIGIT_OP_FLOATS_H

#include <stddef.h>
#include <stdint.h>

/* y[i] = f(x[i]); x and y are [n] floats and may be the same memory (a UnaryLoop). Any thread. */
typedef void FloatsFunction(int64_t n, const void *x, void *y);

FloatsFunction floats_exp;
FloatsFunction floats_expm1;
FloatsFunction floats_elu;
FloatsFunction floats_selu;
FloatsFunction floats_sigmoid;
FloatsFunction floats_silu; /* x * sigmoid(x) */
FloatsFunction floats_tanh;
FloatsFunction floats_erf;
FloatsFunction floats_erfc;
FloatsFunction floats_gelu; /* x / 2 * erfc(-x / sqrt(2)) */

/* The sum, in an order that depends on n alone. */
float floats_sum(size_t n, const float *x);

/* The greatest; NaNs among them may or may not be passed over. n is at least 1. */
float floats_max(size_t n, const float *x);

#endif
