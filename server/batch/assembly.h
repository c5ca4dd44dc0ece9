/* SPDX-License-Identifier: Apache-2.0
 *
 * Assembly: the tensors of a batch from those of its tasks, and back. Pure: no queues, no threads.
 *
 *     task 1  x [2,3]   \                              / y rows 0..1 -> task 1
 *     task 2  x [1,3]    >  x [4,3] -- run -- y [4,10] -- y row  2   -> task 2
 *     padding           /   (row 0 of task 2 again)    \ dropped
 */
#ifndef DIGIT_SERVER_BATCH_ASSEMBLY_H
#define DIGIT_SERVER_BATCH_ASSEMBLY_H

#include "server/batch/task.h"

/* Fills n_rows and n_bytes of a task and sorts its inputs. INVALID_ARGUMENT with TensorFlow Serving's
 * texts: no input; an input that is a scalar; inputs whose first dimensions differ; more rows than
 * max_task_rows. */
Error *assembly_measure(BatchTask *task) _warn_unused_result_;

/* Whether the two tasks, both measured, may be in one batch: the same signature of the same version,
 * outputs, names of inputs, types and shapes but for the rows; where the params say so, shapes may
 * be padded to each other's. */
bool assembly_joins(const BatchTask *a, const BatchTask *b);

/* Whether two tasks that may be in one batch need no padding there. */
bool assembly_fits(const BatchTask *a, const BatchTask *b);

/* Grows shapes[0..task->n_inputs), which begin with rank 0, to hold the task's inputs too; dimension
 * 0 is not looked at. */
void assembly_grow(const BatchTask *task, Shape *shapes);

/* The bytes of the inputs of a batch of n_rows; SIZE_MAX when they are more than can be counted. */
size_t assembly_bytes(const BatchTask *task, const Shape *shapes, int64_t n_rows);

/* The inputs of a batch of `n_rows`, of which the parts are the first, in `arena`: borrowed where a
 * task has the batch for itself, else copied. What is missing in a row has the value of the tensor's
 * first element; the rows after the last part repeat the first row of the last task.
 * RESOURCE_EXHAUSTED when the arena is full. */
Error *assembly_inputs(Arena *arena, const BatchPart *parts, size_t n_parts, int64_t n_rows,
                       NamedTensor **ret_inputs) _warn_unused_result_;

/* FAILED_PRECONDITION `Batched output tensor has 0 dimensions`, `Batched output tensor's 0th
 * dimension does not equal the sum of the 0th dimension sizes of the input tensors`. */
Error *assembly_check_outputs(const NamedTensor *outputs, size_t n,
                              int64_t n_rows) _warn_unused_result_;

/* The rows [begin, begin + n_rows) of each output, borrowed from it. `rows` has room for n. */
void assembly_rows(const NamedTensor *outputs, size_t n, int64_t begin, int64_t n_rows,
                   NamedTensor *rows);

/* Outputs of the shapes of `outputs` with the task's number of rows, in the task's arena. */
Error *assembly_outputs_new(BatchTask *task, const NamedTensor *outputs,
                            size_t n) _warn_unused_result_;

/* Copies rows[0..n), the answer to the part, into the task's outputs; bytes of strings go to `arena`.
 * FAILED_PRECONDITION when they are not shaped like those. */
Error *assembly_join_rows(Arena *arena, const BatchPart *part, const NamedTensor *rows,
                          size_t n) _warn_unused_result_;

#endif
