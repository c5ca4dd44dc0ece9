/* SPDX-License-Identifier: Apache-2.0
 *
 * The loop around the network. An epoch's last images that fill no batch are left out; since each
 * epoch has an order of its own, they are others each time.
 *
 * The rate falls as (1 + cos(pi step / steps)) / 2 (Loshchilov and Hutter, arXiv 1608.03983,
 * without restarts): large steps first, and an end so still that the moving statistics fit the
 * weights.
 */
#include "train/fit.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "model/base/log.h"
#include "train/adam.h"
#include "train/floats.h"
#include "train/loss.h"
#include "train/rng.h"
#include "train/training_state.h"

#define REPORT_TERMINAL_S 0.5 /* between two progress lines */
#define REPORT_FILE_S 10.0
#define LOSS_MEMORY 0.95 /* of the loss that is shown, a moving average */

/* What a run needs; all memory in one arena. */
typedef struct Run {
    Net *net;
    const Dataset *dataset;
    const FitOptions *options;
    Arena *arena;
    TrainingState state;
    long steps, steps_per_epoch;
    uint32_t *order; /* [dataset->n] of the epoch */
    float *images;   /* [batch,784] */
    uint8_t *labels; /* [batch] */
} Run;

/* ---- progress ------------------------------------------------------------------------------ */

typedef struct Progress {
    bool terminal;
    double begin, last; /* seconds of the monotonic clock */
    long first_step;
    double loss; /* moving average; < 0 before the first */
} Progress;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static Progress progress_begin(long first_step)
{
    double begin = now();
    return (Progress){ .terminal = isatty(STDERR_FILENO) == 1,
                       .begin = begin,
                       .last = begin,
                       .first_step = first_step,
                       .loss = -1.0 };
}

/* Shows the state after `step` steps, if it is time to or `step` is the last. */
static void progress_report(Progress *progress, const Run *run, long step, double loss)
{
    double time = now(), done = (double)(step - progress->first_step);
    progress->loss =
        progress->loss < 0.0 ? loss : progress->loss * LOSS_MEMORY + loss * (1.0 - LOSS_MEMORY);
    double pause = progress->terminal ? REPORT_TERMINAL_S : REPORT_FILE_S;
    if (time - progress->last < pause && step != run->steps)
        return;
    progress->last = time;
    double rate = done / fmax(time - progress->begin, 1e-9);
    long left = (long)((double)(run->steps - step) / rate + 0.5);
    fprintf(stderr, "%sstep %ld/%ld  epoch %ld  loss %.4f  %.0f images/s  %ld:%02ld left%s",
            progress->terminal ? "\r" : "", step, run->steps, (step - 1) / run->steps_per_epoch + 1,
            progress->loss, rate * run->options->batch_size, left / 60, left % 60,
            progress->terminal && step != run->steps ? "  " : "\n");
}

/* ---- training ------------------------------------------------------------------------------ */

double fit_rate(double learning_rate, long step, long steps)
{
    return learning_rate * 0.5 * (1.0 + cos(M_PI * (double)step / (double)steps));
}

/* One step; gives the loss of its batch. */
static Error *step_once(Run *run, double *ret_loss)
{
    const FitOptions *options = run->options;
    const long step = run->state.step, in_epoch = step % run->steps_per_epoch;
    DatasetBatch batch = { .dataset = run->dataset,
                           .order = run->order + in_epoch * options->batch_size,
                           .n = (size_t)options->batch_size,
                           .augment = options->augment,
                           .seed = options->seed,
                           .step = step };
    dataset_load(&batch, options->workers, run->images, run->labels);
    double loss = net_gradients(run->net, run->images, run->labels, batch.n, step);
    if (!isfinite(loss))
        return error_new(ERROR_ABORTED,
                         "the loss is %f at step %ld: training has diverged; a smaller "
                         "--learning_rate than %g would help",
                         loss, step, options->learning_rate);
    Parameters *parameters = run->state.parameters;
    AdamVectors vectors = { .n = parameters->n_trainable,
                            .values = parameters->values,
                            .gradients = parameters->gradients,
                            .m = run->state.m,
                            .v = run->state.v };
    adam_step(&vectors, step, fit_rate(options->learning_rate, step, run->steps), options->workers);
    run->state.step++;
    *ret_loss = loss;
    return NULL;
}

static void shuffle(Run *run, long epoch)
{
    Rng rng = rng_stream(run->options->seed, RNG_SHUFFLE, (uint64_t)epoch, 0);
    rng_permutation(&rng, run->order, run->dataset->n);
}

static Error *run_steps(Run *run)
{
    const FitOptions *options = run->options;
    Progress progress = progress_begin(run->state.step);
    shuffle(run, run->state.step / run->steps_per_epoch);
    while (run->state.step < run->steps) {
        double loss = 0.0;
        TRY(step_once(run, &loss));
        progress_report(&progress, run, run->state.step, loss);
        bool epoch_ends = run->state.step % run->steps_per_epoch == 0;
        if (epoch_ends)
            shuffle(run, run->state.step / run->steps_per_epoch);
        bool stops = options->should_stop != NULL && options->should_stop(run->state.step);
        bool ends = run->state.step == run->steps;
        if (options->model_dir != NULL && (epoch_ends || stops || ends))
            TRY(training_state_save(&run->state, options->model_dir));
        if (stops && !ends)
            return error_new(ERROR_CANCELLED, "stopped after step %ld of %ld%s", run->state.step,
                             run->steps,
                             options->model_dir != NULL ? "; the same command goes on from there"
                                                        : "; without --model_dir the work is lost");
    }
    return NULL;
}

static Error *prepare(Run *run)
{
    const FitOptions *options = run->options;
    const size_t batch = (size_t)options->batch_size;
    if (run->dataset->n < batch)
        return error_new(ERROR_INVALID_ARGUMENT,
                         "--batch_size is %d, but there are only %zu training images",
                         options->batch_size, run->dataset->n);
    run->steps_per_epoch = (long)(run->dataset->n / batch);
    run->steps = options->steps > 0 ? options->steps : options->epochs * run->steps_per_epoch;
    run->order = arena_calloc(run->arena, run->dataset->n, sizeof(uint32_t));
    run->images = floats_new(run->arena, batch, NET_PIXELS);
    run->labels = arena_calloc(run->arena, batch, 1);
    if (run->order == NULL || run->images == NULL || run->labels == NULL)
        return error_out_of_memory();
    TRY(training_state_init(&run->state, net_parameters(run->net), run->arena));
    if (options->model_dir == NULL)
        return NULL;
    TRY(training_state_restore(&run->state, options->model_dir));
    if (run->state.step > 0)
        log_info("train", "going on at step %ld of %ld from %s", run->state.step, run->steps,
                 options->model_dir);
    return NULL;
}

Error *fit_train(Net *net, const Dataset *dataset, const FitOptions *options)
{
    _cleanup_(arena_freep) Arena *arena = arena_new((size_t)1 << 20, 0);
    if (arena == NULL)
        return error_out_of_memory();
    Run run = { .net = net, .dataset = dataset, .options = options, .arena = arena };
    TRY(prepare(&run));
    return run_steps(&run);
}

/* ---- evaluation ---------------------------------------------------------------------------- */

Error *fit_evaluate(Net *net, const Dataset *dataset, Workers *workers, FitScore *ret_score)
{
    const size_t batch = (size_t)net_options(net)->batch_size;
    _cleanup_(arena_freep) Arena *arena = arena_new((size_t)1 << 20, 0);
    if (arena == NULL)
        return error_out_of_memory();
    float *images = floats_new(arena, batch, NET_PIXELS);
    float *probabilities = floats_new(arena, batch, NET_CLASSES);
    uint8_t *labels = arena_calloc(arena, batch, 1);
    uint32_t *order = arena_calloc(arena, dataset->n, sizeof(uint32_t));
    if (images == NULL || probabilities == NULL || labels == NULL || order == NULL)
        return error_out_of_memory();
    for (size_t i = 0; i < dataset->n; i++)
        order[i] = (uint32_t)i;
    FitScore score = { .n = dataset->n };
    for (size_t begin = 0; begin < dataset->n; begin += batch) {
        size_t n = dataset->n - begin < batch ? dataset->n - begin : batch;
        DatasetBatch load = { .dataset = dataset, .order = order + begin, .n = n };
        dataset_load(&load, workers, images, labels);
        score.loss += net_predict(net, images, labels, n, probabilities);
        for (size_t i = 0; i < n; i++)
            score.n_right += loss_argmax(probabilities + i * NET_CLASSES) == labels[i];
    }
    score.loss /= (double)dataset->n;
    *ret_score = score;
    return NULL;
}
