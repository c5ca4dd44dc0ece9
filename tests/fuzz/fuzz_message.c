/* SPDX-License-Identifier: Apache-2.0
 *
 * message_unpack on the types that strangers send: the first byte chooses one. What was unpacked is
 * packed again, so that everything in it is read.
 */
#include "model/base/message.h"
#include "tensorflow/core/example/example.pb-c.h"
#include "tensorflow/core/protobuf/saved_model.pb-c.h"
#include "tensorflow_serving/apis/classification.pb-c.h"
#include "tensorflow_serving/apis/predict.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const ProtobufCMessageDescriptor *const types[] = {
        &tensorflow__saved_model__descriptor,
        &tensorflow__meta_graph_def__descriptor,
        &tensorflow__serving__predict_request__descriptor,
        &tensorflow__serving__classification_request__descriptor,
        &tensorflow__example__descriptor,
    };
    if (size == 0)
        return 0;
    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 12, 64 << 20);
    ProtobufCMessage *message;
    Error *error = message_unpack(arena, types[data[0] % ARRAY_SIZE(types)], "fuzz", data + 1,
                                  size - 1, &message);
    if (error == NULL) {
        Buf buf;
        buf_init(&buf, SIZE_MAX);
        error = message_pack(message, &buf);
        buf_done(&buf);
    }
    error_free(error);
    return 0;
}
