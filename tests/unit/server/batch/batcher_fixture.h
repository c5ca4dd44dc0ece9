/* SPDX-License-Identifier: Apache-2.0
 *
 * A run for the batcher's tests: y = 2x, which fails where it sees a negative number, and which waits
 * at a gate while that is closed, so that tasks can gather behind it. And jobs: a task and what
 * became of it.
 */
#ifndef DIGIT_TESTS_BATCHER_FIXTURE_H
#define DIGIT_TESTS_BATCHER_FIXTURE_H

#include <pthread.h>
#include <time.h>

#include "server/batch/batcher.h"
#include "tests/unit/server/batch/batch_fixture.h"

#define NS_PER_MS 1000000u
#define MAX_RUNS 64

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_closed;
    int n_at_gate;
    int n_runs;
    int64_t rows[MAX_RUNS];
    bool is_scalar; /* the output */
} fake = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static inline Error *fake_run(const Model *model, const Signature *signature,
                              const NamedTensor *inputs, size_t n_inputs, const Bytes *filter,
                              size_t n_filter, const RunOptions *options, Scratch *scratch,
                              Arena *arena, NamedTensor **ret_outputs, size_t *ret_n)
{
    (void)model, (void)signature, (void)n_inputs, (void)filter, (void)n_filter, (void)scratch;
    const Tensor *x = &inputs[0].tensor;
    pthread_mutex_lock(&fake.lock);
    if (fake.n_runs < MAX_RUNS)
        fake.rows[fake.n_runs] = x->shape.dims[0];
    fake.n_runs++;
    fake.n_at_gate++;
    pthread_cond_broadcast(&fake.changed);
    while (fake.is_closed && !options->cancel->is_cancelled(options->cancel->data)) {
        struct timespec soon;
        clock_gettime(CLOCK_REALTIME, &soon);
        soon.tv_nsec = (soon.tv_nsec + NS_PER_MS) % 1000000000;
        pthread_cond_timedwait(&fake.changed, &fake.lock, &soon);
    }
    fake.n_at_gate--;
    Shape shape = fake.is_scalar ? shape_of() : x->shape;
    bool is_cancelled = fake.is_closed;
    pthread_mutex_unlock(&fake.lock);
    if (is_cancelled)
        return error_new(ERROR_CANCELLED, "nobody waits");
    NamedTensor *output = arena_calloc(arena, 1, sizeof(*output));
    assert_non_null(output);
    output->name = bytes_of_text("y");
    TRY(tensor_new(arena, DT_FLOAT, &shape, &output->tensor));
    for (int64_t i = 0; i < output->tensor.n; i++) {
        float value = ((const float *)x->data)[i];
        if (value < 0)
            return error_new(ERROR_OUT_OF_RANGE, "%g is negative", (double)value);
        ((float *)output->tensor.data)[i] = 2 * value;
    }
    *ret_outputs = output;
    *ret_n = 1;
    return NULL;
}

static inline void gate_close(void)
{
    pthread_mutex_lock(&fake.lock);
    fake.is_closed = true;
    pthread_mutex_unlock(&fake.lock);
}

static inline void gate_open(void)
{
    pthread_mutex_lock(&fake.lock);
    fake.is_closed = false;
    pthread_cond_broadcast(&fake.changed);
    pthread_mutex_unlock(&fake.lock);
}

static inline void gate_wait(int n)
{
    pthread_mutex_lock(&fake.lock);
    while (fake.n_at_gate < n)
        pthread_cond_wait(&fake.changed, &fake.lock);
    pthread_mutex_unlock(&fake.lock);
}

/* ---- jobs: a task and what became of it ---------------------------------------------------- */

typedef struct Job {
    BatchTask task;
    Arena *arena;
    bool is_done;
    Error *error;
    Shape shape;
    float values[32];
    uint64_t done_ns;
} Job;

static pthread_mutex_t jobs_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t jobs_changed = PTHREAD_COND_INITIALIZER;

static inline uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline void job_done(BatchTask *task, Error *error, const NamedTensor *outputs, size_t n)
{
    Job *job = task->data;
    pthread_mutex_lock(&jobs_lock);
    assert_false(job->is_done);
    job->is_done = true;
    job->error = error;
    job->done_ns = now_ns();
    if (error == NULL) {
        assert_int_equal(n, 1);
        assert_true(bytes_equal(outputs[0].name, bytes_of_text("y")));
        assert_in_range(outputs[0].tensor.n, 0, ARRAY_SIZE(job->values));
        job->shape = outputs[0].tensor.shape;
        if (outputs[0].tensor.n > 0)
            memcpy(job->values, outputs[0].tensor.data, tensor_bytes(&outputs[0].tensor));
    }
    pthread_cond_broadcast(&jobs_changed);
    pthread_mutex_unlock(&jobs_lock);
}

static inline void job_make(const BatchParams *params, Shape shape, float first, Job *job)
{
    *job = (Job){ .arena = arena_new(4096, 0) };
    assert_non_null(job->arena);
    make_task(job->arena, params, shape, first, &job->task);
    job->task.done = job_done;
    job->task.data = job;
}

static inline void job_wait(Job *job)
{
    pthread_mutex_lock(&jobs_lock);
    while (!job->is_done)
        pthread_cond_wait(&jobs_changed, &jobs_lock);
    pthread_mutex_unlock(&jobs_lock);
}

/* Waits for the answer, which is to be twice the input. */
static inline void job_check(Job *job)
{
    job_wait(job);
    assert_ok(job->error);
    const Tensor *x = &job->task.inputs[0].tensor;
    assert_true(shape_equal(&job->shape, &x->shape));
    for (int64_t i = 0; i < x->n; i++)
        assert_float_equal(job->values[i], 2 * ((const float *)x->data)[i], 0);
    arena_free(job->arena);
}

static inline void job_check_error(Job *job, ErrorCode code, const char *text)
{
    job_wait(job);
    assert_error(job->error, code, text);
    arena_free(job->arena);
}

/* ---- fixture ------------------------------------------------------------------------------- */

static BatchParams params;

static inline Batcher *start(int n_threads)
{
    Batcher *batcher;
    const BatcherOptions options = { .n_threads = n_threads,
                                     .max_bytes = 1 << 20,
                                     .run = fake_run };
    assert_ok(batcher_new(&options, &batcher));
    return batcher;
}

static inline int setup(void **state)
{
    (void)state;
    fake.is_closed = false;
    fake.is_scalar = false;
    fake.n_runs = 0;
    params = batch_params_default();
    return 0;
}

/* Lets one job run into the closed gate, so that all later ones gather. */
static inline void job_block(Batcher *batcher, Job *blocker)
{
    gate_close();
    job_make(&params, shape_of(1, 1), 1, blocker);
    assert_ok(batcher_submit(batcher, &blocker->task));
    gate_wait(1);
}

#endif
