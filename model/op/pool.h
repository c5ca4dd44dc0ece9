/* SPDX-License-Identifier: Apache-2.0
 *
 * Pool: the maximum or the mean of windows of an NHWC image, plane by plane.
 */
#ifndef DIGIT_OP_POOL_H
#define DIGIT_OP_POOL_H

#include "model/base/workers.h"
#include "model/op/window.h"

/* What one call computes. NCHW is the same with batch N * C and one channel. */
typedef struct Pool {
    int64_t batch, channels;
    WindowAxis rows, columns;
    bool is_mean;   /* of the positions that lie in the input; else the maximum, NaN left out */
    const float *x; /* [batch, rows.in, columns.in, channels] */
    float *y;       /* [batch, rows.out, columns.out, channels] */
} Pool;

void pool_run(const Pool *pool, Workers *workers);

#endif
