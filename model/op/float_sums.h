/* SPDX-License-Identifier: Apache-2.0
 *
 * Float sums: many floats added up as double, in vectors. What Sum and Mean of floats spend their
 * time in: global pooling adds rows of channels, layer normalisation the elements of a row.
 */
#ifndef DIGIT_OP_FLOAT_SUMS_H
#define DIGIT_OP_FLOAT_SUMS_H

#include <stdint.h>

/* sums[i] += x[i] + x[stride + i] + ... of `rows` rows of n. Any thread. */
void float_sums_rows(int64_t rows, int64_t stride, int64_t n, const float *x, double *sums);

/* The sum of x[0..n), in an order that depends on n alone. Any thread. */
double float_sums_row(int64_t n, const float *x);

#endif
