/* SPDX-License-Identifier: Apache-2.0
 *
 * Batching: the batcher of a server, and with which parameters each version uses it.
 */
#ifndef DIGIT_SERVER_BATCH_BATCHING_H
#define DIGIT_SERVER_BATCH_BATCHING_H

#include "server/batch/batcher.h"

typedef struct Batching Batching;

typedef struct BatchingOptions {
    const char *file; /* text BatchingParameters; "": what holds without */
    bool per_model;   /* only versions that have a file of their own are batched, as it says; of the
                       * server's file only the threads count */
    size_t max_bytes; /* see BatcherOptions */
    Crew *crew;
} BatchingOptions;

/* Starts the threads. Errors of file_read, batch_params_parse and batcher_new, the file named. */
Error *batching_new(const BatchingOptions *options, Batching **ret_batching) _warn_unused_result_;

/* Answers all that waits and ends the threads; nothing may be submitted any more. Takes NULL. */
void batching_stop(Batching *batching);

/* Stops, and frees; no version is served any more. Takes NULL; returns NULL. */
Batching *batching_free(Batching *batching);

Batcher *batching_batcher(const Batching *batching);

/* The parameters of a version that is served; valid while it is. NULL: it is not batched. Any
 * thread. */
const BatchParams *batching_params(Batching *batching, const Model *model);

/* A version in `directory` is about to be served: reads its batching_params.pbtxt where that
 * counts; to have none is no error. Errors as batching_new. Any thread. */
Error *batching_add(Batching *batching, const Model *model,
                    const char *directory) _warn_unused_result_;

/* The version is not served any more; it need not have been added. Any thread. */
void batching_remove(Batching *batching, const Model *model);

#endif
