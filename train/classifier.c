/* SPDX-License-Identifier: Apache-2.0
 *
 * The dense end of the network. Matrix products are split by columns or rows of weights in fixed
 * PANELs, the rest by images, so that no two threads add to one element.
 */
#include "train/classifier.h"

#include "train/floats.h"
#include "train/layer_dropout.h"
#include "train/loss.h"

#define PANEL 128 /* columns or rows of weights at a time */
#define ROWS 8    /* images at a time */

typedef struct Pass {
    Classifier *classifier;
    size_t n;
    long step;
} Pass;

/* ---- forward ------------------------------------------------------------------------------- */

static void hidden_columns(void *context, size_t begin, size_t end, int thread _unused_)
{
    const Pass *pass = context;
    const Classifier *c = pass->classifier;
    dense_forward(&c->hidden, c->x, pass->n, c->h, begin, end);
}

static void finish_rows(void *context, size_t begin, size_t end, int thread _unused_)
{
    const Pass *pass = context;
    const Classifier *c = pass->classifier;
    for (size_t i = begin; i < end; i++) {
        Rng rng = rng_stream(c->seed, RNG_DROPOUT, (uint64_t)pass->step, i);
        dropout_forward(c->h + i * c->n_units, c->n_units, pass->step >= 0 ? c->dropout_rate : 0.0f,
                        &rng);
    }
    dense_forward(&c->logits, c->h + begin * c->n_units, end - begin, c->z + begin * LOSS_CLASSES,
                  0, LOSS_CLASSES);
    for (size_t i = begin; i < end; i++)
        loss_softmax(c->z + i * LOSS_CLASSES, c->probabilities + i * LOSS_CLASSES);
}

void classifier_forward(Classifier *classifier, size_t n, long step)
{
    Pass pass = { classifier, n, step };
    workers_for(classifier->workers, classifier->n_units, PANEL, hidden_columns, &pass);
    workers_for(classifier->workers, n, ROWS, finish_rows, &pass);
}

/* ---- backward ------------------------------------------------------------------------------ */

static void dropout_rows(void *context, size_t begin, size_t end, int thread _unused_)
{
    const Pass *pass = context;
    const Classifier *c = pass->classifier;
    dropout_backward(c->h + begin * c->n_units, c->d_h + begin * c->n_units,
                     (end - begin) * c->n_units, c->dropout_rate);
}

static void hidden_rows(void *context, size_t begin, size_t end, int thread _unused_)
{
    const Pass *pass = context;
    const Classifier *c = pass->classifier;
    DenseBatch batch = { .n = pass->n, .x = c->x, .d_y = c->d_h, .d_x = c->d_x };
    dense_backward(&c->hidden, &batch, begin, end);
}

double classifier_backward(Classifier *classifier, size_t n, const uint8_t *labels)
{
    double loss = 0.0;
    for (size_t i = 0; i < n; i++) {
        loss += loss_cross_entropy(classifier->z + i * LOSS_CLASSES, labels[i]) / (double)n;
        loss_backward(classifier->probabilities + i * LOSS_CLASSES, labels[i], 1.0f / (float)n,
                      classifier->d_z + i * LOSS_CLASSES);
    }
    DenseBatch batch = {
        .n = n, .x = classifier->h, .d_y = classifier->d_z, .d_x = classifier->d_h
    };
    dense_backward(&classifier->logits, &batch, 0, classifier->n_units);
    dense_backward_bias(&classifier->logits, classifier->d_z, n);

    Pass pass = { classifier, n, 0 };
    workers_for(classifier->workers, n, ROWS, dropout_rows, &pass);
    dense_backward_bias(&classifier->hidden, classifier->d_h, n);
    workers_for(classifier->workers, classifier->n_features, PANEL, hidden_rows, &pass);
    return loss;
}

/* ---- making -------------------------------------------------------------------------------- */

void classifier_declare(Parameters *parameters, size_t n_features, size_t n_units)
{
    int64_t features = (int64_t)n_features, units = (int64_t)n_units;
    parameters_add(parameters, "dense/kernel", true, shape_of(features, units));
    parameters_add(parameters, "dense/bias", true, shape_of(units));
    parameters_add(parameters, "dense_1/kernel", true, shape_of(units, LOSS_CLASSES));
    parameters_add(parameters, "dense_1/bias", true, shape_of(LOSS_CLASSES));
}

static DenseLayer dense_of(Parameters *parameters, int i)
{
    char name[PARAMETER_NAME_BYTES];
    parameter_name(name, "dense", i, "kernel");
    const Parameter *kernel = parameters_get(parameters, name);
    parameter_name(name, "dense", i, "bias");
    const Parameter *bias = parameters_get(parameters, name);
    return (DenseLayer){ .in = (size_t)kernel->shape.dims[0],
                         .out = (size_t)kernel->shape.dims[1],
                         .weights = kernel->value,
                         .bias = bias->value,
                         .d_weights = kernel->gradient,
                         .d_bias = bias->gradient };
}

Error *classifier_init(Classifier *classifier, Parameters *parameters, size_t capacity,
                       bool wants_d_x, Arena *arena)
{
    classifier->hidden = dense_of(parameters, 0);
    classifier->logits = dense_of(parameters, 1);
    classifier->x = floats_new(arena, capacity, classifier->n_features);
    classifier->h = floats_new(arena, capacity, classifier->n_units);
    classifier->d_h = floats_new(arena, capacity, classifier->n_units);
    classifier->z = floats_new(arena, capacity, LOSS_CLASSES);
    classifier->probabilities = floats_new(arena, capacity, LOSS_CLASSES);
    classifier->d_z = floats_new(arena, capacity, LOSS_CLASSES);
    if (wants_d_x)
        classifier->d_x = floats_new(arena, capacity, classifier->n_features);
    bool complete = classifier->x != NULL && classifier->h != NULL && classifier->d_h != NULL &&
                    classifier->z != NULL && classifier->probabilities != NULL &&
                    classifier->d_z != NULL && (!wants_d_x || classifier->d_x != NULL);
    return complete ? NULL : error_out_of_memory();
}
