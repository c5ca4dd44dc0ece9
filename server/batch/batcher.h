/* SPDX-License-Identifier: Apache-2.0
 *
 * Batcher: threads that join what requests bring and run it at once.
 *
 *     submit -> line of its kind -> batch, when a thread is free -> one run -> done, for each task
 *
 * Nothing waits for company unless the operator says so (batch_timeout_micros): a thread that is free
 * takes what is there. Under load tasks come while all threads compute, and so batches grow by
 * themselves.
 *
 * A batch that fails is run again task by task where a run leaves no trace, so that what is wrong
 * with one request never reaches another.
 */
#ifndef DIGIT_SERVER_BATCH_BATCHER_H
#define DIGIT_SERVER_BATCH_BATCHER_H

#include "model/base/crew.h"
#include "server/batch/task.h"

typedef struct Batcher Batcher;

typedef struct BatcherOptions {
    int n_threads;
    /* Of the inputs that wait, and of the inputs of a batch of several tasks: a tensor may claim
     * more memory than its request's bytes. */
    size_t max_bytes;
    Crew *crew; /* helps with runs; borrowed; may be NULL */

    /* Runs a batch; signature_run, but in tests. */
    Error *(*run)(const Model *model, const Signature *signature, const NamedTensor *inputs,
                  size_t n_inputs, const Bytes *output_filter, size_t n_filter,
                  const RunOptions *options, Scratch *scratch, Arena *arena,
                  NamedTensor **ret_outputs, size_t *ret_n);
} BatcherOptions;

/* RESOURCE_EXHAUSTED when a thread cannot be had. */
Error *batcher_new(const BatcherOptions *options, Batcher **ret_batcher) _warn_unused_result_;

/* Runs what waits, calls every `done`, ends the threads. No task may be submitted or cancelled any
 * more. Takes NULL; returns NULL. */
Batcher *batcher_free(Batcher *batcher);

/* From now on batches that are not full do not wait for more. Any thread. */
void batcher_drain(Batcher *batcher);

/* Hands over a task, whose inputs and outputs have been found right for its signature
 * (signature_check): `done` is going to be called, maybe before this returns. With an error it is
 * not called: those of assembly_measure, and UNAVAILABLE `The batch scheduling queue to which this
 * task was submitted is full`. Any thread.
 *
 * `done` gets, besides what the run says: RESOURCE_EXHAUSTED `Run() timeout exceeded while waiting in
 * batching queue`; the errors of assembly_check_outputs. */
Error *batcher_submit(Batcher *batcher, BatchTask *task) _warn_unused_result_;

/* Nobody wants the task's answer any more. If it waits, its `done` gets CANCELLED at once; a run ends
 * when all its tasks are unwanted; after `done` nothing happens. Its memory must still be there in any
 * case. Any thread. */
void batcher_cancel(Batcher *batcher, BatchTask *task);

static inline void batcher_freep(Batcher **batcher)
{
    batcher_free(*batcher);
}

#endif
