/* SPDX-License-Identifier: Apache-2.0
 *
 * Float sums: see float_sums.h. One text is compiled for each kind of vector unit; every form adds
 * in the same order, so that all give the same bits.
 */
#include "model/op/float_sums.h"

#include <string.h>

#define INLINE static inline __attribute__((always_inline))

#define LANES 8
typedef double Doubles __attribute__((vector_size(LANES * sizeof(double))));
typedef float Floats __attribute__((vector_size(LANES * sizeof(float))));

#define BLOCK 4 /* vectors of sums that stay in registers while the rows go by */

/* *sums += x[0..8). Not by value: the plain form has no registers of that size to pass it in. */
INLINE void add_lanes(const float *x, Doubles *sums)
{
    Floats f;
    memcpy(&f, x, sizeof(f));
    *sums += __builtin_convertvector(f, Doubles);
}

INLINE void add_columns(int64_t rows, int64_t stride, int n_vectors, const float *x, double *sums)
{
    Doubles s[BLOCK];
    memcpy(s, sums, (size_t)n_vectors * sizeof(Doubles));
    for (int64_t r = 0; r < rows; r++, x += stride) {
        for (int v = 0; v < n_vectors; v++)
            add_lanes(x + v * LANES, &s[v]);
    }
    memcpy(sums, s, (size_t)n_vectors * sizeof(Doubles));
}

INLINE void add_rows(int64_t rows, int64_t stride, int64_t n, const float *x, double *sums)
{
    int64_t i = 0;
    for (; i + BLOCK * LANES <= n; i += BLOCK * LANES)
        add_columns(rows, stride, BLOCK, x + i, sums + i);
    for (; i + LANES <= n; i += LANES)
        add_columns(rows, stride, 1, x + i, sums + i);
    for (; i < n; i++) {
        for (int64_t r = 0; r < rows; r++)
            sums[i] += (double)x[r * stride + i];
    }
}

INLINE void add_row(int64_t n, const float *x, double *sum)
{
    Doubles s[BLOCK] = { { 0 } };
    int64_t i = 0;
    for (; i + BLOCK * LANES <= n; i += BLOCK * LANES) {
        for (int v = 0; v < BLOCK; v++)
            add_lanes(x + i + v * LANES, &s[v]);
    }
    for (; i + LANES <= n; i += LANES)
        add_lanes(x + i, &s[0]);
    s[0] = (s[0] + s[1]) + (s[2] + s[3]);
    double total = 0;
    for (; i < n; i++)
        total += (double)x[i];
    for (int k = 0; k < LANES; k++)
        total += s[0][k];
    *sum = total;
}

#define FORMS(suffix, target)                                                                      \
    target static void rows_##suffix(int64_t rows, int64_t stride, int64_t n, const float *x,      \
                                     double *sums)                                                 \
    {                                                                                              \
        add_rows(rows, stride, n, x, sums);                                                        \
    }                                                                                              \
    target static void row_##suffix(int64_t n, const float *x, double *sum)                        \
    {                                                                                              \
        add_row(n, x, sum);                                                                        \
    }
FORMS(plain, )
#if defined(__x86_64__)
FORMS(avx2, __attribute__((target("avx2,fma"))))
FORMS(avx512, __attribute__((target("avx512f"))))
#define CHOOSE(name)                                                                               \
    (__builtin_cpu_supports("avx512f")                                 ? name##_avx512             \
     : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? name##_avx2               \
                                                                       : name##_plain)
#else
#define CHOOSE(name) (name##_plain)
#endif

void float_sums_rows(int64_t rows, int64_t stride, int64_t n, const float *x, double *sums)
{
    CHOOSE(rows)(rows, stride, n, x, sums);
}

double float_sums_row(int64_t n, const float *x)
{
    double sum = 0;
    CHOOSE(row)(n, x, &sum);
    return sum;
}
