/* SPDX-License-Identifier: Apache-2.0
 *
 * Conv: what the forms of a two-dimensional convolution share: the shape of one call, and the
 * forms' entries. conv.c chooses between them.
 */
#ifndef DIGIT_OP_CONV_H
#define DIGIT_OP_CONV_H

#include "model/op/activation.h"
#include "model/op/op.h"
#include "model/op/panel.h"
#include "model/op/window.h"

/* One convolution: y [batch, rows.out, columns.out, out_c] of x [batch, rows.in, columns.in, in_c]
 * and a filter [rows.taps, columns.taps, in_c / groups, out_c]. Group g of the input channels makes
 * group g of the output channels. */
typedef struct ConvShape {
    int64_t batch, in_c, out_c, groups;
    WindowAxis rows, columns;
} ConvShape;

/* ---- conv_direct.c: any shape, filter packed into panels (panel.h), K = taps x in_c / groups ----
 */

typedef struct ConvDirect {
    ConvShape shape;
    const PanelForm *form;
    const float *x;      /* NHWC */
    const float *panels; /* panel_pack of the filter as [K, out_c] */
    const float *bias;   /* [conv_bias_floats], zeros where there is no channel */
    Activation activation;
    bool pools; /* y is the maximum of 2x2 windows, strides 2, of the activation's result:
                 * [batch, rows.out / 2, columns.out / 2, out_c], rounded down */
    bool adds;  /* what y holds is added before the activation; not with `pools` */
    float *y;
} ConvDirect;

size_t conv_bias_floats(size_t out_c);

/* Runs it; working memory comes from `context`. The result for an image does not depend on the
 * others of the batch, nor on the number of threads. */
Error *conv_direct_run(const ConvDirect *conv, OpContext *context) _warn_unused_result_;

/* ---- depthwise.c: one input channel a group ------------------------------------------------- */

typedef struct Depthwise {
    ConvShape shape;     /* groups == in_c; out_c is a multiple of it */
    const float *x;      /* NHWC */
    const float *filter; /* [rows.taps, columns.taps, out_c] */
    const float *bias;   /* [out_c]; NULL: zeros */
    Activation activation;
    float *y;
} Depthwise;

/* The checks of DepthwiseConv2dNative, and the number of output channels. */
Error *depthwise_check(const Shape *x, const Shape *filter,
                       int64_t *ret_out_c) _warn_unused_result_;

void depthwise_conv_run(const Depthwise *conv, Workers *workers);

#endif
