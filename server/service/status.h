/* SPDX-License-Identifier: Apache-2.0
 *
 * ModelService.GetModelStatus: the versions of a model and their states.
 */
#ifndef DIGIT_SERVER_SERVICE_STATUS_H
#define DIGIT_SERVER_SERVICE_STATUS_H

#include "server/grpc/call.h"
#include "server/service/spec.h"
#include "tensorflow_serving/apis/get_model_status.pb-c.h"

/* Handler of a Method; `context` is the thread's Worker. */
void status_handle(Call *call, void *context);

/* The same, however it was asked: a response that lies in `arena`. Errors: as manager_status. */
Error *status_read(Manager *manager, const ModelSpec *spec, Arena *arena,
                   Tensorflow__Serving__GetModelStatusResponse *ret_response) _warn_unused_result_;

#endif
