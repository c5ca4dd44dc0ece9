/* SPDX-License-Identifier: Apache-2.0
 *
 * Elementwise ops of one operand: loops and their table. What surrounds a loop is in elementwise.c.
 */
#ifndef __clang__
#pragma GCC optimize("O3") /* vectorises loops whose length is not known */
#endif

#include <math.h>

#include "model/op/elementwise.h"
#include "model/op/floats.h"
#include "model/op/kernels.h"
#include "model/op/typed.h"

/* Ops of floating types: X(NAME, PREFIX, EXPRESSION_FOR_FLOAT, EXPRESSION_FOR_DOUBLE), of v. */
#define FOR_EACH_FLOAT_OP(X)                                                                       \
    X("Abs", abs, fabsf(v), fabs(v))                                                               \
    X("Ceil", ceil, ceilf(v), ceil(v))                                                             \
    X("Cos", cos, cosf(v), cos(v))                                                                 \
    X("Floor", floor, floorf(v), floor(v))                                                         \
    X("Inv", inv, 1.0f / v, 1.0 / v)                                                               \
    X("Log", log, logf(v), log(v))                                                                 \
    X("Log1p", log1p, log1pf(v), log1p(v))                                                         \
    X("Neg", neg, -v, -v)                                                                          \
    X("Reciprocal", reciprocal, 1.0f / v, 1.0 / v)                                                 \
    X("Rint", rint, rintf(v), rint(v))                                                             \
    X("Round", round, rintf(v), rint(v)) /* half to even, as numpy */                              \
    X("Rsqrt", rsqrt, 1.0f / sqrtf(v), 1.0 / sqrt(v))                                              \
    X("Sign", sign, v != v ? v : (float)((v > 0) - (v < 0)),                                       \
      v != v ? v : (double)((v > 0) - (v < 0)))                                                    \
    X("Sin", sin, sinf(v), sin(v))                                                                 \
    X("Sqrt", sqrt, sqrtf(v), sqrt(v))                                                             \
    X("Square", square, v *v, v *v)                                                                \
    X("Tan", tan, tanf(v), tan(v))

#define FLOAT_LOOPS(op, prefix, expression32, expression64)                                        \
    DEFINE_UNARY_LOOP(prefix##_f32, float, float, expression32)                                    \
    DEFINE_UNARY_LOOP(prefix##_f64, double, double, expression64)
FOR_EACH_FLOAT_OP(FLOAT_LOOPS)

/* Those that are floats_PREFIX for float: X(NAME, PREFIX, EXPRESSION_FOR_DOUBLE). */
#define FOR_EACH_VECTOR_OP(X)                                                                      \
    X("Erf", erf, erf(v))                                                                          \
    X("Erfc", erfc, erfc(v))                                                                       \
    X("Exp", exp, exp(v))                                                                          \
    X("Expm1", expm1, expm1(v))                                                                    \
    X("Sigmoid", sigmoid, 1.0 / (1.0 + exp(-v)))                                                   \
    X("Tanh", tanh, tanh(v))

#define VECTOR_LOOPS(op, prefix, expression64)                                                     \
    DEFINE_UNARY_LOOP(prefix##_f64, double, double, expression64)
FOR_EACH_VECTOR_OP(VECTOR_LOOPS)

#define TEST_LOOPS(dt, type, suffix)                                                               \
    DEFINE_UNARY_LOOP(is_nan_##suffix, type, bool, isnan(v))                                       \
    DEFINE_UNARY_LOOP(is_inf_##suffix, type, bool, isinf(v))                                       \
    DEFINE_UNARY_LOOP(is_finite_##suffix, type, bool, isfinite(v))
FOR_EACH_FLOAT(TEST_LOOPS)

/* Through uint64_t, where overflow wraps: the negative of the smallest number is itself. */
#define SIGNED_LOOPS(dt, type, suffix)                                                             \
    DEFINE_UNARY_LOOP(abs_##suffix, type, type, v < 0 ? 0 - (uint64_t)v : (uint64_t)v)             \
    DEFINE_UNARY_LOOP(neg_##suffix, type, type, 0 - (uint64_t)v)
FOR_EACH_SIGNED(SIGNED_LOOPS)

#define INT_LOOPS(dt, type, suffix)                                                                \
    DEFINE_UNARY_LOOP(square_##suffix, type, type, (uint64_t)v *(uint64_t)v)                       \
    DEFINE_UNARY_LOOP(sign_##suffix, type, type, (v > 0) - (v < (type)1 && v != 0))                \
    DEFINE_UNARY_LOOP(same_##suffix, type, type, v)
FOR_EACH_INT(INT_LOOPS)

DEFINE_UNARY_LOOP(logical_not, bool, bool, !v)

#define FLOAT_ROWS(op, prefix, expression32, expression64)                                         \
    { op, DT_FLOAT, DT_FLOAT, prefix##_f32 }, { op, DT_DOUBLE, DT_DOUBLE, prefix##_f64 },
#define VECTOR_ROWS(op, prefix, expression64)                                                      \
    { op, DT_FLOAT, DT_FLOAT, floats_##prefix }, { op, DT_DOUBLE, DT_DOUBLE, prefix##_f64 },
#define TEST_ROWS(dt, type, suffix)                                                                \
    { "IsNan", dt, DT_BOOL, is_nan_##suffix }, { "IsInf", dt, DT_BOOL, is_inf_##suffix },          \
        { "IsFinite", dt, DT_BOOL, is_finite_##suffix },
#define SIGNED_ROWS(dt, type, suffix)                                                              \
    { "Abs", dt, dt, abs_##suffix }, { "Neg", dt, dt, neg_##suffix },
#define INT_ROWS(dt, type, suffix)                                                                 \
    { "Square", dt, dt, square_##suffix }, { "Sign", dt, dt, sign_##suffix },                      \
        { "Round", dt, dt, same_##suffix },

static const UnaryRow rows[] = {
    FOR_EACH_FLOAT_OP(FLOAT_ROWS) FOR_EACH_VECTOR_OP(VECTOR_ROWS) FOR_EACH_FLOAT(TEST_ROWS)
        FOR_EACH_SIGNED(SIGNED_ROWS)
            FOR_EACH_INT(INT_ROWS){ "LogicalNot", DT_BOOL, DT_BOOL, logical_not },
};

Error *unary_prepare(OpPrepare *prepare)
{
    return unary_prepare_rows(prepare, rows, ARRAY_SIZE(rows));
}
