/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_train: training steps (forward, backward, Adam) and inference of the trainer's network, in
 * images a second, beside the floor: the network's arithmetic at the rate of a multiply-add loop in
 * registers on as many cores as there are threads.
 *
 *     bench_train [HIDDEN_LAYERS [DENSE_UNITS [BATCH_SIZE]]]      (2, 1024, 128)
 *
 * Steps and floor are sampled in turns. The best sample tells what the code can do, the median what
 * the machine was like.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/floor.h"
#include "train/adam.h"
#include "train/net.h"
#include "train/rng.h"

#define ROUNDS 40
#define FLOOR_SAMPLES 20 /* a round; the best of all is the floor */
#define MAX_SIZE 16384

typedef struct Bench {
    NetOptions options;
    Net *net;
    float *images;   /* [batch,784] */
    uint8_t *labels; /* [batch] */
    float *answers;  /* [batch,10] */
    float *m, *v;    /* Adam's */
    double step_ns[ROUNDS], predict_ns[ROUNDS];
    double gflops; /* of one core, the best */
} Bench;

static Error *bench_init(Bench *bench, Arena *arena)
{
    const size_t batch = (size_t)bench->options.batch_size;
    TRY(net_new(&bench->options, &bench->net));
    const size_t n = net_parameters(bench->net)->n_trainable;
    bench->images = arena_calloc(arena, batch, NET_PIXELS * sizeof(float));
    bench->labels = arena_calloc(arena, batch, 1);
    bench->answers = arena_calloc(arena, batch, NET_CLASSES * sizeof(float));
    bench->m = arena_calloc(arena, n, sizeof(float));
    bench->v = arena_calloc(arena, n, sizeof(float));
    if (bench->images == NULL || bench->labels == NULL || bench->answers == NULL ||
        bench->m == NULL || bench->v == NULL)
        return error_out_of_memory();
    Rng rng = rng_stream(1, RNG_INIT, 0, 0);
    for (size_t i = 0; i < batch * NET_PIXELS; i++)
        bench->images[i] = rng_uniform(&rng);
    for (size_t i = 0; i < batch; i++)
        bench->labels[i] = (uint8_t)(i % NET_CLASSES);
    return NULL;
}

static void run_round(Bench *bench, int round)
{
    const size_t batch = (size_t)bench->options.batch_size;
    const Parameters *p = net_parameters(bench->net);
    AdamVectors vectors = { p->n_trainable, p->values, p->gradients, bench->m, bench->v };
    for (int i = 0; i < FLOOR_SAMPLES; i++) {
        double gflops = floor_gflops();
        bench->gflops = gflops > bench->gflops ? gflops : bench->gflops;
    }
    double begin = floor_now_ns();
    net_gradients(bench->net, bench->images, bench->labels, batch, round);
    adam_step(&vectors, round, 1e-4, bench->options.workers);
    double middle = floor_now_ns();
    net_predict(bench->net, bench->images, NULL, batch, bench->answers);
    bench->step_ns[round] = middle - begin;
    bench->predict_ns[round] = floor_now_ns() - middle;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_row(const Bench *bench, const char *what, double *ns, double flops)
{
    const double batch = bench->options.batch_size;
    const int threads = workers_count(bench->options.workers);
    qsort(ns, ROUNDS, sizeof(*ns), compare);
    double best = batch / ns[0] * 1e9, median = batch / ns[ROUNDS / 2] * 1e9;
    double floor = bench->gflops * 1e9 * threads / flops;
    printf("%-9s %7d %9.0f %9.0f %9.0f %7.1f %9.0f %%\n", what, threads, best, median, floor,
           flops / 1e6, 100.0 * best / floor);
}

static Error *run_threads(NetOptions options, int threads)
{
    _cleanup_(arena_freep) Arena *arena = arena_new((size_t)1 << 20, 0);
    _cleanup_(workers_freep) Workers *workers = NULL;
    if (arena == NULL)
        return error_out_of_memory();
    TRY(workers_new(threads, &workers));
    options.workers = workers;
    Bench bench = { .options = options };
    Error *error = bench_init(&bench, arena);
    if (error == NULL) {
        for (int round = 0; round < ROUNDS; round++)
            run_round(&bench, round);
        print_row(&bench, "training", bench.step_ns, net_training_flops(&options));
        print_row(&bench, "inference", bench.predict_ns, net_inference_flops(&options));
    }
    net_free(bench.net);
    return error;
}

/* argv[i] as a number of min..max, or `value` when it is not there. False when it is none. */
static bool argument(int argc, char **argv, int i, int min, int max, int *value)
{
    if (i >= argc)
        return true;
    char *end;
    long number = strtol(argv[i], &end, 10);
    if (*argv[i] == '\0' || *end != '\0' || number < min || number > max) {
        fprintf(stderr, "bench_train: %s is no number of %d..%d\n", argv[i], min, max);
        return false;
    }
    *value = (int)number;
    return true;
}

int main(int argc, char **argv)
{
    NetOptions options = {
        .hidden_layers = 2, .dense_units = 1024, .batch_size = 128, .dropout_rate = 0.4f
    };
    if (!argument(argc, argv, 1, 0, NET_MAX_LAYERS, &options.hidden_layers) ||
        !argument(argc, argv, 2, 1, MAX_SIZE, &options.dense_units) ||
        !argument(argc, argv, 3, 1, MAX_SIZE, &options.batch_size))
        return 2;
    printf("%d layers, %d units, batches of %d; images a second\n", options.hidden_layers,
           options.dense_units, options.batch_size);
    printf("          threads      best    median     floor  MFLOP  best/floor\n");
    Error *error = run_threads(options, 1);
    if (error == NULL && workers_processors() > 1)
        error = run_threads(options, workers_processors());
    if (error == NULL)
        return 0;
    fprintf(stderr, "bench_train: %s\n", error->text);
    error_free(error);
    return 1;
}
