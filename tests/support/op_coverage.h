/* SPDX-License-Identifier: Apache-2.0
 *
 * OpCoverage: for one op of the table, the cases that TensorFlow answered and the element types in
 * them. What docs/ops.md says of types is counted here, so that it is proven and never declared.
 */
#ifndef DIGIT_TESTS_SUPPORT_OP_COVERAGE_H
#define DIGIT_TESTS_SUPPORT_OP_COVERAGE_H

#include "model/base/buf.h"
#include "model/op/op.h"

#define OP_COVERAGE_MAX_ATTRS 8

/* The element types that cases had for one type attribute: bit i is the DType i. */
typedef struct TypeSet {
    const char *attr;
    DType fallback; /* when a node does not say; DT_INVALID: it must */
    uint32_t types;
} TypeSet;

typedef struct OpCoverage {
    const Op *op;
    int n_sets; /* type attributes in the row's inputs and outputs */
    TypeSet sets[OP_COVERAGE_MAX_ATTRS];
    size_t n_cases;
    const char *files; /* of the cases: "math, special"; NULL while there are none */
} OpCoverage;

/* One for each op of op_list(), in its order, without cases yet; in `arena`. */
Error *op_coverage_new(Arena *arena, size_t *ret_n, OpCoverage **ret) _warn_unused_result_;

/* The entry of `op`; NULL when there is none. */
OpCoverage *op_coverage_find(OpCoverage *all, size_t n, const char *op);

/* Counts the cases of the fixture at `path`. Types count when the case has an answer, not an error.
 * NOT_FOUND for a case of an op that is not in the table. */
Error *op_coverage_count(Arena *arena, const char *path, OpCoverage *all,
                         size_t n) _warn_unused_result_;

/* Appends "T: floating, int32; Tidx: int32", or the fixed types of an op without type attributes. */
Error *op_coverage_types(const OpCoverage *coverage, Buf *text) _warn_unused_result_;

#endif
