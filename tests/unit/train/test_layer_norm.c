/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of train/layer_norm.c: forward against the formula in doubles, backward against numerical
 * differentiation of it.
 */
#include "train/layer_norm.h"

#include "tests/unit/train/vectors.h"

enum { IMAGES = 3, SIZE = 4, PIXELS = SIZE * SIZE, N = IMAGES * PIXELS, C = CONV_FILTERS };

typedef struct Batch {
    float *x, *gamma, *beta, *weight; /* the loss is the sum of weight * z */
} Batch;

static Batch batch_new(float offset)
{
    Batch batch = { vector_new(N * C, 1), vector_new(C, 2), vector_new(C, 3),
                    vector_new(N * C, 4) };
    for (size_t i = 0; i < N * C; i++)
        batch.x[i] += offset;
    return batch;
}

static void batch_done(Batch *batch)
{
    free(batch->x);
    free(batch->gamma);
    free(batch->beta);
    free(batch->weight);
}

/* z of channel c in doubles, with the batch's own statistics, which it gives too. */
static void plain_forward(const double *x, double gamma, double beta, double *z, double stats[2])
{
    double mean = 0.0, variance = 0.0;
    for (int i = 0; i < N; i++)
        mean += x[i] / N;
    for (int i = 0; i < N; i++)
        variance += (x[i] - mean) * (x[i] - mean) / N;
    for (int i = 0; i < N; i++)
        z[i] = gamma * (x[i] - mean) / sqrt(variance + 0.001) + beta;
    stats[0] = mean;
    stats[1] = variance;
}

static void stats_of(const Batch *batch, NormStats *stats)
{
    NormSums sums[IMAGES];
    for (int i = 0; i < IMAGES; i++)
        norm_sums(batch->x + i * PIXELS * C, PIXELS, &sums[i]);
    norm_batch_stats(sums, IMAGES, N, stats);
}

static void column(const float *x, int c, double *out)
{
    for (int i = 0; i < N; i++)
        out[i] = (double)x[i * C + c];
}

static void test_forward(void **state _unused_)
{
    static const float offsets[] = { 0.0f, 10.0f }; /* a mean far from zero must not cost digits */
    for (size_t k = 0; k < ARRAY_SIZE(offsets); k++) {
        Batch batch = batch_new(offsets[k]);
        NormStats stats;
        stats_of(&batch, &stats);
        float *z = vector_new(N * C, 5);
        norm_forward(&stats, batch.gamma, batch.beta, batch.x, N, z);
        for (int c = 0; c < C; c++) {
            double x[N], want[N], got_stats[2];
            column(batch.x, c, x);
            plain_forward(x, (double)batch.gamma[c], (double)batch.beta[c], want, got_stats);
            assert_true(fabs((double)stats.mean[c] - got_stats[0]) < 1e-5);
            /* A difference of two numbers of the size of mean^2. */
            double slack = 1e-6 * (1.0 + got_stats[0] * got_stats[0]);
            assert_true(fabs((double)stats.variance[c] - got_stats[1]) < slack);
            for (int i = 0; i < N; i++)
                assert_true(fabs((double)z[i * C + c] - want[i]) < 1e-5 + slack);
        }
        free(z);
        batch_done(&batch);
    }
}

static double plain_loss(const double *x, const Batch *batch, int c, double gamma, double beta)
{
    double z[N], stats[2], loss = 0.0;
    plain_forward(x, gamma, beta, z, stats);
    for (int i = 0; i < N; i++)
        loss += (double)batch->weight[i * C + c] * z[i];
    return loss;
}

/* Central differences in double precision: good to about 1e-9 here. */
static void check_channel(const Batch *batch, int c, const float *d_x, float d_gamma, float d_beta)
{
    const double h = 1e-5, gamma = (double)batch->gamma[c], beta = (double)batch->beta[c];
    double x[N];
    column(batch->x, c, x);
    double want =
        (plain_loss(x, batch, c, gamma + h, beta) - plain_loss(x, batch, c, gamma - h, beta)) /
        (2 * h);
    check_vector("d_gamma", &d_gamma, &want, 1, 2e-5);
    want = (plain_loss(x, batch, c, gamma, beta + h) - plain_loss(x, batch, c, gamma, beta - h)) /
           (2 * h);
    check_vector("d_beta", &d_beta, &want, 1, 2e-5);
    for (int i = 0; i < N; i++) {
        double kept = x[i];
        x[i] = kept + h;
        double above = plain_loss(x, batch, c, gamma, beta);
        x[i] = kept - h;
        want = (above - plain_loss(x, batch, c, gamma, beta)) / (2 * h);
        x[i] = kept;
        check_vector("d_x", &d_x[i * C + c], &want, 1, 2e-5);
    }
}

static void test_backward(void **state _unused_)
{
    Batch batch = batch_new(0.5f);
    NormStats stats;
    NormSums sums[IMAGES];
    float d_gamma[C], d_beta[C], d_x[N * C];
    stats_of(&batch, &stats);
    for (int i = 0; i < IMAGES; i++)
        norm_backward_sums(&stats, batch.x + i * PIXELS * C, batch.weight + i * PIXELS * C, PIXELS,
                           &sums[i]);
    norm_backward_finish(sums, IMAGES, d_gamma, d_beta);
    NormBackward norm = { &stats, batch.gamma, d_gamma, d_beta, N };
    enum { SIDE = SIZE + 2 * CONV_PAD };
    for (int i = 0; i < IMAGES; i++) {
        float padded[SIDE * SIDE * C] = { 0 };
        norm_backward(&norm, batch.x + i * PIXELS * C, batch.weight + i * PIXELS * C, SIZE, padded);
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++) {
                const float *pixel = padded + (y * SIDE + x) * C;
                bool inside = y >= 2 && y < SIZE + 2 && x >= 2 && x < SIZE + 2;
                if (inside)
                    memcpy(d_x + ((i * SIZE + y - 2) * SIZE + x - 2) * C, pixel, C * sizeof(float));
                for (int c = 0; c < C && !inside; c++)
                    assert_true(pixel[c] == 0.0f);
            }
    }
    for (int c = 0; c < C; c++)
        check_channel(&batch, c, d_x, d_gamma[c], d_beta[c]);
    batch_done(&batch);
}

/* Step 0 takes the batch's statistics whole; step 1 the mean of two; a late step one hundredth. */
static void test_moving(void **state _unused_)
{
    NormStats stats;
    for (int c = 0; c < C; c++) {
        stats.mean[c] = 3.0f;
        stats.variance[c] = 8.0f;
    }
    static const struct {
        long step;
        float mean, variance;
    } cases[] = {
        { 0, 3.0f, 10.0f }, { 1, 2.0f, 5.5f }, { 99, 1.02f, 1.09f }, { 5000, 1.02f, 1.09f }
    };
    for (size_t k = 0; k < ARRAY_SIZE(cases); k++) {
        float mean[C], variance[C];
        for (int c = 0; c < C; c++)
            mean[c] = variance[c] = 1.0f;
        norm_update_moving(&stats, 5, cases[k].step, mean, variance); /* 8 * 5 / 4 = 10 */
        assert_float_equal(mean[0], cases[k].mean, 1e-6);
        assert_float_equal(variance[C - 1], cases[k].variance, 1e-5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forward),
        cmocka_unit_test(test_backward),
        cmocka_unit_test(test_moving),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
