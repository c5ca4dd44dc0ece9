/* SPDX-License-Identifier: Apache-2.0
 *
 * Tests of train/fit.c and train/training_state.c: that training learns, that its bits depend
 * neither on threads nor on a stop in the middle, and what it refuses.
 */
#include "train/fit.h"

#include <math.h>

#include "model/bundle/checkpoint_read.h"
#include "tests/unit/train/digits.h"
#include "train/training_state.h"

enum { BATCH = 16, IMAGES = 100 }; /* six batches an epoch, four images left over */

static const FitOptions fit_options = {
    .epochs = 2, .batch_size = BATCH, .learning_rate = 0.003, .augment = true, .seed = 5
};

static Net *net_of(int hidden_layers, int dense_units, Workers *workers)
{
    NetOptions options = { .hidden_layers = hidden_layers,
                           .dense_units = dense_units,
                           .batch_size = BATCH,
                           .dropout_rate = 0.4f,
                           .seed = 3,
                           .workers = workers };
    Net *net = NULL;
    assert_ok(net_new(&options, &net));
    return net;
}

static void check_equal(Net *a, Net *b)
{
    const Parameters *p = net_parameters(a), *q = net_parameters(b);
    assert_int_equal(p->n_floats, q->n_floats);
    assert_memory_equal(p->values, q->values, p->n_floats * sizeof(float));
}

/* Every depth learns the bars, which a guess gets right one time in ten. */
static void test_learns(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    Dataset train = digits_new(arena, 320, 1), test = digits_new(arena, 200, 2);
    for (int layers = 0; layers <= NET_MAX_LAYERS; layers++) {
        _cleanup_(net_freep) Net *net = net_of(layers, 32, NULL);
        FitOptions options = fit_options;
        options.augment = false;
        options.epochs = 4;
        FitScore score;
        assert_ok(fit_train(net, &train, &options));
        assert_ok(fit_evaluate(net, &test, NULL, &score));
        assert_int_equal(score.n, 200);
        if (score.n_right < 190)
            print_error("%d layers: %zu of 200 right\n", layers, score.n_right);
        assert_true(score.n_right >= 190 && score.loss < 0.3);
    }
}

static void test_threads_change_nothing(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    Dataset dataset = digits_new(arena, IMAGES, 1);
    _cleanup_(net_freep) Net *one = net_of(2, 150, NULL);
    assert_ok(fit_train(one, &dataset, &fit_options));
    for (int threads = 2; threads <= 3; threads++) {
        _cleanup_(workers_freep) Workers *workers = NULL;
        assert_ok(workers_new(threads, &workers));
        _cleanup_(net_freep) Net *many = net_of(2, 150, workers);
        FitOptions options = fit_options;
        options.workers = workers;
        assert_ok(fit_train(many, &dataset, &options));
        check_equal(one, many);
    }
}

static void test_seed_changes_weights(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    Dataset dataset = digits_new(arena, IMAGES, 1);
    _cleanup_(net_freep) Net *one = net_of(1, 8, NULL);
    _cleanup_(net_freep) Net *other = net_of(1, 8, NULL);
    FitOptions options = fit_options;
    assert_ok(fit_train(one, &dataset, &options));
    options.seed++;
    assert_ok(fit_train(other, &dataset, &options));
    const Parameters *p = net_parameters(one), *q = net_parameters(other);
    assert_memory_not_equal(p->values, q->values, p->n_floats * sizeof(float));
}

static bool stop_at_6_and_9(long step)
{
    return step == 6 || step == 9;
}

/* A run that stops after the first epoch and in the middle of the second, each time resumed by a
 * new process, ends with the bits of one that never stopped. */
static void test_resume(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    Dataset dataset = digits_new(arena, IMAGES, 1);
    char directory[TEST_DIRECTORY_BYTES];
    test_directory_make(directory);
    _cleanup_(net_freep) Net *straight = net_of(1, 8, NULL);
    assert_ok(fit_train(straight, &dataset, &fit_options));
    FitOptions options = fit_options;
    options.model_dir = directory;
    options.should_stop = stop_at_6_and_9;
    for (int part = 0; part < 2; part++) {
        _cleanup_(net_freep) Net *stopped = net_of(1, 8, NULL);
        assert_error(fit_train(stopped, &dataset, &options), ERROR_CANCELLED,
                     part == 0 ? "after step 6 of 12; the same command" : "after step 9 of 12");
    }
    _cleanup_(net_freep) Net *resumed = net_of(1, 8, NULL);
    assert_ok(fit_train(resumed, &dataset, &options));
    check_equal(straight, resumed);
    /* Only the newest checkpoint is kept. */
    assert_true(file_exists(file_join(arena, directory, "model.ckpt-12.index")));
    assert_false(file_exists(file_join(arena, directory, "model.ckpt-9.index")));
    assert_false(file_exists(file_join(arena, directory, "model.ckpt-9.data-00000-of-00001")));
    /* Nothing is left to do: the weights stay. */
    _cleanup_(net_freep) Net *again = net_of(1, 8, NULL);
    assert_ok(fit_train(again, &dataset, &options));
    check_equal(straight, again);
    test_directory_remove(directory);
}

static void test_checkpoint_of_another_network(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    Dataset dataset = digits_new(arena, IMAGES, 1);
    char directory[TEST_DIRECTORY_BYTES];
    test_directory_make(directory);
    FitOptions options = fit_options;
    options.model_dir = directory;
    _cleanup_(net_freep) Net *net = net_of(1, 8, NULL);
    assert_ok(fit_train(net, &dataset, &options));
    _cleanup_(net_freep) Net *wider = net_of(1, 9, NULL);
    assert_error(fit_train(wider, &dataset, &options), ERROR_FAILED_PRECONDITION,
                 "dense/kernel is float [6272,8] there and float [6272,9] here");
    _cleanup_(net_freep) Net *deeper = net_of(2, 8, NULL);
    assert_error(fit_train(deeper, &dataset, &options), ERROR_NOT_FOUND, "of another network");
    test_directory_remove(directory);
}

static void test_bad_checkpoint_file(void **state _unused_)
{
    static const struct {
        const char *content, *text;
        ErrorCode code;
    } cases[] = {
        { "", "there is no line model_checkpoint_path", ERROR_DATA_LOSS },
        { "model_checkpoint_path: \"model.ckpt-1", "there is no line", ERROR_DATA_LOSS },
        { "model_checkpoint_path: \"../model.ckpt-1\"\n", "it should be", ERROR_INVALID_ARGUMENT },
        { "model_checkpoint_path: \"model.ckpt-1/a\"\n", "it should be", ERROR_INVALID_ARGUMENT },
        { "model_checkpoint_path: \"model.ckpt-7\"\n", "model.ckpt-7", ERROR_NOT_FOUND },
    };
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    Dataset dataset = digits_new(arena, IMAGES, 1);
    _cleanup_(net_freep) Net *net = net_of(0, 8, NULL);
    char directory[TEST_DIRECTORY_BYTES];
    test_directory_make(directory);
    FitOptions options = fit_options;
    options.model_dir = directory;
    for (size_t k = 0; k < ARRAY_SIZE(cases); k++) {
        assert_ok(file_write(file_join(arena, directory, "checkpoint"), cases[k].content,
                             strlen(cases[k].content)));
        assert_error(fit_train(net, &dataset, &options), cases[k].code, cases[k].text);
    }
    test_directory_remove(directory);
}

static void test_refusals(void **state _unused_)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 0);
    Dataset dataset = digits_new(arena, BATCH - 1, 1);
    _cleanup_(net_freep) Net *net = net_of(0, 8, NULL);
    assert_error(fit_train(net, &dataset, &fit_options), ERROR_INVALID_ARGUMENT,
                 "--batch_size is 16, but there are only 15 training images");
    dataset = digits_new(arena, IMAGES, 1);
    net_parameters(net)->values[0] = NAN;
    assert_error(fit_train(net, &dataset, &fit_options), ERROR_ABORTED, "training has diverged");
}

static void test_rate(void **state _unused_)
{
    assert_float_equal(fit_rate(0.1, 0, 100), 0.1, 1e-9);
    assert_float_equal(fit_rate(0.1, 50, 100), 0.05, 1e-9);
    assert_float_equal(fit_rate(0.1, 100, 100), 0.0, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_learns),
        cmocka_unit_test(test_threads_change_nothing),
        cmocka_unit_test(test_seed_changes_weights),
        cmocka_unit_test(test_resume),
        cmocka_unit_test(test_checkpoint_of_another_network),
        cmocka_unit_test(test_bad_checkpoint_file),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
