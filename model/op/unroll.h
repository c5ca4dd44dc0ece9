/* SPDX-License-Identifier: Apache-2.0
 *
 * What the panel forms need so that gcc and clang keep a tile's sums in registers and address its
 * rows cheaply.
 */
#ifndef DIGIT_OP_UNROLL_H
#define DIGIT_OP_UNROLL_H

/* Before a loop with a constant number of turns: unrolls it whole. */
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* Row r of a tile lies r strides behind the first. x86 addresses base + {0,1,2,4,8} * index, so
 * three bases, the stride and its triple reach 15 rows without further registers: row 7 is base5 +
 * 2 * stride. */
#define ROW_ADDRESS(r, base0, base5, base10, stride, stride3)                                      \
    ((const float *)(const void *)(((r) < 5    ? (base0)                                           \
                                    : (r) < 10 ? (base5)                                           \
                                               : (base10)) +                                       \
                                   ((r) % 5 == 3 ? (stride3) : (r) % 5 * (stride))))

/* Hides from the compiler how the bases move: it would else give each row a pointer of its own,
 * which do not fit in the registers. */
#define OPAQUE_BASES(base0, base5, base10) __asm__("" : "+r"(base0), "+r"(base5), "+r"(base10))

#endif
