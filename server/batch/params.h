/* SPDX-License-Identifier: Apache-2.0
 *
 * Params: how the operator wants requests to be batched: TensorFlow Serving's BatchingParameters.
 */
#ifndef DIGIT_SERVER_BATCH_PARAMS_H
#define DIGIT_SERVER_BATCH_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/arena.h"
#include "model/base/bytes.h"
#include "model/base/error.h"

/* Rows are indices of dimension 0, over which requests are joined. */
typedef struct BatchParams {
    int64_t max_task_rows;      /* max_batch_size: of one request */
    int64_t max_rows;           /* of one run; the same but with splitting */
    int64_t timeout_ns;         /* how long a batch that is not full waits for more */
    int64_t max_queued_batches; /* full batches' worth of rows that may wait */
    int64_t n_threads;          /* that run batches */
    const int64_t *allowed;     /* [n_allowed] ascending; numbers of rows to run; none: any */
    size_t n_allowed;
    bool pads;   /* inputs that differ in other dimensions are padded and joined */
    bool splits; /* a request may be run in parts */
} BatchParams;

/* What holds without a file. */
BatchParams batch_params_default(void);

/* Reads a BatchingParameters in protobuf's text form; the array lies in `arena`. INVALID_ARGUMENT
 * with the words of protobuf's parser, or naming the parameter that is out of range; `Last entry in
 * allowed_batch_sizes must match max_batch_size; last entry was A; expected B`. */
Error *batch_params_parse(Arena *arena, Bytes text, BatchParams *ret_params) _warn_unused_result_;

/* The number of rows to run for a batch of `n_rows`: the next allowed one. */
int64_t batch_params_round_up(const BatchParams *params, int64_t n_rows);

#endif
