/* SPDX-License-Identifier: Apache-2.0
 *
 * OpCase: one node that TensorFlow ran, and what it gave. Fixtures are data/op_cases_NAME.bin, a
 * sequence of cases; data/op_cases.py writes them and says the format.
 */
#ifndef DIGIT_TESTS_SUPPORT_OP_CASE_H
#define DIGIT_TESTS_SUPPORT_OP_CASE_H

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/error.h"
#include "model/op/attrs.h"
#include "model/tensor/tensor.h"

#define OP_CASE_MAX_TENSORS 128
#define OP_CASE_MAX_FILES 256

typedef struct OpCase {
    const char *op;
    Attrs attrs;
    uint32_t n_inputs, n_outputs;
    Tensor inputs[OP_CASE_MAX_TENSORS], outputs[OP_CASE_MAX_TENSORS]; /* outputs: TensorFlow's */
    uint32_t code;                                                    /* 0: it ran */
    Bytes text; /* of the error; empty when only the code counts */
} OpCase;

/* Reads the case at the front of `*from` and moves `*from` behind it. All lies in `arena` or is
 * borrowed from `*from`. */
Error *op_case_read(Arena *arena, Bytes *from, OpCase *ret) _warn_unused_result_;

/* The whole fixture at `path`, in `arena`. */
Error *op_case_open(Arena *arena, const char *path, Bytes *ret) _warn_unused_result_;

/* The paths of all fixtures TESTS/data/op_cases_*.bin, sorted, in `arena`: OP_CASE_MAX_FILES of room.
 * NOT_FOUND when there are none. */
Error *op_case_files(Arena *arena, const char *tests, const char **ret_paths,
                     size_t *ret_n) _warn_unused_result_;

/* "math" of ".../op_cases_math.bin", in `arena`; NULL when memory is out. */
char *op_case_file_name(Arena *arena, const char *path);

#endif
