/* SPDX-License-Identifier: Apache-2.0
 *
 * Elementwise: what unary.c, binary.c and compare.c share: rows of (op, type, loop), chosen when
 * the op is prepared; memory, broadcasting and the 16-bit types when it runs.
 *
 * half and bfloat16 use the loop of float, between two conversions of the whole tensor.
 */
#ifndef DIGIT_OP_ELEMENTWISE_H
#define DIGIT_OP_ELEMENTWISE_H

#include "model/op/op.h"

/* y[i] = f(x[i]); x and y may be the same memory. */
typedef void UnaryLoop(int64_t n, const void *x, void *y);

/* z[i] = f(x[i * x_stride], y[i * y_stride]); strides are 0 or 1; z may be the memory of an operand
 * whose stride is 1. */
typedef void BinaryLoop(int64_t n, const void *x, int64_t x_stride, const void *y, int64_t y_stride,
                        void *z);

typedef struct UnaryRow {
    const char *op;
    DType in, out;
    UnaryLoop *loop;
} UnaryRow;

typedef struct BinaryRow {
    const char *op;
    DType in, out;
    BinaryLoop *loop;
    Error *(*check)(const Tensor *x, const Tensor *y); /* of a result that is not empty; or NULL */
} BinaryRow;

typedef struct UnaryKernel {
    const UnaryRow *row;
    DType dtype; /* of the input; the row's is float where this is a 16-bit type */
} UnaryKernel;

typedef struct BinaryKernel {
    const BinaryRow *row;
    DType dtype;
    bool mismatch_is_value; /* incompatible_shape_error=false: shapes that do not fit give ... */
    bool mismatch_value;    /* ... this scalar */
} BinaryKernel;

/* Finds the row of the node's op and input type and leaves the kernel in `prepare`. UNIMPLEMENTED
 * when there is none. */
Error *unary_prepare_rows(OpPrepare *prepare, const UnaryRow *rows, size_t n) _warn_unused_result_;
Error *binary_prepare_rows(OpPrepare *prepare, const BinaryRow *rows, size_t n,
                           BinaryKernel **ret_kernel) _warn_unused_result_;

/* n elements of a 16-bit type as float, and back. */
void shorts_widen(DType dtype, int64_t n, const void *x, float *y);
void shorts_narrow(DType dtype, int64_t n, const float *x, void *y);

/* The elements of a tensor as float: its own, or widened in scratch memory. */
Error *shorts_as_floats(OpContext *context, const Tensor *tensor,
                        const float **ret) _warn_unused_result_;

/* UNIMPLEMENTED: the op is known, but not for this type. */
Error *op_unsupported_type(const OpPrepare *prepare, DType dtype) _warn_unused_result_;

static inline bool dtype_is_short_float(DType dtype)
{
    return dtype == DT_HALF || dtype == DT_BFLOAT16;
}

/* Before a loop whose iterations are independent even when output and input are the same memory:
 * without it, gcc's own overlap test would send exactly that case to the slow loop. (clang has such
 * a mark too, but makes an error of each loop that it cannot vectorise.) */
#ifdef __clang__
#define INDEPENDENT_ITERATIONS
#else
#define INDEPENDENT_ITERATIONS _Pragma("GCC ivdep")
#endif

/* Defines a UnaryLoop: `expression` in terms of v. */
#define DEFINE_UNARY_LOOP(name, in, out, expression)                                               \
    static void name(int64_t n, const void *xs, void *ys)                                          \
    {                                                                                              \
        const in *x = xs;                                                                          \
        out *y = ys;                                                                               \
        INDEPENDENT_ITERATIONS                                                                     \
        for (int64_t i = 0; i < n; i++) {                                                          \
            const in v = x[i];                                                                     \
            y[i] = (out)(expression);                                                              \
        }                                                                                          \
    }

/* Defines a BinaryLoop: `expression` in terms of a and b. One loop for each pair of strides, so
 * that each is vectorised. */
#define DEFINE_BINARY_LOOP(name, in, out, expression)                                              \
    static inline out name##_one(const in a, const in b)                                           \
    {                                                                                              \
        return (out)(expression);                                                                  \
    }                                                                                              \
    static void name(int64_t n, const void *xs, int64_t x_stride, const void *ys,                  \
                     int64_t y_stride, void *zs)                                                   \
    {                                                                                              \
        const in *x = xs, *y = ys;                                                                 \
        out *z = zs;                                                                               \
        if (x_stride == 0) {                                                                       \
            const in a = x[0];                                                                     \
            INDEPENDENT_ITERATIONS                                                                 \
            for (int64_t i = 0; i < n; i++)                                                        \
                z[i] = name##_one(a, y[i * y_stride]);                                             \
        } else if (y_stride == 0) {                                                                \
            const in b = y[0];                                                                     \
            INDEPENDENT_ITERATIONS                                                                 \
            for (int64_t i = 0; i < n; i++)                                                        \
                z[i] = name##_one(x[i], b);                                                        \
        } else {                                                                                   \
            INDEPENDENT_ITERATIONS                                                                 \
            for (int64_t i = 0; i < n; i++)                                                        \
                z[i] = name##_one(x[i], y[i]);                                                     \
        }                                                                                          \
    }

#endif
