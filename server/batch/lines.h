/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines: the tasks that wait, in one line for each kind that may share a batch, oldest first. Which
 * line is next, what a batch takes of it, and who leaves early. Pure: no threads, no clock; the
 * caller has the lock.
 *
 * A line exists only while tasks wait in it, and each of these has a loan of its version: so lines
 * need not be told of versions that go.
 */
#ifndef DIGIT_SERVER_BATCH_LINES_H
#define DIGIT_SERVER_BATCH_LINES_H

#include "server/batch/task.h"

typedef struct BatchLine BatchLine;

typedef struct BatchLines {
    BatchLine *first, *last; /* whose turn it is comes first */
    BatchLine *unused;
    size_t n_bytes;   /* of the inputs of all tasks */
    size_t max_bytes; /* more are refused; also of the inputs of a batch of several tasks */
    bool is_draining; /* nothing waits for more to come */
} BatchLines;

/* A batch that is to be run. */
typedef struct Batch {
    BatchPart *parts; /* [n_parts], of tasks that may be in one batch */
    size_t n_parts, capacity;
    int64_t n_rows;
    Shape *shapes; /* [2 * n_shapes] of the inputs, and of the inputs with one more task */
    size_t n_shapes;
    bool is_padded;  /* not all tasks have the shapes of the first */
    bool has_a_part; /* of a task that is split */
} Batch;

/* Initialises the caller's storage; RESOURCE_EXHAUSTED. */
Error *batch_init(Batch *batch) _warn_unused_result_;
void batch_done(Batch *batch);

/* Frees the lines, which are empty. */
void lines_done(BatchLines *lines);

/* Puts a measured task, with its due_ns, at the end of its line. UNAVAILABLE `The batch scheduling
 * queue to which this task was submitted is full`. `*ret_is_news` when a thread that waits may have
 * waited for it: the line was empty, or can give a batch now, or has an earlier deadline. */
Error *lines_push(BatchLines *lines, BatchTask *task, bool *ret_is_news) _warn_unused_result_;

/* Takes a task that waits out of its line. */
void lines_remove(BatchLines *lines, BatchTask *task);

/* Takes a task out whose deadline is not after `now_ns`; NULL when there is none. */
BatchTask *lines_expire(BatchLines *lines, uint64_t now_ns);

/* The line whose turn it is and that can give a batch; NULL when none can, and then `*ret_wake_ns` is
 * when to ask again if nothing happens before, UINT64_MAX for never. */
BatchLine *lines_ready(BatchLines *lines, uint64_t now_ns, uint64_t *ret_wake_ns);

/* Fills `*batch` from the line and counts the parts of each task as running; the line's next turn
 * comes after all others'. */
void lines_take(BatchLines *lines, BatchLine *line, Batch *batch);

#endif
