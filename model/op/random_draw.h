/* SPDX-License-Identifier: Apache-2.0
 *
 * Draw: tensors of random numbers from a Philox generator, number for number as TensorFlow's CPU
 * kernels draw them: what the stateful ops (random.c) and the stateless ones (random_stateless.c)
 * share.
 */
#ifndef DIGIT_OP_RANDOM_DRAW_H
#define DIGIT_OP_RANDOM_DRAW_H

#include "model/op/op.h"
#include "model/op/philox.h"

/* Steps that TensorFlow sets aside for each element, so that no two draws overlap. */
#define RANDOM_RESERVED_STEPS 256

typedef enum Distribution {
    RANDOM_UNIFORM,   /* [0, 1) */
    RANDOM_NORMAL,    /* mean 0, deviation 1 */
    RANDOM_TRUNCATED, /* the same, within two deviations */
    RANDOM_INT,       /* low + [0, range) */
    RANDOM_FULL_INT,  /* all bits */
} Distribution;

typedef struct Draw {
    Distribution distribution;
    DType dtype;
    uint64_t low, range; /* of RANDOM_INT; range is not 0 */
} Draw;

/* UNIMPLEMENTED when that distribution is not drawn for that type. */
Error *draw_prepare(const OpPrepare *prepare, const Draw *draw) _warn_unused_result_;

/* Fills the tensor. The generator is where the first element begins. */
void draw_fill(const Draw *draw, Philox generator, Tensor *tensor);

/* The shape that input 0 says. */
Error *draw_shape(const OpContext *c, Shape *ret) _warn_unused_result_;

/* Reads the scalars `first` and first + 1, the range of RANDOM_INT. The range of a result without
 * elements is not looked at. */
Error *draw_range(const OpContext *c, int first, Draw *draw) _warn_unused_result_;

/* Input 0 [batch, classes] and input 1, a number of samples: classes drawn with the probabilities
 * softmax(row), output 0 [batch, samples]. */
Error *draw_classes(OpContext *c, DType output, Philox generator) _warn_unused_result_;

/* The checks of draw_classes; *ret_n is how many numbers it draws. */
Error *draw_check_classes(const OpContext *c, int64_t *ret_n) _warn_unused_result_;

#endif
