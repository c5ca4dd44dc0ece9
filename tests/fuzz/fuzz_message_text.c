/* SPDX-License-Identifier: Apache-2.0
 *
 * message_from_text on the configuration files that a server reads: the first byte chooses one.
 * What was read is printed, read again and printed again, which must give the same text.
 */
#include <stdlib.h>
#include <string.h>

#include "model/base/message_parse.h"
#include "model/base/message_text.h"
#include "tensorflow/core/framework/attr_value.pb-c.h"
#include "tensorflow_serving/config/model_server_config.pb-c.h"
#include "tensorflow_serving/config/monitoring_config.pb-c.h"
#include "tensorflow_serving/config/ssl_config.pb-c.h"
#include "tensorflow_serving/servables/tensorflow/session_bundle_config.pb-c.h"

#define MEMORY ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_again(const ProtobufCMessageDescriptor *type, Buf *text)
{
    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 12, 4 * MEMORY);
    ProtobufCMessage *message;
    Buf again;
    buf_init(&again, MEMORY);
    const char *printed = buf_text(text);
    if (printed == NULL)
        return;
    Error *error = message_from_text(arena, type, printed, text->size, &message);
    if (error == NULL)
        error = message_to_text(message, &again);
    if (error != NULL || again.size != text->size ||
        (text->size > 0 && memcmp(again.data, text->data, text->size) != 0))
        abort();
    buf_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const ProtobufCMessageDescriptor *const types[] = {
        &tensorflow__serving__model_server_config__descriptor,
        &tensorflow__serving__batching_parameters__descriptor,
        &tensorflow__serving__monitoring_config__descriptor,
        &tensorflow__serving__sslconfig__descriptor,
        &tensorflow__attr_value__descriptor,
    };
    if (size == 0)
        return 0;
    const ProtobufCMessageDescriptor *type = types[data[0] % ARRAY_SIZE(types)];
    _cleanup_(arena_freep) Arena *arena = arena_new(1 << 12, MEMORY);
    ProtobufCMessage *message;
    Error *error = message_from_text(arena, type, (const char *)data + 1, size - 1, &message);
    if (error == NULL) {
        Buf text;
        buf_init(&text, MEMORY);
        error = message_to_text(message, &text);
        if (error == NULL)
            read_again(type, &text);
        buf_done(&text);
    }
    error_free(error);
    return 0;
}
