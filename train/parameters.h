/* SPDX-License-Identifier: Apache-2.0
 *
 * Parameters: the network's tensors by name. All values lie in one vector and all gradients in
 * another, so that the optimiser and a reduction between machines see one array each; a Parameter
 * is a window into them. Names are those that tf.layers gives: conv2d/kernel,
 * batch_normalization_1/gamma, dense/bias.
 */
#ifndef DIGIT_TRAIN_PARAMETERS_H
#define DIGIT_TRAIN_PARAMETERS_H

#include "model/tensor/tensor.h"

#define PARAMETERS_MAX 24 /* four blocks of five, two dense layers of two */
#define PARAMETER_NAME_BYTES 64

typedef struct Parameter {
    char name[PARAMETER_NAME_BYTES];
    Shape shape;
    size_t n;
    size_t offset;   /* floats from the begin of the vectors */
    bool trainable;  /* false for the moving statistics, which have no gradient */
    float *value;    /* [n] */
    float *gradient; /* [n], or NULL */
} Parameter;

typedef struct Parameters {
    Parameter items[PARAMETERS_MAX];
    size_t n;
    size_t n_trainable; /* floats that are trainable, padding included: the first ones */
    size_t n_floats;    /* floats in `values` */
    float *values;      /* [n_floats] */
    float *gradients;   /* [n_trainable] */
} Parameters;

/* The name of the i-th layer of a kind: "conv2d", "conv2d_1"... and a '/' and `tensor` behind. */
void parameter_name(char name[PARAMETER_NAME_BYTES], const char *kind, int i, const char *tensor);

/* Declares a tensor. At most PARAMETERS_MAX. */
void parameters_add(Parameters *parameters, const char *name, bool trainable, Shape shape);

/* Lays the declared tensors out in `arena`, zeroed. RESOURCE_EXHAUSTED when memory is out. */
Error *parameters_allocate(Parameters *parameters, Arena *arena) _warn_unused_result_;

/* The declared tensor of this name; it must be there. */
Parameter *parameters_get(Parameters *parameters, const char *name);

/* The number of weights without padding. */
size_t parameters_count(const Parameters *parameters);

#endif
