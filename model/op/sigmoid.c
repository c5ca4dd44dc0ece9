/* SPDX-License-Identifier: Apache-2.0
 *
 * Sigmoid and Silu, x * sigmoid(x), of floats, in a form that compilers turn into vectors: libm's
 * libm's expf is a call for each element, which gcc does not put into vectors.
 * One text is compiled for each kind of vector unit. Any thread.
 *
 *     exp(y) = 2^n * exp(r),  n = round(y / ln 2),  r = y - n ln 2 in two steps,  |r| <= ln 2 / 2
 *
 * exp(r) is a polynomial of degree 7 with the coefficients of Cephes' expf.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "model/op/activation.h"

#define INLINE static inline __attribute__((always_inline))

#define LOG2_E 1.44269504088896341F
#define LN2_HIGH 0.693359375F /* few bits, so that n times it is exact */
#define LN2_LOW (-2.12194440e-4F)
#define ROUNDER 12582912.0F /* 1.5 * 2^23: adding it leaves the rounded number in the low bits */
#define MAX_EXPONENT 88.0F  /* of e: 2^127 is not passed */

/* exp(y); inf above MAX_EXPONENT, whatever is tiny below minus that; NaN for NaN. */
INLINE float exponential(float y)
{
    float limited = y > MAX_EXPONENT ? MAX_EXPONENT : y;
    limited = limited < -87.0F ? -87.0F : limited;
    float shifted = limited * LOG2_E + ROUNDER, n = shifted - ROUNDER;
    float r = limited - n * LN2_HIGH - n * LN2_LOW;
    float p = 1.9875691500e-4F;
    p = p * r + 1.3981999507e-3F;
    p = p * r + 8.3334519073e-3F;
    p = p * r + 4.1665795894e-2F;
    p = p * r + 1.6666665459e-1F;
    p = p * r + 5.0000001201e-1F;
    p = p * r * r + r + 1.0F;
    uint32_t bits;
    float power;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits << 23) + 0x3f800000U;
    memcpy(&power, &bits, sizeof power);
    float value = p * power;
    return y > MAX_EXPONENT ? INFINITY : value;
}

INLINE void apply(const float *in, size_t n, bool times_x, float *out)
{
    for (size_t i = 0; i < n; i++) {
        float s = 1.0F / (1.0F + exponential(-in[i]));
        out[i] = times_x ? in[i] * s : s;
    }
}

typedef void Form(const float *in, size_t n, float *out);

#define FORMS(suffix, target)                                                                      \
    target static void sigmoid_##suffix(const float *in, size_t n, float *out)                     \
    {                                                                                              \
        apply(in, n, false, out);                                                                  \
    }                                                                                              \
    target static void silu_##suffix(const float *in, size_t n, float *out)                        \
    {                                                                                              \
        apply(in, n, true, out);                                                                   \
    }
FORMS(plain, )
#if defined(__x86_64__)
FORMS(avx2, __attribute__((target("avx2,fma"))))
FORMS(avx512, __attribute__((target("avx512f"))))
#endif

static Form *choose(bool times_x)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f"))
        return times_x ? silu_avx512 : sigmoid_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return times_x ? silu_avx2 : sigmoid_avx2;
#endif
    return times_x ? silu_plain : sigmoid_plain;
}

void sigmoid_apply(const float *in, size_t n, float *out)
{
    choose(false)(in, n, out);
}

void silu_apply(const float *in, size_t n, float *out)
{
    choose(true)(in, n, out);
}
