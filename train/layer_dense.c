/* SPDX-License-Identifier: Apache-2.0
 *
 * Dense layer: three matrix products. All matrices are row-major; a range of columns of one is a
 * matrix with the same distance between rows.
 */
#include "train/layer_dense.h"

#include <assert.h>
#include <string.h>

#include "model/op/gemm.h"

/* A product fails only when a size does not fit an int; the options keep ours far below. */
static void multiply(const Gemm *gemm)
{
    Error *error = gemm_run(gemm);
    assert(error == NULL);
    error_free(error);
}

void dense_forward(const DenseLayer *dense, const float *x, size_t n, float *y, size_t begin,
                   size_t end)
{
    for (size_t i = 0; i < n; i++)
        memcpy(y + i * dense->out + begin, dense->bias + begin, (end - begin) * sizeof(float));
    multiply(&(Gemm){ .m = n,
                      .n = end - begin,
                      .k = dense->in,
                      .alpha = 1.0f,
                      .beta = 1.0f, /* the bias is there already */
                      .a = x,
                      .b = dense->weights + begin,
                      .ldb = dense->out,
                      .c = y + begin,
                      .ldc = dense->out });
}

void dense_backward(const DenseLayer *dense, const DenseBatch *batch, size_t begin, size_t end)
{
    multiply(&(Gemm){ .m = end - begin,
                      .n = dense->out,
                      .k = batch->n,
                      .transpose_a = true,
                      .alpha = 1.0f,
                      .a = batch->x + begin,
                      .lda = dense->in,
                      .b = batch->d_y,
                      .c = dense->d_weights + begin * dense->out });
    if (batch->d_x == NULL)
        return;
    multiply(&(Gemm){ .m = batch->n,
                      .n = end - begin,
                      .k = dense->out,
                      .transpose_b = true,
                      .alpha = 1.0f,
                      .a = batch->d_y,
                      .b = dense->weights + begin * dense->out,
                      .c = batch->d_x + begin,
                      .ldc = dense->in });
}

void dense_backward_bias(const DenseLayer *dense, const float *d_y, size_t n)
{
    memset(dense->d_bias, 0, dense->out * sizeof(float));
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < dense->out; j++)
            dense->d_bias[j] += d_y[i * dense->out + j];
}
