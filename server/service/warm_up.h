/* SPDX-License-Identifier: Apache-2.0
 *
 * Warm-up of a version before it serves: with the requests that lie in the bundle, or on zeros.
 */
#ifndef DIGIT_SERVER_SERVICE_WARM_UP_H
#define DIGIT_SERVER_SERVICE_WARM_UP_H

#include "model/model.h"
#include "server/service/worker.h"

typedef struct WarmUpOptions {
    bool is_enabled;       /* --enable_model_warmup */
    unsigned n_iterations; /* --num_request_iterations_for_warmup; 0 counts as 1 */
    ServiceOptions services;
} WarmUpOptions;

/* Runs the requests of DIRECTORY/assets.extra/tf_serving_warmup_requests, a TFRecord file of
 * tensorflow.serving.PredictionLogs, each as often as `data`, a WarmUpOptions, says; without that
 * file as loader_warm_up_on_zeros. The model's name and version in a request are not looked at.
 *
 * What a request's run says is the error, with the record's number and the file's path before it.
 * DATA_LOSS for a file that is no TFRecord file or a record that is no PredictionLog;
 * INVALID_ARGUMENT for more than 1000 records; UNIMPLEMENTED `Unsupported log_type for warmup: N`
 * for streamed predictions and session runs. A VersionLoader's warm_up. */
Error *warm_up_run(const Model *model, const char *directory,
                   const void *data) _warn_unused_result_;

#endif
