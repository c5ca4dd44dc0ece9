/* SPDX-License-Identifier: Apache-2.0
 *
 * Elementwise ops on the bits of integers: loops and their tables. What surrounds a loop is in
 * elementwise.c.
 *
 * A shift by less than 0 or by the width and more is undefined in C; as TensorFlow does, the
 * distance is first clamped to 0..width - 1. A right shift keeps the sign.
 */
#include "model/op/elementwise.h"
#include "model/op/kernels.h"
#include "model/op/typed.h"

#define BIT_LOOPS(dt, type, suffix)                                                                \
    static inline int distance_##suffix(type b)                                                    \
    {                                                                                              \
        const int last = (int)sizeof(type) * 8 - 1;                                                \
        return b < (type)1 ? 0 : (uint64_t)b > (uint64_t)last ? last : (int)b;                     \
    }                                                                                              \
    DEFINE_BINARY_LOOP(and_##suffix, type, type, (uint64_t)a &(uint64_t)b)                         \
    DEFINE_BINARY_LOOP(or_##suffix, type, type, (uint64_t)a | (uint64_t)b)                         \
    DEFINE_BINARY_LOOP(xor_##suffix, type, type, (uint64_t)a ^ (uint64_t)b)                        \
    DEFINE_BINARY_LOOP(left_##suffix, type, type, (uint64_t)a << distance_##suffix(b))             \
    DEFINE_BINARY_LOOP(right_##suffix, type, type, a >> distance_##suffix(b))                      \
    DEFINE_UNARY_LOOP(invert_##suffix, type, type, ~(uint64_t)v)                                   \
    DEFINE_UNARY_LOOP(population_##suffix, type, uint8_t,                                          \
                      __builtin_popcountll((uint64_t)v &(UINT64_MAX >> (64 - 8 * sizeof(type)))))
FOR_EACH_INT(BIT_LOOPS)

#define BINARY_ROWS(dt, type, suffix)                                                              \
    { "BitwiseAnd", dt, dt, and_##suffix, NULL }, { "BitwiseOr", dt, dt, or_##suffix, NULL },      \
        { "BitwiseXor", dt, dt, xor_##suffix, NULL },                                              \
        { "LeftShift", dt, dt, left_##suffix, NULL },                                              \
        { "RightShift", dt, dt, right_##suffix, NULL },
#define UNARY_ROWS(dt, type, suffix)                                                               \
    { "Invert", dt, dt, invert_##suffix }, { "PopulationCount", dt, DT_UINT8, population_##suffix },

static const BinaryRow binary_rows[] = { FOR_EACH_INT(BINARY_ROWS) };
static const UnaryRow unary_rows[] = { FOR_EACH_INT(UNARY_ROWS) };

Error *bitwise_binary_prepare(OpPrepare *prepare)
{
    BinaryKernel *kernel = NULL;
    return binary_prepare_rows(prepare, binary_rows, ARRAY_SIZE(binary_rows), &kernel);
}

Error *bitwise_unary_prepare(OpPrepare *prepare)
{
    return unary_prepare_rows(prepare, unary_rows, ARRAY_SIZE(unary_rows));
}
