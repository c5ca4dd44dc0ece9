/* SPDX-License-Identifier: Apache-2.0
 *
 * Matmul: products of matrices of any type that has them, for the kernels that are made of such.
 */
#ifndef DIGIT_OP_MATMUL_H
#define DIGIT_OP_MATMUL_H

#include "model/op/gemm.h"
#include "model/tensor/tensor.h"

/* float, double, int32 and int64. */
bool matrix_product_has(DType dtype);

/* c [m,n] = op(a) op(b) of elements of such a type; sizes, transposes and workers are `g`'s, its
 * other fields are not looked at. Integers wrap. INVALID_ARGUMENT when a size does not fit
 * OpenBLAS's int. Any thread. */
Error *matrix_product(const Gemm *g, DType dtype, const void *a, const void *b,
                      void *c) _warn_unused_result_;

#endif
