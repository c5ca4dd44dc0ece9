/* SPDX-License-Identifier: Apache-2.0
 *
 * The two 16-bit floating types, as bits in a uint16_t, to and from float. Rounding is to nearest,
 * ties to even, as in TensorFlow.
 *
 *              sign  exponent  fraction
 *   half          1         5        10    IEEE 754 binary16
 *   bfloat16      1         8         7    the upper half of a float
 */
#ifndef DIGIT_TENSOR_HALF_H
#define DIGIT_TENSOR_HALF_H

#include <stdint.h>
#include <string.h>

static inline uint32_t float_bits(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof(bits));
    return bits;
}

static inline float float_of_bits(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof(f));
    return f;
}

static inline float bfloat16_to_float(uint16_t b)
{
    return float_of_bits((uint32_t)b << 16);
}

static inline uint16_t float_to_bfloat16(float f)
{
    uint32_t bits = float_bits(f);
    if ((bits & 0x7fffffff) > 0x7f800000)
        return (uint16_t)((bits >> 16 & 0x8000) | 0x7fc0); /* NaN; rounding could make it Inf */
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static inline float half_to_float(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16;
    uint32_t exponent = h >> 10 & 0x1f;
    uint32_t fraction = h & 0x3ff;
    if (exponent == 0) /* zero and subnormals: fraction * 2^-24, exact in a float */
        return float_of_bits(sign | float_bits((float)fraction * 0x1p-24f));
    if (exponent == 0x1f)
        return float_of_bits(sign | 0x7f800000 | fraction << 13);
    return float_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
}

static inline uint16_t float_to_half(float f)
{
    uint32_t bits = float_bits(f);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    bits &= 0x7fffffff;
    if (bits > 0x7f800000)
        return sign | 0x7e00;
    if (bits >= 0x47800000) /* 2^16 and more */
        return sign | 0x7c00;
    if (bits < 0x38800000) /* under 2^-14: adding 0.5 leaves the rounded multiple of 2^-24 */
        return (uint16_t)(sign | (float_bits(float_of_bits(bits) + 0.5f) - 0x3f000000));
    return (uint16_t)(sign | (bits - (112u << 23) + 0xfff + (bits >> 13 & 1)) >> 13);
}

#endif
