/* SPDX-License-Identifier: Apache-2.0
 *
 * The requests of all services, and the tensors in a PredictRequest.
 */
#include "model/base/arena.h"
#include "model/tensor/tensor_proto.h"
#include "server/service/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(Arena *arena, Bytes wire)
{
    PredictRequest predict;
    ExamplesRequest examples;
    MultiInferenceRequest inference;
    MetadataRequest metadata;
    ModelSpec spec;
    Bytes service;
    Error *error = request_read_predict(arena, wire, &predict);
    for (size_t i = 0; error == NULL && i < predict.n_inputs; i++) {
        Tensor tensor;
        error_free(tensor_from_wire(arena, predict.inputs[i].tensor_proto, &tensor));
    }
    error_free(error);
    error_free(request_read_examples(arena, wire, &examples));
    error_free(request_read_multi_inference(arena, wire, &inference));
    error_free(request_read_metadata(arena, wire, &metadata));
    error_free(request_read_status(wire, &spec));
    error_free(request_read_health(wire, &service));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 16 << 20);
    if (arena != NULL)
        read_all(arena, (Bytes){ data, size });
    return 0;
}
