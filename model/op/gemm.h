/* SPDX-License-Identifier: Apache-2.0
 *
 * Gemm: products of float matrices, row-major. The one door to OpenBLAS, and the dense layer with
 * packed weights. Knows no Tensor; training uses it too.
 */
#ifndef DIGIT_OP_GEMM_H
#define DIGIT_OP_GEMM_H

#include <stdbool.h>
#include <stddef.h>

#include "model/base/arena.h"
#include "model/base/error.h"
#include "model/base/workers.h"
#include "model/op/activation.h"
#include "model/op/panel.h"

/* c = alpha * op(a) op(b) + beta * c, op(a) [m,k], op(b) [k,n], c [m,n], where op transposes what
 * is stored the other way. A leading dimension of 0 means that the rows lie close together. */
typedef struct Gemm {
    size_t m, n, k;
    bool transpose_a, transpose_b; /* a is stored [k,m]; b is stored [n,k] */
    float alpha, beta;             /* with beta 0, c need not be initialised */
    const float *a, *b;
    float *c;
    size_t lda, ldb, ldc; /* elements from one stored row to the next */
    Workers *workers;     /* NULL: this thread alone. Rows are split in the same way for any
                           * number of threads, so the bits are the same */
} Gemm;

/* INVALID_ARGUMENT when a size does not fit OpenBLAS's int. Thread-safe. */
Error *gemm_run(const Gemm *gemm) _warn_unused_result_;

/* The same of doubles, on this thread, without alpha and beta: c = op(a) op(b). */
typedef struct GemmDouble {
    size_t m, n, k;
    bool transpose_a, transpose_b;
    const double *a, *b;
    double *c;
} GemmDouble;

Error *gemm_run_double(const GemmDouble *gemm) _warn_unused_result_;

/* ---- dense layer --------------------------------------------------------------------------- */

/* The weights of a dense layer, packed for small batches. Immutable: any number of threads. */
typedef struct Dense Dense;

typedef struct DenseOptions {
    size_t k, n;
    const float *b;    /* [k,n] */
    bool transposed;   /* b is stored [n,k] */
    const float *bias; /* [n]; NULL: zeros */
    Activation activation;
    const PanelForm *form; /* NULL: the fastest */
} DenseOptions;

/* Packs b and bias into `arena`; nothing is borrowed. RESOURCE_EXHAUSTED when memory is out. */
Error *dense_new(Arena *arena, const DenseOptions *options, Dense **ret_dense) _warn_unused_result_;

/* c [m,n] = activation(a [m,k] b + bias). A row's result does not depend on the others, nor on the
 * number of threads. */
void dense_run(const Dense *dense, size_t m, const float *a, float *c, Workers *workers);

/* The same, and what c holds is added before the activation; and c = a b + bias. */
void dense_run_add(const Dense *dense, size_t m, const float *a, float *c, Workers *workers);
void dense_run_linear(const Dense *dense, size_t m, const float *a, float *c, Workers *workers);

#endif
