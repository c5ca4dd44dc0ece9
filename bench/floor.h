/* SPDX-License-Identifier: Apache-2.0
 *
 * Floor: what one core of this machine can do at most, measured, to stand beside each figure.
 */
#ifndef DIGIT_BENCH_FLOOR_H
#define DIGIT_BENCH_FLOOR_H

#include <stddef.h>

/* Monotonic time in nanoseconds. */
double floor_now_ns(void);

/* The rate of float multiply-adds in registers alone, on the widest vectors that this processor
 * has: floating-point operations a nanosecond (GFLOP/s), two a multiply-add. One sample of some 20
 * us. */
double floor_gflops(void);

/* Bytes a nanosecond (GB/s) of reading `n` floats once, from front to back; `n` is a multiple of
 * 256. One sample. */
double floor_read_gbs(const float *values, size_t n);

#endif
