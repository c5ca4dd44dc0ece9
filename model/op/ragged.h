/* SPDX-License-Identifier: Apache-2.0
 *
 * Ragged: what kernels that make row splits share.
 */
#ifndef DIGIT_OP_RAGGED_H
#define DIGIT_OP_RAGGED_H

#include "model/tensor/tensor.h"

/* Sets element i of row splits, int32 or int64. INVALID_ARGUMENT for a number of rows that is more
 * than their type can say. */
Error *splits_set(Tensor *splits, int64_t i, int64_t value) _warn_unused_result_;

#endif
