/* SPDX-License-Identifier: Apache-2.0
 *
 * The fused ops: what the compiler (graph/fuse.c) may put in place of a chain of ops, and what the
 * kernels (conv.c, matmul.c) promise: the answer of the chain, to rounding, for every shape and
 * attribute that passes the conditions below; and the chain's errors, as the chain's first op
 * words them. Only type float is ever fused.
 *
 *   _FusedConv2D   input [N,H,W,C], filter, args* (num_args = 0 or 1: a bias [Cout])
 *       = MaxPool(activation(BiasAdd(Conv2D(input, filter), bias)))
 *     attributes of Conv2D (strides, padding, explicit_paddings, dilations, data_format; NHWC
 * only), T, and num_args       int     0 or 1 activation     text    "" or the op's name: Relu
 * Relu6 LeakyRelu Elu Selu Softplus Softsign Sigmoid Tanh _Silu _HardSigmoid _HardSwish
 * _Gelu; alpha (float) for LeakyRelu pool_ksize
 * ints    [1,kh,kw,1], pool_strides [1,sh,sw,1], pool_padding text SAME or VALID: the attributes of
 * MaxPool. Without pool_ksize: no pool Conditions: none on whether filter and bias are constant,
 * but only constant ones are fast. A pool before the activation (Relu(MaxPool(x))) is the same for
 * an activation that rises everywhere: activation_is_monotone. A 2x2 pool
 * with strides 2 is taken in registers; any other runs after the convolution, through scratch.
 *
 *   _FusedDepthwiseConv2D   input [N,H,W,C], filter [h,w,C,M], args*: the same of
 * DepthwiseConv2dNative; a bias has C * M elements.
 *
 *   _FusedMatMul   a [M,K], b [K,N], args* (num_args = 0 or 1: a bias [N])
 *       = activation(BiasAdd(MatMul(a, b), bias))
 *     attributes of MatMul (transpose_a, transpose_b), T, num_args, activation, alpha as above.
 *
 *   _Silu _HardSigmoid _HardSwish _Gelu   features
 *       what graph/idiom.c finds spelled out; activation.h has the formulas.
 *
 * Batch normalisation is folded by the compiler: filter and bias become constants scaled by
 * scale / sqrt(variance + epsilon). Where x holds NaN, a fused pool may give another value than
 * the chain (TensorFlow's MaxPool leaves a NaN out of its window); nothing else differs.
 *
 * Constant weights are packed by prepare, and released (OpPrepare.release_input) where run does
 * without them.
 */
#ifndef DIGIT_OP_FUSED_H
#define DIGIT_OP_FUSED_H

#include "model/op/activation.h"
#include "model/op/op.h"

/* Reads `activation` and `alpha`; ACTIVATION_NONE when there is no such attribute. */
Error *fused_activation(const Attrs *attrs, Activation *ret_activation) _warn_unused_result_;

/* rows [n_rows,n] += bias [n] (NULL: nothing), then the activation. In place. */
void fused_epilogue(const Activation *activation, const float *bias, size_t n_rows, size_t n,
                    float *rows);

#endif
