/* SPDX-License-Identifier: Apache-2.0
 *
 * Task: one request for the batcher. Its memory is the submitter's.
 */
#ifndef DIGIT_SERVER_BATCH_TASK_H
#define DIGIT_SERVER_BATCH_TASK_H

#include <stdatomic.h>

#include "model/model.h"
#include "server/batch/params.h"

typedef struct BatchTask BatchTask;

struct BatchTask {
    /* The submitter's, borrowed until `done` is called. */
    const Model *model;
    const Signature *signature;
    const BatchParams *params;
    NamedTensor *inputs; /* [n_inputs] as for signature_run; will be sorted by name */
    size_t n_inputs;
    const Bytes *output_filter; /* [n_filter] */
    size_t n_filter;
    uint64_t deadline_ns; /* CLOCK_MONOTONIC; 0: none */
    bool is_repeatable;   /* a run leaves no trace: signature_is_pure */
    Arena *arena;         /* of this task alone */

    /* The end of the task, once: `error`, which it takes, or the outputs, which are valid only
     * during the call. On a thread of the batcher's, or on the one that cancels; no lock is held.
     * The task may be gone when it returns. */
    void (*done)(BatchTask *task, Error *error, const NamedTensor *outputs, size_t n_outputs);
    void *data; /* for `done` */

    /* The batcher's: constant once submitted */
    int64_t n_rows;
    size_t n_bytes;  /* of the inputs */
    uint64_t due_ns; /* when no more tasks are to be waited for */

    /* under the batcher's lock */
    struct BatchLine *line; /* that it waits in, with rows left to run; NULL: none */
    BatchTask *previous, *next;
    int64_t n_taken;    /* rows that are in batches, or done */
    unsigned n_running; /* parts that are in batches */
    Error *error;       /* why it has failed; the parts that still run are waited for */

    atomic_bool is_unwanted; /* cancelled while it ran */

    /* of a task that is run in parts: under the batcher's other lock */
    NamedTensor *outputs;
    size_t n_outputs;
};

/* Rows [begin, begin + n_rows) of a task, as they are in a batch. */
typedef struct BatchPart {
    BatchTask *task;
    int64_t begin, n_rows;
} BatchPart;

static inline bool batch_part_is_whole(const BatchPart *part)
{
    return part->n_rows == part->task->n_rows;
}

#endif
