/* SPDX-License-Identifier: Apache-2.0
 *
 * Comparisons and logic of two operands, with broadcasting: loops and their table. What surrounds a
 * loop is in elementwise.c.
 */
#ifndef __clang__
#pragma GCC optimize("O3") /* vectorises loops whose length is not known */
#endif

#include <string.h>

#include "model/op/elementwise.h"
#include "model/op/kernels.h"
#include "model/op/typed.h"

#define COMPARE_LOOPS(dt, type, suffix)                                                            \
    DEFINE_BINARY_LOOP(equal_##suffix, type, bool, a == b)                                         \
    DEFINE_BINARY_LOOP(not_equal_##suffix, type, bool, a != b)                                     \
    DEFINE_BINARY_LOOP(less_##suffix, type, bool, a < b)                                           \
    DEFINE_BINARY_LOOP(less_equal_##suffix, type, bool, a <= b)                                    \
    DEFINE_BINARY_LOOP(greater_##suffix, type, bool, a > b)                                        \
    DEFINE_BINARY_LOOP(greater_equal_##suffix, type, bool, a >= b)
FOR_EACH_NUMBER(COMPARE_LOOPS)

DEFINE_BINARY_LOOP(equal_bool, bool, bool, a == b)
DEFINE_BINARY_LOOP(not_equal_bool, bool, bool, a != b)
DEFINE_BINARY_LOOP(logical_and, bool, bool, a &b)
DEFINE_BINARY_LOOP(logical_or, bool, bool, a | b)
DEFINE_BINARY_LOOP(equal_string, Bytes, bool, bytes_equal(a, b))
DEFINE_BINARY_LOOP(not_equal_string, Bytes, bool, !bytes_equal(a, b))

#define COMPARE_ROWS(dt, type, suffix)                                                             \
    { "Equal", dt, DT_BOOL, equal_##suffix, NULL },                                                \
        { "NotEqual", dt, DT_BOOL, not_equal_##suffix, NULL },                                     \
        { "Less", dt, DT_BOOL, less_##suffix, NULL },                                              \
        { "LessEqual", dt, DT_BOOL, less_equal_##suffix, NULL },                                   \
        { "Greater", dt, DT_BOOL, greater_##suffix, NULL },                                        \
        { "GreaterEqual", dt, DT_BOOL, greater_equal_##suffix, NULL },

static const BinaryRow rows[] = {
    FOR_EACH_NUMBER(COMPARE_ROWS){ "Equal", DT_BOOL, DT_BOOL, equal_bool, NULL },
    { "Equal", DT_STRING, DT_BOOL, equal_string, NULL },
    { "NotEqual", DT_BOOL, DT_BOOL, not_equal_bool, NULL },
    { "NotEqual", DT_STRING, DT_BOOL, not_equal_string, NULL },
    { "LogicalAnd", DT_BOOL, DT_BOOL, logical_and, NULL },
    { "LogicalOr", DT_BOOL, DT_BOOL, logical_or, NULL },
};

Error *compare_prepare(OpPrepare *prepare)
{
    BinaryKernel *kernel = NULL;
    return binary_prepare_rows(prepare, rows, ARRAY_SIZE(rows), &kernel);
}

Error *equal_prepare(OpPrepare *prepare)
{
    BinaryKernel *kernel = NULL;
    bool fails = true;
    TRY(attrs_bool_or(prepare->attrs, "incompatible_shape_error", true, &fails));
    TRY(binary_prepare_rows(prepare, rows, ARRAY_SIZE(rows), &kernel));
    kernel->mismatch_is_value = !fails;
    kernel->mismatch_value = strcmp(prepare->op->name, "NotEqual") == 0;
    return NULL;
}
