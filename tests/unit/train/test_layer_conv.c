/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of train/layer_conv.c and of every kernel of train/conv_kernel.c that this processor runs,
 * against the plain sums in double precision.
 */
#include "train/layer_conv.h"

#include "tests/unit/train/vectors.h"

#define TOLERANCE 1e-5 /* sums of up to 800 products of numbers under 1 */

/* Everything that a case needs, and the three results in doubles. */
typedef struct Case {
    ConvShape shape;
    float *x, *weights, *d_out; /* x [size,size,c], d_out [size,size,32] */
    double *out, *d_weights, *d_x;
} Case;

static const ConvShape shapes[] = { { 28, 1 }, { 14, 32 }, { 7, 32 }, { 3, 32 }, { 1, 32 } };

/* Adds the tap (ky, kx) to all three results. */
static void add_tap(Case *c, int ky, int kx)
{
    const int size = c->shape.size, channels = c->shape.channels;
    const size_t tap = (size_t)(ky * 5 + kx) * (size_t)channels * 32;
    for (int y = 0; y < size; y++)
        for (int x = 0; x < size; x++) {
            int from_y = y + ky - 2, from_x = x + kx - 2;
            if (from_y < 0 || from_y >= size || from_x < 0 || from_x >= size)
                continue;
            size_t in = (size_t)(from_y * size + from_x) * (size_t)channels;
            size_t out = (size_t)(y * size + x) * 32;
            for (size_t k = 0; k < (size_t)channels; k++)
                for (size_t f = 0; f < 32; f++) {
                    double w = (double)c->weights[tap + k * 32 + f];
                    double v = (double)c->x[in + k], d = (double)c->d_out[out + f];
                    c->out[out + f] += v * w;
                    c->d_weights[tap + k * 32 + f] += v * d;
                    c->d_x[in + k] += d * w;
                }
        }
}

static void case_init(Case *c, ConvShape shape)
{
    const size_t pixels = (size_t)(shape.size * shape.size), channels = (size_t)shape.channels;
    c->shape = shape;
    c->x = vector_new(pixels * channels, 1);
    c->weights = vector_new(25 * channels * 32, 2);
    c->d_out = vector_new(pixels * 32, 3);
    c->out = calloc(pixels * 32, sizeof(double));
    c->d_weights = calloc(25 * channels * 32, sizeof(double));
    c->d_x = calloc(pixels * channels, sizeof(double));
    for (int ky = 0; ky < 5; ky++)
        for (int kx = 0; kx < 5; kx++)
            add_tap(c, ky, kx);
}

static void case_done(Case *c)
{
    free(c->x);
    free(c->weights);
    free(c->d_out);
    free(c->out);
    free(c->d_weights);
    free(c->d_x);
}

static void check_kernel(const ConvKernel *kernel, const Case *c)
{
    const ConvShape *shape = &c->shape;
    const size_t size = (size_t)shape->size, n_weights = conv_n_weights(shape);
    float *x = vector_padded(c->x, size, (size_t)shape->channels);
    float *d_out = vector_padded(c->d_out, size, 32);
    float *out = vector_new(size * size * 32, 4);
    float *d_weights = calloc(n_weights, sizeof(float));
    kernel->forward(shape, x, c->weights, out);
    check_vector(kernel->name, out, c->out, size * size * 32, TOLERANCE);
    kernel->backward_weights(shape, x, d_out + (2 * (size + 4) + 2) * 32, d_weights);
    check_vector(kernel->name, d_weights, c->d_weights, n_weights, TOLERANCE);
    free(x);
    free(d_out);
    free(out);
    free(d_weights);
}

static void test_kernels(void **state _unused_)
{
    size_t n;
    const ConvKernel *kernels = conv_kernel_all(&n);
    assert_true(kernels[n - 1].supported());
    for (size_t s = 0; s < ARRAY_SIZE(shapes); s++) {
        Case c;
        case_init(&c, shapes[s]);
        for (size_t k = 0; k < n; k++)
            if (kernels[k].supported())
                check_kernel(&kernels[k], &c);
        case_done(&c);
    }
}

static void test_backward_input(void **state _unused_)
{
    for (size_t s = 0; s < ARRAY_SIZE(shapes); s++) {
        if (shapes[s].channels == 1)
            continue; /* nothing lies below the first layer */
        Case c;
        case_init(&c, shapes[s]);
        const size_t size = (size_t)c.shape.size;
        float *d_out = vector_padded(c.d_out, size, 32);
        float *turned = calloc(conv_n_weights(&c.shape), sizeof(float));
        float *d_x = vector_new(size * size * 32, 5);
        conv_turn_weights(c.weights, turned);
        conv_backward_input(&c.shape, d_out, turned, d_x);
        check_vector("d_x", d_x, c.d_x, size * size * 32, TOLERANCE);
        free(d_out);
        free(turned);
        free(d_x);
        case_done(&c);
    }
}

/* The gradient of the weights is added to what is there. */
static void test_backward_weights_adds(void **state _unused_)
{
    Case c;
    case_init(&c, shapes[2]);
    const size_t size = (size_t)c.shape.size, n_weights = conv_n_weights(&c.shape);
    float *x = vector_padded(c.x, size, 32), *d_out = vector_padded(c.d_out, size, 32);
    float *d_weights = calloc(n_weights, sizeof(float));
    for (int i = 0; i < 2; i++)
        conv_backward_weights(&c.shape, x, d_out, d_weights);
    for (size_t i = 0; i < n_weights; i++)
        c.d_weights[i] *= 2.0;
    check_vector("d_weights", d_weights, c.d_weights, n_weights, TOLERANCE);
    free(x);
    free(d_out);
    free(d_weights);
    case_done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kernels),
        cmocka_unit_test(test_backward_input),
        cmocka_unit_test(test_backward_weights_adds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
