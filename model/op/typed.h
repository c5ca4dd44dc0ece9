/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists of element types, for kernels that are the same text for each: X(DTYPE, C_TYPE, SUFFIX).
 *
 *     #define LOOP(dtype, type, suffix) static void neg_##suffix(...)  { ... }
 *     FOR_EACH_INT(LOOP)
 *
 * half and bfloat16 are in no list of numbers: they are computed as float (see floats.h). Ops that
 * only move elements do not care about types at all, but for size and strings.
 */
#ifndef DIGIT_OP_TYPED_H
#define DIGIT_OP_TYPED_H

#include <stdint.h>

#define FOR_EACH_SIGNED(X)                                                                         \
    X(DT_INT8, int8_t, i8)                                                                         \
    X(DT_INT16, int16_t, i16) X(DT_INT32, int32_t, i32) X(DT_INT64, int64_t, i64)
#define FOR_EACH_UNSIGNED(X)                                                                       \
    X(DT_UINT8, uint8_t, u8)                                                                       \
    X(DT_UINT16, uint16_t, u16) X(DT_UINT32, uint32_t, u32) X(DT_UINT64, uint64_t, u64)
#define FOR_EACH_INT(X) FOR_EACH_SIGNED(X) FOR_EACH_UNSIGNED(X)
#define FOR_EACH_FLOAT(X) X(DT_FLOAT, float, f32) X(DT_DOUBLE, double, f64)
#define FOR_EACH_NUMBER(X) FOR_EACH_FLOAT(X) FOR_EACH_INT(X)

#endif
