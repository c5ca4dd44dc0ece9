/* SPDX-License-Identifier: Apache-2.0
 *
 * turns: runs a signature when it is told to, so that compare.py can let Digit and its peers take
 * turns, each in a process of its own.
 *
 *     stdout   ready                  once the bundle is loaded
 *     stdin    BATCH RUNS             a line: the batch, and how often to run
 *     stdout   WALL_NS CPU_NS         of all the runs together; CPU time of all threads
 *
 * The first line for another batch makes the input and runs twice untimed: the scratch is laid out
 * by then. One thread reads; --tensorflow_intra_op_parallelism's threads are the second argument.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "inspect/input.h"
#include "model/model.h"

typedef struct Turns {
    Model *model;
    const Signature *signature;
    Scratch *scratch;
    Arena *arena, *input_arena;
    NamedTensor *inputs; /* of `batch` */
    int64_t batch;
    const char *shape;
} Turns;

static void check(Error *error)
{
    if (error != NULL) {
        fprintf(stderr, "turns: %s\n", error->text);
        exit(1);
    }
}

static void *need(void *pointer)
{
    if (pointer == NULL)
        check(error_out_of_memory());
    return pointer;
}

static long long clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void run(Turns *t)
{
    NamedTensor *outputs = NULL;
    size_t n = 0;
    arena_reset(t->arena, SIZE_MAX);
    check(signature_run(t->model, t->signature, t->inputs, t->signature->n_inputs, NULL, 0, NULL,
                        t->scratch, t->arena, &outputs, &n));
}

static void set_batch(Turns *t, int64_t batch)
{
    Tensor *tensors = NULL;
    const Signature *s = t->signature;
    arena_reset(t->input_arena, SIZE_MAX);
    check(input_make(t->input_arena, s,
                     &(InputForm){ .batch = batch, .shape = t->shape, .seed = 1 }, &tensors));
    t->inputs = need(arena_calloc(t->input_arena, s->n_inputs, sizeof(NamedTensor)));
    for (size_t i = 0; i < s->n_inputs; i++)
        t->inputs[i] = (NamedTensor){ bytes_of_text(s->inputs[i].alias), tensors[i] };
    t->batch = batch;
    for (int i = 0; i < 2; i++)
        run(t);
}

int main(int argc, char **argv)
{
    int n_threads = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 1;
    if (argc < 2 || argc > 4 || n_threads < 1) {
        fprintf(stderr,
                "usage: turns DIRECTORY [THREADS [SHAPE]]    1 thread when not given; SHAPE "
                "as digit-inspect --shape has it\n");
        return 2;
    }
    Turns t = { .scratch = need(scratch_new(n_threads)),
                .arena = need(arena_new((size_t)1 << 20, 0)),
                .input_arena = need(arena_new((size_t)1 << 20, 0)),
                .shape = argc > 3 ? argv[3] : "" };
    check(model_load(argv[1], NULL, &t.model));
    t.signature = model_find_signature(t.model, bytes_of_text(""));
    if (t.signature == NULL) {
        fprintf(stderr, "turns: %s has no signature 'serving_default'\n", argv[1]);
        return 1;
    }
    printf("ready\n");
    fflush(stdout);
    long long batch, runs;
    while (scanf("%lld %lld", &batch, &runs) == 2) {
        if (batch != t.batch)
            set_batch(&t, batch);
        long long wall = clock_ns(CLOCK_MONOTONIC), cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
        for (long long i = 0; i < runs; i++)
            run(&t);
        wall = clock_ns(CLOCK_MONOTONIC) - wall;
        cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
        printf("%lld %lld\n", wall, cpu);
        fflush(stdout);
    }
    scratch_free(t.scratch);
    arena_free(t.arena);
    arena_free(t.input_arena);
    model_unref(t.model);
    return 0;
}
