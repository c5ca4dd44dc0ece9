/* SPDX-License-Identifier: Apache-2.0
 *
 * The whole network in order: shapes, initial weights, forward, backward. Each layer's arithmetic
 * is in its own file; conv_block.c and classifier.c run them over a batch. One arena holds it all.
 */
#include "train/net.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "train/classifier.h"
#include "train/conv_block.h"
#include "train/loss.h"
#include "train/rng.h"

_Static_assert(NET_CLASSES == LOSS_CLASSES, "the loss is over the net's classes");

struct Net {
    NetOptions options;
    Arena *arena;
    Parameters parameters;
    ConvBlock blocks[NET_MAX_LAYERS];
    Classifier classifier;
};

/* ---- shapes -------------------------------------------------------------------------------- */

int net_side_after(int layers)
{
    return NET_SIZE >> layers;
}

static int channels_into(int layer)
{
    return layer == 0 ? 1 : CONV_FILTERS;
}

static size_t n_features(int layers)
{
    int side = net_side_after(layers);
    return (size_t)(side * side * channels_into(layers));
}

/* Of the first layer that has weights, which gets no gradient by its input, and of the others. */
static void count_flops(const NetOptions *options, double *ret_first, double *ret_others)
{
    double others = 2.0 * options->dense_units * NET_CLASSES;
    double first = 2.0 * (double)n_features(options->hidden_layers) * options->dense_units;
    for (int i = options->hidden_layers - 1; i >= 0; i--) {
        /* Pairs of output and input pixels along a side: 5 each, less the 6 in the border. */
        double pairs = CONV_KERNEL * net_side_after(i) - CONV_PAD * (CONV_PAD + 1);
        others += first;
        first = 2.0 * pairs * pairs * channels_into(i) * CONV_FILTERS;
    }
    *ret_first = first;
    *ret_others = others;
}

double net_inference_flops(const NetOptions *options)
{
    double first, others;
    count_flops(options, &first, &others);
    return first + others;
}

double net_training_flops(const NetOptions *options)
{
    double first, others;
    count_flops(options, &first, &others);
    return 2.0 * first + 3.0 * others;
}

/* ---- making -------------------------------------------------------------------------------- */

/* Glorot and Bengio, AISTATS 2010: uniform within sqrt(6 / (fan_in + fan_out)). */
static void init_kernel(Parameter *kernel, Rng *rng)
{
    const int64_t *dims = kernel->shape.dims;
    double in = (double)dims[kernel->shape.rank - 2], out = (double)dims[kernel->shape.rank - 1];
    double taps = kernel->shape.rank == 4 ? (double)(dims[0] * dims[1]) : 1.0;
    float limit = (float)sqrt(6.0 / (taps * (in + out)));
    for (size_t i = 0; i < kernel->n; i++)
        kernel->value[i] = rng_between(rng, -limit, limit);
}

static void init_values(Parameters *parameters, uint64_t seed)
{
    for (size_t i = 0; i < parameters->n; i++) {
        Parameter *item = &parameters->items[i];
        Rng rng = rng_stream(seed, RNG_INIT, i, 0);
        const char *tensor = strrchr(item->name, '/') + 1;
        if (strcmp(tensor, "kernel") == 0)
            init_kernel(item, &rng);
        else if (strcmp(tensor, "gamma") == 0 || strcmp(tensor, "moving_variance") == 0)
            for (size_t k = 0; k < item->n; k++)
                item->value[k] = 1.0f;
    }
}

static Error *init(Net *net)
{
    const NetOptions *options = &net->options;
    const size_t capacity = (size_t)options->batch_size;
    const size_t features = n_features(options->hidden_layers);
    for (int i = 0; i < options->hidden_layers; i++)
        conv_block_declare(&net->parameters, i, channels_into(i));
    classifier_declare(&net->parameters, features, (size_t)options->dense_units);
    TRY(parameters_allocate(&net->parameters, net->arena));
    init_values(&net->parameters, options->seed);
    for (int i = 0; i < options->hidden_layers; i++) {
        net->blocks[i].shape = (ConvShape){ net_side_after(i), channels_into(i) };
        net->blocks[i].workers = options->workers;
        TRY(conv_block_init(&net->blocks[i], &net->parameters, i, capacity, net->arena));
    }
    net->classifier = (Classifier){ .n_features = features,
                                    .n_units = (size_t)options->dense_units,
                                    .dropout_rate = options->dropout_rate,
                                    .seed = options->seed,
                                    .workers = options->workers };
    return classifier_init(&net->classifier, &net->parameters, capacity, options->hidden_layers > 0,
                           net->arena);
}

Error *net_new(const NetOptions *options, Net **ret_net)
{
    assert(options->hidden_layers >= 0 && options->hidden_layers <= NET_MAX_LAYERS);
    assert(options->dense_units > 0 && options->batch_size > 0);
    _cleanup_(net_freep) Net *net = calloc(1, sizeof(*net));
    if (net == NULL)
        return error_out_of_memory();
    net->options = *options;
    net->arena = arena_new((size_t)1 << 20, 0);
    if (net->arena == NULL)
        return error_out_of_memory();
    TRY(init(net));
    *ret_net = TAKE(net);
    return NULL;
}

Net *net_free(Net *net)
{
    if (net != NULL)
        arena_free(net->arena);
    free(net);
    return NULL;
}

const NetOptions *net_options(const Net *net)
{
    return &net->options;
}

Parameters *net_parameters(Net *net)
{
    return &net->parameters;
}

/* ---- passes -------------------------------------------------------------------------------- */

/* Where the output of block i - 1 (of the images themselves for 0) goes. */
static ConvBlockOut input_of(const Net *net, int i)
{
    if (i < net->options.hidden_layers)
        return conv_block_input(&net->blocks[i]);
    const size_t side = (size_t)net_side_after(i), channels = (size_t)channels_into(i);
    return (ConvBlockOut){ net->classifier.x, side * side * channels, side * channels };
}

static void forward(Net *net, const float *images, size_t n, long step)
{
    assert(n > 0 && n <= (size_t)net->options.batch_size);
    ConvBlockOut first = input_of(net, 0);
    for (size_t i = 0; i < n; i++)
        for (size_t y = 0; y < NET_SIZE; y++)
            memcpy(first.data + i * first.image + y * first.row,
                   images + i * NET_PIXELS + y * NET_SIZE, NET_SIZE * sizeof(float));
    for (int i = 0; i < net->options.hidden_layers; i++)
        conv_block_forward(&net->blocks[i], n, step, input_of(net, i + 1));
    classifier_forward(&net->classifier, n, step);
}

double net_gradients(Net *net, const float *images, const uint8_t *labels, size_t n, long step)
{
    forward(net, images, n, step);
    double loss = classifier_backward(&net->classifier, n, labels);
    const float *d_out = net->classifier.d_x;
    for (int i = net->options.hidden_layers - 1; i >= 0; i--) {
        conv_block_backward(&net->blocks[i], n, d_out);
        d_out = net->blocks[i].d_x;
    }
    return loss;
}

double net_predict(Net *net, const float *images, const uint8_t *labels, size_t n,
                   float *probabilities)
{
    forward(net, images, n, -1);
    memcpy(probabilities, net->classifier.probabilities, n * NET_CLASSES * sizeof(float));
    double loss = 0.0;
    for (size_t i = 0; i < n && labels != NULL; i++)
        loss += loss_cross_entropy(net->classifier.z + i * NET_CLASSES, labels[i]);
    return loss;
}
