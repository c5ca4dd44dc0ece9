/* SPDX-License-Identifier: Apache-2.0
 *
 * Special functions of two and three operands that are related to the gamma function: Igamma,
 * Igammac, Zeta, Polygamma, Betainc. All are computed as double; half and bfloat16 through float.
 * Where a formula has a name it is that of Press et al., "Numerical Recipes", chapter 6, or of
 * Abramowitz and Stegun (A&S). Any thread.
 */
#include <math.h>

#include "model/op/elementwise.h"
#include "model/op/gamma.h"
#include "model/op/kernels.h"
#include "model/op/typed.h"

#define MAX_TERMS 20000 /* of a series or fraction; far more than any that converges here needs */
#define SMALL 1e-300    /* stands for 0 in a continued fraction (Lentz) */
#define PRECISION 1e-15

/* ---- incomplete gamma ---------------------------------------------------------------------- */

/* log(x^a e^-x / gamma(a)). */
static double log_gamma_term(double a, double x)
{
    int sign = 0;
    return a * log(x) - x - lgamma_r(a, &sign);
}

/* P(a, x) by its series; for x < a + 1. */
static double lower_series(double a, double x)
{
    double term = 1 / a, sum = term;
    for (int n = 1; n < MAX_TERMS && term > sum * PRECISION; n++) {
        term *= x / (a + n);
        sum += term;
    }
    return sum * exp(log_gamma_term(a, x));
}

/* Q(a, x) by its continued fraction; for x >= a + 1. */
static double upper_fraction(double a, double x)
{
    double b = x + 1 - a, c = 1 / SMALL, d = 1 / b, h = d;
    for (int n = 1; n < MAX_TERMS; n++) {
        double k = -n * (n - a);
        b += 2;
        d = k * d + b;
        c = b + k / c;
        d = 1 / (fabs(d) < SMALL ? SMALL : d);
        c = fabs(c) < SMALL ? SMALL : c;
        h *= d * c;
        if (fabs(d * c - 1) < PRECISION)
            break;
    }
    return h * exp(log_gamma_term(a, x));
}

static double igamma(double a, double x)
{
    if (isnan(a) || isnan(x) || a <= 0 || x < 0)
        return NAN;
    if (x == 0)
        return 0;
    if (isinf(a))
        return isinf(x) ? NAN : 0;
    if (isinf(x))
        return 1;
    return x < a + 1 ? lower_series(a, x) : 1 - upper_fraction(a, x);
}

static double igammac(double a, double x)
{
    if (isnan(a) || isnan(x) || a <= 0 || x < 0)
        return NAN;
    if (x == 0)
        return 1;
    if (isinf(a))
        return isinf(x) ? NAN : 1;
    if (isinf(x))
        return 0;
    return x < a + 1 ? 1 - lower_series(a, x) : upper_fraction(a, x);
}

/* ---- zeta ---------------------------------------------------------------------------------- */

/* Hurwitz's zeta: the sum of (q + n)^-x, by Euler and Maclaurin (A&S 23.2). */
static double zeta(double x, double q)
{
    static const double bernoulli[] = { 1.0 / 12,         -1.0 / 720,     1.0 / 30240,
                                        -1.0 / 1209600,   1.0 / 47900160, -691.0 / 1307674368000,
                                        1.0 / 74724249600 };
    enum { DIRECT = 12 }; /* terms that are added one by one */
    double sum = 0;
    if (x == 1)
        return INFINITY;
    if (isnan(x) || isnan(q) || x < 1)
        return NAN;
    if (q <= 0 && q == floor(q))
        return fmod(x, 2) == 0 ? INFINITY : NAN;
    if (q <= 0 && x != floor(x))
        return NAN;
    int n = 0;
    for (; n < DIRECT || q + n < DIRECT; n++) { /* q is negative, but not by much more than this */
        sum += pow(q + n, -x);
        if (n > MAX_TERMS)
            return NAN;
    }
    double at = q + n, power = pow(at, -x), factor = x * power / at;
    sum += power * at / (x - 1) + power / 2;
    for (size_t k = 0; k < ARRAY_SIZE(bernoulli); k++) {
        sum += bernoulli[k] * factor;
        factor *= (x + 2 * (double)k + 1) * (x + 2 * (double)k + 2) / (at * at);
    }
    return sum;
}

static double polygamma(double n, double x)
{
    int sign = 0;
    if (n != floor(n) || n < 0)
        return NAN;
    if (n == 0)
        return digamma(x);
    double magnitude = exp(lgamma_r(n + 1, &sign)) * zeta(n + 1, x);
    return fmod(n, 2) == 0 ? -magnitude : magnitude;
}

/* ---- incomplete beta ----------------------------------------------------------------------- */

/* The continued fraction of I_x(a, b) (Numerical Recipes 6.4.5, by Lentz's method). */
static double beta_fraction(double a, double b, double x)
{
    double c = 1, d = 1 - (a + b) * x / (a + 1), h = 0;
    d = 1 / (fabs(d) < SMALL ? SMALL : d);
    h = d;
    for (int m = 1; m < MAX_TERMS; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        double last = h;
        for (int k = 0; k < 2; k++) {
            double step = k == 0 ? even : odd;
            d = 1 + step * d;
            c = 1 + step / c;
            d = 1 / (fabs(d) < SMALL ? SMALL : d);
            c = fabs(c) < SMALL ? SMALL : c;
            h *= d * c;
        }
        if (fabs(h - last) <= PRECISION * fabs(h))
            break;
    }
    return h;
}

static double betainc(double a, double b, double x)
{
    int sign = 0;
    if (isnan(a) || isnan(b) || isnan(x) || a <= 0 || b <= 0 || x < 0 || x > 1)
        return NAN;
    if (x == 0 || x == 1)
        return x;
    double front = exp(lgamma_r(a + b, &sign) - lgamma_r(a, &sign) - lgamma_r(b, &sign) +
                       a * log(x) + b * log1p(-x));
    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

/* ---- two operands -------------------------------------------------------------------------- */

#define FOR_EACH_OP(X) X(igamma) X(igammac) X(zeta) X(polygamma)
#define LOOPS(name)                                                                                \
    DEFINE_BINARY_LOOP(name##_f32, float, float, name((double)a, (double)b))                       \
    DEFINE_BINARY_LOOP(name##_f64, double, double, name(a, b))
FOR_EACH_OP(LOOPS)

#define ROWS(op, name)                                                                             \
    { op, DT_FLOAT, DT_FLOAT, name##_f32, NULL }, { op, DT_DOUBLE, DT_DOUBLE, name##_f64, NULL },
static const BinaryRow rows[] = { ROWS("Igamma", igamma) ROWS("Igammac", igammac) ROWS("Zeta", zeta)
                                      ROWS("Polygamma", polygamma) };

Error *gamma_prepare(OpPrepare *prepare)
{
    BinaryKernel *kernel = NULL;
    return binary_prepare_rows(prepare, rows, ARRAY_SIZE(rows), &kernel);
}

/* ---- Betainc ------------------------------------------------------------------------------- */

Error *betainc_prepare(OpPrepare *prepare)
{
    DType dtype = prepare->input_dtypes[0];
    return dtype == DT_FLOAT || dtype == DT_DOUBLE ? NULL : op_unsupported_type(prepare, dtype);
}

static double number_at(const Tensor *t, int64_t i)
{
    return t->dtype == DT_FLOAT ? (double)((const float *)t->data)[i]
                                : ((const double *)t->data)[i];
}

/* All three of one shape, or scalars. */
static Error *check_operands(const OpContext *c, const Shape **ret_shape)
{
    const Shape *shape = &op_input(c, 0)->shape;
    char texts[2][SHAPE_TEXT_BYTES];
    for (int i = 1; i < 3; i++) {
        if (shape->rank == 0)
            shape = &op_input(c, i)->shape;
    }
    for (int i = 0; i < 3; i++) {
        if (op_input(c, i)->shape.rank != 0 && !shape_equal(&op_input(c, i)->shape, shape))
            return error_new(ERROR_INVALID_ARGUMENT,
                             "Shapes of the operands of Betainc are inconsistent: %s vs. %s",
                             shape_text(shape, texts[0]),
                             shape_text(&op_input(c, i)->shape, texts[1]));
    }
    *ret_shape = shape;
    return NULL;
}

Error *betainc_run(OpContext *c)
{
    const Shape *shape = NULL;
    Tensor *y = NULL;
    TRY(check_operands(c, &shape));
    TRY(op_output(c, 0, op_input(c, 0)->dtype, shape, &y));
    for (int64_t i = 0; i < y->n; i++) {
        double operands[3];
        for (int k = 0; k < 3; k++)
            operands[k] = number_at(op_input(c, k), op_input(c, k)->shape.rank > 0 ? i : 0);
        double v = betainc(operands[0], operands[1], operands[2]);
        if (y->dtype == DT_FLOAT)
            ((float *)y->data)[i] = (float)v;
        else
            ((double *)y->data)[i] = v;
    }
    return NULL;
}
