/* SPDX-License-Identifier: Apache-2.0
 *
 * ModelInferResponse. As protobuf does, strings that are empty are left out.
 *
 * | ModelInferResponse | 1 model_name; 2 model_version; 3 id; 5 outputs; 6 raw_output_contents     |
 * | InferOutputTensor  | 1 name; 2 datatype; 3 shape, packed; 5 InferTensorContents when typed     |
 */
#include "server/service/kserve_reply.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "server/service/kserve_tensor.h"
#include "server/service/reply.h"
#include "server/service/wire.h"

static size_t text_size(Bytes text)
{
    return text.size > 0 ? wire_bytes_size(text.size) : 0;
}

static uint8_t *put_text(uint8_t *out, unsigned number, Bytes text)
{
    return text.size > 0 ? wire_put_bytes(out, number, text) : out;
}

static size_t dims_size(const Shape *shape)
{
    size_t bytes = 0;
    for (int i = 0; i < shape->rank; i++)
        bytes += varint_size((uint64_t)shape->dims[i]);
    return bytes;
}

static size_t output_size(const NamedTensor *output, bool is_raw)
{
    const Tensor *tensor = &output->tensor;
    size_t bytes =
        text_size(output->name) + text_size(bytes_of_text(kserve_datatype(tensor->dtype)));
    if (tensor->shape.rank > 0)
        bytes += wire_bytes_size(dims_size(&tensor->shape));
    return bytes + (is_raw ? 0 : wire_bytes_size(kserve_typed_size(tensor)));
}

static uint8_t *put_output(uint8_t *out, const NamedTensor *output, bool is_raw)
{
    const Tensor *tensor = &output->tensor;
    out = wire_put_head(out, 5, output_size(output, is_raw));
    out = put_text(out, 1, output->name);
    out = put_text(out, 2, bytes_of_text(kserve_datatype(tensor->dtype)));
    if (tensor->shape.rank > 0)
        out = wire_put_head(out, 3, dims_size(&tensor->shape));
    for (int i = 0; i < tensor->shape.rank; i++)
        out += varint_write(out, (uint64_t)tensor->shape.dims[i]);
    if (is_raw)
        return out;
    out = wire_put_head(out, 5, kserve_typed_size(tensor));
    return kserve_put_typed(out, tensor);
}

static bool must_be_raw(const KserveRequest *request, const NamedTensor *outputs, size_t n)
{
    bool is_raw = request->is_raw;
    for (size_t i = 0; i < n; i++)
        is_raw |= !kserve_has_typed(outputs[i].tensor.dtype);
    return is_raw;
}

Error *kserve_reply(Call *call, const KserveRequest *request, int64_t version,
                    const NamedTensor *outputs, size_t n)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRId64, version);
    bool is_raw = must_be_raw(request, outputs, n);
    size_t bytes =
        text_size(request->model.name) + text_size(bytes_of_text(text)) + text_size(request->id);
    for (size_t i = 0; i < n; i++) {
        bytes += wire_bytes_size(output_size(&outputs[i], is_raw));
        bytes += is_raw ? wire_bytes_size(kserve_raw_size(&outputs[i].tensor)) : 0;
    }
    uint8_t *begun;
    TRY(reply_begin(call, bytes, &begun));
    uint8_t *out = put_text(begun, 1, request->model.name);
    out = put_text(out, 2, bytes_of_text(text));
    out = put_text(out, 3, request->id);
    for (size_t i = 0; i < n; i++)
        out = put_output(out, &outputs[i], is_raw);
    for (size_t i = 0; i < n && is_raw; i++) {
        out = wire_put_head(out, 6, kserve_raw_size(&outputs[i].tensor));
        out = kserve_put_raw(out, &outputs[i].tensor);
    }
    assert(out == begun + bytes);
    call_reply_send(call);
    return NULL;
}
