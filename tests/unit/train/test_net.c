/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of train/net.c against TensorFlow: losses, every gradient, all tensors after one and after
 * five steps of Adam (tests/data/make_train_step.py says what the numbers are).
 *
 * Both sides compute in floats and add in other orders, so a tensor agrees within a share of its
 * largest element. Weights get a wider share: Adam's first steps move an element by the whole rate,
 * whatever the size of its gradient, so that a difference in the last digits of a tiny one counts.
 */
#include "train/net.h"

#include <math.h>

#include "model/bundle/checkpoint_read.h"
#include "tests/support/check.h"
#include "train/adam.h"

enum { BATCH = 8, UNITS = 16, STEPS = 5, STRIDE = 13, LARGE = 1024 };

#define RATE 0.001
#define LOSS_TOLERANCE 1e-5
#define GRADIENT_TOLERANCE 2e-5 /* of the largest element */
#define WEIGHT_TOLERANCE 1e-4

/* The finaliser of MurmurHash3 over an index: bits() of the script. */
static uint32_t bits(uint32_t stream, uint32_t i)
{
    uint32_t x = i + stream * 1000003u;
    x ^= x >> 16;
    x *= 0x85ebca6bu;
    x ^= x >> 13;
    x *= 0xc2b2ae35u;
    return x ^ (x >> 16);
}

static void fill(Parameter *item, uint32_t stream)
{
    const char *tensor = strrchr(item->name, '/') + 1;
    bool conv = item->shape.rank == 4;
    float centre = 0.0f, scale = 0.125f; /* biases, beta, the first kernel */
    if (strcmp(tensor, "gamma") == 0) {
        centre = 1.0f;
        scale = 0.25f;
    } else if (strncmp(tensor, "moving", 6) == 0) {
        centre = strcmp(tensor, "moving_variance") == 0 ? 1.0f : 0.0f;
        scale = 0.0f;
    } else if (strcmp(tensor, "kernel") == 0 && !(conv && item->shape.dims[2] == 1)) {
        scale = conv || item->shape.dims[1] == UNITS ? 0.0625f : 0.5f;
    }
    for (size_t i = 0; i < item->n; i++)
        item->value[i] =
            centre + scale * ((float)(bits(stream, (uint32_t)i) >> 8) * 0x1p-23f - 1.0f);
}

static void make_images(float *images)
{
    for (uint32_t i = 0; i < BATCH * NET_PIXELS; i++) {
        uint32_t y = i % NET_PIXELS / NET_SIZE, x = i % NET_SIZE;
        bool inside = y >= 4 && y < 24 && x >= 4 && x < 24;
        images[i] = inside ? (float)(bits(100, i) >> 24) / 256.0f : 0.0f;
    }
}

/* `got` [n] against the tensor GROUP/NAME of the checkpoint. */
static void check_tensor(CheckpointReader *reader, Arena *arena, const char *group,
                         const Parameter *item, const float *got, double tolerance)
{
    Tensor want;
    assert_ok(
        checkpoint_read(reader, arena, arena_printf(arena, "%s/%s", group, item->name), "", &want));
    const size_t stride = item->n > LARGE ? STRIDE : 1;
    const float *values = want.data;
    double largest = 0.0;
    assert_int_equal(want.n, (item->n + stride - 1) / stride);
    for (int64_t i = 0; i < want.n; i++)
        largest = fmax(largest, fabs((double)values[i]));
    for (int64_t i = 0; i < want.n; i++) {
        double is = (double)got[(size_t)i * stride], should = (double)values[i];
        if (fabs(is - should) <= tolerance * largest)
            continue;
        print_error("%s of %s: element %zu is %.9g, TensorFlow has %.9g (largest %.3g)\n", group,
                    item->name, (size_t)i * stride, is, should, largest);
        fail();
    }
}

static void check_step(CheckpointReader *reader, Arena *arena, Net *net, const char *group)
{
    const Parameters *parameters = net_parameters(net);
    for (size_t i = 0; i < parameters->n; i++) {
        const Parameter *item = &parameters->items[i];
        if (strcmp(group, "gradient") != 0)
            check_tensor(reader, arena, group, item, item->value, WEIGHT_TOLERANCE);
        else if (item->trainable)
            check_tensor(reader, arena, group, item, item->gradient, GRADIENT_TOLERANCE);
    }
}

static Net *net_make(void)
{
    NetOptions options = { .hidden_layers = 2, .dense_units = UNITS, .batch_size = BATCH };
    Net *net = NULL;
    assert_ok(net_new(&options, &net));
    for (uint32_t i = 0; i < net_parameters(net)->n; i++)
        fill(&net_parameters(net)->items[i], i);
    return net;
}

static void test_training_steps(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 16, 0);
    _cleanup_(checkpoint_closep) CheckpointReader *reader = NULL;
    _cleanup_(net_freep) Net *net = net_make();
    Parameters *parameters = net_parameters(net);
    float *images = arena_calloc(arena, BATCH * NET_PIXELS, sizeof(float));
    AdamVectors vectors = { .n = parameters->n_trainable,
                            .values = parameters->values,
                            .gradients = parameters->gradients,
                            .m = arena_calloc(arena, parameters->n_trainable, sizeof(float)),
                            .v = arena_calloc(arena, parameters->n_trainable, sizeof(float)) };
    const uint8_t labels[BATCH] = { 0, 1, 2, 3, 4, 5, 6, 7 };
    Tensor losses;
    make_images(images);
    assert_ok(checkpoint_open(test_path(arena, "data/train_step"), &reader));
    assert_ok(checkpoint_read(reader, arena, "loss", "", &losses));
    for (long step = 0; step < STEPS; step++) {
        double loss = net_gradients(net, images, labels, BATCH, step);
        assert_float_equal(loss, ((float *)losses.data)[step], LOSS_TOLERANCE);
        if (step == 0)
            check_step(reader, arena, net, "gradient");
        adam_step(&vectors, step, RATE, NULL);
        if (step == 0)
            check_step(reader, arena, net, "step1");
    }
    check_step(reader, arena, net, "step5");
}

/* Inference of an image does not depend on the others in the batch, nor on training's leftovers. */
static void test_predict_alone_and_together(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 16, 0);
    _cleanup_(net_freep) Net *net = net_make();
    float *images = arena_calloc(arena, BATCH * NET_PIXELS, sizeof(float));
    float together[BATCH * NET_CLASSES], alone[NET_CLASSES];
    make_images(images);
    net_predict(net, images, NULL, BATCH, together);
    for (size_t i = 0; i < BATCH; i++) {
        float sum = 0.0f;
        net_predict(net, images + i * NET_PIXELS, NULL, 1, alone);
        for (size_t k = 0; k < NET_CLASSES; k++) {
            assert_float_equal(alone[k], together[i * NET_CLASSES + k], 1e-6);
            sum += alone[k];
        }
        assert_float_equal(sum, 1.0f, 1e-5);
    }
}

static void test_initial_weights(void **state _unused_)
{
    NetOptions options = { .hidden_layers = 1, .dense_units = 8, .batch_size = 1, .seed = 1 };
    _cleanup_(net_freep) Net *net = NULL;
    _cleanup_(net_freep) Net *other = NULL;
    assert_ok(net_new(&options, &net));
    options.seed = 2;
    assert_ok(net_new(&options, &other));
    assert_memory_not_equal(net_parameters(net)->values, net_parameters(other)->values, 64);
    const Parameter *kernel = parameters_get(net_parameters(net), "conv2d/kernel");
    const double limit = sqrt(6.0 / (25 * 33));
    double largest = 0.0;
    for (size_t i = 0; i < kernel->n; i++)
        largest = fmax(largest, fabs((double)kernel->value[i]));
    assert_true(largest < limit && largest > 0.95 * limit);
    assert_float_equal(parameters_get(net_parameters(net), "dense/bias")->value[3], 0, 0);
    assert_float_equal(parameters_get(net_parameters(net), "batch_normalization/gamma")->value[3],
                       1, 0);
}

/* Products inside the image: 134 = 5 * 28 - 6 pairs of pixels along a side, 64 = 5 * 14 - 6. */
static void test_flops(void **state _unused_)
{
    NetOptions options = { .hidden_layers = 2, .dense_units = 1024 };
    double first = 2 * 134 * 134 * 32.0; /* has no gradient by its input */
    double forward = first + 2 * 64 * 64 * 1024.0 + 2 * 1568 * 1024.0 + 2 * 10240.0;
    assert_float_equal(net_inference_flops(&options), forward, 1.0);
    assert_float_equal(net_training_flops(&options), 3 * forward - first, 1.0);
    options.hidden_layers = 0;
    assert_float_equal(net_training_flops(&options), 4 * 784 * 1024.0 + 6 * 10240.0, 1.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_training_steps),
        cmocka_unit_test(test_predict_alone_and_together),
        cmocka_unit_test(test_initial_weights),
        cmocka_unit_test(test_flops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
