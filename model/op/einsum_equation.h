/* SPDX-License-Identifier: Apache-2.0
 *
 * EinsumEquation: "abc,cd->abd" as labels of axes. An ellipsis stands for as many axes as an
 * operand has beyond its letters; those are aligned at the last one and may be repeated, as numpy's
 * rule for broadcasting says.
 */
#ifndef DIGIT_OP_EINSUM_EQUATION_H
#define DIGIT_OP_EINSUM_EQUATION_H

#include "model/tensor/tensor.h"

#define EINSUM_LETTERS 52
#define EINSUM_LABELS (EINSUM_LETTERS + SHAPE_MAX_RANK) /* behind the letters: of an ellipsis */

/* The axes of an operand, or of the result, in order. */
typedef struct EinsumAxes {
    int n;
    int labels[SHAPE_MAX_RANK];
    int ellipsis; /* stands before that axis; -1: there is none */
} EinsumAxes;

typedef struct EinsumEquation {
    int n_inputs;
    EinsumAxes inputs[2], output;
} EinsumEquation;

/* Reads `text`, an equation of one or two operands. INVALID_ARGUMENT says what is wrong with it. */
Error *einsum_parse(const char *text, EinsumEquation *ret_equation) _warn_unused_result_;

/* The equation for operands of these shapes: ellipses replaced by labels, and the size of each
 * label (1 where it is not used). An operand's repeated axis of an ellipsis has size 1 in its shape
 * only. INVALID_ARGUMENT when a shape does not fit. */
Error *einsum_bind(const EinsumEquation *equation, const Shape *const *shapes,
                   EinsumEquation *ret_bound, int64_t ret_dims[EINSUM_LABELS]) _warn_unused_result_;

#endif
