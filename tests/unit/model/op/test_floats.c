/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions of floats.c in each form against libm's in double, over all sizes of numbers.
 * Includes the source to reach the forms.
 */
#include "tests/support/check.h"

#include "model/op/floats.c"

#define N_STEPS 200000 /* floats of each sign, spread evenly over their bit patterns */
#define CHUNK 1000

typedef struct Case {
    const char *name;
    double (*function)(double);
    FloatsFunction *forms[3]; /* plain, avx2, avx512 */
    float tolerance;          /* relative, of the function of the very float */
} Case;

static double sigmoid_f64(double x)
{
    return 1 / (1 + exp(-x));
}

static double silu_f64(double x)
{
    return x / (1 + exp(-x));
}

static double elu_f64(double x)
{
    return x > 0 ? x : expm1(x);
}

static double selu_f64(double x)
{
    return x > 0 ? SELU_SCALE * x : SELU_SCALE_ALPHA * expm1(x);
}

/* As the op does, which rounds erfc's argument to a float. */
static double gelu_f64(double x)
{
    return 0.5 * x * erfc((double)(-(float)x * (float)M_SQRT1_2));
}

#if defined(__x86_64__)
#define FORMS(name)                                                                                \
    {                                                                                              \
        name##_plain, name##_avx2, name##_avx512                                                   \
    }
#else
#define FORMS(name)                                                                                \
    {                                                                                              \
        name##_plain                                                                               \
    }
#endif

static const Case cases[] = {
    { "exp", exp, FORMS(exp), 4e-7F },
    { "expm1", expm1, FORMS(expm1), 5e-7F },
    { "elu", elu_f64, FORMS(elu), 5e-7F },
    { "selu", selu_f64, FORMS(selu), 6e-7F },
    { "sigmoid", sigmoid_f64, FORMS(sigmoid), 5e-7F },
    { "silu", silu_f64, FORMS(silu), 6e-7F },
    { "tanh", tanh, FORMS(tanh), 5e-7F },
    { "erf", erf, FORMS(erf), 5e-7F },
    { "erfc", erfc, FORMS(erfc), 8e-7F },
    { "gelu", gelu_f64, FORMS(gelu), 9e-7F },
};

static bool form_is_supported(int form)
{
#if defined(__x86_64__)
    return form == 0 || (form == 1 && has_avx2()) || (form == 2 && has_avx512());
#else
    return form == 0;
#endif
}

static void check_value(const Case *row, int form, float x, float y)
{
    const double want = row->function((double)x);
    /* Some more than the smallest denormal; silu and gelu multiply one by x. */
    const double unit = 3e-45 * (1 + fmin(fabs((double)x), 200));
    if (isnan(want) ? isnan(y) : (double)y == (double)(float)want)
        return;
    if (!(fabs((double)y - want) <= (double)row->tolerance * fabs(want) + unit))
        fail_msg("%s, form %d: of %a is %a, not %a", row->name, form, (double)x, (double)y, want);
}

/* All exponents of floats of both signs: zeros, denormals, infinities and NaN included. */
static void all_sizes_are_libms(void **state)
{
    (void)state;
    float x[CHUNK], y[CHUNK];
    for (size_t c = 0; c < ARRAY_SIZE(cases); c++) {
        for (int form = 0; form < 3; form++) {
            if (!form_is_supported(form))
                continue;
            for (int i = 0; i < 2 * N_STEPS; i += CHUNK) {
                for (int k = 0; k < CHUNK; k++) {
                    uint32_t bits = (uint32_t)((uint64_t)(i + k) / 2 * 0x7f900000U / N_STEPS);
                    x[k] = of_bits(bits | (uint32_t)(i + k) << 31);
                }
                cases[c].forms[form](CHUNK, x, y);
                for (int k = 0; k < CHUNK; k++)
                    check_value(&cases[c], form, x[k], y[k]);
            }
        }
    }
}

/* The range in which the functions are neither 0 nor 1, and its ends. */
static void middle_is_libms(void **state)
{
    (void)state;
    float x[CHUNK], y[CHUNK];
    for (size_t c = 0; c < ARRAY_SIZE(cases); c++) {
        for (int form = 0; form < 3; form++) {
            if (!form_is_supported(form))
                continue;
            for (int i = -105 * 400; i < 90 * 400; i += CHUNK) {
                for (int k = 0; k < CHUNK; k++)
                    x[k] = (float)(i + k) / 399.7F;
                cases[c].forms[form](CHUNK, x, y);
                for (int k = 0; k < CHUNK; k++)
                    check_value(&cases[c], form, x[k], y[k]);
            }
        }
    }
}

/* An array's ends: each length, in place, and nothing behind it is touched. */
static void length_is_kept(void **state)
{
    (void)state;
    for (size_t c = 0; c < ARRAY_SIZE(cases); c++) {
        for (int form = 0; form < 3; form++) {
            for (int n = 0; n < 70 && form_is_supported(form); n++) {
                float x[71], y[71];
                for (int k = 0; k < 71; k++)
                    x[k] = y[k] = (float)(k - 35) / 7;
                cases[c].forms[form](n, y, y);
                for (int k = 0; k < n; k++)
                    check_value(&cases[c], form, x[k], y[k]);
                for (int k = n; k < 71; k++)
                    assert_true(x[k] == y[k]);
            }
        }
    }
}

static void sum_and_max(void **state)
{
    (void)state;
    float x[100];
    for (size_t n = 1; n <= ARRAY_SIZE(x); n++) {
        for (size_t at = 0; at < n; at++) {
            for (size_t i = 0; i < n; i++)
                x[i] = i == at ? 3 : -(float)i;
            assert_true(floats_max(n, x) == 3);
            float want = 3 + (float)at - (float)(n * (n - 1) / 2);
            assert_true(floats_sum(n, x) == want);
        }
    }
    assert_true(floats_sum(0, x) == 0);
    x[70] = NAN;
    assert_true(isnan(floats_sum(100, x)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_sizes_are_libms),
        cmocka_unit_test(middle_is_libms),
        cmocka_unit_test(length_is_kept),
        cmocka_unit_test(sum_and_max),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
