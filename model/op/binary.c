/* SPDX-License-Identifier: Apache-2.0
 *
 * Arithmetic of two operands, with broadcasting: loops and their table. What surrounds a loop is in
 * elementwise.c; comparisons are in compare.c.
 *
 * Integers wrap on overflow: they are computed as uint64_t, whose low bits are the same.
 */
#ifndef __clang__
#pragma GCC optimize("O3") /* vectorises loops whose length is not known */
#endif

#include <math.h>

#include "model/op/elementwise.h"
#include "model/op/kernels.h"
#include "model/op/typed.h"

/* ---- integers ------------------------------------------------------------------------------ */

/* x / y and x % y for y != 0. The quotient of the smallest number and -1 does not fit: it wraps. */
#define DIVISION(dt, type, suffix)                                                                 \
    static inline type quotient_##suffix(type a, type b)                                           \
    {                                                                                              \
        return b == (type)-1 && (type)-1 < (type)1 ? (type)(0 - (uint64_t)a) : (type)(a / b);      \
    }                                                                                              \
    static inline type remainder_##suffix(type a, type b)                                          \
    {                                                                                              \
        return b == (type)-1 && (type)-1 < (type)1 ? (type)0 : (type)(a % b);                      \
    }                                                                                              \
    static inline type floor_remainder_##suffix(type a, type b)                                    \
    {                                                                                              \
        type r = remainder_##suffix(a, b);                                                         \
        return r != 0 && (r < (type)1) != (b < (type)1) ? (type)(r + b) : r;                       \
    }                                                                                              \
    static inline type floor_quotient_##suffix(type a, type b)                                     \
    {                                                                                              \
        type r = remainder_##suffix(a, b);                                                         \
        type q = quotient_##suffix(a, b);                                                          \
        return r != 0 && (r < (type)1) != (b < (type)1) ? (type)(q - 1) : q;                       \
    }                                                                                              \
    static inline type power_##suffix(type a, type b)                                              \
    {                                                                                              \
        uint64_t result = 1, factor = (uint64_t)a;                                                 \
        for (uint64_t left = (uint64_t)b; left > 0; left >>= 1) {                                  \
            if (left & 1)                                                                          \
                result *= factor;                                                                  \
            factor *= factor;                                                                      \
        }                                                                                          \
        return (type)result;                                                                       \
    }                                                                                              \
    static inline type squared_difference_##suffix(type a, type b)                                 \
    {                                                                                              \
        uint64_t d = (uint64_t)a - (uint64_t)b;                                                    \
        return (type)(d * d);                                                                      \
    }
FOR_EACH_INT(DIVISION)

#define INT_LOOPS(dt, type, suffix)                                                                \
    DEFINE_BINARY_LOOP(add_##suffix, type, type, (uint64_t)a + (uint64_t)b)                        \
    DEFINE_BINARY_LOOP(sub_##suffix, type, type, (uint64_t)a - (uint64_t)b)                        \
    DEFINE_BINARY_LOOP(mul_##suffix, type, type, (uint64_t)a *(uint64_t)b)                         \
    DEFINE_BINARY_LOOP(div_##suffix, type, type, quotient_##suffix(a, b))                          \
    DEFINE_BINARY_LOOP(mod_##suffix, type, type, remainder_##suffix(a, b))                         \
    DEFINE_BINARY_LOOP(floor_div_##suffix, type, type, floor_quotient_##suffix(a, b))              \
    DEFINE_BINARY_LOOP(floor_mod_##suffix, type, type, floor_remainder_##suffix(a, b))             \
    DEFINE_BINARY_LOOP(max_##suffix, type, type, a > b ? a : b)                                    \
    DEFINE_BINARY_LOOP(min_##suffix, type, type, a < b ? a : b)                                    \
    DEFINE_BINARY_LOOP(pow_##suffix, type, type, power_##suffix(a, b))                             \
    DEFINE_BINARY_LOOP(sqd_##suffix, type, type, squared_difference_##suffix(a, b))
FOR_EACH_INT(INT_LOOPS)

/* True when an element is under `least`. */
#define ANY_UNDER(dt, type, suffix)                                                                \
    case dt: {                                                                                     \
        const type *y = t->data;                                                                   \
        bool found = false;                                                                        \
        for (int64_t i = 0; i < t->n; i++)                                                         \
            found |= zero ? y[i] == 0 : (y[i] < (type)1 && y[i] != 0);                             \
        return found;                                                                              \
    }

/* Whether some element of an integer tensor is zero, or (zero false) negative. */
static bool has_element(const Tensor *t, bool zero)
{
    switch (t->dtype) {
        FOR_EACH_INT(ANY_UNDER)
    default:
        return false;
    }
}

static Error *check_divisor(_unused_ const Tensor *x, const Tensor *y)
{
    if (has_element(y, true))
        return error_new(ERROR_INVALID_ARGUMENT, "Integer division by zero");
    return NULL;
}

static Error *check_exponent(_unused_ const Tensor *x, const Tensor *y)
{
    if (has_element(y, false))
        return error_new(ERROR_INVALID_ARGUMENT,
                         "Integers to negative integer powers are not allowed");
    return NULL;
}

/* ---- floating ------------------------------------------------------------------------------ */

/* The remainder with the sign of b, as Python's %. */
static inline float floor_fmodf(float a, float b)
{
    float r = fmodf(a, b);
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

static inline double floor_fmod(double a, double b)
{
    double r = fmod(a, b);
    return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

/* A NaN operand gives NaN: a is it, or the comparison is false and b is it. */
#define FLOAT_LOOPS(dt, type, suffix)                                                              \
    DEFINE_BINARY_LOOP(add_##suffix, type, type, a + b)                                            \
    DEFINE_BINARY_LOOP(sub_##suffix, type, type, a - b)                                            \
    DEFINE_BINARY_LOOP(mul_##suffix, type, type, a *b)                                             \
    DEFINE_BINARY_LOOP(div_##suffix, type, type, a / b)                                            \
    DEFINE_BINARY_LOOP(div_no_nan_##suffix, type, type, b == 0 ? 0 : a / b)                        \
    DEFINE_BINARY_LOOP(max_##suffix, type, type, a > b || a != a ? a : b)                          \
    DEFINE_BINARY_LOOP(min_##suffix, type, type, a < b || a != a ? a : b)                          \
    DEFINE_BINARY_LOOP(sqd_##suffix, type, type, (a - b) * (a - b))
FOR_EACH_FLOAT(FLOAT_LOOPS)

DEFINE_BINARY_LOOP(floor_div_f32, float, float, floorf(a / b))
DEFINE_BINARY_LOOP(floor_div_f64, double, double, floor(a / b))
DEFINE_BINARY_LOOP(floor_mod_f32, float, float, floor_fmodf(a, b))
DEFINE_BINARY_LOOP(floor_mod_f64, double, double, floor_fmod(a, b))
DEFINE_BINARY_LOOP(truncate_div_f32, float, float, truncf(a / b))
DEFINE_BINARY_LOOP(truncate_div_f64, double, double, trunc(a / b))
DEFINE_BINARY_LOOP(mod_f32, float, float, fmodf(a, b))
DEFINE_BINARY_LOOP(mod_f64, double, double, fmod(a, b))
DEFINE_BINARY_LOOP(pow_f32, float, float, powf(a, b))
DEFINE_BINARY_LOOP(pow_f64, double, double, pow(a, b))

/* ---- table --------------------------------------------------------------------------------- */

#define NUMBER_ROWS(dt, type, suffix)                                                              \
    { "Add", dt, dt, add_##suffix, NULL }, { "AddV2", dt, dt, add_##suffix, NULL },                \
        { "Sub", dt, dt, sub_##suffix, NULL }, { "Mul", dt, dt, mul_##suffix, NULL },              \
        { "Maximum", dt, dt, max_##suffix, NULL }, { "Minimum", dt, dt, min_##suffix, NULL },      \
        { "SquaredDifference", dt, dt, sqd_##suffix, NULL },
#define INT_ROWS(dt, type, suffix)                                                                 \
    { "Div", dt, dt, div_##suffix, check_divisor },                                                \
        { "TruncateDiv", dt, dt, div_##suffix, check_divisor },                                    \
        { "FloorDiv", dt, dt, floor_div_##suffix, check_divisor },                                 \
        { "FloorMod", dt, dt, floor_mod_##suffix, check_divisor },                                 \
        { "Mod", dt, dt, mod_##suffix, check_divisor },                                            \
        { "TruncateMod", dt, dt, mod_##suffix, check_divisor },                                    \
        { "Pow", dt, dt, pow_##suffix, check_exponent },
#define FLOAT_ROWS(dt, type, suffix)                                                               \
    { "Div", dt, dt, div_##suffix, NULL }, { "RealDiv", dt, dt, div_##suffix, NULL },              \
        { "DivNoNan", dt, dt, div_no_nan_##suffix, NULL },                                         \
        { "FloorDiv", dt, dt, floor_div_##suffix, NULL },                                          \
        { "FloorMod", dt, dt, floor_mod_##suffix, NULL }, { "Mod", dt, dt, mod_##suffix, NULL },   \
        { "TruncateMod", dt, dt, mod_##suffix, NULL },                                             \
        { "TruncateDiv", dt, dt, truncate_div_##suffix, NULL },                                    \
        { "Pow", dt, dt, pow_##suffix, NULL },

static const BinaryRow rows[] = { FOR_EACH_NUMBER(NUMBER_ROWS) FOR_EACH_INT(INT_ROWS)
                                      FOR_EACH_FLOAT(FLOAT_ROWS) };

Error *binary_prepare(OpPrepare *prepare)
{
    BinaryKernel *kernel = NULL;
    return binary_prepare_rows(prepare, rows, ARRAY_SIZE(rows), &kernel);
}
