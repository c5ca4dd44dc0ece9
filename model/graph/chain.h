/* SPDX-License-Identifier: Apache-2.0
 *
 * Chain: what fuse.c gathers from one convolution or product on: between fuse.c, which walks, and
 * link.c, which knows what each op means behind a product.
 */
#ifndef DIGIT_GRAPH_CHAIN_H
#define DIGIT_GRAPH_CHAIN_H

#include "model/graph/affine.h"
#include "model/graph/graph.h"

typedef struct Chain {
    Graph *graph;
    Node *base;   /* Conv2D, DepthwiseConv2dNative or MatMul */
    Node *last;   /* so far; its output 0 is the chain's */
    bool is_conv; /* of either kind */
    const Op *fused;
    const Tensor *weights; /* NULL: not constant, nothing can be put into them */
    bool is_outermost;     /* channels are the weights' first dimension: transpose_b */
    Affine affine;         /* where weights are constant */
    Endpoint bias;         /* one that is no constant; node NULL: none */
    Endpoint residual;     /* what is added before the activation; node NULL: nothing */
    int residual_operand;  /* of the Add */
    const char *activation;
    float alpha;
    const Node *pool;
} Chain;

/* Takes `next`, which alone uses chain->last, as its input `i`, into the chain, or leaves the chain
 * alone. Errors of attributes. */
Error *link_extend(Chain *chain, Node *next, int i, bool *ret_is_taken) _warn_unused_result_;

/* True for a node with data_format NHWC, or without one. */
bool link_is_nhwc(const Node *node);

#endif
