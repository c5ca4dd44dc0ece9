/* SPDX-License-Identifier: Apache-2.0
 *
 * Declares the functions that the rows of ops.def name, so that each kernel file is checked against
 * the table.
 */
#ifndef DIGIT_OP_KERNELS_H
#define DIGIT_OP_KERNELS_H

#include "model/op/op.h"

#define OP(name, inputs, outputs, flags, prepare, run)                                             \
    Error *prepare(OpPrepare *);                                                                   \
    Error *run(OpContext *);
#define OP_COMPILED(name, inputs, outputs, flags)
#include "model/op/ops.def"
#undef OP
#undef OP_COMPILED

#endif
