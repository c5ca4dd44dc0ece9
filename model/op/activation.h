/* SPDX-License-Identifier: Apache-2.0
 *
 * Activation: a function of one value that follows a convolution or a matrix product.
 *
 * The kernels of Relu and its like, and the epilogues of the fused ops, go through the same
 * functions, so that fusing changes no answer.
 */
#ifndef DIGIT_OP_ACTIVATION_H
#define DIGIT_OP_ACTIVATION_H

#include <stdbool.h>
#include <stddef.h>

/* Klambauer et al., "Self-Normalizing Neural Networks" (2017), with TensorFlow's digits. */
#define SELU_SCALE 1.0507009873554804934193349852946
#define SELU_SCALE_ALPHA 1.7580993408473768599402175208123

typedef enum ActivationKind {
    ACTIVATION_NONE,
    ACTIVATION_RELU,
    ACTIVATION_RELU6,
    ACTIVATION_LEAKY_RELU,
    ACTIVATION_ELU,
    ACTIVATION_SELU,
    ACTIVATION_SOFTPLUS,
    ACTIVATION_SOFTSIGN,
    ACTIVATION_SIGMOID,
    ACTIVATION_TANH,
    ACTIVATION_SILU,         /* x * sigmoid(x) */
    ACTIVATION_HARD_SIGMOID, /* relu6(x + 3) / 6 */
    ACTIVATION_HARD_SWISH,   /* x * hard_sigmoid(x) */
    ACTIVATION_GELU,         /* x / 2 * erfc(-x / sqrt(2)) */
    ACTIVATION_GELU_TANH,    /* x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))) */
} ActivationKind;

typedef struct Activation {
    ActivationKind kind;
    float alpha; /* of LeakyRelu: the slope under zero */
} Activation;

/* The activation that a TensorFlow op of this name computes; "" is ACTIVATION_NONE. False when
 * there is none. */
bool activation_find(const char *name, ActivationKind *ret_kind);

/* True when the activation is min(max(x, low), high); the bounds are set then: -inf and +inf for
 * ACTIVATION_NONE. */
bool activation_bounds(const Activation *activation, float *ret_low, float *ret_high);

/* True when a greater x never gives a smaller value, so that a maximum may be taken before it. */
bool activation_is_monotone(const Activation *activation);

/* out[i] = f(in[i]); `in` and `out` may be the same. NaN gives NaN. */
void activation_apply(const Activation *activation, const float *in, size_t n, float *out);
void activation_apply_double(const Activation *activation, const double *in, size_t n, double *out);

#endif
