/* SPDX-License-Identifier: Apache-2.0
 *
 * Input: random tensors for a signature.
 */
#ifndef DIGIT_INSPECT_INPUT_H
#define DIGIT_INSPECT_INPUT_H

#include "model/model.h"

typedef struct InputForm {
    int64_t batch;     /* the first dimension, where it is open */
    const char *shape; /* "NAME=D,D;NAME=D": whole shapes of some inputs; "": none */
    int64_t seed;
} InputForm;

/* The inputs of `signature` in its order, in `arena`: floats in 0..1, integers in 0..9, truth values
 * of both kinds, empty strings; defaults as they are, where no shape is given. INVALID_ARGUMENT for
 * a shape that is still open, and for forms that do not fit. */
Error *input_make(Arena *arena, const Signature *signature, const InputForm *form,
                  Tensor **ret_inputs) _warn_unused_result_;

#endif
