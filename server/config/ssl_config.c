/* SPDX-License-Identifier: Apache-2.0
 *
 * SslConfig: the file is read once, at the start: a change of keys is a restart.
 */
#include "server/config/ssl_config.h"

#include "model/base/file.h"
#include "model/base/message_parse.h"

#define FILE_MAX_BYTES ((size_t)4 << 20)

Error *ssl_config_read(Arena *arena, const char *path, Tensorflow__Serving__SSLConfig **ret_config)
{
    uint8_t *bytes;
    size_t size;
    ProtobufCMessage *message;
    TRY(file_read(arena, path, FILE_MAX_BYTES, &bytes, &size));
    Error *error = message_from_text(arena, &tensorflow__serving__sslconfig__descriptor,
                                     (const char *)bytes, size, &message);
    if (error != NULL)
        return error_prefix(error, "Invalid protobuf file: '%s'", path);
    Tensorflow__Serving__SSLConfig *config = (Tensorflow__Serving__SSLConfig *)message;
    if (config->server_key[0] == '\0' || config->server_cert[0] == '\0')
        return error_new(ERROR_INVALID_ARGUMENT,
                         "%s: server_key and server_cert must both be there, as PEM texts", path);
    if (config->client_verify && config->custom_ca[0] == '\0')
        return error_new(ERROR_INVALID_ARGUMENT,
                         "%s: client_verify needs custom_ca, the PEM text of those who sign for "
                         "clients",
                         path);
    *ret_config = config;
    return NULL;
}
