/* SPDX-License-Identifier: Apache-2.0
 *
 * The floors are loops over vectors of gcc and clang (vector_size), compiled for each kind of
 * vector unit: 12 independent sums hide the latency of a multiply-add (4 cycles, 2 a cycle need 8).
 */
#include "bench/floor.h"

#include <stdint.h>
#include <string.h>
#include <time.h>

#define N_SUMS 12
#define TURNS 2000

double floor_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Keeps a value in a register of its class, and the compiler from knowing it. */
#if defined(__x86_64__)
#define OPAQUE(v) __asm__ volatile("" : "+v"(v))
#else
#define OPAQUE(v) __asm__ volatile("" : "+w"(v))
#endif

#define DEFINE_FLOORS(suffix, lanes, attribute)                                                    \
    typedef float Vec##suffix __attribute__((vector_size(lanes * sizeof(float))));                 \
    attribute static double gflops_##suffix(void)                                                  \
    {                                                                                              \
        Vec##suffix x = { 0 }, a, b, c, d, e, f, g, h, i, j, k, l;                                 \
        a = b = c = d = e = f = g = h = i = j = k = l = x;                                         \
        double start = floor_now_ns();                                                             \
        for (int turn = 0; turn < TURNS; turn++) {                                                 \
            OPAQUE(x);                                                                             \
            a += x * x, b += x * x, c += x * x, d += x * x, e += x * x, f += x * x;                \
            g += x * x, h += x * x, i += x * x, j += x * x, k += x * x, l += x * x;                \
            OPAQUE(a);                                                                             \
            OPAQUE(b);                                                                             \
            OPAQUE(c);                                                                             \
            OPAQUE(d);                                                                             \
            OPAQUE(e);                                                                             \
            OPAQUE(f);                                                                             \
            OPAQUE(g);                                                                             \
            OPAQUE(h);                                                                             \
            OPAQUE(i);                                                                             \
            OPAQUE(j);                                                                             \
            OPAQUE(k);                                                                             \
            OPAQUE(l);                                                                             \
        }                                                                                          \
        return 2.0 * lanes * N_SUMS * TURNS / (floor_now_ns() - start);                            \
    }                                                                                              \
    attribute static double read_gbs_##suffix(const float *values, size_t n)                       \
    {                                                                                              \
        Vec##suffix sums[4] = { { 0 } }, v[4];                                                     \
        double start = floor_now_ns();                                                             \
        for (size_t at = 0; at < n; at += 4 * lanes) {                                             \
            memcpy(v, values + at, sizeof(v));                                                     \
            sums[0] += v[0], sums[1] += v[1], sums[2] += v[2], sums[3] += v[3];                    \
        }                                                                                          \
        OPAQUE(sums[0]);                                                                           \
        OPAQUE(sums[1]);                                                                           \
        OPAQUE(sums[2]);                                                                           \
        OPAQUE(sums[3]);                                                                           \
        return (double)(n * sizeof(float)) / (floor_now_ns() - start);                             \
    }

DEFINE_FLOORS(4, 4, )

#if defined(__x86_64__)
DEFINE_FLOORS(8, 8, __attribute__((target("avx2,fma"))))
DEFINE_FLOORS(16, 16, __attribute__((target("avx512f"))))

static int lanes(void)
{
    if (__builtin_cpu_supports("avx512f"))
        return 16;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? 8 : 4;
}

double floor_gflops(void)
{
    int n = lanes();
    return n == 16 ? gflops_16() : n == 8 ? gflops_8() : gflops_4();
}

double floor_read_gbs(const float *values, size_t n)
{
    int l = lanes();
    return l == 16  ? read_gbs_16(values, n)
           : l == 8 ? read_gbs_8(values, n)
                    : read_gbs_4(values, n);
}
#else
double floor_gflops(void)
{
    return gflops_4();
}

double floor_read_gbs(const float *values, size_t n)
{
    return read_gbs_4(values, n);
}
#endif
