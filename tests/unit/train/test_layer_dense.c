/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of train/layer_dense.c against plain sums in double precision, whole and in parts.
 */
#include "train/layer_dense.h"

#include "tests/unit/train/vectors.h"

#define TOLERANCE 1e-5

enum { IMAGES = 5, IN = 37, OUT = 21 };

typedef struct Case {
    float *x, *weights, *bias, *d_y;
    double y[IMAGES * OUT], d_weights[IN * OUT], d_bias[OUT], d_x[IMAGES * IN];
} Case;

static void case_init(Case *c)
{
    memset(c, 0, sizeof(*c));
    c->x = vector_new(IMAGES * IN, 1);
    c->weights = vector_new(IN * OUT, 2);
    c->bias = vector_new(OUT, 3);
    c->d_y = vector_new(IMAGES * OUT, 4);
    for (int n = 0; n < IMAGES; n++)
        for (int o = 0; o < OUT; o++) {
            double d = (double)c->d_y[n * OUT + o];
            c->d_bias[o] += d;
            c->y[n * OUT + o] = (double)c->bias[o];
            for (int i = 0; i < IN; i++) {
                c->y[n * OUT + o] += (double)c->x[n * IN + i] * (double)c->weights[i * OUT + o];
                c->d_weights[i * OUT + o] += (double)c->x[n * IN + i] * d;
                c->d_x[n * IN + i] += d * (double)c->weights[i * OUT + o];
            }
        }
}

static void case_done(Case *c)
{
    free(c->x);
    free(c->weights);
    free(c->bias);
    free(c->d_y);
}

/* In pieces of `step` columns or rows. */
static void check_pieces(const Case *c, size_t step)
{
    float d_weights[IN * OUT], d_bias[OUT], y[IMAGES * OUT], d_x[IMAGES * IN];
    DenseLayer dense = { IN, OUT, c->weights, c->bias, d_weights, d_bias };
    for (size_t begin = 0; begin < OUT; begin += step)
        dense_forward(&dense, c->x, IMAGES, y, begin, begin + step < OUT ? begin + step : OUT);
    check_vector("y", y, c->y, IMAGES * OUT, TOLERANCE);
    DenseBatch batch = { IMAGES, c->x, c->d_y, d_x };
    for (size_t begin = 0; begin < IN; begin += step)
        dense_backward(&dense, &batch, begin, begin + step < IN ? begin + step : IN);
    dense_backward_bias(&dense, c->d_y, IMAGES);
    check_vector("d_weights", d_weights, c->d_weights, IN * OUT, TOLERANCE);
    check_vector("d_bias", d_bias, c->d_bias, OUT, TOLERANCE);
    check_vector("d_x", d_x, c->d_x, IMAGES * IN, TOLERANCE);
}

static void test_pieces(void **state _unused_)
{
    static const size_t steps[] = { 1, 4, 16, 64 };
    Case c;
    case_init(&c);
    for (size_t k = 0; k < ARRAY_SIZE(steps); k++)
        check_pieces(&c, steps[k]);
    case_done(&c);
}

static void test_without_d_x(void **state _unused_)
{
    Case c;
    case_init(&c);
    float d_weights[IN * OUT], d_bias[OUT];
    DenseLayer dense = { IN, OUT, c.weights, c.bias, d_weights, d_bias };
    DenseBatch batch = { IMAGES, c.x, c.d_y, NULL };
    dense_backward(&dense, &batch, 0, IN);
    check_vector("d_weights", d_weights, c.d_weights, IN * OUT, TOLERANCE);
    case_done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_without_d_x),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
