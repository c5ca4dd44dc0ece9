/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_op: the kernels of the tutorial's network, layer by layer and whole, on one thread, each
 * beside its floor and beside the usual way (im2col and OpenBLAS).
 *
 *     conv1   [28,28,1]  5x5 SAME -> 32, bias, ReLU, max-pool 2x2
 *     conv2   [14,14,32] 5x5 SAME -> 32, bias, ReLU, max-pool 2x2
 *     dense1  1568 -> 1024, bias, ReLU
 *     dense2  1024 -> 10, bias
 *
 * The floor of a layer is the greater of its arithmetic at the core's peak rate and the time to
 * read its weights once from where they lie. Arithmetic counts the products inside the image only,
 * not those with padding. Machines are shared and clocks drift, so all is measured in many short
 * samples taken in turns, floors among them; the best sample tells what the code can do, the
 * median and the 90th percentile what the machine was like.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/floor.h"
#include "model/op/conv.h"
#include "model/op/gemm.h"

#define MAX_BATCH 128
#define MAX_ROUNDS 1000
#define SAMPLE_NS 60e3 /* a sample repeats a layer until it has taken about so long */
#define N_LAYERS 5     /* the last one is the whole network */
#define TAPS 5
#define CHANNELS 32
#define FEATURES 1568
#define UNITS 1024
#define CLASSES 10

typedef struct Net {
    Arena *arena;
    ConvDirect conv[2]; /* x and y are set for each run */
    Dense *dense[2];
    float *filters[2], *weights[2], *bias; /* as they were before packing, for the peer */
    float *x[5];                           /* input of each layer, and the output */
    float *columns, *product;              /* of the peer's im2col */
    size_t scratch_used;
    char *scratch;
} Net;

typedef struct Samples {
    int n;
    double values[MAX_ROUNDS]; /* ns an image; GFLOP/s; GB/s */
} Samples;

static const int batches[] = { 1, 8, 32, MAX_BATCH };
static const char *const names[N_LAYERS] = { "conv1", "conv2", "dense1", "dense2", "network" };
static const size_t sizes[5] = { 28 * 28, 14 * 14 * CHANNELS, FEATURES, UNITS, CLASSES };

/* ---- network ------------------------------------------------------------------------------- */

#define SCRATCH_BYTES (1 << 20)

static void *scratch(OpContext *context, size_t bytes)
{
    Net *net = context->host_data;
    return bytes <= SCRATCH_BYTES ? net->scratch : NULL;
}

static void *need(void *pointer)
{
    if (pointer == NULL) {
        fprintf(stderr, "bench_op: out of memory\n");
        exit(1);
    }
    return pointer;
}

static void check(Error *error)
{
    if (error != NULL) {
        fprintf(stderr, "bench_op: %s\n", error->text);
        exit(1);
    }
}

static float *random_floats(Net *net, size_t n)
{
    static uint32_t seed = 1;
    float *values = need(arena_alloc_aligned(net->arena, n * sizeof(float)));
    for (size_t i = 0; i < n; i++) {
        seed = seed * 1664525 + 1013904223;
        values[i] = (float)(seed >> 8) / (float)(1 << 24) - 0.5F;
    }
    return values;
}

static void make_conv(Net *net, int i, int size, int in_c)
{
    const Window window = { .stride = { 1, 1 }, .dilation = { 1, 1 }, .padding = PADDING_SAME };
    ConvDirect *c = &net->conv[i];
    size_t k = (size_t)(TAPS * TAPS * in_c);
    *c = (ConvDirect){ .shape = { .in_c = in_c, .out_c = CHANNELS, .groups = 1 },
                       .form = panel_form(),
                       .activation = { ACTIVATION_RELU, 0 },
                       .pools = true };
    check(window_axis(&window, 0, size, TAPS, &c->shape.rows));
    check(window_axis(&window, 1, size, TAPS, &c->shape.columns));
    net->filters[i] = random_floats(net, k * CHANNELS);
    float *panels =
        need(arena_alloc_aligned(net->arena, panel_floats(k, CHANNELS) * sizeof(float)));
    panel_pack(net->filters[i], CHANNELS, false, k, CHANNELS, panels);
    c->panels = panels;
    c->bias = random_floats(net, conv_bias_floats(CHANNELS));
}

static void make_dense(Net *net, int i, size_t k, size_t n, ActivationKind activation)
{
    net->weights[i] = random_floats(net, k * n);
    check(dense_new(net->arena,
                    &(DenseOptions){ .k = k,
                                     .n = n,
                                     .b = net->weights[i],
                                     .bias = net->bias,
                                     .activation = { activation, 0 } },
                    &net->dense[i]));
}

static void make_net(Net *net)
{
    net->arena = need(arena_new(1 << 20, 0));
    net->scratch = need(arena_alloc_aligned(net->arena, SCRATCH_BYTES));
    net->bias = random_floats(net, UNITS);
    make_conv(net, 0, 28, 1);
    make_conv(net, 1, 14, CHANNELS);
    make_dense(net, 0, FEATURES, UNITS, ACTIVATION_RELU);
    make_dense(net, 1, UNITS, CLASSES, ACTIVATION_NONE);
    for (int i = 0; i < 5; i++)
        net->x[i] = random_floats(net, sizes[i] * MAX_BATCH);
    net->columns = random_floats(net, 14 * 14 * TAPS * TAPS * CHANNELS);
    net->product = random_floats(net, 28 * 28 * CHANNELS);
}

static void run_layer(Net *net, int layer, int batch)
{
    static const OpHost host = { .scratch = scratch };
    OpContext context = { .host = &host, .host_data = net };
    if (layer < 2) {
        ConvDirect conv = net->conv[layer];
        conv.shape.batch = batch;
        conv.x = net->x[layer];
        conv.y = net->x[layer + 1];
        check(conv_direct_run(&conv, &context));
    } else if (layer < 4) {
        dense_run(net->dense[layer - 2], (size_t)batch, net->x[layer], net->x[layer + 1], NULL);
    } else {
        for (int i = 0; i < layer; i++)
            run_layer(net, i, batch);
    }
}

/* ---- peer: im2col and OpenBLAS ------------------------------------------------------------- */

/* columns [h * w, taps, taps * in_c] of one image, zeros where the window leaves it: for each row
 * of the window, the taps inside are one run of the image. */
static void im2col(const ConvShape *s, const float *x, float *columns)
{
    const int64_t size = s->rows.in;
    for (int64_t i = 0; i < size * size * TAPS; i++, columns += TAPS * s->in_c) {
        int64_t row = i / TAPS / size + i % TAPS - TAPS / 2, first = 0, end = 0;
        int64_t column = i / TAPS % size - TAPS / 2;
        window_taps(&s->columns, i / TAPS % size, &first, &end);
        if (row < 0 || row >= size || first > 0 || end < TAPS)
            memset(columns, 0, (size_t)(TAPS * s->in_c) * sizeof(float));
        if (row >= 0 && row < size)
            memcpy(columns + first * s->in_c, x + (row * size + column + first) * s->in_c,
                   (size_t)((end - first) * s->in_c) * sizeof(float));
    }
}

static float biased_relu(float v, float bias)
{
    return v + bias > 0 ? v + bias : 0;
}

/* y [size / 2, size / 2, 32]: maximum of 2x2 of x, then bias and ReLU. */
static void pool_bias_relu(int64_t size, const float *x, const float *bias, float *y)
{
    for (int64_t i = 0; i < size / 2 * (size / 2); i++, y += CHANNELS) {
        const float *a = x + (i / (size / 2) * 2 * size + i % (size / 2) * 2) * CHANNELS;
        const float *b = a + size * CHANNELS;
        for (int64_t c = 0; c < CHANNELS; c++) {
            float top = a[c] > a[c + CHANNELS] ? a[c] : a[c + CHANNELS];
            float bottom = b[c] > b[c + CHANNELS] ? b[c] : b[c + CHANNELS];
            y[c] = biased_relu(top > bottom ? top : bottom, bias[c]);
        }
    }
}

static void run_peer_conv(Net *net, int layer, int batch)
{
    const ConvShape *s = &net->conv[layer].shape;
    Gemm g = { .m = (size_t)(s->rows.in * s->columns.in),
               .n = CHANNELS,
               .k = (size_t)(TAPS * TAPS * s->in_c),
               .alpha = 1,
               .a = net->columns,
               .b = net->filters[layer],
               .c = net->product };
    for (int i = 0; i < batch; i++) {
        im2col(s, net->x[layer] + (size_t)i * sizes[layer], net->columns);
        check(gemm_run(&g));
        pool_bias_relu(s->rows.in, net->product, net->conv[layer].bias,
                       net->x[layer + 1] + (size_t)i * sizes[layer + 1]);
    }
}

static void run_peer(Net *net, int layer, int batch)
{
    if (layer < 2) {
        run_peer_conv(net, layer, batch);
    } else if (layer < 4) {
        float *y = net->x[layer + 1];
        size_t n = sizes[layer + 1];
        check(gemm_run(&(Gemm){ .m = (size_t)batch,
                                .n = n,
                                .k = sizes[layer],
                                .alpha = 1,
                                .a = net->x[layer],
                                .b = net->weights[layer - 2],
                                .c = y }));
        for (size_t i = 0; i < (size_t)batch * n; i++)
            y[i] = layer == 2 ? biased_relu(y[i], net->bias[i % n]) : y[i] + net->bias[i % n];
    } else {
        for (int i = 0; i < layer; i++)
            run_peer(net, i, batch);
    }
}

/* ---- measuring ----------------------------------------------------------------------------- */

static void add(Samples *samples, double value)
{
    samples->values[samples->n++] = value;
}

static void time_layer(Net *net, void (*run)(Net *, int, int), int layer, int batch,
                       Samples *samples)
{
    int turns = 0;
    run(net, layer, batch); /* what another layer has pushed out of the caches comes back */
    double start = floor_now_ns(), ns = 0;
    while (ns < SAMPLE_NS) {
        run(net, layer, batch);
        turns++;
        ns = floor_now_ns() - start;
    }
    add(samples, ns / turns / batch);
}

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

/* Operations of one image: 2 a product of a pixel inside the image and a weight. */
static double flop(const Net *net, int layer)
{
    if (layer >= 2)
        return 2.0 * (double)sizes[layer] * (double)sizes[layer + 1];
    const ConvShape *s = &net->conv[layer].shape;
    double taps = 0;
    for (int64_t i = 0; i < s->rows.out; i++) {
        int64_t first = 0, end = 0;
        window_taps(&s->rows, i, &first, &end);
        taps += (double)(end - first);
    }
    return 2 * taps * taps * (double)(s->in_c * s->out_c);
}

static double floor_ns(const Net *net, int layer, int batch, double gflops, double gbs)
{
    double sum = 0;
    if (layer == N_LAYERS - 1) {
        for (int i = 0; i < layer; i++)
            sum += floor_ns(net, i, batch, gflops, gbs);
        return sum;
    }
    double arithmetic = flop(net, layer) / gflops;
    double weights =
        layer < 2 ? 0 : (double)(sizes[layer] * sizes[layer + 1] * sizeof(float)) / gbs / batch;
    return arithmetic > weights ? arithmetic : weights;
}

typedef struct Results {
    Samples gflops, gbs;
    Samples ours[N_LAYERS][ARRAY_SIZE(batches)], peer[N_LAYERS][ARRAY_SIZE(batches)];
} Results;

static void measure(Net *net, int rounds, Results *results)
{
    for (int round = 0; round < rounds; round++) {
        for (size_t b = 0; b < ARRAY_SIZE(batches); b++) {
            for (int layer = 0; layer < N_LAYERS; layer++) {
                time_layer(net, run_layer, layer, batches[b], &results->ours[layer][b]);
                if (round % 4 == 0)
                    time_layer(net, run_peer, layer, batches[b], &results->peer[layer][b]);
            }
        }
        add(&results->gflops, floor_gflops());
        double gbs = 0; /* the best of a few: the first one fetches the weights */
        for (int i = 0; i < 5; i++) {
            double sample = floor_read_gbs(net->weights[0], FEATURES * UNITS);
            gbs = sample > gbs ? sample : gbs;
        }
        add(&results->gbs, gbs);
    }
}

static void report(const Net *net, Results *results)
{
    double gflops = quantile(&results->gflops, 1), gbs = quantile(&results->gbs, 1);
    printf("form %s; peak %.1f GFLOP/s (median %.1f), weights read at %.1f GB/s (median %.1f)\n",
           panel_form()->name, gflops, quantile(&results->gflops, 0.5), gbs,
           quantile(&results->gbs, 0.5));
    printf("microseconds an image%30s|    floor  best/floor median/floor | im2col+OpenBLAS\n", "");
    printf("%-8s %5s %10s %10s %10s    |%38s| %8s %8s\n", "layer", "batch", "best", "median", "p90",
           "", "best", "times");
    for (int layer = 0; layer < N_LAYERS; layer++) {
        for (size_t b = 0; b < ARRAY_SIZE(batches); b++) {
            Samples *s = &results->ours[layer][b];
            double best = quantile(s, 0), peer = quantile(&results->peer[layer][b], 0);
            double limit = floor_ns(net, layer, batches[b], gflops, gbs);
            printf("%-8s %5d %10.2f %10.2f %10.2f    | %8.2f %10.2f %12.2f     | %8.2f %7.2fx\n",
                   names[layer], batches[b], best / 1e3, quantile(s, 0.5) / 1e3,
                   quantile(s, 0.9) / 1e3, limit / 1e3, best / limit, quantile(s, 0.5) / limit,
                   peer / 1e3, peer / best);
        }
    }
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 200;
    if (argc > 2 || rounds < 1 || rounds > MAX_ROUNDS) {
        fprintf(stderr, "usage: bench_op [ROUNDS]    1..%d, 200 when not given\n", MAX_ROUNDS);
        return 2;
    }
    static Net net;
    static Results results;
    make_net(&net);
    measure(&net, rounds, &results);
    report(&net, &results);
    arena_free(net.arena);
    return 0;
}
