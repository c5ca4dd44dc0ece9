/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of train/loss.c.
 */
#include "train/loss.h"

#include "tests/unit/train/vectors.h"

static double plain_cross_entropy(const double *logits, int label)
{
    double sum = 0.0;
    for (int k = 0; k < LOSS_CLASSES; k++)
        sum += exp(logits[k]);
    return log(sum) - logits[label];
}

static void test_against_plain(void **state _unused_)
{
    for (uint64_t id = 0; id < 20; id++) {
        float *logits = vector_new(LOSS_CLASSES, id);
        float probabilities[LOSS_CLASSES], d_logits[LOSS_CLASSES], total = 0.0f;
        double wide[LOSS_CLASSES], want[LOSS_CLASSES];
        for (int k = 0; k < LOSS_CLASSES; k++) {
            logits[k] *= 10.0f;
            wide[k] = (double)logits[k];
        }
        const int label = (int)(id % LOSS_CLASSES);
        assert_true(fabs(loss_cross_entropy(logits, label) - plain_cross_entropy(wide, label)) <
                    1e-12);
        loss_softmax(logits, probabilities);
        loss_backward(probabilities, label, 0.25f, d_logits);
        for (int k = 0; k < LOSS_CLASSES; k++) {
            const double h = 1e-5, kept = wide[k];
            total += probabilities[k];
            wide[k] = kept + h;
            double above = plain_cross_entropy(wide, label);
            wide[k] = kept - h;
            want[k] = 0.25 * (above - plain_cross_entropy(wide, label)) / (2 * h);
            wide[k] = kept;
        }
        assert_float_equal(total, 1.0f, 1e-6);
        check_vector("d_logits", d_logits, want, LOSS_CLASSES, 1e-6);
        free(logits);
    }
}

/* Logits that overflow exp or underflow it give numbers all the same. */
static void test_extreme_logits(void **state _unused_)
{
    float logits[LOSS_CLASSES] = { 1000.0f, -1000.0f }, probabilities[LOSS_CLASSES];
    loss_softmax(logits, probabilities);
    assert_float_equal(probabilities[0], 1.0f, 1e-6);
    assert_float_equal(probabilities[1], 0.0f, 0);
    assert_float_equal(loss_cross_entropy(logits, 0), 0.0, 1e-6);
    assert_float_equal(loss_cross_entropy(logits, 1), 2000.0, 1e-3);
}

static void test_argmax_takes_the_first(void **state _unused_)
{
    const float values[LOSS_CLASSES] = { 0, 3, 1, 3, 2 };
    assert_int_equal(loss_argmax(values), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_plain),
        cmocka_unit_test(test_extreme_logits),
        cmocka_unit_test(test_argmax_takes_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
