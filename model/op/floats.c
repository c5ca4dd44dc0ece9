/* SPDX-License-Identifier: Apache-2.0
 *
 * Floats: see floats.h. Branches are written as choices between two values, which vectors have.
 *
 *     exp(y)    2^n exp(r),  n = round(y / ln 2),  r = y - n ln 2 in two steps,  |r| <= ln 2 / 2
 *     tanh(x)   near 0 an odd polynomial, else 1 - 2 / (exp(2 |x|) + 1)
 *     erfc(z)   exp(-z^2) t Q(t),  t = 1 / (1 + z / 2),  z >= 0; erfc(-z) = 2 - erfc(z)
 *     erf(x)    up to 1 an odd polynomial, else 1 - erfc
 *
 * exp(r) and tanh have the coefficients of Cephes' expf and tanhf; those of erf and erfc are
 * minimax fits of relative error 4e-8 (weighted least squares, the weights moved until the errors
 * are level). z^2 would lose digits that exp makes great: z is cut to 12 bits, whose square is
 * exact, and the rest of the square goes into a factor of its own.
 */
#ifndef __clang__
#pragma GCC optimize("O3") /* vectorises loops whose length is not known */
#endif

#include "model/op/floats.h"

#include <math.h>
#include <string.h>

#include "model/op/activation.h"
#include "model/op/elementwise.h"

#define INLINE static inline __attribute__((always_inline))

#define LOG2_E 1.44269504088896341F
#define LN2_HIGH 0.693359375F /* few bits, so that n times it is exact */
#define LN2_LOW (-2.12194440e-4F)
#define ROUNDER 12582912.0F /* 1.5 * 2^23: adding it leaves the rounded number in the low bits */
#define EXP_MAX 89.0F       /* of e: more than any float */
#define EXP_MIN (-104.0F)   /* less than half the smallest denormal */
#define ERFC_MAX 10.1F      /* erfc is less than half the smallest denormal from here on */

INLINE uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

INLINE float of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* exp(y) = (1 + *ret_less) * high * low; the two powers of 2 keep numbers that are too large or too
 * small for one. */
INLINE void exponential_parts(float y, float *ret_less, float *ret_high, float *ret_low)
{
    float limited = y > EXP_MAX ? EXP_MAX : y;
    limited = limited < EXP_MIN ? EXP_MIN : limited;
    float shifted = limited * LOG2_E + ROUNDER, n = shifted - ROUNDER;
    float r = limited - n * LN2_HIGH - n * LN2_LOW;
    float p = 1.9875691500e-4F;
    p = p * r + 1.3981999507e-3F;
    p = p * r + 8.3334519073e-3F;
    p = p * r + 4.1665795894e-2F;
    p = p * r + 1.6666665459e-1F;
    p = p * r + 5.0000001201e-1F;
    *ret_less = p * r * r + r;
    int32_t power = (int32_t)(bits_of(shifted) - bits_of(ROUNDER)), half = power >> 1;
    *ret_high = of_bits((uint32_t)(half + 127) << 23);
    *ret_low = of_bits((uint32_t)(power - half + 127) << 23);
}

INLINE float one_exp(float y)
{
    float less, high, low;
    exponential_parts(y, &less, &high, &low);
    return (less + 1.0F) * high * low;
}

/* Where no power of 2 is taken out, 1 is not added only to be taken away again. */
INLINE float one_expm1(float y)
{
    float less, high, low;
    exponential_parts(y, &less, &high, &low);
    float value = high * low == 1.0F ? less : (less + 1.0F) * high * low - 1.0F;
    /* Tiny numbers are their own answer; -0 too. */
    return fabsf(y) < 1e-8F ? y : value;
}

INLINE float one_elu(float x)
{
    float less = one_expm1(x > 0 ? 0 : x);
    return x > 0 ? x : less;
}

INLINE float one_selu(float x)
{
    return (x > 0 ? (float)SELU_SCALE : (float)SELU_SCALE_ALPHA) * one_elu(x);
}

/* With e at most 1 nothing overflows, and what is tiny is not lost. */
INLINE float one_sigmoid(float x)
{
    float e = one_exp(x > 0 ? -x : x), s = 1.0F / (1.0F + e);
    return x > 0 ? s : e * s;
}

INLINE float one_silu(float x)
{
    return x * one_sigmoid(x);
}

INLINE float one_tanh(float x)
{
    float size = fabsf(x), s = x * x;
    float p = -5.70498872745e-3F;
    p = p * s + 2.06390887954e-2F;
    p = p * s - 5.37397155531e-2F;
    p = p * s + 1.33314422036e-1F;
    p = p * s - 3.33332819422e-1F;
    float near = p * s * x + x;
    float far = copysignf(1.0F - 2.0F / (one_exp(size + size) + 1.0F), x);
    return size < 0.625F ? near : far;
}

/* erfc(z) of z >= 0. */
INLINE float one_erfc_of_size(float z)
{
    float limited = z > ERFC_MAX ? ERFC_MAX : z;
    float cut = of_bits(bits_of(limited) & 0xfffff000U);
    float rest = (limited - cut) * (limited + cut); /* of the square; up to 0.1 */
    float t = 1.0F / (1.0F + 0.5F * limited);
    float q = -5.9097674e-2F;
    q = q * t + 2.8471541e-1F;
    q = q * t - 4.8749149e-1F;
    q = q * t + 2.7840182e-1F;
    q = q * t - 2.6856992e-2F;
    q = q * t + 2.0278512e-1F;
    q = q * t + 2.4307883e-1F;
    q = q * t + 2.8237876e-1F;
    q = q * t + 2.8208622e-1F;
    float factor = 0.5F - rest * (1.0F / 6 - rest * (1.0F / 24));
    factor = 1.0F - rest * (1.0F - rest * factor);
    return one_exp(-cut * cut) * (factor * (q * t));
}

INLINE float one_erfc(float x)
{
    float value = one_erfc_of_size(fabsf(x));
    return x < 0 ? 2.0F - value : value;
}

INLINE float one_erf(float x)
{
    float size = fabsf(x), s = x * x;
    float p = -5.6314218e-4F;
    p = p * s + 4.9175516e-3F;
    p = p * s - 2.6711311e-2F;
    p = p * s + 1.1280180e-1F;
    p = p * s - 3.7612325e-1F;
    float near = x * (p * s + 1.1283791F);
    float far = copysignf(1.0F - one_erfc_of_size(size), x);
    return size < 1.0F ? near : far;
}

INLINE float one_gelu(float x)
{
    return 0.5F * x * one_erfc(-x * (float)M_SQRT1_2);
}

/* ---- forms --------------------------------------------------------------------------------- */

#define FOR_EACH_FUNCTION(X, suffix, target)                                                       \
    X(exp, suffix, target)                                                                         \
    X(expm1, suffix, target)                                                                       \
    X(elu, suffix, target)                                                                         \
    X(selu, suffix, target)                                                                        \
    X(sigmoid, suffix, target)                                                                     \
    X(silu, suffix, target)                                                                        \
    X(tanh, suffix, target)                                                                        \
    X(erf, suffix, target)                                                                         \
    X(erfc, suffix, target)                                                                        \
    X(gelu, suffix, target)

#define DEFINE_FORM(name, suffix, target)                                                          \
    target static void name##_##suffix(int64_t n, const void *xs, void *ys)                        \
    {                                                                                              \
        const float *x = xs;                                                                       \
        float *y = ys;                                                                             \
        INDEPENDENT_ITERATIONS                                                                     \
        for (int64_t i = 0; i < n; i++)                                                            \
            y[i] = one_##name(x[i]);                                                               \
    }
FOR_EACH_FUNCTION(DEFINE_FORM, plain, )

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2,fma")))
/* gcc would else keep to half of the width. */
#ifdef __clang__
#define AVX512 __attribute__((target("avx512f,avx512dq")))
#else
#define AVX512 __attribute__((target("avx512f,avx512dq,prefer-vector-width=512")))
#endif
FOR_EACH_FUNCTION(DEFINE_FORM, avx2, AVX2)
FOR_EACH_FUNCTION(DEFINE_FORM, avx512, AVX512)

static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq");
}

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

#define CHOOSE(name) (has_avx512() ? name##_avx512 : has_avx2() ? name##_avx2 : name##_plain)
#else
#define CHOOSE(name) (name##_plain)
#endif

#define DEFINE_FUNCTION(name, suffix, target)                                                      \
    void floats_##name(int64_t n, const void *x, void *y)                                          \
    {                                                                                              \
        CHOOSE(name)(n, x, y);                                                                     \
    }
FOR_EACH_FUNCTION(DEFINE_FUNCTION, , )

/* ---- a value of all ------------------------------------------------------------------------ */

#define LANES 16 /* independent sums, so that additions overlap and make vectors */

float floats_sum(size_t n, const float *x)
{
    float lanes[LANES] = { 0 };
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (int k = 0; k < LANES; k++)
            lanes[k] += x[i + (size_t)k];
    }
    for (int k = 0; i < n; i++, k++)
        lanes[k] += x[i];
    for (int step = LANES / 2; step > 0; step /= 2) {
        for (int k = 0; k < step; k++)
            lanes[k] += lanes[k + step];
    }
    return lanes[0];
}

float floats_max(size_t n, const float *x)
{
    float lanes[LANES];
    for (int k = 0; k < LANES; k++)
        lanes[k] = x[0];
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (int k = 0; k < LANES; k++)
            lanes[k] = lanes[k] >= x[i + (size_t)k] ? lanes[k] : x[i + (size_t)k];
    }
    for (; i < n; i++)
        lanes[0] = lanes[0] >= x[i] ? lanes[0] : x[i];
    for (int k = 1; k < LANES; k++)
        lanes[0] = lanes[0] >= lanes[k] ? lanes[0] : lanes[k];
    return lanes[0];
}
