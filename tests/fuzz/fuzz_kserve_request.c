/* SPDX-License-Identifier: Apache-2.0
 *
 * ModelInferRequest: its tensors are read to their last byte, and have a size in both forms.
 */
#include <stdlib.h>

#include "model/base/arena.h"
#include "server/service/kserve_request.h"
#include "server/service/kserve_tensor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_back(Arena *arena, const Tensor *tensor)
{
    size_t raw = kserve_raw_size(tensor);
    uint8_t *out = arena_alloc(arena, raw);
    if (out != NULL && kserve_put_raw(out, tensor) != out + raw)
        abort();
    size_t typed = kserve_has_typed(tensor->dtype) ? kserve_typed_size(tensor) : 0;
    out = arena_alloc(arena, typed);
    if (out != NULL && typed > 0 && kserve_put_typed(out, tensor) != out + typed)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(4096, 16 << 20);
    KserveRequest request;
    KserveModel model;
    if (arena == NULL)
        return 0;
    Error *error = kserve_request_read(arena, (Bytes){ data, size }, &request);
    for (size_t i = 0; error == NULL && i < request.n_inputs; i++)
        write_back(arena, &request.inputs[i].tensor);
    error_free(error);
    error_free(kserve_request_read_model((Bytes){ data, size }, &model));
    return 0;
}
