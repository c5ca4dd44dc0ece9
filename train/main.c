/* SPDX-License-Identifier: Apache-2.0
 *
 * digit-train: reads MNIST, trains, says the test accuracy, exports. The order of these and nothing
 * else.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "model/base/log.h"
#include "train/dataset.h"
#include "train/export.h"
#include "train/fit.h"
#include "train/options.h"

#define DROPOUT_RATE 0.4f

static volatile sig_atomic_t stop_wanted;

static void on_signal(int number _unused_)
{
    stop_wanted = 1;
}

/* SIGTERM and SIGINT end the run after the step in hand, with its checkpoint written; a second one
 * ends it at once. */
static void catch_signals(void)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
}

static bool should_stop(long step _unused_)
{
    return stop_wanted != 0;
}

static Error *train_and_score(Net *net, const Options *options, Workers *workers, Arena *arena)
{
    Dataset train, test;
    TRY(dataset_read(arena, options->data_dir, "train", &train));
    TRY(dataset_read(arena, options->data_dir, "t10k", &test));
    FitOptions fit = { .steps = (long)options->steps,
                       .epochs = (long)options->epochs,
                       .batch_size = (int)options->batch_size,
                       .learning_rate = options->learning_rate,
                       .augment = options->augment,
                       .seed = (uint64_t)options->seed,
                       .model_dir = options->model_dir,
                       .workers = workers,
                       .should_stop = should_stop };
    TRY(fit_train(net, &train, &fit));
    FitScore score;
    TRY(fit_evaluate(net, &test, workers, &score));
    printf("test accuracy %.2f %% (%zu of %zu), loss %.6f\n",
           100.0 * (double)score.n_right / (double)score.n, score.n_right, score.n, score.loss);
    return NULL;
}

static Error *run(const Options *options)
{
    _cleanup_(arena_freep) Arena *arena = arena_new((size_t)1 << 20, 0);
    _cleanup_(workers_freep) Workers *workers = NULL;
    _cleanup_(net_freep) Net *net = NULL;
    if (arena == NULL)
        return error_out_of_memory();
    TRY(workers_new((int)options->threads, &workers));
    NetOptions net_options = { .hidden_layers = (int)options->hidden_layers,
                               .dense_units = (int)options->dense_units,
                               .batch_size = (int)options->batch_size,
                               .dropout_rate = DROPOUT_RATE,
                               .seed = (uint64_t)options->seed,
                               .workers = workers };
    TRY(net_new(&net_options, &net));
    log_info("train", "%zu weights, %" PRId64 " threads", parameters_count(net_parameters(net)),
             options->threads);
    TRY(train_and_score(net, options, workers, arena));
    if (options->export_dir == NULL)
        return NULL;
    int64_t version = options->version != 0 ? options->version : (int64_t)time(NULL);
    TRY(export_saved_model(net, options->export_dir, version));
    printf("exported %s/%" PRId64 "\n", options->export_dir, version);
    return NULL;
}

int main(int argc, char **argv)
{
    Options options;
    catch_signals();
    bool help = false;
    Error *error = options_parse(argc, argv, &options, &help);
    if (error == NULL && !help)
        error = run(&options);
    if (error == NULL)
        return 0;
    fprintf(stderr, "digit-train: %s\n", error->text);
    error_free(error);
    return 1;
}
