/* SPDX-License-Identifier: Apache-2.0
 *
 * OpCase: one node that TensorFlow ran, and what it gave. Fixtures are data/op_cases_NAME.bin, a
 * sequence of cases; data/op_cases.py writes them and says the format.
 *
 * An op that needs others around it (a variable, a list, a function to call) has its case in a graph:
 * the op is then OP_CASE_GRAPH, and the attributes are those of GraphCase.
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
#define OP_CASE_GRAPH "_Graph"

typedef struct OpCase {
    const char *op;
    Attrs attrs;
    uint32_t n_inputs, n_outputs;
    Tensor inputs[OP_CASE_MAX_TENSORS], outputs[OP_CASE_MAX_TENSORS]; /* outputs: TensorFlow's */
    uint32_t code;                                                    /* 0: it ran */
    Bytes text; /* of the error; empty when only the code counts */
} OpCase;

typedef struct GraphCase {
    Bytes graph_def;
    const char *init; /* a node to run before, or "" */
    const char *feeds,
        *outputs; /* names of tensors, with commas between: the case's inputs, outputs */
    size_t n_ops;
    const Bytes *ops; /* those of the graph's ops that the case is about */
} GraphCase;

/* Reads the case at the front of `*from` and moves `*from` behind it. All lies in `arena` or is
 * borrowed from `*from`. */
Error *op_case_read(Arena *arena, Bytes *from, OpCase *ret) _warn_unused_result_;

/* What the attributes of a case of OP_CASE_GRAPH say; borrowed from the case. */
Error *op_case_graph(const OpCase *op_case, GraphCase *ret) _warn_unused_result_;

/* The whole fixture at `path`, in `arena`. */
Error *op_case_open(Arena *arena, const char *path, Bytes *ret) _warn_unused_result_;

/* The paths of all fixtures TESTS/data/op_cases_*.bin, sorted, in `arena`: OP_CASE_MAX_FILES of room.
 * NOT_FOUND when there are none. */
Error *op_case_files(Arena *arena, const char *tests, const char **ret_paths,
                     size_t *ret_n) _warn_unused_result_;

/* "math" of ".../op_cases_math.bin", in `arena`; NULL when memory is out. */
char *op_case_file_name(Arena *arena, const char *path);

#endif
