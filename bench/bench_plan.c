/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_plan: a signature of a bundle from tensors to tensors, on one thread, beside its floor; and,
 * when asked, on more threads beside one.
 *
 * The floor is, summed over the convolutions and matrix products of the plan, the greater of the
 * arithmetic at the core's peak rate (products inside the image only) and the time to read the
 * weights once a run. All else that the plan does has a floor of nothing. As in bench_op, all is
 * measured in many short samples taken in turns: the best one tells what the code can do.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/floor.h"
#include "model/model.h"
#include "model/plan/flops.h"
#include "model/plan/frame.h"

#define MAX_ROUNDS 1000
#define SAMPLE_NS 60e3 /* a sample repeats a run until it has taken about so long */
#define FLOOR_FLOATS ((size_t)1 << 20)

static const int batches[] = { 1, 8, 32, 128 };
#define N_BATCHES ARRAY_SIZE(batches)

typedef struct Bench {
    Model *model;
    const Signature *signature;
    Scratch *scratch;
    Scratch *many; /* of n_threads; NULL: not asked for */
    int n_threads;
    Scratch *used; /* one of the two, by the next runs */
    Arena *arena, *input_arena, *floor_arena;
    NamedTensor *inputs; /* of the batch that is being measured */
} Bench;

typedef struct Samples {
    int n;
    double values[MAX_ROUNDS];
} Samples;

static void check(Error *error)
{
    if (error != NULL) {
        fprintf(stderr, "bench_plan: %s\n", error->text);
        exit(1);
    }
}

static void *need(void *pointer)
{
    if (pointer == NULL)
        check(error_out_of_memory());
    return pointer;
}

/* ---- runs ---------------------------------------------------------------------------------- */

/* Random inputs in 0..1 of the signature's shapes: the first dimension is the batch, other unknown
 * ones are 1. */
static void make_inputs(Bench *bench, int batch)
{
    static uint32_t seed = 1;
    const Signature *signature = bench->signature;
    arena_reset(bench->input_arena, SIZE_MAX);
    bench->inputs =
        need(arena_calloc(bench->input_arena, signature->n_inputs, sizeof(NamedTensor)));
    for (size_t i = 0; i < signature->n_inputs; i++) {
        Shape shape = signature->inputs[i].shape;
        if (signature->inputs[i].dtype != DT_FLOAT || shape.rank < 1) {
            fprintf(stderr, "bench_plan: input '%s' is no float tensor of a known rank\n",
                    signature->inputs[i].alias);
            exit(1);
        }
        shape.dims[0] = batch;
        for (int d = 1; d < shape.rank; d++)
            shape.dims[d] = shape.dims[d] < 0 ? 1 : shape.dims[d];
        Tensor *tensor = &bench->inputs[i].tensor;
        check(tensor_new(bench->input_arena, DT_FLOAT, &shape, tensor));
        bench->inputs[i].name = bytes_of_text(signature->inputs[i].alias);
        for (int64_t k = 0; k < tensor->n; k++) {
            seed = seed * 1664525 + 1013904223;
            ((float *)tensor->data)[k] = (float)(seed >> 8) / (float)(1 << 24);
        }
    }
}

static void run(Bench *bench)
{
    NamedTensor *outputs = NULL;
    size_t n = 0;
    arena_reset(bench->arena, SIZE_MAX);
    check(signature_run(bench->model, bench->signature, bench->inputs, bench->signature->n_inputs,
                        NULL, 0, NULL, bench->used, bench->arena, &outputs, &n));
}

/* ---- floor --------------------------------------------------------------------------------- */

/* The floor of the run that was last, in ns: the shapes of its values are still in the frame. */
static double floor_ns(const Bench *bench, double gflops, double gbs)
{
    const Plan *plan = bench->signature->plan;
    const Frame *frame = bench->scratch->frames;
    const Tensor **inputs = frame->inputs;
    double sum = 0;
    for (int32_t i = 0; i < plan->n_steps; i++) {
        const Step *step = &plan->steps[i];
        double flop = step_flops(step, inputs, &frame->values[step->first_output]);
        if (flop > 0) {
            double read = (double)tensor_bytes(inputs[1]) / gbs;
            sum += flop / gflops > read ? flop / gflops : read;
        }
        inputs += step->n_inputs;
    }
    return sum;
}

/* ---- measuring ----------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double quantile(Samples *samples, double q)
{
    qsort(samples->values, (size_t)samples->n, sizeof(double), compare);
    return samples->values[(int)(q * (samples->n - 1) + 0.5)];
}

static void sample(Bench *bench, int batch, Samples *samples)
{
    int turns = 0;
    run(bench); /* the caches and, at first, the layout of the scratch */
    double start = floor_now_ns(), ns = 0;
    while (ns < SAMPLE_NS) {
        run(bench);
        turns++;
        ns = floor_now_ns() - start;
    }
    samples->values[samples->n++] = ns / turns / batch;
}

/* What many threads gain, beside one in the same rounds. */
static void print_many(const Bench *bench, Samples *times, Samples *times_many)
{
    printf("microseconds an image with %d threads beside one\n%5s %10s %10s | %10s %10s\n",
           bench->n_threads, "batch", "best", "median", "best 1/n", "median 1/n");
    for (size_t b = 0; b < N_BATCHES; b++) {
        double best = quantile(&times_many[b], 0), median = quantile(&times_many[b], 0.5);
        printf("%5d %10.2f %10.2f | %10.2f %10.2f\n", batches[b], best / 1e3, median / 1e3,
               quantile(&times[b], 0) / best, quantile(&times[b], 0.5) / median);
    }
}

static void measure(Bench *bench, int rounds)
{
    static Samples times[N_BATCHES], times_many[N_BATCHES], peak, bandwidth;
    double floors[N_BATCHES];
    float *floats = need(arena_alloc_aligned(bench->floor_arena, FLOOR_FLOATS * sizeof(float)));
    memset(floats, 0, FLOOR_FLOATS * sizeof(float));
    for (int round = 0; round < rounds; round++) {
        peak.values[peak.n++] = floor_gflops();
        double gbs = 0; /* the best of a few: the first one fetches the memory */
        for (int i = 0; i < 5; i++) {
            double s = floor_read_gbs(floats, FLOOR_FLOATS);
            gbs = s > gbs ? s : gbs;
        }
        bandwidth.values[bandwidth.n++] = gbs;
        for (size_t b = 0; b < N_BATCHES; b++) {
            make_inputs(bench, batches[b]);
            sample(bench, batches[b], &times[b]);
            if (bench->many == NULL)
                continue;
            bench->used = bench->many;
            sample(bench, batches[b], &times_many[b]);
            bench->used = bench->scratch;
        }
    }
    double gflops = quantile(&peak, 1), gbs = quantile(&bandwidth, 1);
    printf("peak %.1f GFLOP/s (median %.1f), memory of 4 MB read at %.1f GB/s (median %.1f)\n",
           gflops, quantile(&peak, 0.5), gbs, quantile(&bandwidth, 0.5));
    printf("microseconds an image\n%5s %10s %10s %10s | %10s %10s %12s\n", "batch", "best",
           "median", "p90", "floor", "best/floor", "median/floor");
    for (size_t b = 0; b < N_BATCHES; b++) {
        make_inputs(bench, batches[b]);
        run(bench);
        floors[b] = floor_ns(bench, gflops, gbs) / batches[b];
        double best = quantile(&times[b], 0), median = quantile(&times[b], 0.5);
        printf("%5d %10.2f %10.2f %10.2f | %10.2f %10.2f %12.2f\n", batches[b], best / 1e3,
               median / 1e3, quantile(&times[b], 0.9) / 1e3, floors[b] / 1e3, best / floors[b],
               median / floors[b]);
    }
    if (bench->many != NULL)
        print_many(bench, times, times_many);
}

static void print_steps(const Plan *plan)
{
    printf("%d steps:", plan->n_steps);
    for (int32_t i = 0; i < plan->n_steps; i++)
        printf(" %s", plan->steps[i].op->name);
    printf("\n");
}

int main(int argc, char **argv)
{
    const char *directory = argc > 1 ? argv[1] : "models/digits/1";
    const char *name = argc > 2 ? argv[2] : "";
    int rounds = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 200;
    int n_threads = argc > 4 ? (int)strtol(argv[4], NULL, 10) : 1;
    if (argc > 5 || rounds < 1 || rounds > MAX_ROUNDS || n_threads < 1) {
        fprintf(stderr,
                "usage: bench_plan [DIRECTORY [SIGNATURE [ROUNDS [THREADS]]]]    models/digits/1, "
                "serving_default, 200 and 1 when not given; at most %d rounds\n",
                MAX_ROUNDS);
        return 2;
    }
    Bench bench = { .scratch = need(scratch_new(1)),
                    .many = n_threads > 1 ? need(scratch_new(n_threads)) : NULL,
                    .n_threads = n_threads,
                    .arena = need(arena_new((size_t)8 << 20, 0)),
                    .input_arena = need(arena_new((size_t)1 << 20, 0)),
                    .floor_arena = need(arena_new((size_t)1 << 20, 0)) };
    check(model_load(directory, NULL, &bench.model));
    bench.signature = model_find_signature(bench.model, bytes_of_text(name));
    if (bench.signature == NULL) {
        fprintf(stderr, "bench_plan: there is no signature '%s'\n", name);
        return 1;
    }
    bench.used = bench.scratch;
    print_steps(bench.signature->plan);
    measure(&bench, rounds);
    scratch_free(bench.scratch);
    scratch_free(bench.many);
    arena_free(bench.arena);
    arena_free(bench.input_arena);
    arena_free(bench.floor_arena);
    model_unref(bench.model);
    return 0;
}
