/* SPDX-License-Identifier: Apache-2.0
 *
 * Pool: the maximum or the mean of windows of images and volumes, channels last.
 */
#ifndef DIGIT_OP_POOL_H
#define DIGIT_OP_POOL_H

#include "model/base/workers.h"
#include "model/op/window.h"
#include "model/tensor/dtype.h"

/* What one call computes. Channels first is the same with batch N * C and one channel. An image is a
 * volume of depth 1, see window_flat_axis. */
typedef struct Pool {
    DType dtype; /* float, double or an integer; of means float or double */
    int64_t batch, channels;
    WindowAxis axes[3]; /* depth, rows, columns */
    bool is_mean;       /* of the positions that lie in the input; else the maximum, NaN left out */
    const void *x;      /* [batch, in..., channels] */
    void *y;            /* [batch, out..., channels] */
} Pool;

bool pool_has(DType dtype, bool is_mean);

void pool_run(const Pool *pool, Workers *workers);

#endif
