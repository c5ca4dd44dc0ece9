/* SPDX-License-Identifier: Apache-2.0
 *
 * PredictionService.Classify: tf.Examples in, classes and scores out.
 */
#ifndef DIGIT_SERVER_SERVICE_CLASSIFY_H
#define DIGIT_SERVER_SERVICE_CLASSIFY_H

#include "server/grpc/call.h"

/* Handler of a Method; `context` is the thread's Worker. */
void classify_handle(Call *call, void *context);

#endif
