/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a bundle on raw floats, for tests that compare with TensorFlow:
 *
 *     run_bundle [--as_written | --threads=N] DIRECTORY DIMS INPUT OUTPUT      DIMS: 2,96,96,3
 *
 * INPUT holds the floats of `serving_default`'s only input; those of its first output are written to
 * OUTPUT. Prints a line "steps N weights BYTES peak BYTES" and the plan's ops with their counts, one
 * "OP N" a line. --as_written: without folding and fusing. --threads: 1 when not given.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "model/model.h"
#include "model/plan/plan.h"

#define ARENA_BLOCK_BYTES ((size_t)1 << 16)

typedef struct Job {
    bool as_written;
    int n_threads;
    const char *directory, *dims, *input, *output;
} Job;

static Error *parse_dims(const char *text, Shape *ret_shape)
{
    Shape shape = { 0 };
    for (char *end = NULL; shape.rank < SHAPE_MAX_RANK; text = end + 1) {
        shape.dims[shape.rank++] = strtoll(text, &end, 10);
        if (*end == '\0' && end != text) {
            *ret_shape = shape;
            return NULL;
        }
        if (*end != ',')
            break;
    }
    return error_new(ERROR_INVALID_ARGUMENT, "DIMS must be numbers with commas between them");
}

static Error *read_floats(Arena *arena, const char *path, const Shape *shape, Tensor *ret_tensor)
{
    TRY(tensor_new(arena, DT_FLOAT, shape, ret_tensor));
    FILE *file = fopen(path, "rb");
    size_t n =
        file != NULL ? fread(ret_tensor->data, sizeof(float), (size_t)ret_tensor->n, file) : 0;
    if (file != NULL)
        fclose(file);
    if (n != (size_t)ret_tensor->n)
        return error_new(ERROR_INVALID_ARGUMENT, "%s has no %lld floats", path,
                         (long long)ret_tensor->n);
    return NULL;
}

static Error *write_floats(const char *path, const Tensor *tensor)
{
    FILE *file = fopen(path, "wb");
    size_t n = file != NULL ? fwrite(tensor->data, sizeof(float), (size_t)tensor->n, file) : 0;
    if (file == NULL || fclose(file) != 0 || n != (size_t)tensor->n)
        return error_new(ERROR_UNAVAILABLE, "%s cannot be written", path);
    return NULL;
}

static void print_plan(const Model *model, const Plan *plan)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("steps %d weights %zu peak %ld\n", plan->n_steps, model_memory_bytes(model),
           usage.ru_maxrss * 1024);
    for (int32_t i = 0; i < plan->n_steps; i++) {
        int n = 0;
        bool is_first = true;
        for (int32_t k = 0; k < plan->n_steps; k++) {
            bool is_same = plan->steps[k].op == plan->steps[i].op;
            is_first &= !is_same || k >= i;
            n += is_same;
        }
        if (is_first)
            printf("%s %d\n", plan->steps[i].op->name, n);
    }
}

static Error *run(const Job *job, Arena *arena)
{
    _cleanup_(model_unrefp) Model *model = NULL;
    _cleanup_(scratch_freep) Scratch *scratch = scratch_new(job->n_threads);
    const ModelOptions options = { .as_written = job->as_written };
    Shape shape;
    NamedTensor input = { 0 }, *outputs = NULL;
    size_t n = 0;
    if (scratch == NULL)
        return error_out_of_memory();
    TRY(model_load(job->directory, &options, &model));
    const Signature *signature = model_find_signature(model, bytes_of_text(""));
    if (signature == NULL || signature->n_inputs != 1)
        return error_new(ERROR_INVALID_ARGUMENT, "there is no serving_default with one input");
    input.name = bytes_of_text(signature->inputs[0].alias);
    TRY(parse_dims(job->dims, &shape));
    TRY(read_floats(arena, job->input, &shape, &input.tensor));
    for (int i = 0; i < 2; i++) /* the second run has its memory planned */
        TRY(signature_run(model, signature, &input, 1, NULL, 0, NULL, scratch, arena, &outputs,
                          &n));
    if (outputs[0].tensor.dtype != DT_FLOAT)
        return error_new(ERROR_INVALID_ARGUMENT, "output '%s' is not float",
                         signature->outputs[0].alias);
    print_plan(model, signature->plan);
    return write_floats(job->output, &outputs[0].tensor);
}

int main(int argc, char **argv)
{
    static const char threads[] = "--threads=";
    const char *flag = argc > 1 && strncmp(argv[1], "--", 2) == 0 ? argv[1] : NULL;
    Job job = { .as_written = flag != NULL && strcmp(flag, "--as_written") == 0, .n_threads = 1 };
    if (flag != NULL && strncmp(flag, threads, strlen(threads)) == 0)
        job.n_threads = (int)strtol(flag + strlen(threads), NULL, 10);
    argv += flag != NULL;
    if (argc - (flag != NULL) != 5) {
        fprintf(stderr,
                "usage: run_bundle [--as_written | --threads=N] DIRECTORY DIMS INPUT OUTPUT\n");
        return 2;
    }
    job.directory = argv[1];
    job.dims = argv[2];
    job.input = argv[3];
    job.output = argv[4];
    _cleanup_(arena_freep) Arena *arena = arena_new(ARENA_BLOCK_BYTES, 0);
    Error *error = arena != NULL ? run(&job, arena) : error_out_of_memory();
    if (error != NULL) {
        fprintf(stderr, "%s\n", error->text);
        error_free(error);
        return 1;
    }
    return 0;
}
