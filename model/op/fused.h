/* SPDX-License-Identifier: Apache-2.0
 *
 * The fused ops: what the compiler (graph/fuse.c) may put in place of a chain of ops, and what the
 * kernels (conv.c, matmul.c) promise: the answer of the chain, to rounding, for every shape and
 * attribute that passes the conditions below; and the chain's errors, as the chain's first op
 * words them. Only type float is ever fused.
 *
 *   _FusedConv2D   input [N,H,W,C], filter, args*: a bias [Cout], a residual, both or neither
 *       = MaxPool(activation(BiasAdd(Conv2D(input, filter), bias) + residual))
 *     attributes of Conv2D (strides, padding, explicit_paddings, dilations, data_format; NHWC
 *     only), T, and
 *       num_args        int    how many args there are
 *       residual        int    which operand of the Add the last arg is, 0 or 1; none: no residual
 *       activation      text   "" or the op's name: Relu Relu6 LeakyRelu Elu Selu Softplus Softsign
 *                              Sigmoid Tanh _Silu _HardSigmoid _HardSwish _Gelu _GeluTanh
 *       alpha           float  of LeakyRelu
 *       pool_ksize      ints   [1,kh,kw,1]; pool_strides [1,sh,sw,1], pool_padding SAME or VALID:
 *                              the attributes of MaxPool. None: no pool; never with a residual
 *     Conditions: none on whether filter and bias are constant, but only constant ones are fast. A
 *     pool before the activation (Relu(MaxPool(x))) is the same for an activation that rises
 *     everywhere: activation_is_monotone. A 2x2 pool with strides 2 is taken in registers; any other
 *     runs after the convolution, through scratch. A residual of the product's own shape is what
 *     the sums start from, and its memory becomes the output's when nobody else needs it; one of
 *     another shape is added by numpy's rule, through scratch.
 *
 *   _FusedDepthwiseConv2D   input [N,H,W,C], filter [h,w,C,M], args*: the same of
 *     DepthwiseConv2dNative; a bias has C * M elements.
 *
 *   _FusedMatMul   a [M,K], b [K,N], args*: a bias [N], a residual, both or neither
 *       = activation(BiasAdd(MatMul(a, b), bias) + residual)
 *     attributes of MatMul (transpose_a, transpose_b), T, num_args, residual, activation, alpha as
 *     above, and
 *       flattens  bool  a is [...,K] and the product [...,N]: what Dense does to more than two
 *                       dimensions. Not with transpose_a
 *
 *   _FusedScale   x, scale, shift
 *       = activation(x * scale + shift), by numpy's rule: a batch normalisation without a convolution
 *     in front. scale and shift are of one shape, mostly [C] or []; activation, alpha as above.
 *
 *   _LayerNorm   x [...,C], scale [C], offset [C]
 *       = (x - m) / sqrt(v + epsilon) * scale + offset, where m and v are mean and variance over the
 *     last dimension; epsilon float.
 *
 *   _Reshape   tensor
 *       = Reshape(tensor, sizes), where the attribute `sizes` (ints) has -2 - i for dimension i of the
 *     tensor itself: Flatten, without a step for each number.
 *
 *   _Silu _HardSigmoid _HardSwish _Gelu _GeluTanh   features
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

/* Whether the last input is added to the product, and as which operand of the Add. */
typedef enum FusedResidual { RESIDUAL_NONE, RESIDUAL_FIRST, RESIDUAL_SECOND } FusedResidual;

/* Reads `residual`. INVALID_ARGUMENT when the node has more args than a bias and that. */
Error *fused_residual(const OpPrepare *prepare, FusedResidual *ret) _warn_unused_result_;

/* Output 0 = activation(product + last input), by numpy's rule. INVALID_ARGUMENT in Add's words when
 * the shapes do not fit. */
Error *fused_add(OpContext *context, FusedResidual residual, const Activation *activation,
                 const Tensor *product) _warn_unused_result_;

/* rows [n_rows,n] += bias [n] (NULL: nothing), then the activation. In place. */
void fused_epilogue(const Activation *activation, const float *bias, size_t n_rows, size_t n,
                    float *rows);

#endif
