/* SPDX-License-Identifier: Apache-2.0
 *
 * Batcher. `lock` guards the lines and what tasks say of their way through them; it is held for
 * moments, never while something runs. `join_lock` guards the outputs of tasks that are split, of
 * which there are few. No lock is held while `done` is called.
 *
 * A task is over when it waits in no line and no part of it runs. Whoever brings that about, under
 * the lock, calls its `done`, and nobody looks at it any more.
 */
#include "server/batch/batcher.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/batch/assembly.h"
#include "server/batch/lines.h"

#define NS_PER_S 1000000000ull
#define ARENA_BLOCK_BYTES ((size_t)64 << 10)
#define ARENA_KEEP_BYTES ((size_t)16 << 20)
#define RUNS_BETWEEN_TRIMS 256

typedef struct BatchThread {
    Batcher *batcher;
    pthread_t thread;
    bool is_started;
    Batch batch;
    Arena *arena; /* of one run */
    Scratch *scratch;
    unsigned n_runs; /* since the scratch was trimmed */
} BatchThread;

struct Batcher {
    /* immutable once started */
    BatcherOptions options;
    BatchThread *threads; /* [options.n_threads] */

    pthread_mutex_t lock;
    pthread_cond_t news; /* for one thread that waits: a batch may be ready */
    BatchLines lines;
    bool is_stopping;

    pthread_mutex_t join_lock;
};

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* ---- the end of tasks ---------------------------------------------------------------------- */

static void keep_error(BatchTask *task, Error *error)
{
    if (task->error == NULL)
        task->error = error;
    else
        error_free(error);
}

static void finish(BatchTask *task)
{
    Error *error = TAKE(task->error);
    if (error != NULL)
        task->done(task, error, NULL, 0);
    else
        task->done(task, NULL, task->outputs, task->n_outputs);
}

/* Ends a task early that has just left its line, with the lock held, which it is without meanwhile. */
static void give_up(Batcher *batcher, BatchTask *task, Error *error)
{
    keep_error(task, error);
    if (task->n_running > 0)
        return;
    pthread_mutex_unlock(&batcher->lock);
    finish(task);
    pthread_mutex_lock(&batcher->lock);
}

/* A part of a task that is split has been run. */
static void finish_part(Batcher *batcher, const BatchPart *part, Error *error,
                        const NamedTensor *rows, size_t n)
{
    BatchTask *task = part->task;
    if (error == NULL) {
        pthread_mutex_lock(&batcher->join_lock);
        if (task->outputs == NULL)
            error = assembly_outputs_new(task, rows, n);
        if (error == NULL)
            error = assembly_join_rows(task->arena, part, rows, n);
        pthread_mutex_unlock(&batcher->join_lock);
    }
    pthread_mutex_lock(&batcher->lock);
    if (error != NULL) {
        keep_error(task, error);
        if (task->line != NULL)
            lines_remove(&batcher->lines, task);
    }
    bool is_over = --task->n_running == 0 && task->line == NULL;
    pthread_mutex_unlock(&batcher->lock);
    if (is_over)
        finish(task);
}

static void part_done(Batcher *batcher, const BatchPart *part, Error *error,
                      const NamedTensor *rows, size_t n)
{
    if (!batch_part_is_whole(part))
        finish_part(batcher, part, error, rows, n);
    else if (error != NULL)
        part->task->done(part->task, error, NULL, 0);
    else
        part->task->done(part->task, NULL, rows, n);
}

/* ---- running ------------------------------------------------------------------------------- */

/* The latest deadline: a batch goes on while anybody waits for it. */
static uint64_t latest_deadline(const BatchPart *parts, size_t n)
{
    uint64_t latest = 0;
    for (size_t i = 0; i < n; i++) {
        if (parts[i].task->deadline_ns == 0)
            return 0;
        if (parts[i].task->deadline_ns > latest)
            latest = parts[i].task->deadline_ns;
    }
    return latest;
}

typedef struct Company {
    const BatchPart *parts; /* [n] */
    size_t n;
} Company;

/* A run's cancel: nobody waits for any of the parts. */
static bool is_unwanted(void *data)
{
    const Company *company = data;
    for (size_t i = 0; i < company->n; i++)
        if (!atomic_load_explicit(&company->parts[i].task->is_unwanted, memory_order_relaxed))
            return false;
    return true;
}

/* Runs parts of `n_rows` rows in all, and calls what is done when that succeeds. */
static Error *run_parts(BatchThread *thread, const BatchPart *parts, size_t n_parts, int64_t n_rows)
{
    Batcher *batcher = thread->batcher;
    const BatchTask *first = parts[0].task;
    Company company = { parts, n_parts };
    const RunCancel cancel = { is_unwanted, &company };
    const RunOptions options = { latest_deadline(parts, n_parts), &cancel };
    NamedTensor *inputs, *outputs;
    size_t n;
    if (n_rows > 0)
        n_rows = batch_params_round_up(first->params, n_rows);
    arena_reset(thread->arena, ARENA_KEEP_BYTES);
    if (++thread->n_runs >= RUNS_BETWEEN_TRIMS) {
        scratch_trim(thread->scratch);
        thread->n_runs = 0;
    }
    TRY(assembly_inputs(thread->arena, parts, n_parts, n_rows, &inputs));
    TRY(batcher->options.run(first->model, first->signature, inputs, first->n_inputs,
                             first->output_filter, first->n_filter, &options, thread->scratch,
                             thread->arena, &outputs, &n));
    TRY(assembly_check_outputs(outputs, n, n_rows));
    NamedTensor *rows = arena_calloc(thread->arena, n, sizeof(*rows));
    if (rows == NULL)
        return error_out_of_memory();
    int64_t begin = 0;
    for (size_t i = 0; i < n_parts; i++) {
        assembly_rows(outputs, n, begin, parts[i].n_rows, rows);
        begin += parts[i].n_rows;
        part_done(batcher, &parts[i], NULL, rows, n);
    }
    return NULL;
}

static void run_batch(BatchThread *thread)
{
    const Batch *batch = &thread->batch;
    bool is_repeatable = batch->parts[0].task->is_repeatable;
    Error *error = run_parts(thread, batch->parts, batch->n_parts, batch->n_rows);
    if (error == NULL)
        return;
    for (size_t i = 0; i < batch->n_parts; i++) {
        const BatchPart *part = &batch->parts[i];
        Error *own = batch->n_parts == 1 || !is_repeatable
                         ? error_copy(error)
                         : run_parts(thread, part, 1, part->n_rows);
        if (own != NULL)
            part_done(thread->batcher, part, own, NULL, 0);
    }
    error_free(error);
}

/* ---- threads ------------------------------------------------------------------------------- */

/* With the lock held, which it is without meanwhile. */
static void expire(Batcher *batcher)
{
    BatchTask *task;
    while ((task = lines_expire(&batcher->lines, now_ns())) != NULL)
        give_up(batcher, task,
                error_new(ERROR_RESOURCE_EXHAUSTED,
                          "Run() timeout exceeded while waiting in batching queue"));
}

static void wait_for_news(Batcher *batcher, uint64_t until_ns)
{
    if (until_ns == UINT64_MAX) {
        pthread_cond_wait(&batcher->news, &batcher->lock);
        return;
    }
    const struct timespec until = { .tv_sec = (time_t)(until_ns / NS_PER_S),
                                    .tv_nsec = (long)(until_ns % NS_PER_S) };
    pthread_cond_timedwait(&batcher->news, &batcher->lock, &until);
}

static void *thread_main(void *data)
{
    BatchThread *thread = data;
    Batcher *batcher = thread->batcher;
    pthread_mutex_lock(&batcher->lock);
    while (true) {
        uint64_t wake_ns;
        expire(batcher);
        BatchLine *line = lines_ready(&batcher->lines, now_ns(), &wake_ns);
        if (line != NULL) {
            lines_take(&batcher->lines, line, &thread->batch);
            /* Another thread takes what is left, or waits for it in this one's place. */
            if (batcher->lines.first != NULL)
                pthread_cond_signal(&batcher->news);
            pthread_mutex_unlock(&batcher->lock);
            run_batch(thread);
            pthread_mutex_lock(&batcher->lock);
        } else if (batcher->is_stopping) {
            break;
        } else {
            wait_for_news(batcher, wake_ns);
        }
    }
    pthread_mutex_unlock(&batcher->lock);
    return NULL;
}

static Error *start_thread(BatchThread *thread, Batcher *batcher)
{
    thread->batcher = batcher;
    /* What a batch copies, its outputs and a task's rows of them: sizes that others choose. */
    thread->arena = arena_new(ARENA_BLOCK_BYTES, 4 * batcher->options.max_bytes);
    thread->scratch = scratch_new_shared(batcher->options.crew);
    if (thread->arena == NULL || thread->scratch == NULL)
        return error_out_of_memory();
    TRY(batch_init(&thread->batch));
    int e = pthread_create(&thread->thread, NULL, thread_main, thread);
    if (e != 0)
        return error_new(ERROR_RESOURCE_EXHAUSTED, "cannot start a thread for batches: %s",
                         strerror(e));
    thread->is_started = true;
    pthread_setname_np(thread->thread, "batch");
    return NULL;
}

/* ---- public -------------------------------------------------------------------------------- */

Error *batcher_new(const BatcherOptions *options, Batcher **ret_batcher)
{
    _cleanup_(batcher_freep) Batcher *batcher = calloc(1, sizeof(*batcher));
    if (batcher == NULL)
        return error_out_of_memory();
    batcher->options = *options;
    batcher->lines.max_bytes = options->max_bytes;
    pthread_mutex_init(&batcher->lock, NULL);
    pthread_mutex_init(&batcher->join_lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&batcher->news, &monotonic);
    pthread_condattr_destroy(&monotonic);
    batcher->threads = calloc((size_t)options->n_threads, sizeof(BatchThread));
    if (batcher->threads == NULL)
        return error_out_of_memory();
    for (int i = 0; i < options->n_threads; i++)
        TRY(start_thread(&batcher->threads[i], batcher));
    *ret_batcher = TAKE(batcher);
    return NULL;
}

void batcher_drain(Batcher *batcher)
{
    pthread_mutex_lock(&batcher->lock);
    batcher->lines.is_draining = true;
    pthread_cond_broadcast(&batcher->news);
    pthread_mutex_unlock(&batcher->lock);
}

Batcher *batcher_free(Batcher *batcher)
{
    if (batcher == NULL)
        return NULL;
    pthread_mutex_lock(&batcher->lock);
    batcher->lines.is_draining = true;
    batcher->is_stopping = true;
    pthread_cond_broadcast(&batcher->news);
    pthread_mutex_unlock(&batcher->lock);
    for (int i = 0; batcher->threads != NULL && i < batcher->options.n_threads; i++) {
        BatchThread *thread = &batcher->threads[i];
        if (thread->is_started)
            pthread_join(thread->thread, NULL);
        batch_done(&thread->batch);
        scratch_free(thread->scratch);
        arena_free(thread->arena);
    }
    free(batcher->threads);
    lines_done(&batcher->lines);
    pthread_cond_destroy(&batcher->news);
    pthread_mutex_destroy(&batcher->join_lock);
    pthread_mutex_destroy(&batcher->lock);
    free(batcher);
    return NULL;
}

Error *batcher_submit(Batcher *batcher, BatchTask *task)
{
    TRY(assembly_measure(task));
    bool is_news = false;
    task->due_ns = now_ns() + (uint64_t)task->params->timeout_ns;
    pthread_mutex_lock(&batcher->lock);
    Error *error = lines_push(&batcher->lines, task, &is_news);
    if (is_news)
        pthread_cond_signal(&batcher->news);
    pthread_mutex_unlock(&batcher->lock);
    return error;
}

void batcher_cancel(Batcher *batcher, BatchTask *task)
{
    pthread_mutex_lock(&batcher->lock);
    if (task->line != NULL) {
        lines_remove(&batcher->lines, task);
        give_up(batcher, task, error_new(ERROR_CANCELLED, "the client has gone"));
    } else {
        atomic_store_explicit(&task->is_unwanted, true, memory_order_relaxed);
    }
    pthread_mutex_unlock(&batcher->lock);
}
