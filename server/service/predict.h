/* SPDX-License-Identifier: Apache-2.0
 *
 * PredictionService.Predict: any signature, tensors in and out.
 */
#ifndef DIGIT_SERVER_SERVICE_PREDICT_H
#define DIGIT_SERVER_SERVICE_PREDICT_H

#include "server/grpc/call.h"

/* Handler of a Method; `context` is the thread's Worker. */
void predict_handle(Call *call, void *context);

#endif
