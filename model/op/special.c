/* SPDX-License-Identifier: Apache-2.0
 *
 * Elementwise ops of floating types beyond those of unary.c and binary.c: inverse and hyperbolic
 * functions, gamma and error functions, and products whose zero wins over what is not finite. What
 * surrounds a loop is in elementwise.c.
 *
 * float is computed as double where the function has no float form in libm.
 */
#include <math.h>

#include "model/op/elementwise.h"
#include "model/op/gamma.h"
#include "model/op/kernels.h"
#include "model/op/typed.h"

/* psi(x), the derivative of log gamma: the recurrence up to 10, then the asymptotic series
 * (Abramowitz and Stegun, 6.3.5 and 6.3.18); by reflection (6.3.7) below zero. NaN at the poles. */
double digamma(double x)
{
    double shift = 0;
    if (x <= 0 && x == floor(x))
        return NAN;
    if (x < 0)
        return digamma(1 - x) - M_PI / tan(M_PI * (x - floor(x)));
    for (; x < 10; x++)
        shift += 1 / x;
    double z = 1 / (x * x);
    double series = z * (1.0 / 12 - z * (1.0 / 120 - z * (1.0 / 252 - z * (1.0 / 240 - z / 132))));
    return log(x) - 0.5 / x - series - shift;
}

#define NEWTON_STEPS 24 /* far more than it takes */

/* The y with erf(y) = x, |x| <= 1/2: Newton's steps; the first guess is the tangent at 0. */
static double erf_inverse_near_zero(double x)
{
    double y = x * 0.886;
    for (int i = 0; i < NEWTON_STEPS; i++) {
        double step = (erf(y) - x) * (M_2_SQRTPI / 4) * M_PI * exp(y * y);
        y -= step;
        if (fabs(step) <= fabs(y) * 1e-16)
            break;
    }
    return y;
}

/* The y with erfc(y) = q, 0 < q < 1: Newton's steps on the logarithm, which is concave. */
static double erfc_inverse(double q)
{
    double y = sqrt(-log(q));
    for (int i = 0; i < NEWTON_STEPS; i++) {
        double value = erfc(y);
        double step = value / (M_2_SQRTPI * exp(-y * y)) * (log(value) - log(q));
        y += step;
        if (fabs(step) <= y * 1e-16)
            break;
    }
    return y;
}

static double erf_inverse(double x)
{
    if (isnan(x) || fabs(x) > 1)
        return NAN;
    if (fabs(x) == 1)
        return x * INFINITY;
    if (fabs(x) <= 0.5)
        return erf_inverse_near_zero(x);
    return copysign(erfc_inverse(1 - fabs(x)), x);
}

/* The x below which a normal number lies with probability p. */
static double normal_quantile(double p)
{
    if (isnan(p) || p < 0 || p > 1)
        return NAN;
    if (p == 0 || p == 1)
        return p == 0 ? -INFINITY : INFINITY;
    if (fabs(p - 0.5) <= 0.25)
        return M_SQRT2 * erf_inverse_near_zero(2 * p - 1);
    return p < 0.5 ? -M_SQRT2 * erfc_inverse(2 * p) : M_SQRT2 * erfc_inverse(2 - 2 * p);
}

/* Without the global sign that lgamma() writes: many threads are here. */
static double log_gamma(double x)
{
    int sign = 0;
    return lgamma_r(x, &sign);
}

/* X(NAME, PREFIX, EXPRESSION_FOR_FLOAT, EXPRESSION_FOR_DOUBLE), of v. */
#define FOR_EACH_UNARY(X)                                                                          \
    X("Acos", acos, acosf(v), acos(v))                                                             \
    X("Acosh", acosh, acoshf(v), acosh(v))                                                         \
    X("Asin", asin, asinf(v), asin(v))                                                             \
    X("Asinh", asinh, asinhf(v), asinh(v))                                                         \
    X("Atan", atan, atanf(v), atan(v))                                                             \
    X("Atanh", atanh, atanhf(v), atanh(v))                                                         \
    X("Cosh", cosh, coshf(v), cosh(v))                                                             \
    X("Digamma", digamma, digamma((double)v), digamma(v))                                          \
    X("Erfinv", erf_inverse, erf_inverse((double)v), erf_inverse(v))                               \
    X("Lgamma", lgamma, log_gamma((double)v), log_gamma(v))                                        \
    X("Ndtri", ndtri, normal_quantile((double)v), normal_quantile(v))                              \
    X("Sinh", sinh, sinhf(v), sinh(v))

/* The same, of a and b. The operand that is zero decides, whatever the other is. */
#define FOR_EACH_BINARY(X)                                                                         \
    X("Atan2", atan2, atan2f(a, b), atan2(a, b))                                                   \
    X("NextAfter", next_after, nextafterf(a, b), nextafter(a, b))                                  \
    X("MulNoNan", mul_no_nan, b == 0 ? 0 : a * b, b == 0 ? 0 : a * b)                              \
    X("Xdivy", xdivy, a == 0 ? 0 : a / b, a == 0 ? 0 : a / b)                                      \
    X("Xlog1py", xlog1py, a == 0 ? 0 : a * log1pf(b), a == 0 ? 0 : a * log1p(b))                   \
    X("Xlogy", xlogy, a == 0 ? 0 : a * logf(b), a == 0 ? 0 : a * log(b))

#define UNARY_LOOPS(op, prefix, expression32, expression64)                                        \
    DEFINE_UNARY_LOOP(prefix##_f32, float, float, expression32)                                    \
    DEFINE_UNARY_LOOP(prefix##_f64, double, double, expression64)
FOR_EACH_UNARY(UNARY_LOOPS)

#define BINARY_LOOPS(op, prefix, expression32, expression64)                                       \
    DEFINE_BINARY_LOOP(prefix##_f32, float, float, expression32)                                   \
    DEFINE_BINARY_LOOP(prefix##_f64, double, double, expression64)
FOR_EACH_BINARY(BINARY_LOOPS)

#define UNARY_ROWS(op, prefix, expression32, expression64)                                         \
    { op, DT_FLOAT, DT_FLOAT, prefix##_f32 }, { op, DT_DOUBLE, DT_DOUBLE, prefix##_f64 },
#define BINARY_ROWS(op, prefix, expression32, expression64)                                        \
    { op, DT_FLOAT, DT_FLOAT, prefix##_f32, NULL },                                                \
        { op, DT_DOUBLE, DT_DOUBLE, prefix##_f64, NULL },

static const UnaryRow unary_rows[] = { FOR_EACH_UNARY(UNARY_ROWS) };
static const BinaryRow binary_rows[] = { FOR_EACH_BINARY(BINARY_ROWS) };

Error *special_unary_prepare(OpPrepare *prepare)
{
    return unary_prepare_rows(prepare, unary_rows, ARRAY_SIZE(unary_rows));
}

Error *special_binary_prepare(OpPrepare *prepare)
{
    BinaryKernel *kernel = NULL;
    return binary_prepare_rows(prepare, binary_rows, ARRAY_SIZE(binary_rows), &kernel);
}
