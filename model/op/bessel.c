/* SPDX-License-Identifier: Apache-2.0
 *
 * Elementwise Bessel functions of orders 0 and 1. I and K are integrals of smooth functions over a
 * circle or a line, for which the trapezoidal rule converges geometrically (Trefethen and Weideman,
 * "The exponentially convergent trapezoidal rule", 2014); J and Y are libm's. float is computed as
 * double. A&S is Abramowitz and Stegun. Any thread.
 */
#include <math.h>

#include "model/op/elementwise.h"
#include "model/op/kernels.h"

/* exp(-|x|) I_n(x) as the mean over the circle of exp(|x| (cos t - 1)) cos(n t). Above 30 by the
 * asymptotic series (A&S 9.7.1). */
static double scaled_i(double x, int n)
{
    enum { N_POINTS = 96, N_TERMS = 24 };
    double ax = fabs(x), sum = 0;
    if (isnan(x))
        return x;
    if (ax > 30) {
        double term = 1, square = 4.0 * n * n;
        for (int k = 1; k <= N_TERMS; k++) {
            sum += term;
            term *= -(square - (2.0 * k - 1) * (2.0 * k - 1)) / (k * 8 * ax);
        }
        sum /= sqrt(2 * M_PI * ax);
    } else {
        for (int k = 0; k < N_POINTS; k++) {
            double t = 2 * M_PI * k / N_POINTS;
            sum += exp(ax * (cos(t) - 1)) * (n == 0 ? 1 : cos(t));
        }
        sum /= N_POINTS;
    }
    return n == 1 && x < 0 ? -sum : sum;
}

static double bessel_i(double x, int n)
{
    return scaled_i(x, n) * exp(fabs(x));
}

/* exp(x) K_n(x), the integral of exp(-x (cosh t - 1)) cosh(n t) over t > 0 (A&S 9.6.24), up to where
 * the integrand is as nothing. */
static double scaled_k(double x, int n)
{
    enum { N_POINTS = 400, NOTHING = 60 };
    if (isnan(x) || x < 0)
        return NAN;
    if (x == 0 || isinf(x))
        return x == 0 ? INFINITY : 0;
    double step = acosh(1 + NOTHING / x) / N_POINTS, sum = 0.5;
    if (isinf(step)) /* x is next to 0: K_0 is -log(x / 2) - gamma, K_1 is 1 / x */
        return n == 0 ? -log(x / 2) - 0.57721566490153286 : 1 / x;
    for (int k = 1; k <= N_POINTS; k++) {
        double s = sinh(k * step / 2); /* cosh t - 1 is 2 sinh^2(t / 2): exact for small t */
        sum += exp(-2 * x * s * s) * (n == 0 ? 1 : 1 + 2 * s * s);
    }
    return sum * step;
}

static double bessel_k(double x, int n)
{
    return isinf(x) && x > 0 ? 0 : scaled_k(x, n) * exp(-x);
}

static double bessel_y(double x, int n)
{
    return x < 0 ? NAN : n == 0 ? y0(x) : y1(x);
}

/* X(NAME, PREFIX, EXPRESSION of v). */
#define FOR_EACH_OP(X)                                                                             \
    X("BesselI0", bessel_i0, bessel_i((double)v, 0))                                               \
    X("BesselI0e", bessel_i0e, scaled_i((double)v, 0))                                             \
    X("BesselI1", bessel_i1, bessel_i((double)v, 1))                                               \
    X("BesselI1e", bessel_i1e, scaled_i((double)v, 1))                                             \
    X("BesselJ0", bessel_j0, j0((double)v))                                                        \
    X("BesselJ1", bessel_j1, j1((double)v))                                                        \
    X("BesselK0", bessel_k0, bessel_k((double)v, 0))                                               \
    X("BesselK0e", bessel_k0e, scaled_k((double)v, 0))                                             \
    X("BesselK1", bessel_k1, bessel_k((double)v, 1))                                               \
    X("BesselK1e", bessel_k1e, scaled_k((double)v, 1))                                             \
    X("BesselY0", bessel_y0, bessel_y((double)v, 0))                                               \
    X("BesselY1", bessel_y1, bessel_y((double)v, 1))

#define LOOPS(op, prefix, expression)                                                              \
    DEFINE_UNARY_LOOP(prefix##_f32, float, float, expression)                                      \
    DEFINE_UNARY_LOOP(prefix##_f64, double, double, expression)
FOR_EACH_OP(LOOPS)

#define ROWS(op, prefix, expression)                                                               \
    { op, DT_FLOAT, DT_FLOAT, prefix##_f32 }, { op, DT_DOUBLE, DT_DOUBLE, prefix##_f64 },
static const UnaryRow rows[] = { FOR_EACH_OP(ROWS) };

Error *bessel_prepare(OpPrepare *prepare)
{
    return unary_prepare_rows(prepare, rows, ARRAY_SIZE(rows));
}
