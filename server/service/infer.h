/* SPDX-License-Identifier: Apache-2.0
 *
 * Classify, Regress and MultiInference: signatures that take serialized tf.Examples.
 */
#ifndef DIGIT_SERVER_SERVICE_INFER_H
#define DIGIT_SERVER_SERVICE_INFER_H

#include "server/grpc/call.h"

/* The handlers; `context` is the thread's Worker. */
void classify_handle(Call *call, void *context);
void regress_handle(Call *call, void *context);
void multi_inference_handle(Call *call, void *context);

#endif
